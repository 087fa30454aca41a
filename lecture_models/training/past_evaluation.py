"""Evaluates the state of a past run, and draws samples from it, whatever its experiment."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float32, Key

from lecture_models import files
from lecture_models.experiment import Experiment, Images, State
from lecture_models.plots import png
from lecture_models.runs.artifacts import RECORDED
from lecture_models.runs.difference import Difference, side_by_side
from lecture_models.runs.past_run import PastRun
from lecture_models.runs.reader import RunFolderError
from lecture_models.runs.recorded_run import read_series
from lecture_models.training.artifact_files import encode_artifact
from lecture_models.training.checkpoint import CheckpointError
from lecture_models.training.evaluation_results import Results, sorted_results
from lecture_models.training.run_spec import RunSpec
from lecture_models.training.trained_state import LATEST, read_state

FILE = "evaluation.json"
GRID = ".png"
SAMPLES = "samples"  # The name under which `evaluate` shows draws of a model.
DRAWN_AT_ONCE = 100

Pixels = Float32[np.ndarray, "image height width channel"]


class PastState(NamedTuple):
    """Holds where a past run stood.

    Attributes:
        step: number of steps done.
        state: the experiment's state.
        key: the key of the run's evaluations.
    """

    step: int
    state: State
    key: Key[Array, ""]


def restore(
    spec: RunSpec, past: PastRun, checkpoint: str, announce: Callable[[str], None]
) -> PastState:
    """Restores the state of a run; an analysis saves none, so its initial state is made again.

    Args:
        spec: the run as it would be trained.
        past: the record of the run.
        checkpoint: a step, `LATEST` or `BEST`.
        announce: takes one line for the user.

    Raises:
        CheckpointError: the checkpoint does not exist, is damaged, or has other shapes.
    """
    init_key, _, eval_key = jax.random.split(jax.random.key(spec.config.seed), 3)
    if not spec.experiment.phases:
        if checkpoint != LATEST:
            raise CheckpointError(f"--checkpoint is {checkpoint}, but an analysis has none")
        return PastState(0, jax.jit(spec.experiment.init)(init_key), eval_key)
    step, state = read_state(spec.experiment, past.checkpoints, announce, checkpoint)
    return PastState(step, state, eval_key)


def evaluate(experiment: Experiment, past: PastState) -> Results:
    """Returns the results that the run recorded at this step, if nothing has changed."""
    return sorted_results(experiment.evaluate(past.state, past.key), past.step)


def draw(experiment: Experiment, past: PastState, count: int) -> Pixels | None:
    """Returns samples that no evaluation of the run has shown; None if the experiment draws none.

    If the experiment has no `sample`, its evaluation is computed again with other keys, and the
    images that it returns under the name `SAMPLES` are taken.
    """
    drawn: list[np.ndarray] = []
    while sum(map(len, drawn)) < count:
        key = jax.random.fold_in(past.key, len(drawn))
        if experiment.sample is not None:
            pixels = experiment.sample(past.state, key, DRAWN_AT_ONCE)
        else:
            shown = experiment.evaluate(past.state, key).get(SAMPLES)
            if not isinstance(shown, Images):
                return None
            pixels = shown.pixels
        drawn.append(np.asarray(pixels, np.float32))
    return np.concatenate(drawn)[:count]


def new_folder(output: Path | None, run_folder: Path, step: int, suffix: str = "") -> Path:
    """Makes the folder of an evaluation, by default a new one below the run's folder.

    Raises RunFolderError if it cannot be made.
    """
    try:
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            return output
        name = "-".join(filter(None, (f"{step:08d}", suffix)))
        parent = run_folder / "evaluations"
        parent.mkdir(exist_ok=True)
        folder, number = parent / name, 1
        while folder.exists() and any(folder.iterdir()):
            number += 1
            folder = parent / f"{name}-{number}"
        folder.mkdir(exist_ok=True)
        return folder
    except OSError as error:
        raise RunFolderError(
            f"cannot write to {output or run_folder}: {error.strerror}; --output names a folder"
        ) from error


def beside_recorded(run_folder: Path, step: int, results: Results) -> list[Difference]:
    """Returns each scalar beside the one that the run recorded at this step, if it did."""
    series = read_series(run_folder)
    recorded = {
        name.removeprefix("eval/"): dict(points)[step]
        for name, points in series.items()
        if name.startswith("eval/") and step in dict(points)
    }
    return side_by_side([recorded, results.scalars])


def write(
    folder: Path, results: Results, step: int, record: dict[str, Any], metadata: dict[str, str]
) -> None:
    """Writes the artifacts of an evaluation as those of a run, and evaluation.json."""
    made = {}
    for name, artifact in results.artifacts.items():
        encoded = encode_artifact(folder, name, step, artifact, metadata)
        encoded.write()
        made[name] = encoded.record
    kinds = {"metrics": results.scalars, "texts": results.texts, "alarms": results.alarms}
    files.write_json(folder / FILE, record | kinds | {RECORDED: made})


def write_samples(output: Path, pixels: Pixels, metadata: dict[str, str]) -> None:
    """Writes images into one grid, or into one file each if `output` is a folder."""
    if not output.is_dir():
        grid = png.tile(pixels, math.ceil(math.sqrt(len(pixels))))
        png.write_png(output, grid, metadata)
        return
    digits = len(str(len(pixels)))
    for number, image in enumerate(pixels, start=1):
        path = output / f"sample_{number:0{max(4, digits)}d}{GRID}"
        png.write_png(path, png.tile(image[None], 1), metadata | {"Sample": str(number)})
