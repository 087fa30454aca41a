import pytest

from lecture_models.runs.past_run import past_runs, read_past_run
from lecture_models.runs.reader import RunFolderError
from tests.past import write_past_run


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


def test_a_missing_folder_and_a_folder_without_a_run_are_refused(tmp_path):
    with pytest.raises(RunFolderError, match="none is not a folder"):
        read_past_run(tmp_path / "none")
    with pytest.raises(RunFolderError, match=r"has no config.json"):
        read_past_run(tmp_path)


def test_a_damaged_run_is_skipped_with_one_line(tmp_path):
    good = write_past_run(tmp_path / "deep" / "er" / "run")
    (write_past_run(tmp_path / "damaged") / "summary.json").write_text('{"status": "fin')
    lines = []
    assert [run.folder for run in past_runs(tmp_path, lines.append)] == [good]
    assert len(lines) == 1
    assert lines[0].startswith(f"skipped: {tmp_path}/damaged/summary.json is damaged")
    assert past_runs(tmp_path / "nowhere", lines.append) == []
