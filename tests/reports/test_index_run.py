"""Runs as the index reads them: the same curves as the report's, thinned."""

import json
import math

import pytest

from lecture_models.reports.index_run import MOST_POINTS, read_indexed_run
from lecture_models.runs.reader import RunFolderError
from lecture_models.runs.recorded_run import read_run, read_series
from tests.past import write_past_run

LINES = [
    '{"step": 1, "train": {"loss": 2.5, "steps": 3}}',
    '{"step": 2, "train": {"loss": "NaN"}, "eval": {"loss": 1e400, "flag": true, "word": "x"}}',
    '{"step": 1, "train": {"loss": 0.5}}',
    '{"step": "3", "train": {"loss": 9.0}}',
    '{"step": 4, "train": [1], "eval": null}',
    "[]",
]


@pytest.mark.parametrize("torn", ["", '{"step": 9, "train": {"lo'])
def test_curves_are_those_of_the_report_also_of_a_torn_file(tmp_path, torn):
    (tmp_path / "metrics.jsonl").write_text("\n".join([*LINES, torn]))
    found = read_series(tmp_path, 10_000)
    assert repr(found) == repr(read_run(tmp_path).series)
    assert found["train/loss"][0] == (1, 0.5)
    assert math.isnan(found["train/loss"][1][1])


def test_a_run_without_metrics_has_no_curve(tmp_path):
    assert read_series(tmp_path, 10_000) == {}


def test_a_thinned_curve_keeps_its_spike_and_its_gap(tmp_path):
    folder = write_past_run(tmp_path / "run")
    values = [1.0] * 5_000
    values[1_234], values[4_000] = 77.0, "NaN"
    lines = [json.dumps({"step": at, "train": {"loss": each}}) for at, each in enumerate(values)]
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    curve = read_indexed_run(folder, 10_000).curves["train/loss"]
    assert len(curve) <= MOST_POINTS
    assert (1_234, 77.0) in curve
    assert (4_000, None) in curve


def test_of_a_long_file_evaluations_and_the_last_line_are_never_skipped(tmp_path):
    lines = [json.dumps({"step": step, "train": {"loss": 1.0}}) for step in range(1_000)]
    lines[501] = '{"step": 501, "eval": {"loss": 2.0}}'
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines))
    found = read_series(tmp_path, 100)
    assert found["eval/loss"] == [(501, 2.0)]
    assert found["train/loss"][-1] == (999, 1.0)
    assert len(found["train/loss"]) == 100


def test_facts_metrics_and_the_newest_picture_of_each_name(tmp_path):
    folder = write_past_run(
        tmp_path / "run",
        metrics={"eval/loss": "NaN", "train/loss": 2.0},
        data=[{"dataset": "digits", "note": "8 x 8; fallback: no mnist", "files": []}],
    )
    (folder / "images").mkdir()
    for name in ("samples_00000002.png", "samples_00000010.png", "codes_00000002.png"):
        (folder / "images" / name).write_bytes(b"")
    run = read_indexed_run(folder, 10_000)
    assert run.facts["fallback"]
    assert run.facts["data"] == "digits"
    assert run.metrics["train/loss"] == 2.0
    assert math.isnan(run.metrics["eval/loss"])
    assert run.images == [
        ("codes", 2, "codes_00000002.png"),
        ("samples", 10, "samples_00000010.png"),
    ]
    assert not run.has_report


def test_a_run_that_was_killed_has_the_last_of_its_curves(tmp_path):
    folder = write_past_run(tmp_path / "run")
    (folder / "summary.json").unlink()
    (folder / "metrics.jsonl").write_text("\n".join(LINES))
    run = read_indexed_run(folder, 10_000)
    assert run.facts["status"] == "unknown"
    assert run.metrics["eval/loss"] == math.inf


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"name": "another tool"}')
    with pytest.raises(RunFolderError, match="is not the record of a lecture-models run"):
        read_indexed_run(tmp_path, 10_000)
