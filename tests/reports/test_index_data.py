"""What the index embeds: strict JSON, no end of an element, addresses that hold any name."""

import json
import os
import urllib.parse

from lecture_models.reports.index_data import (
    ALL_POINTS,
    FEWEST_POINTS,
    address,
    curves_json,
    embedded,
    runs_json,
    varied_settings,
)
from lecture_models.reports.index_run import read_indexed_run
from tests.past import write_past_run


def refuse(name):
    raise AssertionError(f"{name} is no JSON")


def test_no_text_ends_the_script_element():
    found = embedded({"</script><script>": "<!--"})
    assert "<" not in found
    assert json.loads(found) == {"</script><script>": "<!--"}


def test_numbers_that_are_not_finite_are_named(tmp_path):
    write_past_run(tmp_path / "run", {"eval/loss": "NaN", "eval/gain": "-Infinity"})
    runs = [read_indexed_run(tmp_path / "run", 10_000)]
    [run] = json.loads(runs_json(runs, tmp_path, tmp_path / "index.html"), parse_constant=refuse)
    assert run["metrics"] == {"eval/loss": "NaN", "eval/gain": "-Infinity"}
    assert run["run"] == "run"
    assert run["href"] == "./run"


def test_only_settings_that_differ_are_columns(tmp_path):
    for index, rate in enumerate((0.1, 0.2)):
        write_past_run(tmp_path / str(index), config={"learning_rate": rate, "seed": index})
    runs = [read_indexed_run(tmp_path / name, 10_000) for name in ("0", "1")]
    assert varied_settings(runs) == {"linear_ae_mnist": {"learning_rate"}}
    found = json.loads(runs_json(runs, tmp_path, tmp_path / "index.html"))
    assert [run["settings"] for run in found] == [{"learning_rate": 0.1}, {"learning_rate": 0.2}]


def test_curves_give_way_to_their_number(tmp_path):
    folder = write_past_run(tmp_path / "run")
    lines = (json.dumps({"step": at, "train": {"loss": at / 3}}) for at in range(90))
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    run = read_indexed_run(folder, 10_000)
    [alone] = json.loads(curves_json([run]))
    assert alone["train/loss"][:4] == [0, 0.0, 1, 0.33333]
    assert len(alone["train/loss"]) == 2 * 90
    many = json.loads(curves_json([run] * (ALL_POINTS // FEWEST_POINTS)))
    assert len(many[0]["train/loss"]) <= 2 * FEWEST_POINTS


def test_an_address_is_relative_and_quotes_any_byte(tmp_path):
    odd = tmp_path / "runs" / "a #1?%20&b" / os.fsdecode(b"\xff")
    found = address(odd, tmp_path / "pages" / "index.html")
    assert found == "../runs/a%20%231%3F%2520%26b/%FF"
    assert os.fsdecode(urllib.parse.unquote_to_bytes(found)) == "../" + str(
        odd.relative_to(tmp_path)
    )
    assert address(tmp_path / "javascript:x", tmp_path / "index.html") == "./javascript%3Ax"
