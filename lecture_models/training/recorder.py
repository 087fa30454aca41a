"""Where a run's results go: its folder, W&B, and the terminal."""

from typing import Any

import jax
import numpy as np

from lecture_models.experiment import Evaluation, Images
from lecture_models.plots import png
from lecture_models.runs.folder import RunFolder
from lecture_models.training.progress import Progress
from lecture_models.training.wandb_tracker import Picture, Tracker

ALARM_PREFIX = "alarm_"


class Recorder:
    """Writes every result once to each place, and remembers the last of each for the summary.

    `metadata` goes into every PNG, with the step.
    """

    def __init__(
        self, folder: RunFolder, tracker: Tracker, progress: Progress, metadata: dict[str, str]
    ):
        self._folder, self._tracker, self._progress = folder, tracker, progress
        self._metadata = metadata
        self.metrics: dict[str, float] = {}
        self.texts: dict[str, str] = {}
        self.alarms: list[str] = []

    def recall(self, records: list[dict[str, Any]]) -> None:
        """Takes over the lines of metrics.jsonl that an earlier session of the run has left."""
        for record in records:
            for part in ("train", "eval"):
                self.metrics.update(_prefixed(part, record.get(part, {})))
            self.texts.update(record.get("texts", {}))
            self.alarms += record.get("alarms", [])

    def train(self, step: int, metrics: dict[str, float]) -> None:
        self._folder.append_metrics({"step": step, "train": metrics})
        logged = _prefixed("train", metrics)
        self._tracker.log(step, logged)
        self._progress.update(step, metrics)
        self.metrics.update(logged)

    def evaluation(self, step: int, evaluation: Evaluation) -> None:
        """Sorts scalars, pictures and texts; an alarm with a text is announced and kept."""
        scalars: dict[str, float] = {}
        texts: dict[str, str] = {}
        alarms: list[str] = []
        logged: dict[str, Any] = {}
        for name, value in evaluation.items():
            if isinstance(value, Images):
                logged[f"eval/{name}"] = self._picture(name, step, value)
            elif isinstance(value, str):
                self._text(step, name, value, texts, alarms)
            else:
                scalars[name] = _scalar(name, value)
        self._folder.append_metrics(
            {"step": step, "eval": scalars, "texts": texts, "alarms": alarms}
        )
        self.metrics.update(_prefixed("eval", scalars))
        self.texts.update(texts)
        self.alarms += alarms
        logged |= _prefixed("eval", scalars) | _prefixed("texts", texts)
        self._tracker.log(step, logged)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scalars.items())
        self._progress.announce(f"step {step}: {shown}")

    def announce(self, line: str) -> None:
        self._progress.announce(line)

    def sync(self) -> None:
        self._folder.sync()

    def _picture(self, name: str, step: int, images: Images) -> Picture:
        path = self._folder.images / f"{name}_{step:08d}.png"
        grid = png.tile(images.pixels, images.columns)
        metadata = self._metadata | {"Step": str(step), "Caption": images.caption}
        png.write_png(path, grid, metadata)
        return Picture(path, images.caption)

    def _text(self, step: int, name: str, value: str, texts: dict, alarms: list) -> None:
        if not name.startswith(ALARM_PREFIX):
            texts[name] = value
        elif value:
            alarms.append(f"{name.removeprefix(ALARM_PREFIX)} at step {step}: {value}")
            self._progress.announce(f"ALARM: {alarms[-1]}")


class NoRecorder:
    """Of a process that computes a run without leading it: what it says is known to the leader."""

    def train(self, step: int, metrics: dict[str, float]) -> None:
        pass

    def evaluation(self, step: int, evaluation: Evaluation) -> None:
        pass

    def sync(self) -> None:
        pass


def _prefixed(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{name}": value for name, value in values.items()}


def _scalar(name: str, value: Any) -> float:
    array = np.asarray(jax.device_get(value))
    if array.ndim != 0:
        raise TypeError(
            f"evaluate gave {name} with shape {array.shape}; it must be a scalar, Images or a text"
        )
    return float(array)
