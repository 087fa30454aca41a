"""Reads the state that a past run has reached, for other uses than training it on."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lecture_models.experiment import Experiment, State
from lecture_models.training.checkpoint import CheckpointError, Checkpoints
from lecture_models.training.loop import checkpoint_structure, metric_names

LATEST, BEST = "latest", "best"
OPTIMIZERS = ("optimizer", "optimizer_state")  # Ends of the names of optimizers in every state.


def read_state(
    experiment: Experiment,
    checkpoints_folder: Path,
    announce: Callable[[str], None],
    chosen: str | None = None,
) -> tuple[int, State]:
    """Restores a state of a run; nothing in the run's folder is changed.

    Args:
        experiment: what the run trained, built from its recorded config.
        checkpoints_folder: the folder of the run's checkpoints.
        announce: is called with one line for each checkpoint that cannot be read.
        chosen: a step, `LATEST`, or `BEST`, the checkpoint with the best score; None for the latest
            one that can be read.

    Returns:
        The number of steps done, and the state.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    init_key, step_key = jax.random.split(jax.random.key(0))  # Only shapes are computed from them.
    num_metrics = len(metric_names(experiment, init_key, step_key))
    like = checkpoint_structure(experiment, init_key, num_metrics)
    with _opened(checkpoints_folder, announce) as saved:
        if chosen is None:
            step, content = saved.restore_latest(like)
        else:
            step = _chosen_step(saved, chosen)
            content = saved.restore(step, like)
    return step, jax.tree.map(jax.numpy.asarray, content["state"])


def read_saved_arrays(
    checkpoints_folder: Path, announce: Callable[[str], None], chosen: str = LATEST
) -> tuple[int, dict[str, Any]]:
    """Restores a state of a run without its experiment, and so without its data.

    Args:
        checkpoints_folder: the folder of the run's checkpoints.
        announce: takes one line for the user.
        chosen: a step, `LATEST`, or `BEST`.

    Returns:
        The number of steps done, and the arrays in nested dicts and lists.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    with _opened(checkpoints_folder, announce) as saved:
        step = _chosen_step(saved, chosen)
        return step, saved.restore(step)["state"]


def named_parameters(arrays: Any) -> dict[str, np.ndarray]:
    """Returns the trained arrays of a state, by names such as `params/Dense_0/kernel`.

    The states of optimizers, and integers without axes, which count steps, are skipped.

    Args:
        arrays: what `read_saved_arrays` returned.
    """
    named = {
        tuple(str(getattr(key, "key", getattr(key, "idx", key))) for key in path): np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(arrays)[0]
    }
    return {
        "/".join(path): array
        for path, array in named.items()
        if not any(part.endswith(OPTIMIZERS) for part in path)
        and (array.ndim or not np.issubdtype(array.dtype, np.integer))
    }


@contextlib.contextmanager
def _opened(folder: Path, announce: Callable[[str], None]) -> Iterator[Checkpoints]:
    """Opens a folder with at least one checkpoint."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder} does not exist: the run has no checkpoint")
    with contextlib.closing(Checkpoints(folder, announce, read_only=True)) as saved:
        if not saved.steps():
            raise CheckpointError(f"{folder} holds no checkpoint")
        yield saved


def _chosen_step(saved: Checkpoints, chosen: str) -> int:
    """Returns a step that has a checkpoint; raises CheckpointError if none is meant."""
    steps = saved.steps()
    if chosen == LATEST:
        return steps[-1]
    if chosen == BEST and saved.best_step is not None:
        return saved.best_step
    if chosen in map(str, steps):
        return int(chosen)
    known = ", ".join(map(str, steps))
    best = f", {BEST} ({saved.best_step})" if saved.best_step is not None else ""
    raise CheckpointError(
        f"--checkpoint is {chosen}; this run has the checkpoints {known}, {LATEST}{best}"
    )
