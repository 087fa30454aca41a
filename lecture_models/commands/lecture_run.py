"""Executes every slide of a lecture, one after the other: `--lecture=NUMBER --run`."""

import gc
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from lecture_models.commands import discovery, run
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.commands.table_run import PASSED_ON
from lecture_models.config import UsageError, as_json_values, default_values
from lecture_models.data.dataset import DataError
from lecture_models.lectures.lecture import Lecture
from lecture_models.lectures.page import write_lecture
from lecture_models.lectures.plan import LectureRun, runs_of
from lecture_models.lectures.sources import Sources
from lecture_models.reports.html import duration
from lecture_models.runs.reader import RunFolderError, read_config, read_summary
from lecture_models.training.interrupt import late_stop, stop_signal_of

_EXPECTED = (UsageError, DataError, RunFolderError, MemoryError, OSError)
_WHOLE, _RESUMES, _OTHER, _NEW = "whole", "resumes", "another run", "new"


def run_all(invocation: Invocation, lecture: Lecture, values: Any, sources: Sources) -> int:
    """Makes the runs that are not whole yet, and writes the page after each.

    Args:
        invocation: the command line.
        lecture: the lecture.
        values: the parsed flags.
        sources: where the page takes its content from; gets the reasons of failures.

    Returns:
        0; 1 if a run failed; 128 + n if a run was stopped by signal n, after which no other starts.

    Raises:
        UsageError: the folder of the runs cannot be written.
    """
    page = values.output or sources.workdir / f"{lecture.number}_{sources.preset}.html"
    _require_writable(sources.workdir)
    wanted = runs_of(lecture, sources.preset, sources.workdir)
    announce(f"{len(wanted)} runs of lecture {lecture.number}, in {sources.workdir}")
    passed = [f"--{name}={values[name].value}" for name in PASSED_ON if values[name].present]
    shared = run.part_of(f"lecture_{lecture.number}", invocation, values)
    code = 0
    late_stop()
    for place, wish in enumerate(wanted, start=1):
        announce(f"run {place} of {len(wanted)}: {wish.title}{_cost(invocation, wish)}")
        code = _one(shared, wish, passed, sources.failures)
        if code >= 128:
            break
        write_lecture(lecture, sources, page)
    write_lecture(lecture, sources, page)
    return _told(code, sources.failures, len(wanted), page)


def _cost(invocation: Invocation, wish: LectureRun) -> str:
    """Returns what the docstring says that a run with the defaults costs."""
    if wish.preset != "default":
        return ""
    return f" ({discovery.entry(invocation.checkout.experiments, wish.experiment).cost})"


def _told(code: int, failures: dict[str, str], count: int, page: Path) -> int:
    announce(f"written: {page}")
    if code >= 128:
        announce("stopped; the same command continues")
        return code
    for title, reason in failures.items():
        announce(f"failed: {title}: {reason}")
    if failures:
        announce(
            f"error: {len(failures)} of {count} runs failed; the same command tries them again"
        )
    return 1 if failures else 0


def _require_writable(workdir: Path) -> None:
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        probe = workdir / ".lecture_models_probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"--workdir is {workdir}, which cannot be written: {error.strerror}"
        ) from error


def _one(shared: Invocation, wish: LectureRun, passed: list[str], failures: dict[str, str]) -> int:
    """Makes one run, if it is not whole; a failure is noted, and 1 is returned."""
    began = time.perf_counter()
    try:
        arguments = [*wish.arguments, *passed]
        one = shared._replace(arguments=arguments, began=began)
        standing = _standing(one, wish)
        if standing == _WHOLE:
            announce("it is finished already")
            return 0
        if standing == _OTHER:  # Another version of the lecture or of the experiment made it.
            one = one._replace(arguments=[*arguments, "--restart"])
        code = run.run(one, wish.experiment)
        if not code and (late := late_stop()):
            return 128 + late
    except KeyboardInterrupt as stop:
        return 128 + stop_signal_of(stop)
    except _EXPECTED as error:
        failures[wish.title] = " ".join(str(error).split()) or type(error).__name__
        announce(f"error: {failures[wish.title]}")
        return 1
    except Exception as error:  # A bug in one experiment must not cost the others.
        traceback.print_exc()
        failures[wish.title] = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return 1
    finally:
        _forget_programs()
    if 0 < code < 128:
        reason = read_summary(wish.folder).content.get("error")
        failures[wish.title] = str(reason or f"exit code {code}")
    elif code == 0:
        announce(f"finished after {duration(time.perf_counter() - began)}")
    return code


def _standing(one: Invocation, wish: LectureRun) -> str:
    """Tells whether the folder of a run holds the run, whole or not."""
    record = read_config(wish.folder)
    if not record.exists:
        return _NEW
    module = discovery.load(one.checkout.experiments, wish.experiment)
    config = run.choose(wish.experiment, module, run.read_flags(one, module)).config
    recorded = default_values(config) | record.intact.get("config", {})
    if record.intact.get("experiment") != wish.experiment or recorded != as_json_values(config):
        return _OTHER
    finished = read_summary(wish.folder).intact.get("status") == "finished"
    return _WHOLE if finished else _RESUMES


def _forget_programs() -> None:
    """Frees the memory of the programs that the run compiled."""
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
    gc.collect()
