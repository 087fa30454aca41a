"""Finds the runs that a table's cells still need, and estimates what they cost."""

import itertools
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.config import as_json_values
from lecture_models.runs.reader import read_summary
from lecture_models.runs.results import FinishedRun
from lecture_models.tables.trained_cells import (
    IGNORED_FIELDS,
    MIN_SEEDS,
    ModuleOf,
    TrainedCell,
    cell_config,
    recipe_flags,
)
from lecture_models.training.progress import duration

# A run's steps per second do not depend on these.
SPEED_INDEPENDENT = IGNORED_FIELDS | {"num_steps"}


class WantedRun(NamedTuple):
    """Describes one run of one seed that a cell needs.

    Attributes:
        experiment: name of the experiment.
        preset: name of the preset.
        flags: fields in which the run differs from the preset, as they are typed.
        seed: the run's seed.
        dataset: the cell's data set.
        config: the experiment's Config.
        folder: folder of the run, which follows from the fields above.
    """

    experiment: str
    preset: str
    flags: tuple[tuple[str, str], ...]
    seed: int
    dataset: str
    config: Any
    folder: Path

    @property
    def title(self) -> str:
        """Returns the experiment with its flags, without the seed."""
        return " ".join([self.experiment, f"--preset={self.preset}", *self.overrides])

    @property
    def overrides(self) -> list[str]:
        return [f"--{name}={value}" for name, value in self.flags]

    @property
    def arguments(self) -> list[str]:
        """Returns the arguments of `launch.py` that start or continue the run."""
        return [
            f"--experiment={self.experiment}",
            f"--preset={self.preset}",
            *self.overrides,
            f"--seed={self.seed}",
            f"--workdir={self.folder}",
        ]

    @property
    def steps_left(self) -> int:
        """Returns the number of steps still to train, by the folder's last summary."""
        done = read_summary(self.folder).intact.get("step", 0)
        return max(self.config.num_steps - done, 0)


def wanted(
    cells: Iterable[TrainedCell], preset: str, runs_dir: Path, module_of: ModuleOf
) -> list[WantedRun]:
    """Returns three seeds of each network of the cells, without repetition.

    The preset "paper" stands for each cell's own recipe; cells whose recipe is unknown are skipped.
    """
    by_folder: dict[Path, WantedRun] = {}
    for cell in cells:
        module = module_of(cell.experiment)
        if module is None or (preset == "paper" and cell.recipe is None):
            continue
        for seed in range(MIN_SEEDS):
            run = _wanted_run(cell, module, preset, seed, runs_dir)
            by_folder.setdefault(run.folder, run)
    return list(by_folder.values())


def missing(
    wanted_runs: list[WantedRun], runs_of: Callable[[str], list[FinishedRun]], runs_dir: Path
) -> list[WantedRun]:
    """Returns the wanted runs for which no finished run has the same seed and config.

    If a wanted run names its data set, a finished run must have had that data set without a note,
    or lie in the very folder of the wanted run.
    """
    return [
        wanted_run
        for wanted_run in wanted_runs
        if not any(_answers(run, wanted_run, runs_dir) for run in runs_of(wanted_run.experiment))
    ]


def cost_lines(
    wanted_runs: list[WantedRun], runs_of: Callable[[str], list[FinishedRun]]
) -> list[str]:
    """Returns a line with the total, then one per network with its seeds, steps and time."""
    steps = [wanted_run.steps_left for wanted_run in wanted_runs]
    resumed = sum(
        left < wanted_run.config.num_steps
        for wanted_run, left in zip(wanted_runs, steps, strict=True)
    )
    noun = "run" if len(wanted_runs) == 1 else "runs"
    total = f"{len(wanted_runs)} {noun} to make, {sum(steps):,} steps"
    lines = [total + (f", {resumed} of them already started" if resumed else "")]
    for title, group in itertools.groupby(wanted_runs, key=lambda run: run.title):
        members = list(group)
        numbers = ", ".join(str(member.seed) for member in members)
        seeds = f"seed{'s' * (len(members) > 1)} {numbers}"
        left = sum(member.steps_left for member in members)
        time = _time(members[0], left, runs_of(members[0].experiment))
        lines.append(f"{title}: {seeds}; {left:,} steps; {time}")
    return lines


def _wanted_run(
    cell: TrainedCell, module: ModuleType, preset: str, seed: int, runs_dir: Path
) -> WantedRun:
    # The paper's recipe needs the paper's data; other presets may fall back on their own.
    is_paper, preset = preset == "paper", cell.preset if preset == "paper" else preset
    config = cell_config(cell, module, preset)
    flags = recipe_flags(cell, module, preset)
    if is_paper or (preset != "smoke" and cell.dataset not in config.dataset.split(",")):
        flags = (*flags, ("dataset", cell.dataset))
    name = "-".join([preset, *(f"{key}={value}" for key, value in flags), f"seed={seed}"])
    folder = runs_dir / cell.experiment / name
    return WantedRun(cell.experiment, preset, flags, seed, cell.dataset, config, folder)


def _answers(run: FinishedRun, wanted_run: WantedRun, runs_dir: Path) -> bool:
    if run.preset != wanted_run.preset or run.config.get("seed") != wanted_run.seed:
        return False
    if not _is_same(run.config, as_json_values(wanted_run.config), IGNORED_FIELDS):
        return False
    if runs_dir / run.name == wanted_run.folder:
        return True
    is_clean = run.data.partition(" ")[0] == wanted_run.dataset and not run.note
    return is_clean or ("dataset", wanted_run.dataset) not in wanted_run.flags


def _is_same(first: dict[str, Any], second: dict[str, Any], ignored: frozenset[str]) -> bool:
    names = (first.keys() | second.keys()) - ignored
    return all(first.get(name) == second.get(name) for name in names)


def _time(wanted_run: WantedRun, steps: int, runs: Sequence[FinishedRun]) -> str:
    """Estimates a time from the speed of earlier runs, preferably of the same config."""
    timed = [run for run in runs if run.steps_per_second]
    same = [
        run
        for run in timed
        if _is_same(run.config, as_json_values(wanted_run.config), SPEED_INDEPENDENT)
    ]
    if not timed:
        return "time unknown"
    speed = statistics.median(run.steps_per_second for run in same or timed)
    estimate = f"{duration(steps / speed)} at the {speed:.3g} steps/s of"
    if same:
        return f"{estimate} earlier runs"
    return f"time unknown ({estimate} other configs)"
