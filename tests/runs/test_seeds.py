import math

import pytest

from lecture_models.config import UsageError
from lecture_models.reports.seeds_page import terminal, write_report
from lecture_models.runs.past_run import read_past_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.runs.seeds import (
    check_same_but_for_seed,
    check_workdir,
    parse_seeds,
    runs_of,
    seed_folder,
    spread,
    spreads,
    summary,
)
from tests.past import RECORD, write_past_run


def test_a_number_is_how_many_and_a_list_is_which():
    assert parse_seeds("5") == (0, 1, 2, 3, 4)
    assert parse_seeds("7,0,1") == (7, 0, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("0", "a number of seeds must be from 1 to 1000"),
        ("-3", "a number of seeds must be from 1 to 1000"),
        ("1000000000000", "a number of seeds must be from 1 to 1000"),
        ("1,2,1", "it must name each seed once, but repeats 1"),
        ("0,-1", "a seed must be from 0 to 4294967295"),
        ("0,4294967296", "a seed must be from 0 to 4294967295"),
        ("few", "it must be a number of seeds, or seeds separated by commas"),
        ("1,,2", "it must be a number of seeds, or seeds separated by commas"),
        ("1.5", "it must be a number of seeds, or seeds separated by commas"),
        ("", "--seeds is empty"),
    ],
)
def test_what_is_no_seed_is_refused(given, message):
    with pytest.raises(UsageError, match=message):
        parse_seeds(given)


def test_the_spread_is_the_samples():
    assert spread([1.0, 2.0, 3.0]) == (2.0, 1.0, 3)
    assert spread([4.0]) == (4.0, None, 1)


def test_a_value_that_is_not_finite_leaves_no_mean():
    assert spread([1.0, math.inf, 2.0]) == (None, None, 2)
    assert "|    - |   - |   2 |" in terminal({"loss": spread([1.0, math.nan, 2.0])})


def test_only_the_evaluation_of_finished_seeds_counts(tmp_path):
    runs = [
        read_past_run(write_past_run(tmp_path / str(seed), metrics, status))
        for seed, (metrics, status) in enumerate(
            [
                ({"eval/loss": 1.0, "train/loss": 9.0}, "finished"),
                ({"eval/loss": 3.0, "eval/late": 5.0}, "finished"),
                ({"eval/loss": 100.0}, "failed"),
            ]
        )
    ]
    assert spreads(runs) == {"late": (5.0, None, 1), "loss": (2.0, pytest.approx(2**0.5), 2)}


def test_the_folder_of_one_run_or_of_anything_else_is_refused(tmp_path):
    check_workdir(tmp_path / "new")
    write_past_run(tmp_path / "run")
    with pytest.raises(RunFolderError, match="is the folder of one run"):
        check_workdir(tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(RunFolderError, match=r"holds files \(thesis.tex\) but no seeds.json"):
        check_workdir(tmp_path / "mine")
    with pytest.raises(RunFolderError, match="is a file"):
        check_workdir(tmp_path / "mine" / "thesis.tex")
    write_past_run(seed_folder(tmp_path / "killed", 0))
    check_workdir(tmp_path / "killed")


def test_seeds_differ_in_nothing_but_the_seed(tmp_path):
    for seed in (0, 10000):
        write_past_run(seed_folder(tmp_path, seed), config={"seed": seed})
    runs = runs_of(tmp_path)
    assert [run.config["seed"] for run in runs] == [0, 10000]
    config = RECORD["config"] | {"seed": 7}
    check_same_but_for_seed(runs, "linear_ae_mnist", config, RECORD["data"])
    with pytest.raises(RunFolderError, match="learning_rate"):
        check_same_but_for_seed(runs, "linear_ae_mnist", config | {"learning_rate": 1.0})
    with pytest.raises(RunFolderError, match="a run of linear_ae_mnist, not of gan_mnist"):
        check_same_but_for_seed(runs, "gan_mnist", config)
    other = [RECORD["data"][0] | {"dataset": "mnist"}]
    with pytest.raises(RunFolderError, match="holds a run on other data: digits"):
        check_same_but_for_seed(runs, "linear_ae_mnist", config, other)


def test_the_page_says_what_the_data_lack_and_escapes_what_it_shows(tmp_path):
    data = [RECORD["data"][0] | {"note": "fallback: <mnist> absent"}]
    write_past_run(seed_folder(tmp_path, 0), data=data, title="<b>bold</b>.")
    page = write_report(tmp_path, summary(runs_of(tmp_path), "python launch.py --seeds=1"))
    content = page.read_text()
    assert "digits: fallback: &lt;mnist&gt; absent" in content
    assert "<b>bold</b>" not in content
    assert "a CPU" in content


def test_copies_and_old_runs_beside_the_seeds_are_not_seeds(tmp_path):
    for name in ("seed_0000", "seed_0000.old-1", "seed_0000 copy", "seed_0001"):
        write_past_run(tmp_path / name)
    (tmp_path / "seed_0002").mkdir()
    (tmp_path / "seed_notes.txt").write_text("mine")
    assert [run.folder.name for run in runs_of(tmp_path)] == ["seed_0000", "seed_0001"]


def test_a_field_that_is_newer_than_the_seeds_has_its_default(tmp_path):
    runs = [read_past_run(write_past_run(tmp_path / "seed_0000"))]
    config = RECORD["config"] | {"momentum": 0.9}
    defaults = {"momentum": 0.9}
    check_same_but_for_seed(runs, "linear_ae_mnist", config, defaults=defaults)
    with pytest.raises(RunFolderError, match="momentum"):
        check_same_but_for_seed(runs, "linear_ae_mnist", config | {"momentum": 0.5}, None, defaults)
