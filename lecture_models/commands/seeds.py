"""`--seeds`: an experiment once per seed, each an ordinary run, and what they come to together."""

import shlex
import time
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from lecture_models import files
from lecture_models.commands import arguments, discovery, run
from lecture_models.commands.invocation import Invocation, announce
from lecture_models.config import UsageError
from lecture_models.reports import seeds_page
from lecture_models.runs import seeds as seed_runs
from lecture_models.runs.folder import default_folder
from lecture_models.runs.past_run import PastRun
from lecture_models.training.printing import until_reader_leaves
from lecture_models.training.run_spec import plain_config


class _Asked(NamedTuple):
    """`invocation` has the flags that all seeds share; `command` goes on with them."""

    name: str
    module: ModuleType
    seeds: tuple[int, ...]
    workdir: Path
    invocation: Invocation
    command: str


def seeds(invocation: Invocation, given: str) -> int:
    """0 where all seeds have finished, 1 where one failed, 128 + n for signal n.

    Raises UsageError for a wrong command line, RunFolderError where the folder holds other runs.
    """
    name = run.experiment_of(invocation, f"--seeds={given}")
    module = discovery.load(invocation.house.experiments, name)
    values = run.read_flags(invocation, module)
    if values.help:
        return run.run(invocation, name)
    run.require_one_process(values, "--seeds")
    if values["seed"].present:
        raise UsageError("--seed and --seeds are two ways to say it; give one of them")
    numbers = seed_runs.parse_seeds(given)
    chosen = run.choose(name, module, values)
    default = default_folder(Path("runs"), name)
    workdir = Path(values.workdir or f"{default}-seeds").expanduser()
    _, shared = arguments.part(invocation.arguments, {"seeds", "workdir"})
    own = [f"--seeds={given}", f"--workdir={workdir}"]
    command = shlex.join(["python", invocation.program, *shared, *own])
    asked = _Asked(name, module, numbers, workdir, invocation._replace(arguments=shared), command)
    seed_runs.check_workdir(workdir)
    seed_runs.check_same_but_for_seed(seed_runs.runs_of(workdir), name, plain_config(chosen.config))
    try:
        code = _train_all(asked)
    except KeyboardInterrupt:  # Between two runs, or while one is built.
        code = 130
    if code >= 128:
        announce(f"to go on with the seeds: {command}")
        return code
    return _report(asked)


def _train_all(asked: _Asked) -> int:
    """0, or 128 + n for signal n; a seed that fails does not keep the others."""
    sources = None
    began = asked.invocation.began
    done = {each.folder.name: each.status for each in seed_runs.runs_of(asked.workdir)}
    for index, seed in enumerate(asked.seeds, start=1):
        folder = seed_runs.seed_folder(asked.workdir, seed)
        if done.get(folder.name) == "finished":
            announce(f"seed {seed} ({index} of {len(asked.seeds)}) is finished already")
            continue
        announce(f"seed {seed} ({index} of {len(asked.seeds)}) in {folder}")
        flags = [f"--seed={seed}", f"--workdir={folder}"]
        words = [*asked.invocation.arguments, *flags]
        one = asked.invocation._replace(arguments=words, began=began)
        values = run.read_flags(one, asked.module)
        chosen = run.choose(asked.name, asked.module, values)
        # Read once: the data and the weights of all seeds are the same.
        sources = sources or run.open_sources(asked.module, values)
        spec = run.make_run_spec(one, chosen, values, sources)
        others = seed_runs.runs_of(asked.workdir)
        seed_runs.check_same_but_for_seed(
            others, asked.name, plain_config(chosen.config), spec.data
        )
        code = run.train(spec, folder)
        _write(asked)
        if code >= 128:
            return code
        began = time.perf_counter()
    return 0


def _write(asked: _Asked) -> list[PastRun]:
    runs = seed_runs.runs_of(asked.workdir)
    summary = seed_runs.summary(runs, asked.command)
    files.write_json(asked.workdir / seed_runs.FILE, summary)
    seeds_page.write_report(asked.workdir, summary)
    return runs


def _report(asked: _Asked) -> int:
    runs = _write(asked)
    with until_reader_leaves():
        print(seeds_page.terminal(seed_runs.spreads(runs)), end="")
    announce(f"finished: {asked.workdir}/report.html")
    failed = [
        f"{each.config['seed']} ({each.summary.get('error') or each.status})"
        for each in runs
        if each.status != "finished"
    ]
    if failed:
        announce(f"error: {len(failed)} of {len(runs)} seeds failed: {', '.join(failed)}")
    return 1 if failed else 0
