import json
import math

import pytest

from lecture_models.reports.reproduction import shown, verdict
from lecture_models.runs.difference import (
    Difference,
    changed_computation,
    changed_data,
    changed_origin,
    data_read,
    differing,
    repetition,
    same,
)
from lecture_models.runs.past_run import read_past_run
from tests.past import RECORD, write_past_run

NOW = {name: RECORD[name] for name in ("git", "versions", "device")}
NOW |= {"environment": {"fast_convolutions": True}}


def run(folder, metrics, sha256="s", texts=None, history=()):
    past = write_past_run(folder, metrics)
    summary = json.loads((past / "summary.json").read_text())
    summary |= {"state_sha256": sha256, "texts": texts or {}}
    (past / "summary.json").write_text(json.dumps(summary))
    (past / "metrics.jsonl").write_text(
        "".join(json.dumps({"step": step, "train": values}) + "\n" for step, values in history)
    )
    return read_past_run(past)


def test_nan_is_itself_and_a_bit_is_a_difference():
    assert same(math.nan, math.nan)
    assert not same(math.nan, 1.0)
    assert not same(0.3, 0.1 + 0.2)
    assert Difference("loss", (math.nan, math.nan)).relative == 0
    assert Difference("loss", (math.inf, math.inf)).gap == 0
    assert Difference("loss", (1.0, None)).relative == math.inf


def test_names_with_different_or_missing_values_are_listed():
    found = differing([{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "c": 0}])
    assert found == [("b", (2, 3, None)), ("c", (None, None, 0))]


def test_equal_runs_are_equal_to_the_last_digit(tmp_path):
    metrics = {"eval/loss": 1 / 3, "eval/gap": math.nan}
    history = [(2, {"loss": 0.1}), (4, {"loss": 0.2})]
    runs = [run(tmp_path / name, metrics, history=history, texts={"t": "x"}) for name in "ab"]
    result = repetition(*runs)
    assert result.equal
    assert verdict(result) == "equal to the last digit: 2 metrics, 1 texts"
    assert "0.3333333333333333 | 0.3333333333333333 |          0 |" in shown(result)


def test_the_largest_difference_and_the_first_step_are_named(tmp_path):
    first = run(tmp_path / "a", {"eval/loss": 1.0, "eval/error": 4.0}, history=[(2, {"loss": 1.0})])
    second = run(
        tmp_path / "b", {"eval/loss": 1.1, "eval/error": 3.0}, "t", history=[(2, {"loss": 1.5})]
    )
    result = repetition(first, second)
    assert not result.equal
    text = shown(result)
    assert "SHA-256 of the last state: different\nthe first difference is at step 2\n" in text
    assert text.endswith(
        "2 of 2 metrics differ; the largest difference is -1 (0.25 of eval/error)\n"
    )


def test_a_tolerance_lets_pass_what_is_within_it(tmp_path):
    first = run(tmp_path / "a", {"eval/loss": 1.0, "eval/error": 0.0})
    second = run(tmp_path / "b", {"eval/loss": 1.000001, "eval/error": 0.0}, "t")
    assert repetition(first, second, 1e-5).equal
    assert verdict(repetition(first, second, 1e-5)).startswith("equal within 1e-05: 2 metrics; the")
    assert not repetition(first, second, 1e-7).equal
    assert not repetition(first, second).equal


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"metrics": {}}, "1 of 1 metrics differ; eval/loss is in only one of the runs"),
        ({"texts": {"table": "y"}}, "0 of 1 metrics and 1 of 1 texts differ"),
        ({"sha256": "t"}, "the last values are equal (1 metrics, 1 texts), but the state or an"),
        ({"history": [(2, {"loss": 9.0})]}, "the last values are equal (1 metrics, 1 texts), but"),
    ],
)
def test_whatever_is_not_repeated_is_no_reproduction(changes, line, tmp_path):
    given = {
        "metrics": {"eval/loss": 1.0},
        "texts": {"table": "x"},
        "history": [(2, {"loss": 1.0})],
    }
    result = repetition(run(tmp_path / "a", **given), run(tmp_path / "b", **(given | changes)))
    assert not result.equal
    assert verdict(result).startswith(line)


