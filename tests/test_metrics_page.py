"""Compares the glossary of metrics with what kept runs have logged."""

import fnmatch
import json
import re
from typing import NamedTuple

import pytest

import launch
from lecture_models.commands import discovery
from tests.conftest import ROOT

RUNS = sorted((ROOT / "results" / "runs").glob("*/summary.json"))


class Entry(NamedTuple):
    """Holds a line of the glossary."""

    experiments: frozenset[str]
    patterns: tuple[str, ...]
    cells: tuple[str, ...]

    def matching(self, experiment: str, metric: str) -> list[str]:
        """Returns the patterns that mean a metric of an experiment."""
        if experiment not in self.experiments:
            return []
        return [pattern for pattern in self.patterns if fnmatch.fnmatchcase(metric, pattern)]


def read_glossary():
    entries, experiments = [], frozenset()
    for line in (ROOT / "docs" / "metrics.md").read_text("utf-8").splitlines():
        if line.startswith("Experiments: "):
            experiments = frozenset(re.findall(r"`(\w+)`", line))
        if line.startswith("| `"):
            cells = tuple(cell.strip() for cell in line.strip("|").split(" | "))
            entries.append(Entry(experiments, tuple(re.findall(r"`([^`]+)`", cells[0])), cells))
    return entries


GLOSSARY = read_glossary()


@pytest.fixture(scope="module")
def logged():
    """Returns the pairs of experiment and metric, without `train/` or `eval/`, of kept runs."""
    pairs = set()
    for path in RUNS:
        experiment = json.loads(path.with_name("config.json").read_text())["experiment"]
        names = json.loads(path.read_text())["metrics"]
        pairs |= {(experiment, name.partition("/")[2]) for name in names}
    return sorted(pairs)


def test_each_logged_metric_is_in_the_glossary_once(logged):
    counts = {pair: sum(bool(entry.matching(*pair)) for entry in GLOSSARY) for pair in logged}
    missing = [pair for pair, count in counts.items() if not count]
    assert not missing, f"docs/metrics.md lacks these metrics of these experiments: {missing}"
    assert not [pair for pair, count in counts.items() if count > 1]


def test_no_entry_of_an_experiment_with_records_is_unused(logged):
    used = {
        (number, pattern)
        for number, entry in enumerate(GLOSSARY)
        for pair in logged
        for pattern in entry.matching(*pair)
    }
    recorded = {experiment for experiment, _ in logged}
    all_patterns = {
        (number, pattern)
        for number, entry in enumerate(GLOSSARY)
        if entry.experiments & recorded
        for pattern in entry.patterns
    }
    assert all_patterns - used == set()


def test_an_entry_has_all_cells_and_its_file_exists():
    for entry in GLOSSARY:
        assert len(entry.cells) == 5, entry.cells
        assert all(entry.cells)
        (file,) = re.findall(r"`([^`]+)`", entry.cells[-1])
        assert (ROOT / file).is_file(), file


def test_the_glossary_names_experiments_that_exist():
    known = set(discovery.names(launch.CHECKOUT.experiments))
    assert not set().union(*(entry.experiments for entry in GLOSSARY)) - known
