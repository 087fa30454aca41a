import contextlib
import json
from pathlib import Path

import pytest

from lecture_models import files
from lecture_models.runs.folder import RunFolder, check_same_run, default_folder, move_aside
from lecture_models.runs.reader import RunFolderError
from tests.past import RECORD


@pytest.fixture
def folder(tmp_path):
    opened = RunFolder(tmp_path / "run")
    yield opened
    opened.close()


def record(**changes):
    data = [{"dataset": "mnist", "source": "original files", "files": [{"sha256": "aa"}]}]
    return {"experiment": "gan", "config": {"seed": 0, "hidden": [8]}, "data": data} | changes


def test_a_new_folder_has_no_record(folder):
    assert folder.read_config() is None


def test_a_second_process_is_refused_while_the_first_runs(folder):
    with pytest.raises(RunFolderError, match="another process is running in"):
        RunFolder(folder.path)


def test_a_closed_folder_can_be_opened_again(tmp_path):
    RunFolder(tmp_path).close()
    again = RunFolder(tmp_path)
    assert again.read_config() is None
    again.close()


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("all my work")
    folder = RunFolder(tmp_path)
    with pytest.raises(RunFolderError, match=r"holds files \(thesis.tex\) but no config.json"):
        folder.read_config()
    folder.close()


def test_a_path_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot write to"):
        RunFolder(tmp_path / "file" / "run")


def test_a_damaged_record_is_named(folder):
    (folder.path / "config.json").write_text('{"experiment": ')
    with pytest.raises(RunFolderError, match=r"config\.json is damaged"):
        folder.read_config()


def test_the_record_of_another_tool_is_refused(folder):
    (folder.path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(RunFolderError, match="is not the record of a lecture-models run"):
        folder.read_config()


def test_files_of_nobody_s_record_stay_at_resume(folder):
    folder.write_config({})
    names = {".my.notes", "mynet_99999.png", "best.png", "a_00000009 copy.png"}
    for name in names:
        (folder.images / name).write_text("")
    folder.resume_metrics(5)
    assert {path.name for path in folder.images.iterdir()} == names


def test_the_same_run_is_accepted_wherever_its_data_lies():
    there = record()
    now = record()
    now["data"][0]["files"][0]["path"] = "/elsewhere"
    check_same_run(there, now, Path("runs/a"))  # Raises where it is another.
    assert there != now


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (record(experiment="vae"), "runs/a holds a run of gan, not of vae"),
        (
            record(config={"seed": 1, "hidden": [8]}),
            r"with another config: seed \(0 there, 1 now\)",
        ),
        (
            record(config={"seed": 0, "hidden": [4], "new": 2}),
            r"hidden \(\[8\] there, \[4\] now\), new \(not recorded there, 2 now\)",
        ),
        (
            record(data=[{"dataset": "digits", "source": "scikit-learn", "files": []}]),
            r"on other data: mnist \(original files\) there, digits \(scikit-learn\) now",
        ),
    ],
)
def test_another_run_is_refused_naming_what_differs(now, message):
    with pytest.raises(RunFolderError, match=message):
        check_same_run(record(), now, Path("runs/a"))


@pytest.mark.parametrize(
    "damaged",
    [b'{"step": 4, "tr', b"\xff\xfe\xfa", b'{"train": {}}\n', b"[4]\n", b"7\n", b'{"step": "4"}\n'],
)
def test_metrics_after_the_checkpoint_and_damaged_lines_are_removed(folder, damaged):
    for step in (1, 2, 3):
        folder.append_metrics({"step": step, "train": {"loss": 1.0}})
    before = (folder.path / "metrics.jsonl").read_bytes()
    (folder.path / "metrics.jsonl").write_bytes(before + damaged)
    assert [record["step"] for record in folder.resume_metrics(2)] == [1, 2]
    lines = (folder.path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    assert lines == before.splitlines(keepends=True)[:2]


def test_a_last_line_without_its_line_break_does_not_join_the_next(folder):
    (folder.path / "metrics.jsonl").write_text('{"step": 1, "train": {"loss": 1.0}}')
    folder.resume_metrics(1)
    folder.append_metrics({"step": 2})
    lines = (folder.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]


def test_metrics_that_cannot_be_read_are_one_line(folder):
    (folder.path / "metrics.jsonl").mkdir()
    with pytest.raises(RunFolderError, match="metrics.jsonl cannot be read: Is a directory"):
        folder.resume_metrics(1)


def test_default_folders_never_collide(tmp_path):
    assert len({default_folder(tmp_path, "gan") for _ in range(50)}) == 50


def test_a_write_that_fails_leaves_the_old_file_and_no_debris(tmp_path):
    path = tmp_path / "summary.json"
    files.write_json(path, {"step": 1})
    with pytest.raises(TypeError):
        files.write_json(path, {"step": object()})
    with pytest.raises(TypeError):
        files.write_bytes(path, "text is no bytes")
    assert json.loads(path.read_text()) == {"step": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["summary.json"]


def test_a_run_is_moved_aside_whole_and_never_over_another(tmp_path):
    for number in (1, 2):
        with contextlib.closing(RunFolder(tmp_path / "run")) as folder:
            folder.write_config(RECORD | {"preset": str(number)})
            (folder.path / "mine.txt").write_text(str(number))
        assert move_aside(tmp_path / "run") == tmp_path / f"run.old-{number}"
    assert not (tmp_path / "run").exists()
    moved = [(tmp_path / f"run.old-{number}" / "mine.txt").read_text() for number in (1, 2)]
    assert moved == ["1", "2"]
    assert move_aside(tmp_path / "run") is None


def test_a_link_to_a_run_stays_when_the_run_is_moved_aside(tmp_path):
    place, link = tmp_path / "disk" / "run", tmp_path / "link"
    with contextlib.closing(RunFolder(place)) as folder:
        folder.write_config(RECORD)
    link.symlink_to(place)
    assert move_aside(link) == tmp_path / "disk" / "run.old-1"
    RunFolder(link.resolve()).close()
    assert place.is_dir()


def test_a_damaged_record_can_be_moved_aside_but_nothing_else_can(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"experiment": ')
    assert move_aside(tmp_path / "run") == tmp_path / "run.old-1"
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("all my work")
    with pytest.raises(RunFolderError, match="holds files"):
        move_aside(tmp_path / "thesis")
    (tmp_path / "thesis" / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(RunFolderError, match="is not the record of a lecture-models run"):
        move_aside(tmp_path / "thesis")


def test_a_run_that_is_running_is_not_moved_aside(folder):
    with pytest.raises(RunFolderError, match="another process is running in"):
        move_aside(folder.path)
