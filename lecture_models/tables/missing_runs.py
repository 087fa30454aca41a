"""The runs that a table's cells want and that are not there yet, and what they will cost."""

import itertools
import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lecture_models.runs.results import Run
from lecture_models.tables.trained_cells import (
    APART,
    MIN_SEEDS,
    Cell,
    ModuleOf,
    flags_of,
    plain,
    planned,
)
from lecture_models.training.progress import duration

# A run's speed does not depend on these.
OTHER_SPEED = APART | {"num_steps"}


class WantedRun(NamedTuple):
    """One run of one seed, in a folder that the same wish always names; `dataset` is the cell's."""

    experiment: str
    preset: str
    flags: tuple[tuple[str, str], ...]  # What the cell has otherwise than the preset.
    seed: int
    dataset: str
    config: Any
    folder: Path

    @property
    def title(self) -> str:
        """Without its seed."""
        return " ".join([self.experiment, f"--preset={self.preset}", *self.overrides])

    @property
    def overrides(self) -> list[str]:
        return [f"--{name}={value}" for name, value in self.flags]

    @property
    def arguments(self) -> list[str]:
        """What is typed behind `launch.py` to start or continue it."""
        return [
            f"--experiment={self.experiment}",
            f"--preset={self.preset}",
            *self.overrides,
            f"--seed={self.seed}",
            f"--workdir={self.folder}",
        ]

    @property
    def steps_left(self) -> int:
        """By the folder's last summary."""
        try:
            done = json.loads((self.folder / "summary.json").read_text("utf-8"))["step"]
        except (OSError, ValueError, KeyError):
            done = 0
        return max(self.config.num_steps - done, 0)


def wanted(
    cells: Iterable[Cell], preset: str, runs_dir: Path, module_of: ModuleOf
) -> list[WantedRun]:
    """Three seeds of every network of the cells, each once.

    With the preset "paper" those of every cell's own recipe, where that is known.
    """
    found: dict[Path, WantedRun] = {}
    for cell in cells:
        module = module_of(cell.experiment)
        if module is None or (preset == "paper" and cell.recipe is None):
            continue
        for seed in range(MIN_SEEDS):
            run = _wanted_run(cell, module, preset, seed, runs_dir)
            found.setdefault(run.folder, run)
    return list(found.values())


def missing(
    wishes: list[WantedRun], runs_of: Callable[[str], list[Run]], runs_dir: Path
) -> list[WantedRun]:
    """Those that no finished run answers: of the same seed and config, in whatever folder.

    Where the wish names its data set, the run must have had that without a note, or lie in the very
    folder of the wish.
    """
    return [
        wish
        for wish in wishes
        if not any(_answers(run, wish, runs_dir) for run in runs_of(wish.experiment))
    ]


def cost_lines(wishes: list[WantedRun], runs_of: Callable[[str], list[Run]]) -> list[str]:
    """The sum, then a line for every network: seeds, steps that are left, and time."""
    steps = [wish.steps_left for wish in wishes]
    resumed = sum(left < wish.config.num_steps for wish, left in zip(wishes, steps, strict=True))
    total = f"{len(wishes)} {'run' if len(wishes) == 1 else 'runs'} to make, {sum(steps):,} steps"
    lines = [total + (f", {resumed} of them begun earlier" if resumed else "")]
    for title, group in itertools.groupby(wishes, key=lambda wish: wish.title):
        members = list(group)
        seeds = f"seed{'s' * (len(members) > 1)} {', '.join(str(wish.seed) for wish in members)}"
        left = sum(wish.steps_left for wish in members)
        time = _time(members[0], left, runs_of(members[0].experiment))
        lines.append(f"{title}: {seeds}; {left:,} steps; {time}")
    return lines


def _wanted_run(
    cell: Cell, module: ModuleType, preset: str, seed: int, runs_dir: Path
) -> WantedRun:
    # Nothing may stand in for the paper's data; elsewhere what the preset falls back on is as good.
    exact, preset = preset == "paper", cell.preset if preset == "paper" else preset
    config = planned(cell, module, preset)
    flags = flags_of(cell, module, preset)
    if exact or (preset != "smoke" and cell.dataset not in config.dataset.split(",")):
        flags = (*flags, ("dataset", cell.dataset))
    name = "-".join([preset, *(f"{key}={value}" for key, value in flags), f"seed={seed}"])
    folder = runs_dir / cell.experiment / name
    return WantedRun(cell.experiment, preset, flags, seed, cell.dataset, config, folder)


def _answers(run: Run, wish: WantedRun, runs_dir: Path) -> bool:
    if run.preset != wish.preset or run.config.get("seed") != wish.seed:
        return False
    if not _same(run.config, plain(wish.config), APART):
        return False
    if runs_dir / run.name == wish.folder:
        return True
    clean = run.data.partition(" ")[0] == wish.dataset and not run.note
    return clean or ("dataset", wish.dataset) not in wish.flags


def _same(first: dict[str, Any], second: dict[str, Any], ignored: frozenset[str]) -> bool:
    names = (first.keys() | second.keys()) - ignored
    return all(first.get(name) == second.get(name) for name in names)


def _time(wish: WantedRun, steps: int, runs: Sequence[Run]) -> str:
    """From the speed of earlier runs: of this config, else named as another one's, else unknown."""
    timed = [run for run in runs if run.steps_per_second]
    own = [run for run in timed if _same(run.config, plain(wish.config), OTHER_SPEED)]
    if not timed:
        return "time unknown"
    speed = statistics.median(run.steps_per_second for run in own or timed)
    took = f"{duration(steps / speed)} at the {speed:.3g} steps/s of"
    if own:
        return f"{took} earlier runs"
    return f"time unknown ({took} other configs)"
