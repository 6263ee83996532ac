"""One check of sizes for every model: which tensor does not fit, what it should be, and who said so."""

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
    sizes: dict[str, tuple[int, str]] = {}
    for name, (tensor, letters) in tensors.items():
        if tensor is None:
            continue
        axes, shape = letters.split(), tensor.shape
        if axes[0] == "...":
            axes = axes[1:]
            shape = shape[max(len(shape) - len(axes), 0) :]
        if len(shape) != len(axes):
            _refuse(name, tensor, letters, f"it has {len(shape)} axes, not {len(axes)}", sizes)
        for letter, size in zip(axes, shape, strict=True):
            if letter not in sizes:
                sizes[letter] = size, name
            elif sizes[letter][0] != size:
                known, owner = sizes[letter]
                _refuse(name, tensor, letters, f"{letter} is {known} in {owner}", sizes)


def _refuse(name: str, tensor: Tensor, letters: str, reason: str, sizes: dict[str, tuple[int, str]]) -> None:
    wanted = [str(sizes[letter][0]) if letter in sizes else letter for letter in letters.split()]
    hint = f"pass {name} with shape ({', '.join(wanted)}{',' * (len(wanted) == 1)})"
    if tensor.ndim == 2 and wanted == [str(size) for size in reversed(tensor.shape)]:
        hint += f"; {name}.mT has it"
    raise ShapeError(f"{name} has shape {tuple(tensor.shape)}, which is not [{letters}]: {reason}.", f"{hint}.")
