"""`--sweep`: many runs of one experiment, their parameters chosen by a file in W&B's format."""

import contextlib
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.commands import arguments, discovery, run, sweep_checks
from lecture_models.commands.config_flags import define_config_flags, parse
from lecture_models.commands.flags import command_flags
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.sweeps import folder
from lecture_models.sweeps.folder import Identity
from lecture_models.sweeps.heartbeat import WorkerHeartbeat
from lecture_models.sweeps.page import terminal, write_report
from lecture_models.sweeps.results import results, rows_of
from lecture_models.sweeps.spec import Spec, digest, read_spec
from lecture_models.sweeps.storage import Storage, open_storage, shown
from lecture_models.sweeps.study import TrialQueue, open_study
from lecture_models.sweeps.worker import Sweep, work
from lecture_models.sweeps.worker_pool import end_with_parent, work_together
from lecture_models.training import process_setup
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.pruning import PruningCallback

# Flags that say where things are, and not what a trial computes.
PLACES = {"wandb", "data_dir", "weights_dir"}
OWN = {"sweep", "num_trials", "workers", "storage", "max_retries", "heartbeat", "sweep_seed"}
SWITCH = "sweep_worker"


class _Asked(NamedTuple):
    """`shared` has the flags that all trials have; `limit` is how many there are."""

    invocation: Invocation
    shared: Invocation
    name: str
    module: ModuleType
    values: Any
    sweep: Sweep
    identity: Identity
    evaluations: int
    limit: int

    @property
    def command(self) -> str:
        """The same again, with the folder named."""
        words = [*self.invocation.arguments]
        if self.values.workdir is None:
            words.append(f"--workdir={self.sweep.folder}")
        return shlex.join(["python", self.invocation.program, *words])


def sweep(invocation: Invocation, path: str) -> int:
    """0 where all trials are done, 1 where none finished, 128 + n for signal n.

    Raises UsageError for whatever is wrong with the command line or the file, RunFolderError
    where the folder holds something else.
    """
    asked = _read(invocation, path)
    if asked is None:
        return 0
    storage = None
    try:
        with _terminated():
            recorded = folder.read(asked.sweep.folder, asked.identity)
            process_setup.use_compilation_cache()
            if recorded is None:
                _check_metric(asked)
            asked.sweep.folder.mkdir(parents=True, exist_ok=True)
            storage = open_storage(asked.values.storage, asked.sweep.folder, asked.values.heartbeat)
            if recorded is None:
                _write_record(asked)
            code = _work(asked, storage)
    except (KeyboardInterrupt, SystemExit) as stop:
        code = stop.code if isinstance(stop, SystemExit) else 130
    if asked.values.sweep_worker:
        return code
    if code > 128:
        announce(f"to go on with the sweep: {asked.command}")
    return _report(asked, storage, code) if storage else code


def _read(invocation: Invocation, path: str) -> _Asked | None:
    """None where only help was wanted."""
    name = run.experiment_of(invocation, "--sweep")
    values = command_flags("run", "sweep")
    module = discovery.load(invocation.house.experiments, name)
    define_config_flags(module.Config, values)
    leftover = parse(values, invocation.argv)
    if values.help:
        with until_reader_leaves():
            run.show_help(name, module)
            _show_flags()
        return None
    if leftover:
        raise UsageError(f"unexpected argument {leftover[0]!r}; flags begin with --")
    _refuse(values)
    run.require_one_process(values, "--sweep")
    spec = _without_experiment(read_spec(Path(path)), name)
    _, rest = arguments.part(invocation.arguments, OWN | {"workdir"}, {SWITCH})
    given = {word.lstrip("-").partition("=")[0] for word in rest}
    kept = {key: value for key, value in spec.constants.items() if key not in given}
    spec = spec._replace(constants=kept)
    shared = invocation._replace(arguments=rest)
    evaluations = sweep_checks.check(shared, name, module, spec)
    _, flags = arguments.part(rest, PLACES)
    same = digest(spec, name, sorted(flags), values.sweep_seed)
    workdir = values.workdir or folder.default_folder(Path("runs"), name, Path(path).stem, same)
    made = Sweep(Path(workdir).expanduser().absolute(), spec.name, spec, rest, announce)
    identity = Identity(name, same, shown(values.storage))
    limit = _limit(spec, values.num_trials)
    return _Asked(invocation, shared, name, module, values, made, identity, evaluations, limit)


def _show_flags() -> None:
    print("\nflags of a sweep:")
    for name in sorted(OWN):
        flag = command_flags("sweep")[name]
        print(f"  --{name} ({flag.default})  {flag.help}")


def _refuse(values: Any) -> None:
    if values.seeds is not None:
        raise UsageError("--sweep and --seeds are two commands; sweep the parameter seed instead")
    for name, least in {"num_trials": 1, "workers": 1, "max_retries": 0, "heartbeat": 1}.items():
        value = values[name].value
        if values[name].present and value < least:
            raise UsageError(f"--{name} is {value}; it must be at least {least}")


