"""The data that the index embeds: strict JSON, few points, addresses that hold any name."""

import json
import os
import urllib.parse

import pytest

from lecture_models.reports.index import read_index, write_index
from lecture_models.reports.index_data import (
    FEWEST_POINTS,
    address,
    curve_records,
    goals,
    run_records,
    varied_settings,
)
from lecture_models.reports.index_run import read_indexed_run
from tests.past import write_past_run
from tests.reports.markup import ATTACKS, Elements, assert_harmless


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_a_run_a_sweep_or_a_page_becomes_markup(tmp_path, attack):
    name = attack.replace("/", "")
    data = [{"dataset": attack, "note": attack, "files": []}]
    write_past_run(
        tmp_path / name / "run",
        {f"eval/{attack}": 1.0},
        attack,
        {attack: attack},
        experiment=attack,
        preset=attack,
        started=attack,
        data=data,
        device={"kind": attack},
    )
    (tmp_path / name / "run" / "report.html").touch()
    (tmp_path / name / "run" / "images").mkdir()
    (tmp_path / name / "run" / "images" / f"{name}_00000001.png").touch()
    sweep = {"name": attack, "experiment": attack, "spec": {"method": attack}, "started": attack}
    (tmp_path / name / "sweep.json").write_text(json.dumps(sweep))
    seeds = {"experiment": attack, "preset": attack, "metrics": {attack: {"mean": 1.0}}}
    (tmp_path / name / "seeds.json").write_text(json.dumps(seeds))
    (tmp_path / name / f"{name}.html").write_text(f"<title>{attack.replace('<', '&lt;')}</title>")
    (tmp_path / f"bad{name}").mkdir()
    (tmp_path / f"bad{name}" / "config.json").write_text("{")
    index = read_index(tmp_path)
    write_index(index, tmp_path / "index.html")
    assert (len(index.runs), len(index.sweeps), len(index.seeds), len(index.pages)) == (1, 1, 1, 1)
    assert len(index.skipped) == 1
    page = (tmp_path / "index.html").read_text()
    assert_harmless(page, attack)
    data, _ = Elements(page).data
    assert data["runs"][0]["experiment"] == attack


def test_numbers_that_are_not_finite_are_named(tmp_path):
    write_past_run(tmp_path / "run", {"eval/loss": "NaN", "eval/gain": "-Infinity"})
    runs = [read_indexed_run(tmp_path / "run", 10_000)]
    [run] = run_records(runs, tmp_path, tmp_path / "index.html")
    json.dumps(run, allow_nan=False)
    assert run["metrics"] == {"eval/loss": "NaN", "eval/gain": "-Infinity"}
    assert run["run"] == "run"
    assert run["href"] == "./run"


def test_only_settings_that_differ_are_columns(tmp_path):
    for index, rate in enumerate((0.1, 0.2)):
        write_past_run(tmp_path / str(index), config={"learning_rate": rate, "seed": index})
    runs = [read_indexed_run(tmp_path / name, 10_000) for name in ("0", "1")]
    assert varied_settings(runs) == {"linear_ae_mnist": {"learning_rate"}}
    found = run_records(runs, tmp_path, tmp_path / "index.html")
    assert [run["settings"] for run in found] == [{"learning_rate": 0.1}, {"learning_rate": 0.2}]


def test_a_goal_is_known_where_no_run_or_sweep_contradicts(tmp_path):
    for name, metric, goal in (
        ("a", "eval/loss", "minimize"),
        ("b", "eval/loss", "minimize"),
        ("c", "eval/score", "maximize"),
        ("d", "eval/score", "minimize"),
    ):
        write_past_run(tmp_path / name, best={"metric": metric, "goal": goal})
    write_past_run(tmp_path / "e", best=None)
    runs = [read_indexed_run(tmp_path / name, 10_000) for name in "abcde"]
    assert goals(runs, []) == {"eval/loss": "minimize"}


def test_runs_that_differ_in_their_seed_only_are_one_group(tmp_path):
    for index, config in enumerate(({"seed": 0}, {"seed": 1}, {"seed": 1, "learning_rate": 0.1})):
        write_past_run(tmp_path / str(index), config=config)
    runs = [read_indexed_run(tmp_path / name, 10_000) for name in "012"]
    records = run_records(runs, tmp_path, tmp_path / "index.html")
    assert [record["group"] for record in records] == [0, 0, 1]


def test_curves_give_way_to_their_number(tmp_path, monkeypatch):
    folder = write_past_run(tmp_path / "run")
    lines = (json.dumps({"step": at, "train": {"loss": at / 3}}) for at in range(90))
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    run = read_indexed_run(folder, 10_000)
    [alone] = curve_records([run])
    assert alone["train/loss"][:4] == [0, 0.0, 1, 0.33333]
    assert len(alone["train/loss"]) == 2 * 90
    monkeypatch.setattr("lecture_models.reports.index_data.ALL_POINTS", 1_000)
    many = curve_records([run] * (1_000 // FEWEST_POINTS))
    assert len(many[0]["train/loss"]) <= 2 * FEWEST_POINTS


def test_an_address_is_relative_and_quotes_any_byte(tmp_path):
    odd = tmp_path / "runs" / "a #1?%20&b" / os.fsdecode(b"\xff")
    found = address(odd, tmp_path / "pages" / "index.html")
    assert found == "../runs/a%20%231%3F%2520%26b/%FF"
    assert os.fsdecode(urllib.parse.unquote_to_bytes(found)) == "../" + str(
        odd.relative_to(tmp_path)
    )
    assert address(tmp_path / "javascript:x", tmp_path / "index.html") == "./javascript%3Ax"
