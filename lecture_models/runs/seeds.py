"""Parses seeds, and reads and summarizes the runs that differ in their seeds only."""

import math
import re
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.config import MAX_SEED, UsageError
from lecture_models.runs.folder import check_same_run
from lecture_models.runs.json_values import as_object
from lecture_models.runs.past_run import PastRun, read_past_run
from lecture_models.runs.reader import CONFIG, RunFolderError

MAX_SEEDS = 1_000
FILE = "seeds.json"
_SEED_FOLDER = re.compile(r"seed_[0-9]{4,}")


class Spread(NamedTuple):
    """Summarizes a metric over seeds.

    Attributes:
        mean: the mean; None if a value is not finite.
        std: the sample standard deviation (n - 1); None for one value, or if one is not finite.
        n: the number of finite values.
    """

    mean: float | None
    std: float | None
    n: int


def parse_seeds(text: str) -> tuple[int, ...]:
    """Parses --seeds: `3` means the seeds 0, 1 and 2; `0,1,7` lists the seeds.

    Raises UsageError if the text is neither.
    """
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--seeds is {text or 'empty'}; it must be a number of seeds, or seeds separated by "
            "commas"
        ) from error
    if len(numbers) == 1:
        if not 1 <= numbers[0] <= MAX_SEEDS:
            raise UsageError(f"--seeds is {text}; a number of seeds must be from 1 to {MAX_SEEDS}")
        return tuple(range(numbers[0]))
    repeated = sorted({number for number in numbers if numbers.count(number) > 1})
    if repeated:
        raise UsageError(
            f"--seeds is {text}; it must name each seed once, but repeats {repeated[0]}"
        )
    if min(numbers) < 0 or max(numbers) > MAX_SEED:
        raise UsageError(f"--seeds is {text}; a seed must be from 0 to {MAX_SEED}")
    return tuple(numbers)


def seed_folder(workdir: Path, seed: int) -> Path:
    """Returns the folder of the run with one seed."""
    return workdir / f"seed_{seed:04d}"


def check_workdir(workdir: Path) -> None:
    """Raises RunFolderError if a folder holds anything but runs with several seeds."""
    if workdir.exists() and not workdir.is_dir():
        raise RunFolderError(f"{workdir} is a file; name a folder")
    if (workdir / CONFIG).exists():
        raise RunFolderError(f"{workdir} is the folder of one run; name another one for the seeds")
    if not workdir.is_dir() or (workdir / FILE).exists():
        return
    others = sorted(
        path.name for path in workdir.iterdir() if not path.name.startswith((".", "seed_"))
    )
    if others:
        raise RunFolderError(
            f"{workdir} holds files ({', '.join(others[:3])}) but no {FILE}; name a new folder, or "
            "a folder of seeds"
        )


def runs_of(workdir: Path) -> list[PastRun]:
    """Returns the run of every seed that has started, in the order of the seeds."""
    records = workdir.glob(f"seed_*/{CONFIG}")
    folders = sorted(path.parent for path in records if _SEED_FOLDER.fullmatch(path.parent.name))
    runs = [read_past_run(folder) for folder in folders]
    return sorted(runs, key=lambda run: run.config.get("seed", 0))


def check_same_but_for_seed(
    runs: list[PastRun],
    experiment: str,
    config: dict[str, Any],
    data: list[Any] | None = None,
    defaults: dict[str, Any] | None = None,
) -> None:
    """Raises RunFolderError if a run differs from the present one in more than its seed.

    Args:
        runs: the runs in the folder.
        experiment: the present experiment.
        config: the present config, in the values that JSON gives back.
        data: the data that the present run has read; None before it has read any.
        defaults: the defaults of the config's fields, for those that a record lacks.
    """
    for run in runs:
        seed = run.config.get("seed")
        present = {
            "experiment": experiment,
            "config": config | {"seed": seed},
            "data": run.record["data"] if data is None else data,
        }
        check_same_run(run.record, present, run.folder, defaults)


def spreads(runs: list[PastRun]) -> dict[str, Spread]:
    """Returns the spread of each metric of the last evaluation, over the finished runs."""
    finished = [run.metrics for run in runs if run.status == "finished"]
    names = sorted({name for metrics in finished for name in metrics if name.startswith("eval/")})
    return {
        name.removeprefix("eval/"): spread(
            [metrics[name] for metrics in finished if name in metrics]
        )
        for name in names
    }


def spread(values: list[float]) -> Spread:
    """Returns the spread of at least one value."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < len(values):
        return Spread(None, None, len(finite))
    std = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), std, len(values))


def summary(runs: list[PastRun], command: str) -> dict[str, Any]:
    """Returns the content of seeds.json for at least one run."""
    first = runs[0].record
    return {
        "experiment": first["experiment"],
        "title": first.get("title", ""),
        "preset": first["preset"],
        "command": command,
        "config": {name: value for name, value in first["config"].items() if name != "seed"},
        "data": first["data"],
        "devices": sorted({str(as_object(run.record.get("device")).get("kind")) for run in runs}),
        "metrics": {name: metric._asdict() for name, metric in spreads(runs).items()},
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
