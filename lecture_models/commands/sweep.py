"""Trains many runs of one experiment, whose parameters a file in W&B's format varies: `--sweep`."""

import contextlib
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.commands import discovery, run, sweep_checks
from lecture_models.commands.config_flags import define_config_flags, parse
from lecture_models.commands.flags import COMMANDS, WANDB_FLAGS, WANDB_SWITCHES, command_flags
from lecture_models.commands.help_page import show_help
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.runs import renames
from lecture_models.runs.arguments import flag_names, split_flags
from lecture_models.sweeps import folder
from lecture_models.sweeps.address import (
    HIDDEN,
    StorageAddress,
    StorageError,
    read_address,
    without_password,
)
from lecture_models.sweeps.folder import SweepIdentity
from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.page import terminal, write_report
from lecture_models.sweeps.results import sweep_results, trial_rows
from lecture_models.sweeps.spec import SweepSpec, digest, read_spec
from lecture_models.sweeps.storage import Storage, open_storage
from lecture_models.sweeps.study import TrialQueue, open_study
from lecture_models.sweeps.worker import Sweep, run_trials
from lecture_models.sweeps.worker_pool import end_with_parent, run_workers
from lecture_models.training import process_setup
from lecture_models.training.interrupt import stop_signal_of
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.pruning import PruningCallback
from lecture_models.training.standard_streams import print_last_line

# Flags that say where files are and what W&B is told, not what a trial computes; they may differ
# between machines.
LOCATION_FLAGS = {"data_dir", "weights_dir", *WANDB_FLAGS}
WORKER_SWITCH = "sweep_worker"
# Flags of the sweep, which its trials do not have.
SWEEP_FLAGS = {flag.name for flag in COMMANDS["sweep"]} - {WORKER_SWITCH}
# How a worker gets the address of the database: a command line can be read by everybody.
STORAGE_VARIABLE = "LECTURE_MODELS_SWEEP_STORAGE"


class _Request(NamedTuple):
    """Holds what the command line and the sweep's file ask for.

    Attributes:
        invocation: the command line as it was typed, with *** for the password of the database.
        shared: the command line with the flags that all trials share.
        name: the experiment.
        module: its module.
        values: the parsed flags.
        sweep: the sweep, as its worker processes need it.
        identity: what distinguishes the sweep from others.
        evaluations: the number of evaluations of a whole trial.
        limit: the total number of trials.
        address: the database; None for a journal in the sweep's folder.
    """

    invocation: Invocation
    shared: Invocation
    name: str
    module: ModuleType
    values: Any
    sweep: Sweep
    identity: SweepIdentity
    evaluations: int
    limit: int
    address: StorageAddress | None

    @property
    def advice(self) -> str:
        """Returns how the sweep is continued, for the user."""
        note = f" (write the password in place of {HIDDEN})" if HIDDEN in self.command else ""
        return f"to continue the sweep: {self.command}{note}"

    @property
    def command(self) -> str:
        """Returns the command that continues the sweep in its folder."""
        words = [*self.invocation.arguments]
        if self.values.workdir is None:
            words.append(f"--workdir={self.sweep.folder}")
        return shlex.join(["python", self.invocation.program, *words])


def sweep(invocation: Invocation, path: Path) -> int:
    """Returns 0 if all trials are done, 1 if none has finished, 128 + n for signal n.

    Raises UsageError if the command line or the file is wrong, and RunFolderError if the folder
    holds something else.
    """
    request = _read(invocation, path)
    if request is None:
        return 0
    try:
        with request.sweep.database_errors():
            return _carry_out(request)
    except StorageError as error:
        announce(f"error: {error}; {request.advice}")
        return 1


def _carry_out(request: _Request) -> int:
    storage = None
    try:
        recorded = folder.read(request.sweep.folder, request.identity)
        process_setup.use_compilation_cache()
        if recorded is None:
            _check_metric(request)
        request.sweep.folder.mkdir(parents=True, exist_ok=True)
        storage = open_storage(request.address, request.sweep.folder, request.values.heartbeat)
        if recorded is None:
            _write_record(request)
        code = _work(request, storage)
    except KeyboardInterrupt as stop:
        code = 128 + stop_signal_of(stop)
    if request.values.sweep_worker:
        return code
    if code > 128:
        print_last_line(request.advice)
    return _report(request, storage, code) if storage else code


