"""Carries out one process of a run: opens or resumes the folder, trains, and writes the report."""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lecture_models.config import as_json_values
from lecture_models.experiment import Best
from lecture_models.reports.gif import write_gifs
from lecture_models.reports.run_page import write_report
from lecture_models.runs import provenance
from lecture_models.runs.folder import RunFolder
from lecture_models.runs.json_values import as_list
from lecture_models.runs.reader import REPORT
from lecture_models.runs.recorded_run import read_run
from lecture_models.training.checkpoint import (
    CheckpointError,
    Checkpoints,
    NoCheckpoints,
    OtherStateError,
)
from lecture_models.training.interrupt import (
    Interrupted,
    stop_requests,
    stop_signal_of,
    stopping_at_once,
)
from lecture_models.training.loop import Hooks, Outcome, train
from lecture_models.training.metric_window import NonFiniteError
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.processes import ProcessGroupError, Status
from lecture_models.training.progress import open_progress
from lecture_models.training.pruning import Pruned
from lecture_models.training.recorder import NoRecorder, RunRecorder
from lecture_models.training.resume import continuation
from lecture_models.training.run_spec import RunSpec
from lecture_models.training.standard_streams import print_last_line
from lecture_models.training.tracking_options import chosen_mode, tracked_as
from lecture_models.training.wandb_tracker import Tracker, open_tracker


def run(spec: RunSpec, folder: RunFolder) -> int:
    """Trains to the end or until it is stopped, in process 0.

    Returns:
        The process's exit code: 0 finished or pruned, 1 failed with one line, 128 + n after
        signal n.

    Raises:
        RunFolderError: the folder holds another run.
        TrackingError: the requested W&B mode is not possible.
        ProcessGroupError: another process of the run cannot start.
    """
    recorded = folder.read_config()
    present, changed = _record(spec, folder), ()
    if recorded is not None:
        continued = continuation(spec, folder, recorded, present)
        for line in continued.messages:
            _announce(line)
        if continued.is_finished:
            return _show_finished(spec, folder)
        present, changed = continued.record, continued.changed
    spec.barrier(Status.READY)
    tracker = _open_tracker(spec, folder, present)
    return _Session(spec, folder, tracker, present, changed).run()


def _open_tracker(spec: RunSpec, folder: RunFolder, record: dict[str, Any]) -> Tracker:
    """Opens W&B, and writes the run's record with the names under which W&B knows the run."""
    mode, lines = chosen_mode(spec.tracking, os.environ)
    known_as = None
    if mode != "disabled":
        known_as, more = tracked_as(
            spec.tracking, folder.path.name, spec.name, record["wandb"], os.environ
        )
        lines += more
    # Before W&B writes its files: a folder with files but no record would be refused on resume.
    folder.write_config(record)
    if lines:
        _announce(f"W&B: {'; '.join(lines)}")
    tracker = open_tracker(
        mode,
        known_as,
        folder=folder.path,
        config=_tracked_config(record),
        stores_artifacts=spec.tracking.artifacts,
        announce=_announce,
    )
    if known_as and tracker.mode != "disabled":
        record["wandb"] |= known_as.record
    record["wandb"] |= {"mode": tracker.mode, "url": tracker.url}
    folder.write_config(record)
    return tracker


def _tracked_config(record: dict[str, Any]) -> dict[str, Any]:
    """Returns what W&B shows as the run's config, by which its runs can be filtered."""
    origin = {name: record[name] for name in ("experiment", "preset", "command", "data")}
    git = record["git"] or {"commit": None, "dirty": None}
    return origin | git | record["config"]


def _show_finished(spec: RunSpec, folder: RunFolder) -> int:
    spec.barrier(Status.FINISHED)
    spec.devices.process_group.shut_down_together()
    _write_report(folder)
    if spec.cadence.num_steps == 0:
        _show(folder.read_summary().get("texts", {}))
    _announce(f"{folder.path} is finished already: see {folder.path}/report.html")
    return 0


def compute_only(spec: RunSpec) -> int:
    """Trains in a process other than process 0, which computes but writes nothing.

    Returns the exit code, as `run` does. Raises ProcessGroupError if another process of the run
    cannot start.
    """
    process_group = spec.devices.process_group
    if spec.barrier(Status.READY) == Status.FINISHED:
        process_group.shut_down_together()
        return 0
    try:
        with stop_requests() as stop_signal, process_group.one_line_errors():
            train(
                spec.experiment,
                spec.cadence,
                spec.config.seed,
                NoCheckpoints(),
                NoRecorder(),
                Hooks(stop_signal),
                devices=spec.devices,
            )
    except Interrupted as interrupted:
        process_group.shut_down_together()
        return 128 + interrupted.signal_number
    except (NonFiniteError, ProcessGroupError) as error:
        _announce(f"error: process {process_group.index}: {error}")
        return 1
    process_group.shut_down_together()
    return 0


