"""Checks the files of the lectures: every title is covered, no command and no number is stale."""

import itertools
import shlex

import pytest

import launch
from lecture_models.commands import discovery
from lecture_models.commands.flags import command_flags
from lecture_models.commands.invocation import Invocation
from lecture_models.commands.run import choose, read_flags
from lecture_models.lectures.formulas import svg
from lecture_models.lectures.lecture import numbers, read_lecture
from lecture_models.lectures.plan import runs_of
from lecture_models.lectures.values import Values, errata, markdown_cell
from lecture_models.runs.reader import read_config
from lecture_models.tables.table import verdict
from tests.conftest import ROOT, real_data_folder
from tests.lectures.headings import headings

RESULTS = ROOT / "results"
LECTURES = {number: read_lecture(number) for number in numbers()}
ITEMS = [item for found in LECTURES.values() for item in found.items]
COMMANDS = sorted({command for item in ITEMS for command in (item.run, item.smoke) if command})


def lecture_text(number):
    """Returns the text, which lies beside the folder of real data."""
    data = real_data_folder()
    texts = sorted((data.parent / "lectures").glob(f"{number}_*.txt")) if data else []
    if not texts:
        pytest.skip("the texts of the lectures are absent: lectures/ beside the real data")
    return texts[0].read_text("utf-8")


def test_there_are_five_lectures():
    assert list(LECTURES) == ["000", "001", "002", "003", "004"]
    assert all(found.number == number for number, found in LECTURES.items())


@pytest.mark.parametrize("number", LECTURES)
def test_every_title_of_a_lecture_is_covered_in_order(number):
    titled = [(slide.heading, slide.count) for slide in LECTURES[number].slides if slide.titled]
    assert titled == headings(number, lecture_text(number))


@pytest.mark.parametrize("number", LECTURES)
def test_neighboring_titles_differ(number):
    """Slides in a row with one title are one entry, which says how many there are."""
    titles = [slide.heading for slide in LECTURES[number].slides]
    assert all(first != second for first, second in itertools.pairwise(titles))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_an_experiment_or_table_and_flags_that_exist(command):
    words = shlex.split(command)
    name = words[0].partition("=")[2]
    if words[0].startswith("--table="):
        assert name in discovery.names(launch.CHECKOUT.tables)
        assert command_flags("table")(["launch.py", *words]) == ["launch.py"]
        return
    module = discovery.load(launch.CHECKOUT.experiments, name)
    values = read_flags(Invocation(launch.CHECKOUT, "launch.py", words, 0.0), module)
    assert choose(name, module, values).config is not None


def test_what_a_lecture_runs_is_accepted_with_the_preset_smoke(tmp_path):
    wanted = {run for found in LECTURES.values() for run in runs_of(found, "smoke", tmp_path)}
    assert len(wanted) > 40
    for run in wanted:
        module = discovery.load(launch.CHECKOUT.experiments, run.experiment)
        given = Invocation(launch.CHECKOUT, "launch.py", run.arguments, 0.0)
        assert choose(run.experiment, module, read_flags(given, module)).config is not None


def test_different_runs_of_lectures_lie_in_different_folders(tmp_path):
    wanted = {run for found in LECTURES.values() for run in runs_of(found, "default", tmp_path)}
    assert len({run.folder for run in wanted}) == len(wanted)


def test_no_slide_waits_for_an_experiment_that_exists():
    """Whoever adds the experiment gives the slide its command, in place of why_not."""
    known = discovery.names(launch.CHECKOUT.experiments)
    waiting = {item.waits_for: item.shows for item in ITEMS if item.waits_for}
    assert waiting
    assert not [
        (name, shows)
        for beginning, shows in waiting.items()
        for name in known
        if name.startswith(beginning)
    ]


def test_named_pictures_and_pages_exist():
    assert not [name for item in ITEMS for name in item.pictures if not (RESULTS / name).is_file()]
    pages = {item.page for item in ITEMS if item.page}
    assert len(pages) > 30
    assert not [page for page in pages if not (RESULTS / f"{page}.md").is_file()]


def test_every_erratum_of_the_list_stands_at_its_slide():
    named = {beginning for item in ITEMS for beginning in item.errata}
    path = ROOT / "docs" / "errata.md"
    assert len(errata(path, tuple(named))) == path.read_text("utf-8").count("\n- ")


def test_numbers_are_where_the_files_look_for_them():
    values = Values(RESULTS, pytest.fail)
    read = [number for item in ITEMS for number in item.numbers if not number.table]
    assert len(read) > 80
    for number in read:
        row = values.row(number)
        assert row.ours is not None
        assert verdict(row) != "short"


def test_without_the_results_nothing_is_missing(tmp_path):
    """An installed package may lack the folder of results."""
    values = Values(tmp_path, pytest.fail)
    for item in ITEMS:
        assert all(
            verdict(values.row(number)) == "not run" for number in item.numbers if not number.table
        )
        assert not any(values.text(text) for text in item.texts)
        assert errata(tmp_path / "errata.md", item.errata) == list(item.errata)


def test_texts_are_where_the_files_look_for_them():
    values = Values(RESULTS, pytest.fail)
    texts = [text for item in ITEMS for text in item.texts]
    assert len(texts) > 4
    assert all(values.text(text) for text in texts)


def test_records_are_of_the_experiment_that_the_slide_runs():
    for item in ITEMS:
        for number in item.numbers:
            if number.records:
                record = read_config(RESULTS / "runs" / f"{number.records}_0").require()
                assert item.run.split()[0] == f"--experiment={record['experiment']}"


@pytest.mark.slow
def test_every_formula_can_be_typeset():
    formulas = {formula for item in ITEMS for formula in item.formulas}
    assert len(formulas) > 40
    assert all(svg(formula).startswith("<svg ") for formula in formulas)


PAGE = """
| what | ours | theirs |
| --- | --- | --- |
| **error**, % | **0.69 ± 0.09** | 0.95 |
| [`time`](time.md) | 3 | |

| what | ours |
| --- | --- |
| size | 5 |
"""


def test_a_cell_is_found_by_its_row_and_column():
    assert markdown_cell(PAGE, "error, %", "ours") == "0.69 ± 0.09"
    assert markdown_cell(PAGE, "error, %", "theirs") == "0.95"
    assert markdown_cell(PAGE, "time", "") == "3"
    assert markdown_cell(PAGE, "size", "ours") == "5"


def test_a_cell_that_is_not_there_once_is_not_found():
    assert markdown_cell(PAGE, "size", "theirs") is None
    assert markdown_cell(PAGE, "speed", "ours") is None
    assert markdown_cell(PAGE + PAGE, "size", "ours") is None