def _read(invocation: Invocation, path: Path) -> _Request | None:
    """Reads the flags and the file; returns None after printing help."""
    name = run.experiment_of(invocation, "--sweep")
    values = command_flags("run", "sweep")
    module = discovery.load(invocation.checkout.experiments, name)
    define_config_flags(module.Config, values)
    leftover = parse(values, invocation.argv)
    if values.help:
        with until_reader_leaves():
            show_help(name, module, "sweep")
        return None
    if leftover:
        word = without_password(leftover[0])
        raise UsageError(f"unexpected argument {word!r}; flags begin with --")
    _check_flags(values)
    address = _address(values)
    if address is not None:
        invocation = _without_secrets(invocation, values.storage, address)
    run.refuse_flags_of_one_run(values, "--sweep")
    spec = _without_experiment(read_spec(path), name)
    _, rest = split_flags(invocation.arguments, SWEEP_FLAGS | {"workdir"}, {WORKER_SWITCH})
    typed = flag_names(rest)
    constants = {
        key: value for key, value in spec.constants.items() if not typed & {key, f"no{key}"}
    }
    spec = spec._replace(constants=constants)
    shared = invocation._replace(arguments=rest, series=spec.name)
    evaluations = sweep_checks.check(shared, name, module, spec)
    _, flags = split_flags(rest, LOCATION_FLAGS, WANDB_SWITCHES)
    same = digest(spec, name, sorted(flags), values.sweep_seed)
    workdir = values.workdir or folder.default_folder(Path("runs"), name, path.stem, same)
    guard = address.one_line_errors if address else contextlib.nullcontext
    made = Sweep(workdir.absolute(), spec.name, spec, rest, announce, guard)
    identity = SweepIdentity(name, same, address.shown if address else None)
    limit = _limit(spec, values.num_trials)
    if not values.sweep_worker:
        run.part_of(spec.name, invocation, values)
        for warning in spec.warnings:
            announce(f"warning: {warning}")
    return _Request(
        invocation, shared, name, module, values, made, identity, evaluations, limit, address
    )


def _address(values: Any) -> StorageAddress | None:
    text = values.storage
    if values.sweep_worker:
        text = os.environ.pop(STORAGE_VARIABLE, text)
    return None if text is None else read_address(text)


def _without_secrets(invocation: Invocation, typed: str, address: StorageAddress) -> Invocation:
    """Hides the secrets of --storage from all that follows: records, reports, messages and W&B."""
    sys.argv[:] = [word.replace(typed, address.shown) for word in sys.argv]
    shown = [word.replace(typed, address.shown) for word in invocation.arguments]
    return invocation._replace(arguments=shown)


def _check_flags(values: Any) -> None:
    if values.seeds is not None:
        raise UsageError(
            "--sweep and --seeds are two commands; to sweep the seed, make it a parameter"
        )
    for name, least in {
        "num_trials": 1,
        "workers": 1,
        "max_retries": 0,
        "heartbeat": 1,
        "sweep_seed": 0,
    }.items():
        value = values[name].value
        if values[name].present and value < least:
            raise UsageError(f"--{name} is {value}; it must be at least {least}")


def _without_experiment(spec: SweepSpec, name: str) -> SweepSpec:
    """Removes the experiment, which the file may name for W&B's agent; it must be `name`."""
    named = renames.current_experiment(str(spec.constants.get("experiment", name)))
    if named != name:
        raise UsageError(f"the sweep's file is for the experiment {named}, not for {name}")
    if "experiment" in spec.parameters:
        raise UsageError("the sweep's file varies experiment; it must have one experiment only")
    rest = {key: value for key, value in spec.constants.items() if key != "experiment"}
    return spec._replace(constants=rest)