def _without_experiment(spec: Spec, name: str) -> Spec:
    """The file may name its experiment, for W&B's agent; it must be this one."""
    there = spec.constants.get("experiment", name)
    if there != name:
        raise UsageError(f"the sweep is of the experiment {there}, not of {name}")
    if "experiment" in spec.parameters:
        raise UsageError("a sweep is of one experiment; experiment cannot have several values")
    rest = {key: value for key, value in spec.constants.items() if key != "experiment"}
    return spec._replace(constants=rest)


def _limit(spec: Spec, asked: int | None) -> int:
    limit = asked or spec.run_cap
    if spec.method == "grid":
        return min(limit or spec.grid_size, spec.grid_size)
    if limit is None:
        raise UsageError(
            f"how many trials? {spec.method} has no end: --num_trials=N, or run_cap: N"
        )
    return limit


def _check_metric(asked: _Asked) -> None:
    announce(f"which metrics {asked.name} logs: its smoke preset, some seconds")
    names = sweep_checks.logged_names(asked.shared, asked.name, asked.module)
    sweep_checks.check_metric(asked.sweep.spec.metric, names, asked.name)


def _write_record(asked: _Asked) -> None:
    spec = asked.sweep.spec
    record = {
        "name": spec.name,
        "command": _without_password(asked.command, asked.values.storage),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "spec": spec.raw,
        "flags": asked.sweep.flags,
        "sweep_seed": asked.values.sweep_seed,
    }
    folder.write(asked.sweep.folder, asked.identity, record)


def _without_password(command: str, storage: str | None) -> str:
    return command.replace(storage, shown(storage)) if storage else command


def _study(asked: _Asked, storage: Storage) -> Any:
    """One name on all machines: of the same experiment, file, flags and seed."""
    name = f"{asked.name}-{asked.identity.digest[:12]}"
    return open_study(storage, name, asked.sweep.spec, asked.evaluations)


def _work(asked: _Asked, storage: Storage) -> int:
    study = _study(asked, storage)
    values, folder = asked.values, asked.sweep.folder
    if values.workers > 1:
        command = [sys.executable, asked.invocation.program, *_worker_words(asked)]
        logs, renewals = folder / "workers", values.max_retries * values.workers
        look = _progress(asked, study)
        return work_together(command, values.workers, logs, renewals, look, announce)
    if values.sweep_worker:
        end_with_parent()
    crew = WorkerHeartbeat(folder / "workers", values.heartbeat)
    ledger = TrialQueue(
        study,
        storage,
        asked.sweep.spec,
        crew,
        limit=asked.limit,
        max_retries=values.max_retries,
        seed=values.sweep_seed,
    )
    with contextlib.closing(crew):
        return work(asked.sweep, ledger, crew, _launcher(asked))


def _worker_words(asked: _Asked) -> list[str]:
    _, words = arguments.part(asked.invocation.arguments, {"workers", "workdir"})
    return [*words, f"--workdir={asked.sweep.folder}", f"--{SWITCH}"]


def _launcher(asked: _Asked) -> Callable[[list[str], PruningCallback], int]:
    """Trains one trial in this process."""

    def launch(words: list[str], watch: PruningCallback) -> int:
        one = asked.shared._replace(arguments=words, began=time.perf_counter())
        values = run.read_flags(one, asked.module)
        chosen = run.choose(asked.name, asked.module, values)
        run_spec = run.make_run_spec(one, chosen, values, run.open_sources(asked.module, values))
        return run.train(run_spec._replace(watch=watch), values.workdir)

    return launch


def _progress(asked: _Asked, study: Any) -> Callable[[], None]:
    """Announces the trials that other processes end, each once."""
    told = {row.index for row in rows_of(asked.sweep, study) if row.value is not None}

    def look() -> None:
        for row in rows_of(asked.sweep, study):
            if row.index not in told and row.state in ("finished", "pruned", "diverged", "failed"):
                told.add(row.index)
                value = "" if row.value is None else f", {asked.sweep.spec.metric} {row.value:.6g}"
                announce(f"trial {row.index} of {asked.limit} {row.state}{value}")

    return look


def _report(asked: _Asked, storage: Storage, code: int) -> int:
    found = results(asked.sweep, _study(asked, storage))
    path = write_report(found, asked.invocation.program, asked.command)
    with until_reader_leaves():
        print(terminal(found, asked.invocation.program), end="")
    announce(f"report: {path}")
    return code or int(found.best is None)


@contextlib.contextmanager
def _terminated() -> Iterator[None]:
    """SIGTERM between two trials ends the sweep as Ctrl-C does; a trial handles it itself."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
