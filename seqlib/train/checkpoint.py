"""Checkpoints: everything that the next step depends on, in one safetensors file.

Unlike a pickled `torch.save`, reading one runs no code.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from seqlib.errors import TrainError
from seqlib.files import write_whole
from seqlib.train.history import History
from seqlib.train.settings import Settings

__all__ = ["load_weights", "restore", "store"]

_FORMAT = "seqlib checkpoint 1"
_DECISIVE = ("learning_rate", "optimiser", "momentum", "max_norm", "seed")  # a run with others is another run


def store(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    history: History,
    settings: Settings,
) -> None:
    """Write the state after `len(history)` steps, whole or not at all.

    Raises:
        TrainError: The file can't be written.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": v for name, v in state.items() if isinstance(v, Tensor)}
    tensors |= {"random.batches": generator.get_state(), "random.model": torch.get_rng_state()}
    if settings.device.startswith("cuda"):
        tensors["random.cuda"] = torch.cuda.get_rng_state(settings.device)
    tensors["history.loss"] = torch.tensor(history.loss, dtype=torch.float64)
    tensors["history.gradient_norm"] = torch.tensor(history.gradient_norm, dtype=torch.float64)
    header = {
        "format": _FORMAT,
        "settings": json.dumps({name: asdict(settings)[name] for name in _DECISIVE}),
        "evaluations": json.dumps(history.evaluations),
        "seconds": json.dumps(history.seconds),
    }
    # Cloned: safetensors refuses weights that share memory, as tied ones do.
    own = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_whole(path, save(own, metadata=header), error=TrainError)


def restore(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    settings: Settings,
) -> History:
    """Bring back the state that `store` wrote, and give the curves so far.

    Raises:
        TrainError: The file is no checkpoint, is damaged, or belongs to another model or other settings.
    """
    header, tensors = _read(path)
    _same_settings(path, json.loads(header["settings"]), settings)
    _load_model(path, model, tensors)
    _load_optimiser(optimiser, _under(tensors, "optimiser."))
    generator.set_state(tensors["random.batches"])
    torch.set_rng_state(tensors["random.model"])
    if settings.device.startswith("cuda") and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"], settings.device)
    return History(
        loss=tensors["history.loss"].tolist(),
        gradient_norm=tensors["history.gradient_norm"].tolist(),
        evaluations=[(step, values) for step, values in json.loads(header["evaluations"])],
        seconds=json.loads(header["seconds"]),
    )


def load_weights(path: str | Path, model: nn.Module) -> None:
    """Put the weights of a checkpoint into `model`, for use rather than for more training."""
    _load_model(Path(path), model, _read(Path(path))[1])


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise TrainError(f"{path} is not there.", "train with fit(..., checkpoint=path) first, or correct the path.")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- safe_open is no dict
    except SafetensorError as error:
        raise TrainError(f"{path} can't be read: {error}.", "delete it and train again from the start.") from error
    if header.get("format") != _FORMAT:
        raise TrainError(f"{path} is no checkpoint of seqlib.train.", "give fit a path of its own.")
    return header, tensors


def _same_settings(path: Path, stored: dict[str, Any], settings: Settings) -> None:
    for name in _DECISIVE:
        if stored[name] != getattr(settings, name):
            raise TrainError(
                f"{path} was trained with {name}={stored[name]!r}, and this run has {getattr(settings, name)!r}.",
                "use the same settings to resume (steps may grow), or another checkpoint file.",
            )


def _load_model(path: Path, model: nn.Module, tensors: dict[str, Tensor]) -> None:
    try:
        model.load_state_dict(_under(tensors, "model."))
    except RuntimeError as error:
        raise TrainError(
            f"{path} holds the weights of another model: {error}.", "build the model as it was trained."
        ) from error


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