def _limit(spec: SweepSpec, num_trials: int | None) -> int:
    limit = num_trials or spec.run_cap
    if spec.method == "grid":
        return min(limit or spec.grid_size, spec.grid_size)
    if limit is None:
        raise UsageError(
            f"the number of trials is missing, and {spec.method} search never ends; give "
            "--num_trials=N, or run_cap: N in the file"
        )
    return limit


def _check_metric(request: _Request) -> None:
    announce(f"looking up the metrics of {request.name} with its smoke preset, which takes seconds")
    names = sweep_checks.logged_names(request.shared, request.name, request.module)
    sweep_checks.check_metric(request.sweep.spec.metric, names, request.name)


def _write_record(request: _Request) -> None:
    spec = request.sweep.spec
    record = {
        "name": spec.name,
        "command": request.command,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "spec": spec.raw,
        "flags": request.sweep.flags,
        "sweep_seed": request.values.sweep_seed,
    }
    folder.write(request.sweep.folder, request.identity, record)


def _study(request: _Request, storage: Storage) -> Any:
    """Opens the study; the same experiment, file, flags and seed share it on all machines."""
    name = f"{request.name}-{request.identity.digest[:12]}"
    return open_study(storage, name, request.sweep.spec, request.evaluations)


def _work(request: _Request, storage: Storage) -> int:
    study = _study(request, storage)
    values, workers = request.values, request.sweep.folder / "workers"
    if values.workers > 1:
        command = [sys.executable, request.invocation.program, *_worker_words(request)]
        max_restarts = values.max_retries * values.workers
        on_poll = _announcer(request, study)
        secrets = {STORAGE_VARIABLE: request.address.reveal()} if request.address else {}
        return run_workers(
            command, values.workers, workers, max_restarts, on_poll, announce, secrets
        )
    if values.sweep_worker:
        end_with_parent()
    heartbeat = WorkerHeartbeat(workers, values.heartbeat)
    queue = TrialQueue(
        study,
        storage,
        request.sweep.spec,
        heartbeat,
        limit=request.limit,
        max_retries=values.max_retries,
        seed=values.sweep_seed,
    )
    with contextlib.closing(heartbeat):
        return run_trials(request.sweep, queue, heartbeat, _launcher(request))


def _worker_words(request: _Request) -> list[str]:
    _, words = split_flags(request.invocation.arguments, {"workers", "workdir"})
    return [*words, f"--workdir={request.sweep.folder}", f"--{WORKER_SWITCH}"]


def _launcher(request: _Request) -> Callable[[list[str], PruningCallback], int]:
    """Returns a function that trains one trial in this process."""

    def launch(words: list[str], pruning: PruningCallback) -> int:
        invocation = request.shared._replace(arguments=words, began=time.perf_counter())
        values = run.read_flags(invocation, request.module)
        chosen = run.choose(request.name, request.module, values)
        sources = run.open_sources(request.module, values)
        run_spec = run.make_run_spec(invocation, chosen, values, sources)
        return run.train(run_spec._replace(pruning=pruning), values.workdir)

    return launch


def _announcer(request: _Request, study: Any) -> Callable[[], None]:
    """Returns a function that announces each trial once, after another process has ended it."""
    announced = {row.index for row in trial_rows(request.sweep, study) if row.value is not None}
    metric = request.sweep.spec.metric

    def announce_ended() -> None:
        for row in trial_rows(request.sweep, study):
            has_ended = row.state in ("finished", "pruned", "diverged", "failed")
            if has_ended and row.index not in announced:
                announced.add(row.index)
                value = "" if row.value is None else f", {metric} {row.value:.6g}"
                announce(f"trial {row.index} of {request.limit} {row.state}{value}")

    return announce_ended


def _report(request: _Request, storage: Storage, code: int) -> int:
    results = sweep_results(request.sweep, _study(request, storage))
    path = write_report(results, request.invocation.program, request.command)
    with until_reader_leaves():
        print(terminal(results, request.invocation.program), end="")
    announce(f"report: {path}")
    return code or int(results.best is None)
