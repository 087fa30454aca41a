"""Carries out one process of a run: opens or resumes the folder, trains, and writes the report."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

from lecture_models.config import as_json_values
from lecture_models.experiment import Best
from lecture_models.reports.gif import write_gifs
from lecture_models.reports.run_page import write_report
from lecture_models.runs import provenance
from lecture_models.runs.folder import RunFolder, check_same_run
from lecture_models.runs.recorded_run import read_run
from lecture_models.training.checkpoint import CheckpointError, Checkpoints, NoCheckpoints
from lecture_models.training.interrupt import Interrupted, stop_requests
from lecture_models.training.loop import Hooks, Outcome, train
from lecture_models.training.metric_window import NonFiniteError
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.processes import ProcessGroupError, Status
from lecture_models.training.progress import Progress, open_progress
from lecture_models.training.pruning import Pruned
from lecture_models.training.recorder import NoRecorder, RunRecorder
from lecture_models.training.run_spec import RunSpec
from lecture_models.training.wandb_tracker import Tracker, open_tracker

WANDB_PROJECT = "lecture-models"


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
    present = _record(spec, folder)
    if recorded is not None:
        check_same_run(recorded, present, folder.path)
        present["sessions"] = [*recorded["sessions"], *present["sessions"]]
        present |= {name: recorded[name] for name in ("command", "preset", "started", "wandb")}
        if folder.read_summary().get("status") == "finished":
            spec.barrier(Status.FINISHED)
            spec.devices.process_group.shut_down_together()
            write_report(folder.path)
            if spec.cadence.num_steps == 0:
                _show(folder.read_summary().get("texts", {}))
            _announce(f"{folder.path} is finished already: see {folder.path}/report.html")
            return 0
    spec.barrier(Status.READY)
    # Before W&B writes its files: a folder with files but no record would be refused on resume.
    folder.write_config(present)
    tracker = open_tracker(
        spec.wandb_mode,
        folder=folder.path,
        project=WANDB_PROJECT,
        experiment=spec.name,
        config=present["config"] | {"data": spec.data},
        run_id=present["wandb"]["run_id"],
        group=spec.pruning.group,
        announce=_announce,
    )
    run_id = tracker.run_id or present["wandb"]["run_id"]
    present["wandb"] = {"mode": tracker.mode, "run_id": run_id, "url": tracker.url}
    folder.write_config(present)
    return _Session(spec, folder, tracker, present).run()


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
    """Prints the result of an experiment of no steps on standard output."""
    with until_reader_leaves():
        print("\n\n".join(texts.values()))


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
        "wandb": {"mode": spec.wandb_mode, "run_id": None, "url": None},
        **process,
        "sessions": [process],
    }


def _goal(best: Best | None) -> dict[str, str] | None:
    """Returns the metric by which a best checkpoint is kept, and its direction."""
    if best is None:
        return None
    return {"metric": f"eval/{best.metric}", "goal": "maximize" if best.sign > 0 else "minimize"}


class _Session:
    """Trains a run, and writes its summary and report at evaluations, checkpoints and the end."""

    def __init__(self, spec: RunSpec, folder: RunFolder, tracker: Tracker, record: dict[str, Any]):
        self._spec, self._folder, self._tracker, self._record = spec, folder, tracker, record
        self._began = time.perf_counter()
        self._earlier = folder.read_summary()
        self._startup_s: float | None = None
        self._step = 0
        self._diverged = False

    def run(self) -> int:
        spec, cadence = self._spec, self._spec.cadence
        progress = open_progress(cadence.num_steps)
        self._recorder = RunRecorder(self._folder, self._tracker, progress, self._metadata())
        resume = f"to resume: {spec.resume_command(self._folder.path)}"
        try:
            with contextlib.closing(progress), stop_requests() as stop_signal:
                outcome = self._train(progress, stop_signal)
        except Interrupted as interrupted:
            self._spec.devices.process_group.shut_down_together()
            _announce(f"{interrupted}; {resume}")
            self._finish("interrupted")
            return 128 + interrupted.signal_number
        except KeyboardInterrupt:  # The second Ctrl-C: nothing more is saved.
            _announce(f"stopped at once; {resume}")
            self._finish("interrupted")
            return 130
        except Pruned:
            _announce(f"pruned at step {self._step} in {self._folder.path}")
            self._finish("pruned")
            return 0
        except (NonFiniteError, CheckpointError, ProcessGroupError, OSError) as error:
            spec.pruning.failed(error)
            self._diverged = isinstance(error, NonFiniteError)
            self._finish("failed", error=str(error))
            lost_process = isinstance(error, ProcessGroupError)
            advice = resume if lost_process else f"the folder is {self._folder.path}"
            _announce(f"error: {error}; {advice}")
            return 1
        except BaseException as error:
            self._finish("failed", error=f"{type(error).__name__}: {error}")
            raise
        spec.devices.process_group.shut_down_together()
        self._finish("finished", outcome)
        if cadence.num_steps == 0:
            _show(self._recorder.texts)
        _announce(f"finished: {self._folder.path}/report.html")
        return 0

    def _train(self, progress: Progress, stop_signal: Callable[[], int]) -> Outcome:
        checkpoints = Checkpoints(self._folder.checkpoints, progress.announce)
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
        self._recorder.recall(self._folder.resume_metrics(kept))
        self._step = step
        if step > 0:
            self._recorder.announce(f"resuming at step {step} in {self._folder.path}")
        self._write_summary("running")

    def _first_dispatch(self) -> None:
        self._startup_s = time.perf_counter() - self._spec.process_began

    def _after_stop(self, step: int) -> None:
        self._step = step
        self._write_summary("running")
        write_report(self._folder.path)
        cadence = self._spec.cadence
        if cadence.due(cadence.eval_every, step):
            count = max(1, -(-step // cadence.eval_every))
            stop = self._spec.pruning.evaluated(count, dict(self._recorder.metrics))
            if stop and step < cadence.num_steps:
                raise Pruned

    def _finish(self, status: str, outcome: Outcome | None = None, error: str | None = None):
        """Writes the last summary and report, unless the disk refuses them because it is full."""
        try:
            self._write_summary(status, outcome, error)
            if status == "finished":
                write_gifs(self._folder.images, read_run(self._folder.path).pictures)
            write_report(self._folder.path)
        except OSError as failure:
            _announce(f"cannot write the summary and report: {failure}")
        self._tracker.finish(status, self._recorder.metrics)

    def _write_summary(
        self, status: str, outcome: Outcome | None = None, error: str | None = None
    ) -> None:
        summary = {
            "status": status,
            "step": self._step,
            "num_steps": self._spec.cadence.num_steps,
            "wall_time_s": self._earlier.get("wall_time_s", 0.0)
            + time.perf_counter()
            - self._began,
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
            "error": error,
            "diverged": self._diverged,
        }
        self._folder.write_summary(summary)

    def _metadata(self) -> dict[str, str]:
        """Returns the texts of a PNG: the first session's command, and this session's commit."""
        return {
            "Command": self._record["command"],
            "Commit": provenance.shown_commit(self._record["git"]),
            "Seed": str(self._spec.config.seed),
            "Experiment": self._spec.name,
            "Software": "lecture-models",
        }
