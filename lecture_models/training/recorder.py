"""Records the results of a run in its folder, in W&B and on the terminal."""

import contextlib
import re
from typing import Any

from lecture_models.experiment import Artifact, DataTable, Evaluation
from lecture_models.runs import artifacts
from lecture_models.runs.artifacts import RECORDED, recorded_files
from lecture_models.runs.folder import RunFolder
from lecture_models.runs.json_values import as_list, as_object
from lecture_models.runs.past_run import numbers
from lecture_models.training.artifact_files import (
    KINDS,
    EncodedArtifact,
    encode_artifact,
    plain_table,
    read_table,
)
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
        """Takes over the lines of metrics.jsonl that earlier sessions of the run wrote.

        W&B gets what it lacks of them, such as the last seconds of a session that was killed.
        """
        for record in records:
            for group in ("train", "eval"):
                self.metrics.update(_prefixed(group, numbers(record.get(group))))
            self.texts.update(as_object(record.get("texts")))
            self.alarms += map(str, as_list(record.get("alarms")))
            if record["step"] >= self._tracker.first_missing_step:
                self._tracker.log(record["step"], self._logged(record))

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
        encoded = {name: self._encoded(name, step, artifact) for name, artifact in made.items()}
        known = set(map(_without_step, self.alarms))
        for alarm in alarms:
            if _without_step(alarm) not in known:
                self._progress.announce(f"ALARM: {alarm}")
        recorded = {name: artifact.record for name, artifact in encoded.items()}
        self._folder.append_metrics(
            {"step": step, "eval": scalars, "texts": texts, "alarms": alarms, RECORDED: recorded}
        )
        # Only now, so that a killed run never leaves a file that its record does not name.
        self._folder.sync()
        logged: dict[str, Any] = {
            f"eval/{name}": self._write(encoded[name], made[name]) for name in made
        }
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

    def _logged(self, record: dict[str, Any]) -> dict[str, Any]:
        """Returns what W&B logs of a line of metrics.jsonl.

        Files that are gone, and tables that are damaged, are skipped.
        """
        captions = as_object(record.get(RECORDED))
        logged: dict[str, Any] = {}
        for name, file in recorded_files(record).items():
            path, kind = self._folder.path / file, artifacts.kind_of(file)
            caption = str(as_object(captions[name]).get("caption", ""))
            if path.is_file():
                is_table = kind == artifacts.DATA_TABLES
                with contextlib.suppress(OSError, ValueError):
                    logged[f"eval/{name}"] = (
                        read_table(path, caption) if is_table else LoggedFile(kind, path, caption)
                    )
        for group in ("train", "eval"):
            logged |= _prefixed(group, numbers(record.get(group)))
        return logged | _prefixed("texts", as_object(record.get("texts")))

    def _encoded(self, name: str, step: int, artifact: Artifact) -> EncodedArtifact:
        return encode_artifact(self._folder.path, name, step, artifact, self._metadata)

    def _write(self, encoded: EncodedArtifact, artifact: Artifact) -> LoggedFile | DataTable:
        """Writes an artifact; returns what W&B logs."""
        encoded.write()
        if isinstance(artifact, DataTable):
            return plain_table(artifact)
        return LoggedFile(KINDS[type(artifact)], encoded.path, artifact.caption)


def _without_step(alarm: str) -> str:
    return re.sub(r" at step \d+:", ":", alarm, count=1)


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