def test_the_same_origin_needs_no_warning():
    assert changed_origin(NOW, NOW) == []


@pytest.mark.parametrize(
    ("recorded", "line"),
    [
        ({"versions": {"python": "3.11.0", "jax": "0.9"}}, "version of jax: 0.9 recorded, 0.10.2"),
        ({"versions": {"python": "3.11.0"}}, "version of jax: nothing recorded, 0.10.2 now"),
        ({"git": {"commit": "1" * 40, "dirty": False}}, f"commit: {'1' * 40} recorded, {'0' * 40}"),
        ({"git": {"commit": "0" * 40, "dirty": True}}, "(with uncommitted changes) recorded, 0000"),
        ({"git": None}, "commit: not a checkout recorded"),
        ({"device": RECORD["device"] | {"kind": "H100"}}, "device's kind: H100 recorded, a CPU"),
        ({"environment": {"XLA_FLAGS": "-x"}}, "XLA_FLAGS: -x recorded, nothing now"),
        (
            {"environment": {"fast_convolutions": False}},
            "fast_convolutions: False recorded, True now",
        ),
    ],
)
def test_each_difference_of_origin_is_a_line(recorded, line):
    (found,) = changed_origin(NOW | recorded, NOW)
    assert line in found


def test_a_changed_tree_at_the_same_commit_may_be_another():
    changed = NOW | {"git": {"commit": "0" * 40, "dirty": True}}
    (line,) = changed_origin(changed, changed)
    assert "had uncommitted changes, which may differ" in line


def test_what_an_older_record_does_not_tell_is_not_compared():
    older = {name: NOW[name] for name in ("git", "versions", "device")}
    assert changed_origin(older, NOW | {"environment": {"XLA_FLAGS": "-x"}}) == []
    assert changed_origin(older | {"environment": {}}, NOW) == []


def test_data_are_told_apart_by_their_hashes():
    data = RECORD["data"]
    other = [data[0] | {"files": [{"path": "elsewhere", "sha256": "b" * 64}]}]
    moved = [data[0] | {"files": [{"path": "elsewhere", "sha256": "a" * 64}]}]
    assert changed_data(data, moved) == []
    (line,) = changed_data(data, other)
    assert line == (
        f"data digits: scikit-learn, SHA-256 {'a' * 12} recorded, "
        f"scikit-learn, SHA-256 {'b' * 12} now"
    )


def test_all_of_many_files_count_however_few_are_shown():
    files = [{"sha256": f"{i:064}"} for i in range(9)]
    before = {"dataset": "mine", "source": "a folder", "files": files}
    now = before | {"files": [*files[:-1], {"sha256": "f" * 64}]}
    assert "over the hashes of 9 files" in data_read([before])["data mine"]
    assert list(data_read([before, now])) == ["data mine", "data mine, another"]
    assert len(changed_data([before], [now])) == 1


def test_a_cadence_changed_at_a_resume_is_said_and_does_not_count_as_another_result(tmp_path):
    history = [(1, {"loss": 3.0}), (4, {"loss": 2.0})]
    first = run(tmp_path / "first", {"train/loss": 2.0}, history=history)
    second = run(tmp_path / "second", {"train/loss": 2.0}, history=history[1:])
    assert not repetition(first, second).equal
    session = NOW | {"changed_config": {"log_every": [1, 4]}}
    changed = first._replace(record=first.record | {"sessions": [session]})
    assert repetition(changed, second).equal
    assert changed_origin(session, NOW) == ["log_every: changed at a resume, 1 to 4"]


def test_only_what_computes_makes_a_resumed_run_another(tmp_path):
    versions = {"jax": "0.1", "pillow": "1.0"}
    session = NOW | {"versions": versions, "git": {"commit": "1" * 40, "dirty": False}}
    session |= {"device": {"kind": "an abacus"}, "environment": {"XLA_FLAGS": "--fast"}}
    named = [line.partition(":")[0] for line in changed_computation(session, NOW)]
    assert sorted(named) == ["XLA_FLAGS", "device's kind", "device's platform", "version of jax"]
