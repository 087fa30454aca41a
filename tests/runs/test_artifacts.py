"""Tests the names of artifacts' files."""

import pytest

from lecture_models.runs import artifacts


def write(path):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    return path


def test_files_come_by_name_in_the_order_of_steps(tmp_path):
    for name, step in (("b", 100), ("a_1", 20), ("a_1", 3), ("a", 123_456_789)):
        write(artifacts.artifact_path(tmp_path, artifacts.SOUNDS, name, step))
    write(tmp_path / "sounds" / "other.wav")
    write(tmp_path / "sounds" / "b_00000001.png")
    files = artifacts.artifact_files(tmp_path, artifacts.SOUNDS, [])
    steps = {name: [step for step, _ in stepped] for name, stepped in files.items()}
    assert steps == {"a": [123_456_789], "a_1": [3, 20], "b": [100]}
    assert files["b"][0][1] == tmp_path / "sounds" / "b_00000100.wav"
    assert artifacts.artifact_files(tmp_path, artifacts.SCORES, []) == {}


def test_the_record_tells_which_files_are_a_run_s_own(tmp_path):
    for step in (4, 5):
        write(artifacts.artifact_path(tmp_path, artifacts.SOUNDS, "name", step))
    records = [{"step": 4, "artifacts": {"name": {"file": "sounds/name_00000004.wav"}}}]
    files = artifacts.artifact_files(tmp_path, artifacts.SOUNDS, records)
    assert files == {"name": [(4, tmp_path / "sounds" / "name_00000004.wav")]}


def test_a_name_with_a_slash_is_refused(tmp_path):
    with pytest.raises(ValueError, match="slash"):
        artifacts.artifact_path(tmp_path, artifacts.IMAGES, "a/b", 1)
