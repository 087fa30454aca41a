"""One process's share of a run: opens or resumes its folder, trains, and leaves it readable."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

from lecture_models.reports.gif import write_films
from lecture_models.reports.run_page import write_report
from lecture_models.runs import provenance
from lecture_models.runs.folder import RunFolder, check_same_run
from lecture_models.training.checkpoint import CheckpointError, Checkpoints, NoCheckpoints
from lecture_models.training.interrupt import Interrupted, stop_requests
from lecture_models.training.loop import Hooks, Outcome, train
from lecture_models.training.metric_window import NonFiniteError
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.processes import Status, TeamError
from lecture_models.training.progress import Progress, open_progress
from lecture_models.training.pruning import Pruned
from lecture_models.training.recorder import NoRecorder, Recorder
from lecture_models.training.run_spec import Plan, plain_config
from lecture_models.training.wandb_tracker import Tracker, open_tracker

WANDB_PROJECT = "lecture-models"


def run(plan: Plan, folder: RunFolder) -> int:
    """Trains to the end, or as far as it gets; returns the process's exit code.

    0 finished, 1 failed with one line, 128 + n for signal n. Raises RunFolderError where the
    folder holds another run, TrackingError where W&B cannot be had as asked, and TeamError where
    another process of the run cannot begin.
    """
    recorded = folder.read_config()
    present = _record(plan, folder)
    if recorded is not None:
        check_same_run(recorded, present, folder.path)
        present["sessions"] = [*recorded["sessions"], *present["sessions"]]
        present |= {name: recorded[name] for name in ("command", "preset", "started", "wandb")}
        if folder.read_summary().get("status") == "finished":
            plan.meet(Status.FINISHED)
            plan.devices.team.end_as_agreed()
            write_report(folder.path)
            if plan.cadence.num_steps == 0:
                _show(folder.read_summary()["texts"])
            _announce(f"{folder.path} is finished already: see {folder.path}/report.html")
            return 0
    plan.meet(Status.READY)
    # Before W&B puts its files there: a folder without a record is refused.
    folder.write_config(present)
    tracker = open_tracker(
        plan.wandb_mode,
        folder=folder.path,
        project=WANDB_PROJECT,
        experiment=plan.name,
        config=present["config"] | {"data": plan.data},
        run_id=present["wandb"]["run_id"],
        group=plan.watch.group,
        announce=_announce,
    )
    run_id = tracker.run_id or present["wandb"]["run_id"]
    present["wandb"] = {"mode": tracker.mode, "run_id": run_id, "url": tracker.url}
    folder.write_config(present)
    return _Session(plan, folder, tracker, present).run()


def follow(plan: Plan) -> int:
    """The share of a process that does not lead: it computes, and writes nothing.

    Raises TeamError where another process of the run cannot begin.
    """
    team = plan.devices.team
    if plan.meet(Status.READY) == Status.FINISHED:
        team.end_as_agreed()
        return 0
    try:
        with stop_requests() as stop_signal, team.one_line_errors():
            train(
                plan.experiment,
                plan.cadence,
                plan.config.seed,
                NoCheckpoints(),
                NoRecorder(),
                Hooks(stop_signal),
                devices=plan.devices,
            )
    except Interrupted as interrupted:
        team.end_as_agreed()
        return 128 + interrupted.signal_number
    except (NonFiniteError, TeamError) as error:
        _announce(f"error: process {team.index}: {error}")
        return 1
    team.end_as_agreed()
    return 0


def _announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(texts: dict[str, str]) -> None:
    """On the standard output: the result of an experiment of no steps."""
    with until_reader_leaves():
        print("\n\n".join(texts.values()))


def _record(plan: Plan, folder: RunFolder) -> dict[str, Any]:
    process = provenance.describe_process(plan.root, plan.command)
    if plan.devices.count > 1:
        used = {"used": plan.devices.count, "processes": plan.devices.team.count}
        process["device"] |= used
    return {
        "experiment": plan.name,
        "title": plan.title,
        "preset": plan.preset,
        "config": plain_config(plan.config),
        "resume_command": plan.resume_command(folder.path),
        "data": plan.data,
        "wandb": {"mode": plan.wandb_mode, "run_id": None, "url": None},
        **process,
        "sessions": [process],
    }


class _Session:
    """The files that change while a run trains: summary and report, at evaluations and the end."""

    def __init__(self, plan: Plan, folder: RunFolder, tracker: Tracker, record: dict[str, Any]):
        self._plan, self._folder, self._tracker, self._record = plan, folder, tracker, record
        self._began = time.perf_counter()
        self._earlier = folder.read_summary()
        self._startup_s: float | None = None
        self._step = 0

    def run(self) -> int:
        plan, cadence = self._plan, self._plan.cadence
        progress = open_progress(cadence.num_steps)
        self._recorder = Recorder(self._folder, self._tracker, progress, self._metadata())
        resume = f"to resume: {plan.resume_command(self._folder.path)}"
        try:
            with contextlib.closing(progress), stop_requests() as stop_signal:
                outcome = self._train(progress, stop_signal)
        except Interrupted as interrupted:
            self._plan.devices.team.end_as_agreed()
            _announce(f"{interrupted}; {resume}")
            self._finish("interrupted")
            return 128 + interrupted.signal_number
        except KeyboardInterrupt:  # The second one: what was saved last is what is left.
            _announce(f"stopped at once; {resume}")
            self._finish("interrupted")
            return 130
        except Pruned:
            _announce(f"pruned at step {self._step} in {self._folder.path}")
            self._finish("pruned")
            return 0
        except (NonFiniteError, CheckpointError, TeamError, OSError) as error:
            plan.watch.failed(error)
            self._finish("failed", error=str(error))
            what = resume if isinstance(error, TeamError) else f"the folder is {self._folder.path}"
            _announce(f"error: {error}; {what}")
            return 1
        except BaseException as error:
            self._finish("failed", error=f"{type(error).__name__}: {error}")
            raise
        plan.devices.team.end_as_agreed()
        self._finish("finished", outcome)
        if cadence.num_steps == 0:
            _show(self._recorder.texts)
        _announce(f"finished: {self._folder.path}/report.html")
        return 0

    def _train(self, progress: Progress, stop_signal: Callable[[], int]) -> Outcome:
        checkpoints = Checkpoints(self._folder.checkpoints, progress.announce)
        with contextlib.closing(checkpoints), self._plan.devices.team.one_line_errors():
            return train(
                self._plan.experiment,
                self._plan.cadence,
                self._plan.config.seed,
                checkpoints,
                self._recorder,
                Hooks(stop_signal, self._start, self._first_dispatch, self._visited),
                devices=self._plan.devices,
            )

    def _start(self, step: int) -> None:
        # An experiment of no steps begins anew: what a killed session wrote at step 0 goes.
        kept = step if self._plan.cadence.num_steps else -1
        self._recorder.recall(self._folder.resume_metrics(kept))
        self._step = step
        if step > 0:
            self._recorder.announce(f"resuming at step {step} in {self._folder.path}")
        self._write_summary("running")

    def _first_dispatch(self) -> None:
        self._startup_s = time.perf_counter() - self._plan.process_began

    def _visited(self, step: int) -> None:
        self._step = step
        self._write_summary("running")
        write_report(self._folder.path)
        cadence = self._plan.cadence
        if cadence.due(cadence.eval_every, step):
            count = max(1, -(-step // cadence.eval_every))
            stop = self._plan.watch.evaluated(count, dict(self._recorder.metrics))
            if stop and step < cadence.num_steps:
                raise Pruned

    def _finish(self, status: str, outcome: Outcome | None = None, error: str | None = None):
        """The last summary and report, where they still can be written: the disk may be full."""
        try:
            self._write_summary(status, outcome, error)
            if status == "finished":
                write_films(self._folder.images)
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
            "num_steps": self._plan.cadence.num_steps,
            "wall_time_s": self._earlier.get("wall_time_s", 0.0)
            + time.perf_counter()
            - self._began,
            "startup_s": self._startup_s,
            "steps_per_second": outcome.steps_per_second if outcome else None,
            "metrics": self._recorder.metrics,
            "alarms": self._recorder.alarms,
            "texts": self._recorder.texts,
            "data_notes": [f"{d['dataset']}: {d['note']}" for d in self._plan.data if d["note"]],
            "state_sha256": outcome.digest if outcome else None,
            "error": error,
        }
        self._folder.write_summary(summary)

    def _metadata(self) -> dict[str, str]:
        """The command is that of the run's first session, the commit that of this one."""
        return {
            "Command": self._record["command"],
            "Commit": provenance.shown_commit(self._record["git"]),
            "Seed": str(self._plan.config.seed),
            "Experiment": self._plan.name,
            "Software": "lecture-models",
        }
