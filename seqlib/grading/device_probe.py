"""Whether the first visible GPU works: it is filled with a number, which is read back. A program of its own."""

import ctypes
import sys

__all__ = ["probe"]

_COUNT = 1 << 18
_VALUE = 0x5EC11B


def probe(library: str = "libcuda.so.1") -> str:
    """Use the GPU through the driver's own library; say what failed, or nothing."""
    try:
        cuda = ctypes.CDLL(library)
    except OSError as error:
        return f"the driver's library is not there ({error})"
    device, context, memory = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_uint64()
    back = (ctypes.c_uint32 * _COUNT)()
    steps = (
        ("cuInit", 0),
        ("cuDeviceGet", ctypes.byref(device), 0),
        ("cuDevicePrimaryCtxRetain", ctypes.byref(context), lambda: device),
        ("cuCtxSetCurrent", lambda: context),
        ("cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(4 * _COUNT)),
        ("cuMemsetD32_v2", lambda: memory, ctypes.c_uint32(_VALUE), ctypes.c_size_t(_COUNT)),
        ("cuMemcpyDtoH_v2", back, lambda: memory, ctypes.c_size_t(4 * _COUNT)),
        ("cuMemFree_v2", lambda: memory),
    )
    for name, *arguments in steps:
        code = getattr(cuda, name)(*(argument() if callable(argument) else argument for argument in arguments))
        if code:
            return f"{name} failed with CUDA error {code}"
    return "" if set(back) == {_VALUE} else "its memory gave back what nobody had written"


if __name__ == "__main__":
    sys.exit(probe() or 0)
