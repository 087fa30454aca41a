import json

import pytest

from lecture_models.runs.folder import RunFolderError
from lecture_models.runs.past_run import past_runs, read_past_run
from tests.past import RECORD, write_past_run


def test_a_run_has_its_config_status_and_last_metrics(tmp_path):
    metrics = {"eval/loss": 1.0, "eval/bound": "Infinity", "eval/word": "no"}
    run = read_past_run(write_past_run(tmp_path / "run", metrics))
    assert run.status == "finished"
    assert run.config["code_dims"] == [2, 3]
    assert run.metrics == {"eval/loss": 1.0, "eval/bound": float("inf")}


def test_a_run_killed_before_its_first_summary_has_no_status(tmp_path):
    folder = write_past_run(tmp_path / "run")
    (folder / "summary.json").unlink()
    assert read_past_run(folder).status == "unknown"
    assert read_past_run(folder).metrics == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged"),
        ("[1]", "holds no JSON object"),
        ('{"experiment": "gan_mnist"}', "is not of a run of lecture-models"),
        (json.dumps(RECORD | {"config": 3}), "config is 3"),
        (json.dumps(RECORD | {"data": [{"dataset": "mnist"}]}), "its data have no files"),
        (json.dumps(RECORD | {"data": ["mnist"]}), "its data have no files"),
        (b"\xff\xfe", "is damaged"),
    ],
)
def test_a_damaged_or_foreign_record_is_refused(content, message, tmp_path):
    (tmp_path / "run").mkdir()
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "run" / "config.json").write_bytes(content)
    with pytest.raises(RunFolderError, match=message):
        read_past_run(tmp_path / "run")


def test_no_folder_and_no_run_in_it_are_refused(tmp_path):
    with pytest.raises(RunFolderError, match="none is no folder"):
        read_past_run(tmp_path / "none")
    with pytest.raises(RunFolderError, match=r"has no config.json"):
        read_past_run(tmp_path)


def test_what_is_no_run_is_passed_over_with_one_line(tmp_path):
    good = write_past_run(tmp_path / "deep" / "er" / "run")
    (write_past_run(tmp_path / "damaged") / "summary.json").write_text('{"status": "fin')
    lines = []
    assert [run.folder for run in past_runs(tmp_path, lines.append)] == [good]
    assert len(lines) == 1
    assert lines[0].startswith(f"passed over: {tmp_path}/damaged/summary.json is damaged")
    assert past_runs(tmp_path / "nowhere", lines.append) == []
