"""Records the results of a run in its folder, in W&B and on the terminal."""

import re
from typing import Any

from lecture_models.experiment import Artifact, DataTable, Evaluation
from lecture_models.runs.folder import RunFolder
from lecture_models.runs.past_run import numbers
from lecture_models.training.artifact_files import KINDS, plain_table, write_artifact
from lecture_models.training.evaluation_results import sorted_results
from lecture_models.training.progress import Progress
from lecture_models.training.wandb_tracker import LoggedFile, Tracker


class RunRecorder:
    """Writes every result once to each place, and keeps the last value of each for the summary.

    A line of metrics.jsonl holds `step` and either `train` (mean metrics since the line before) or
    what an evaluation returned: `eval` (scalars), `texts`, `alarms`, and `artifacts` (by name: the
    `file` below the run's folder, and the `caption`).

    Attributes:
        metrics: the last value of each metric, by the name `train/NAME` or `eval/NAME`.
        texts: the last text of each name.
        alarms: every alarm of the run, with its step.
    """

    def __init__(
        self, folder: RunFolder, tracker: Tracker, progress: Progress, metadata: dict[str, str]
    ):
        """Takes the places to write to; `metadata` goes into every PNG file, with the step."""
        self._folder, self._tracker, self._progress = folder, tracker, progress
        self._metadata = metadata
        self.metrics: dict[str, float] = {}
        self.texts: dict[str, str] = {}
        self.alarms: list[str] = []

    def recall(self, records: list[dict[str, Any]]) -> None:
        """Takes over the lines of metrics.jsonl that earlier sessions of the run wrote."""
        for record in records:
            for group in ("train", "eval"):
                self.metrics.update(_prefixed(group, numbers(record.get(group))))
            self.texts.update(record.get("texts", {}))
            self.alarms += record.get("alarms", [])

    def train(self, step: int, metrics: dict[str, float]) -> None:
        """Records the metrics of training, each a mean over the steps since the last call."""
        self._folder.append_metrics({"step": step, "train": metrics})
        logged = _prefixed("train", metrics)
        self._tracker.log(step, logged)
        self._progress.update(step, metrics)
        self.metrics.update(logged)

    def evaluation(self, step: int, evaluation: Evaluation) -> None:
        """Records scalars, texts and artifacts, and announces every alarm that is not empty, once.

        Raises ValueError or TypeError, with one line that names the result, if it cannot be written
        as it is.
        """
        scalars, texts, alarms, made = sorted_results(evaluation, step)
        artifacts: dict[str, dict[str, str]] = {}
        logged: dict[str, Any] = {}
        for name, artifact in made.items():
            artifacts[name], logged[f"eval/{name}"] = self._artifact(name, step, artifact)
        for alarm in alarms:
            if not any(_same_alarm(alarm, earlier) for earlier in self.alarms):
                self._progress.announce(f"ALARM: {alarm}")
        self._folder.append_metrics(
            {"step": step, "eval": scalars, "texts": texts, "alarms": alarms}
            | ({"artifacts": artifacts} if artifacts else {})
        )
        self.metrics.update(_prefixed("eval", scalars))
        self.texts.update(texts)
        self.alarms += alarms
        logged |= _prefixed("eval", scalars) | _prefixed("texts", texts)
        self._tracker.log(step, logged)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in scalars.items())
        if shown:
            self._progress.announce(f"step {step}: {shown}")

    def announce(self, line: str) -> None:
        """Prints one line on the terminal."""
        self._progress.announce(line)

    def sync(self) -> None:
        """Returns when the metrics are on the disk."""
        self._folder.sync()

    def _artifact(
        self, name: str, step: int, artifact: Artifact
    ) -> tuple[dict[str, str], LoggedFile | DataTable]:
        """Writes an artifact; returns what metrics.jsonl says of it, and what W&B logs."""
        path = write_artifact(self._folder.path, name, step, artifact, self._metadata)
        file = path.relative_to(self._folder.path).as_posix()
        logged = LoggedFile(KINDS[type(artifact)], path, artifact.caption)
        if isinstance(artifact, DataTable):
            logged = plain_table(artifact)
        return {"file": file, "caption": artifact.caption}, logged


def _same_alarm(alarm: str, other: str) -> bool:
    """Returns True if two alarms differ in their step only."""
    return re.sub(r" at step \d+:", ":", alarm, count=1) == re.sub(
        r" at step \d+:", ":", other, count=1
    )


class NoRecorder:
    """Records nothing, in the processes other than process 0: they compute the same results."""

    def train(self, step: int, metrics: dict[str, float]) -> None:
        """Does nothing."""

    def evaluation(self, step: int, evaluation: Evaluation) -> None:
        """Does nothing."""

    def sync(self) -> None:
        """Does nothing."""


def _prefixed(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{name}": value for name, value in values.items()}
