"""Tests that a run's images are found by their record, or by their names and steps."""

import json

import pytest

from lecture_models.runs.recorded_run import read_run


def write(folder, names, records):
    (folder / "images").mkdir()
    for name in names:
        (folder / "images" / name).write_bytes(b"png")
    lines = [
        {"step": step, "artifacts": {name: {"file": file, "caption": ""}}}
        for step, name, file in records
    ]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    pictures = read_run(folder).pictures
    return {name: [(step, path.name) for step, path in files] for name, files in pictures.items()}


def test_images_with_names_of_their_own_are_found_by_their_record(tmp_path):
    files = ("10.png", "take_2.png", "loss_00000004.png")
    records = [(30, "frame", "images/10.png"), (20, "frame", "images/take_2.png")]
    assert write(tmp_path, files, records) == {"frame": [(20, "take_2.png"), (30, "10.png")]}


def test_images_without_a_record_are_found_by_their_names(tmp_path):
    assert write(tmp_path, ("a_00000002.png", "a_00000001.png", "mine.png"), []) == {
        "a": [(1, "a_00000001.png"), (2, "a_00000002.png")]
    }


@pytest.mark.parametrize("file", ["images/gone.png", "../secret.png", "images/../x.png", "", "x"])
def test_a_record_names_only_files_in_the_folder_of_images(tmp_path, file):
    (tmp_path / "secret.png").write_bytes(b"png")
    assert write(tmp_path, (), [(1, "frame", file)]) == {}
