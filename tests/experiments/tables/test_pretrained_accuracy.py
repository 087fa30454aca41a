import numpy as np
import pytest

from experiments.tables import pretrained_accuracy
from lecture_models.data.imagenet_samples import Photos
from lecture_models.tables.table import TableContext, verdict


def context(folder):
    return TableContext(folder, folder, folder, lambda line: None)


def test_without_files_nothing_is_run_and_every_row_says_why(tmp_path):
    rows = pretrained_accuracy.build(context(tmp_path)).rows
    assert len(rows) == 4 * 6
    assert all(row.ours is None for row in rows)
    assert "imagenet-samples/labels.csv does not exist in" in rows[0].how


def test_shares_are_of_the_labels_among_the_largest_logits(tmp_path, monkeypatch):
    labels = np.array([5, 3, 9, 0], np.int32)
    found = np.tile(-np.arange(10.0), (4, 1))  # The first class leads, the second is next.
    photos = Photos(np.zeros((4, 8, 8, 3), np.uint8), labels)
    monkeypatch.setattr(pretrained_accuracy, "read_photos", lambda folder, side: photos)
    monkeypatch.setattr(pretrained_accuracy, "logits", lambda weights, name, photos: found)
    rows = pretrained_accuracy.build(context(tmp_path)).rows
    assert [rows[0].ours, rows[1].ours] == pytest.approx([0.25, 0.5])
    assert verdict(rows[0]) == "gap"
    assert verdict(rows[2]) == "not run"
