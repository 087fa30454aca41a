"""One experiment by several seeds: which, where, and what they come to together."""

import math
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.config import UsageError
from lecture_models.runs.folder import RunFolderError, check_same_run
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import as_object

MOST_SEEDS = 1_000
LARGEST_SEED = 2**32 - 1  # jax drops the bits above: larger seeds would be others again.
FILE = "seeds.json"


class Spread(NamedTuple):
    """A metric over seeds. `std` is the sample's, n - 1; None for one value.

    `mean` and `std` are None where a value is not finite: n then counts what is.
    """

    mean: float | None
    std: float | None
    n: int


def parse_seeds(given: str) -> tuple[int, ...]:
    """One number is how many, from 0 on; several are the seeds themselves. Raises UsageError."""
    try:
        numbers = [int(part) for part in given.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--seeds is {given or 'empty'}; it must be how many, or seeds separated by commas"
        ) from error
    if len(numbers) == 1:
        if not 1 <= numbers[0] <= MOST_SEEDS:
            raise UsageError(f"--seeds is {given}; how many must be from 1 to {MOST_SEEDS}")
        return tuple(range(numbers[0]))
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise UsageError(f"--seeds is {given}; {twice[0]} is in it twice, each counts once")
    if min(numbers) < 0 or max(numbers) > LARGEST_SEED:
        raise UsageError(f"--seeds is {given}; a seed must be from 0 to {LARGEST_SEED}")
    return tuple(numbers)


def seed_folder(workdir: Path, seed: int) -> Path:
    return workdir / f"seed_{seed:04d}"


def check_workdir(workdir: Path) -> None:
    """Raises RunFolderError for a folder that holds anything but seeds."""
    if workdir.exists() and not workdir.is_dir():
        raise RunFolderError(f"{workdir} is a file; name a folder")
    if (workdir / "config.json").exists():
        raise RunFolderError(f"{workdir} is the folder of one run; name another for the seeds")
    if not workdir.is_dir() or (workdir / FILE).exists():
        return
    others = sorted(
        path.name for path in workdir.iterdir() if not path.name.startswith((".", "seed_"))
    )
    if others:
        raise RunFolderError(
            f"{workdir} holds files ({', '.join(others[:3])}) but no {FILE}; name a new folder or "
            "one of seeds"
        )


def runs_of(workdir: Path) -> list[PastRun]:
    """Every seed that has begun there, by its number."""
    folders = sorted(path.parent for path in workdir.glob("seed_*/config.json"))
    runs = [read_past_run(folder) for folder in folders]
    return sorted(runs, key=lambda run: run.config.get("seed", 0))


def check_same_but_for_seed(
    runs: list[PastRun], experiment: str, config: dict[str, Any], data: list[Any] | None = None
) -> None:
    """Raises RunFolderError where a run there differs in more than its seed.

    `config` is plain, as JSON gives it back; `data` of a run that was built are compared too.
    """
    for run in runs:
        seed = run.config.get("seed")
        present = {
            "experiment": experiment,
            "config": config | {"seed": seed},
            "data": run.record["data"] if data is None else data,
        }
        check_same_run(run.record, present, run.folder)


def spreads(runs: list[PastRun]) -> dict[str, Spread]:
    """Of every metric of the last evaluation, over the runs that have finished."""
    done = [run.metrics for run in runs if run.status == "finished"]
    names = sorted({name for each in done for name in each if name.startswith("eval/")})
    return {
        name.removeprefix("eval/"): spread([each[name] for each in done if name in each])
        for name in names
    }


def spread(values: list[float]) -> Spread:
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < len(values):
        return Spread(None, None, len(finite))
    std = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), std, len(values))


def summary(runs: list[PastRun], command: str) -> dict[str, Any]:
    """What `seeds.json` holds."""
    first = runs[0].record
    return {
        "experiment": first["experiment"],
        "title": first.get("title", ""),
        "preset": first["preset"],
        "command": command,
        "config": {name: value for name, value in first["config"].items() if name != "seed"},
        "data": first["data"],
        "devices": sorted({str(as_object(run.record.get("device")).get("kind")) for run in runs}),
        "metrics": {name: each._asdict() for name, each in spreads(runs).items()},
        "seeds": [
            {
                "seed": run.config.get("seed"),
                "folder": run.folder.name,
                "status": run.status,
                "error": run.summary.get("error"),
                "metrics": run.metrics,
                "state_sha256": run.summary.get("state_sha256"),
            }
            for run in runs
        ],
    }