def _announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(texts: dict[str, str]) -> None:
    """Prints the result of an experiment of no steps on standard output.

    The result is in the folder too, so a full disk is announced and not an error.
    """
    try:
        with until_reader_leaves():
            print("\n\n".join(texts.values()))
    except OSError as error:
        _announce(f"cannot print the result: {error.strerror}")


def _write_report(folder: RunFolder) -> None:
    """Writes the report, which shows the result and is not part of it: a failure is announced."""
    try:
        write_report(folder.path)
    except Exception as error:  # The report must not end hours of training.
        reason = (
            error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        )
        _announce(f"cannot write {folder.path}/report.html: {reason}")


def _record(spec: RunSpec, folder: RunFolder) -> dict[str, Any]:
    """Returns what config.json holds for a new run."""
    process = provenance.describe_process(spec.root, spec.command, spec.fast_convolutions)
    if spec.devices.count > 1:
        counts = {"used": spec.devices.count, "processes": spec.devices.process_group.count}
        process["device"] |= counts
    classifier = spec.experiment.classifier
    return {
        "experiment": spec.name,
        "title": spec.title,
        "preset": spec.preset,
        "config": as_json_values(spec.config),
        "resume_command": spec.resume_command(folder.path),
        "data": spec.data,
        "classifier": classifier.record if classifier else None,
        "best": _goal(spec.experiment.best),
        "wandb": {"mode": spec.tracking.mode, "run_id": None, "url": None},
        **process,
        "sessions": [process],
    }


def _goal(best: Best | None) -> dict[str, str] | None:
    """Returns the metric by which a best checkpoint is kept, and its direction."""
    if best is None:
        return None
    return {"metric": f"eval/{best.metric}", "goal": "maximize" if best.sign > 0 else "minimize"}


def _films_of(folder: RunFolder, summary: dict[str, Any]) -> list[str]:
    """Returns the names of the GIFs that the run has written; older runs did not record them."""
    films = summary.get("films")
    if films is None and summary.get("status") == "finished":
        return [path.stem for path in folder.images.glob("*.gif")]
    return list(map(str, as_list(films)))


