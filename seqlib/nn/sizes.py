"""One check of sizes for every model: which tensor does not fit, what it should be, and who said so."""

from typing import NoReturn

from torch import Tensor

from seqlib.errors import ShapeError

__all__ = ["require_sizes"]


def require_sizes(**tensors: tuple[Tensor | None, str]) -> None:
    """Raise unless each tensor has the axes that its letters name, and each letter has one size throughout.

    Args:
        tensors: For each name, the tensor and its axes; `...` at the front allows any further axes. None is skipped.

    Raises:
        ShapeError: A tensor has another number of axes, or a letter another size than an earlier tensor gave it.

    >>> require_sizes(x=(Tensor(2, 5, 3), "b t i"), U=(Tensor(4, 3), "h i"))
    """
    sizes: dict[str, int] = {}
    for tensor, letters in tensors.values():
        if tensor is None:
            continue
        axes, shape = _matched(tensor, letters)
        if len(shape) != len(axes):
            _refuse(tensors)
        for letter, size in zip(axes, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                _refuse(tensors)


def _matched(tensor: Tensor, letters: str) -> tuple[list[str], tuple[int, ...]]:
    """The letters, and the axes that they name: the last ones where the letters begin with `...`."""
    axes, shape = letters.split(), tensor.shape
    if axes[0] != "...":
        return axes, shape
    return axes[1:], shape[max(len(shape) - len(axes) + 1, 0) :]


def _refuse(tensors: dict[str, tuple[Tensor | None, str]]) -> NoReturn:
    """Go through the sizes again, now with who said so; a call that is right does not pay for the words."""
    sizes: dict[str, tuple[int, str]] = {}
    for name, (tensor, letters) in tensors.items():
        if tensor is None:
            continue
        axes, shape = _matched(tensor, letters)
        if len(shape) != len(axes):
            raise _error(name, tensor, letters, f"it has {len(shape)} axes, not {len(axes)}", sizes)
        for letter, size in zip(axes, shape, strict=True):
            known, owner = sizes.setdefault(letter, (size, name))
            if known != size:
                raise _error(name, tensor, letters, f"{letter} is {known} in {owner}", sizes)
    raise AssertionError("every size fits")


def _error(name: str, tensor: Tensor, letters: str, reason: str, sizes: dict[str, tuple[int, str]]) -> ShapeError:
    wanted = [str(sizes[letter][0]) if letter in sizes else letter for letter in letters.split()]
    hint = f"pass {name} with shape ({', '.join(wanted)}{',' * (len(wanted) == 1)})"
    if tensor.ndim == 2 and wanted == [str(size) for size in reversed(tensor.shape)]:
        hint += f"; {name}.mT has it"
    return ShapeError(f"{name} has shape {tuple(tensor.shape)}, which is not [{letters}]: {reason}.", f"{hint}.")
