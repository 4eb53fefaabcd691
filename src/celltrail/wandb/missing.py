"""What wandb has and is not here: each is answered by a sentence that says what does it instead."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

_INSTEAD = {
    "Api": "celltrail.runs(...) finds runs and celltrail.run(name) is one, with history(), summary and artifacts",
    "Object3D": "log a picture of it, or keep its file by save()",
    "Molecule": "log a picture of it, or keep its file by save()",
    "JoinedTable": "join the tables before they are logged",
    "add_reference": "celltrail.data.digest(...) says what a file elsewhere held; add_file keeps the file itself",
    "link_artifact": "run.celltrail.log_model(model, name, alias=...) and celltrail.registry name versions",
    "link_model": "run.celltrail.log_model(model, name, alias=...) and celltrail.registry name versions",
    "controller": "celltrail.sweep(function, space) is a sweep in this process",
    "sklearn": "scikit-learn tells by itself in a %%track cell; wandb.plot has confusion_matrix, roc_curve, pr_curve",
    "tensorboard": "log the same values by wandb.log",
    "gym": "log films by wandb.Video",
    "join": "it was wandb's word for finish()",
    "mark_preempting": "init(id=..., resume='allow') goes on with a run whose process is gone",
}
# what is no more than accepted and would be missed: by the argument that asks for it
_LEFT_OUT = {
    "sync_tensorboard": "what is written for TensorBoard is not read; log the same values by wandb.log",
    "monitor_gym": "films of gym are not found by themselves; log them by wandb.Video",
    "boxes": "boxes are not drawn onto pictures; draw them first",
    "masks": "masks are not laid over pictures; draw them first",
    "early_terminate": "no trial is ended early; in a trial stop where its own numbers say so",
}


def absent(owner: str, name: str, there: Iterable[str]) -> AttributeError:
    """The answer to a name that is not there.

    >>> str(absent("celltrail.wandb", "gym", ["log", "init"]))
    "celltrail.wandb has no 'gym': log films by wandb.Video; it has init, log"
    """
    instead = f": {_INSTEAD[name]}" if name in _INSTEAD else ""
    return AttributeError(f"{owner} has no {name!r}{instead}; it has {', '.join(sorted(there))}")


def left_out(given: Iterable[str]) -> None:
    """Say of arguments that were given and ask for something that is not there."""
    for name in given:
        if name in _LEFT_OUT:
            warnings.warn(f"celltrail.wandb: {name}: {_LEFT_OUT[name]}", UserWarning, stacklevel=4)


def public(kind: type) -> list[str]:
    """The names that a class offers.

    >>> "real" in public(int)
    True
    """
    return [name for name in dir(kind) if not name.startswith("_")]
