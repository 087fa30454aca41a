import json

from lecture_models.reports.comparison import as_json, compare_runs, markdown
from lecture_models.runs.past_run import read_past_run
from tests.past import RECORD, write_past_run


def three(folder):
    changes = [
        {"metrics": {"eval/loss": 1.0, "eval/same": 5.0}},
        {
            "metrics": {"eval/loss": 1.5, "eval/same": 5.0, "eval/new": 1.0},
            "config": {"code_dims": [2, 4]},
            "versions": RECORD["versions"] | {"jax": "0.12.0"},
        },
        {"metrics": {"eval/loss": 1.0, "eval/same": 5.0}, "status": "interrupted"},
    ]
    return [
        read_past_run(write_past_run(folder / str(i), **given)) for i, given in enumerate(changes)
    ]


def test_only_what_differs_is_shown_and_the_rest_counted(tmp_path):
    text = markdown(compare_runs(three(tmp_path)[:2]))
    assert f"- A: {tmp_path}/0\n- B: {tmp_path}/1\n" in text
    assert "### Run: 0 different, 4 equal" in text
    assert "| code_dims | 2,3 | 2,4 |" in text
    assert "| version of jax | 0.10.2 | 0.12.0 |" in text
    assert "### Metrics: 2 different, 1 equal" in text
    assert "| eval/loss |   1 | 1.5 |  +0.5 |" in text
    assert "| eval/new  |   - |   1 |     - |" in text
    assert "eval/same" not in text
    assert "learning_rate" not in text


def test_more_than_two_runs_have_no_difference_but_a_column_each(tmp_path):
    text = markdown(compare_runs(three(tmp_path)))
    assert "|        |        A |        B |           C |" in text
    assert "| status | finished | finished | interrupted |" in text
    assert "B - A" not in text


def test_a_difference_behind_the_eighth_digit_is_seen(tmp_path):
    runs = [
        read_past_run(write_past_run(tmp_path / name, {"eval/loss": value}))
        for name, value in (("a", 0.3), ("b", 0.1 + 0.2))
    ]
    assert "| 0.3 | 0.30000000000000004 | +5.55e-17 |" in markdown(compare_runs(runs))


def test_json_has_the_values_of_every_run(tmp_path):
    content = json.loads(as_json(compare_runs(three(tmp_path))))
    assert content["metrics"]["different"]["eval/loss"] == [1.0, 1.5, 1.0]
    assert content["metrics"]["different"]["eval/new"] == [None, 1.0, None]
    assert content["metrics"]["equal"] == 1
    assert content["config"]["different"] == {"code_dims": [[2, 3], [2, 4], [2, 3]]}
