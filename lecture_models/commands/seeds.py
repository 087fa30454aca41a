"""Trains an experiment once per seed, and reports mean and spread of its metrics: `--seeds`."""

import shlex
import time
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lecture_models import files
from lecture_models.commands import discovery, run
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError, as_json_values, default_values
from lecture_models.reports import seeds_page
from lecture_models.runs import seeds as seed_runs
from lecture_models.runs.arguments import split_flags
from lecture_models.runs.folder import default_folder
from lecture_models.runs.past_run import PastRun
from lecture_models.training.interrupt import late_stop, stop_signal_of
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.standard_streams import print_last_line


class _Request(NamedTuple):
    """Holds what the command line asks for.

    Attributes:
        name: the experiment.
        module: its module.
        seeds: the seeds.
        workdir: the folder of all seeds.
        invocation: the command line with the flags that all seeds share.
        command: the command that continues in the same folder.
    """

    name: str
    module: ModuleType
    seeds: tuple[int, ...]
    workdir: Path
    invocation: Invocation
    command: str


def seeds(invocation: Invocation, value: str) -> int:
    """Returns 0 if all seeds have finished, 1 if one has failed, 128 + n for signal n.

    Raises UsageError for a wrong command line, and RunFolderError if the folder holds other runs.
    """
    name = run.experiment_of(invocation, "--seeds")
    module = discovery.load(invocation.checkout.experiments, name)
    values = run.read_flags(invocation, module)
    if values.help:
        return run.run(invocation, name)
    run.refuse_flags_of_one_run(values, "--seeds")
    if values["seed"].present:
        raise UsageError("--seed and --seeds contradict each other; give one of them")
    numbers = seed_runs.parse_seeds(value)
    chosen = run.choose(name, module, values)
    workdir = values.workdir or Path(f"{default_folder(Path('runs'), name)}-seeds")
    _, shared = split_flags(invocation.arguments, {"seeds", "workdir"})
    own = [f"--seeds={value}", f"--workdir={workdir}"]
    command = shlex.join(["python", invocation.program, *shared, *own])
    shared_invocation = run.part_of(workdir.name, invocation._replace(arguments=shared), values)
    request = _Request(name, module, numbers, workdir, shared_invocation, command)
    seed_runs.check_workdir(workdir)
    seed_runs.check_same_but_for_seed(
        seed_runs.runs_of(workdir),
        name,
        as_json_values(chosen.config),
        defaults=default_values(chosen.config),
    )
    try:
        code = _train_all(request)
    except KeyboardInterrupt as stop:  # Between two runs, or while one is built.
        code = 128 + stop_signal_of(stop)
    if code >= 128:
        print_last_line(f"to continue with the seeds: {command}")
        return code
    return _report(request)


def _train_all(request: _Request) -> int:
    """Returns 0, or 128 + n for signal n; if one seed fails, the next ones are still trained."""
    sources = None
    late_stop()
    began = request.invocation.began
    statuses = {past.folder.name: past.status for past in seed_runs.runs_of(request.workdir)}
    for index, seed in enumerate(request.seeds, start=1):
        folder = seed_runs.seed_folder(request.workdir, seed)
        if statuses.get(folder.name) == "finished":
            announce(f"seed {seed} ({index} of {len(request.seeds)}) has finished already")
            continue
        announce(f"seed {seed} ({index} of {len(request.seeds)}) in {folder}")
        words = [*request.invocation.arguments, f"--seed={seed}", f"--workdir={folder}"]
        invocation = request.invocation._replace(arguments=words, began=began)
        values = run.read_flags(invocation, request.module)
        chosen = run.choose(request.name, request.module, values)
        # Data and weights are the same for all seeds, and read once.
        sources = sources or run.open_sources(request.module, values)
        spec = run.make_run_spec(invocation, chosen, values, sources)
        others = seed_runs.runs_of(request.workdir)
        config = as_json_values(chosen.config)
        seed_runs.check_same_but_for_seed(
            others, request.name, config, spec.data, default_values(chosen.config)
        )
        code = run.train(spec, folder)
        _write(request)
        if not code and (late := late_stop()):
            code = 128 + late
        if code >= 128:
            return code
        began = time.perf_counter()
    return 0


def _write(request: _Request) -> list[PastRun]:
    runs = seed_runs.runs_of(request.workdir)
    summary = seed_runs.summary(runs, request.command)
    files.write_json(request.workdir / seed_runs.FILE, summary)
    seeds_page.write_report(request.workdir, summary)
    return runs


def _report(request: _Request) -> int:
    runs = _write(request)
    with until_reader_leaves():
        print(seeds_page.terminal(seed_runs.spreads(runs)), end="")
    announce(f"finished: {request.workdir}/report.html")
    failed = [
        f"{past.config['seed']} ({past.summary.get('error') or past.status})"
        for past in runs
        if past.status != "finished"
    ]
    if failed:
        announce(f"error: {len(failed)} of {len(runs)} seeds failed: {', '.join(failed)}")
    return 1 if failed else 0