class _Session:
    """Trains a run, and writes its summary and report at evaluations, checkpoints and the end."""

    def __init__(
        self,
        spec: RunSpec,
        folder: RunFolder,
        tracker: Tracker,
        record: dict[str, Any],
        changed: tuple[str, ...],
    ):
        """Takes the run, where it is recorded, and how it differs from its last session."""
        self._spec, self._folder, self._tracker, self._record = spec, folder, tracker, record
        self._changed = changed
        self._earlier = folder.read_summary()
        self._films = _films_of(folder, self._earlier)
        self._startup_s: float | None = None
        self._step: int | None = None  # None until the state is there.
        self._diverged = False
        self._resume = f"to resume: {spec.resume_command(folder.path)}"
        self._progress = open_progress(spec.cadence.num_steps)
        self._recorder = RunRecorder(folder, tracker, self._progress, self._metadata())

    def run(self) -> int:
        """Trains, and writes the summary and the report; returns the exit code."""
        # An experiment of no steps saves nothing, so it need not go on after a signal.
        is_saved = self._spec.cadence.num_steps > 0
        requests = stop_requests() if is_saved else stopping_at_once()
        try:
            with requests as stop_signal:
                return self._run(stop_signal)
        except KeyboardInterrupt as stop:  # While the last summary or report was written.
            print_last_line(f"stopped at once; {self._resume}")
            return 128 + stop_signal_of(stop)

    def _run(self, stop_signal: Callable[[], int]) -> int:
        spec = self._spec
        try:
            with contextlib.closing(self._progress):
                outcome = self._train(stop_signal)
        except Interrupted as interrupted:
            spec.devices.process_group.shut_down_together()
            # Before the summary and W&B, which take time that a host may not give.
            print_last_line(f"{interrupted}; {self._resume}")
            self._finish("interrupted")
            return 128 + interrupted.signal_number
        except KeyboardInterrupt as stop:  # Nothing more is saved.
            print_last_line(f"stopped at once; {self._resume}")
            self._finish("interrupted")
            return 128 + stop_signal_of(stop)
        except Pruned:
            _announce(f"pruned at step {self._step} in {self._folder.path}")
            self._finish("pruned")
            return 0
        except (NonFiniteError, CheckpointError, ProcessGroupError, OSError) as error:
            return self._fail(error)
        except BaseException as error:
            self._finish("failed", error=f"{type(error).__name__}: {error}")
            raise
        spec.devices.process_group.shut_down_together()
        self._finish("finished", outcome)
        if spec.cadence.num_steps == 0:
            _show(self._recorder.texts)
        _announce(f"finished: {self._folder.path}/report.html")
        return 0

    def _fail(self, error: Exception) -> int:
        self._spec.pruning.failed(error)
        self._diverged = isinstance(error, NonFiniteError)
        message = str(error)
        if isinstance(error, OtherStateError):
            reason = "; ".join(self._changed) or "the code of the experiment"
            message = f"{message}. What has changed: {reason}"
        self._finish("failed", error=message)
        lost_process = isinstance(error, ProcessGroupError)
        advice = self._resume if lost_process else f"the folder is {self._folder.path}"
        _announce(f"error: {message}; {advice}")
        return 1

    def _train(self, stop_signal: Callable[[], int]) -> Outcome:
        checkpoints = Checkpoints(self._folder.checkpoints, self._progress.announce)
        with contextlib.closing(checkpoints), self._spec.devices.process_group.one_line_errors():
            return train(
                self._spec.experiment,
                self._spec.cadence,
                self._spec.config.seed,
                checkpoints,
                self._recorder,
                Hooks(stop_signal, self._start, self._first_dispatch, self._after_stop),
                devices=self._spec.devices,
            )

    def _start(self, step: int) -> None:
        # An experiment of no steps starts again: what a killed session wrote at step 0 is removed.
        kept = step if self._spec.cadence.num_steps else -1
        self._recorder.recall(self._folder.resume_metrics(kept, self._recorder.announce))
        self._step = step
        if step > 0:
            self._recorder.announce(f"resuming at step {step} in {self._folder.path}")
        self._progress.begin(step)
        self._write_summary("running")

    def _first_dispatch(self) -> None:
        self._startup_s = time.perf_counter() - self._spec.process_began

    def _after_stop(self, step: int) -> None:
        self._step = step
        self._write_summary("running")
        _write_report(self._folder)
        cadence = self._spec.cadence
        if cadence.due(cadence.eval_every, step):
            count = max(1, -(-step // cadence.eval_every))
            stop = self._spec.pruning.evaluated(count, dict(self._recorder.metrics))
            if stop and step < cadence.num_steps:
                raise Pruned

    def _finish(self, status: str, outcome: Outcome | None = None, error: str | None = None):
        """Writes the last summary and report, unless the disk refuses them because it is full."""
        if status == "finished":
            self._write_films()
        try:
            self._write_summary(status, outcome, error)
        except OSError as failure:
            _announce(f"cannot write the summary: {failure}")
        _write_report(self._folder)
        stored = self._stored() if status == "finished" and self._spec.tracking.artifacts else {}
        self._tracker.finish(status, self._recorder.metrics, stored)

    def _stored(self) -> dict[str, Path]:
        """Returns the files and folders that W&B stores, by W&B's type of artifact."""
        stored = {"report": self._folder.path / REPORT}
        for step in self._folder.saved_steps()[-1:]:
            stored["model"] = self._folder.checkpoints / str(step)
        return {kind: path for kind, path in stored.items() if path.exists()}

    def _write_films(self) -> None:
        """Writes the GIF of each series of images, unless a file of the user has its name."""
        images, pictures = self._folder.images, read_run(self._folder.path).pictures
        theirs = {
            name for name in pictures.keys() - set(self._films) if (images / f"{name}.gif").exists()
        }
        for name in sorted(theirs):
            _announce(f"{images}/{name}.gif is not this run's; the images are not animated there")
        ours = {name: files for name, files in pictures.items() if name not in theirs}
        self._films = sorted(ours)
        self._write_summary("running")  # A session after a kill knows the GIFs by this.
        try:
            self._films = [path.stem for path in write_gifs(images, ours)]
        except OSError as failure:
            _announce(f"cannot write the animations of the images: {failure}")

    def _write_summary(
        self, status: str, outcome: Outcome | None = None, error: str | None = None
    ) -> None:
        if self._step is None and self._earlier:  # What earlier sessions reached still counts.
            ended = {"status": status, "error": error, "diverged": self._diverged}
            self._folder.write_summary(self._earlier | ended)
            return
        summary = {
            "status": status,
            "step": self._step or 0,
            "num_steps": self._spec.cadence.num_steps,
            "wall_time_s": self._earlier.get("wall_time_s", 0.0)
            + time.perf_counter()
            - self._spec.process_began,
            "startup_s": self._startup_s,
            "steps_per_second": outcome.steps_per_second if outcome else None,
            "metrics": self._recorder.metrics,
            "alarms": self._recorder.alarms,
            "texts": self._recorder.texts,
            "data_notes": [
                f"{source['dataset']}: {source['note']}"
                for source in self._spec.data
                if source["note"]
            ],
            "state_sha256": outcome.digest if outcome else None,
            "checkpoints": self._folder.saved_steps(),
            "films": self._films,
            "error": error,
            "diverged": self._diverged,
        }
        self._folder.write_summary(summary)

    def _metadata(self) -> dict[str, str]:
        """Returns the texts of a PNG: the first session's command, and this session's commit."""
        command, git = self._record["command"], self._record["git"]
        return provenance.picture_texts(command, git, self._spec.config.seed, self._spec.name)
