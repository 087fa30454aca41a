from pathlib import Path

import numpy as np
import pytest

from lecture_models.data import changed_digits
from lecture_models.data.dataset_library import DatasetLibrary


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return DatasetLibrary(tmp_path_factory.mktemp("none"), lambda line: None)


@pytest.mark.parametrize("name", changed_digits.CHANGES)
def test_test_pictures_are_pairs_and_training_pictures_are_not(library, name):
    dataset = library.load(name)
    assert "digits of digits, changed here" in dataset.provenance.note
    test = dataset.test
    half = len(test) // 2
    assert test.labels.tolist() == [0] * half + [1] * half
    np.testing.assert_array_equal(test["digits"][:half], test["digits"][half:])
    change = changed_digits.CHANGES[name]
    np.testing.assert_array_equal(change(test["pixels"][:half]), test["pixels"][half:])
    train = dataset.train
    of_both = [train.select(train.labels == label) for label in (0, 1)]
    assert len(of_both[0]) == len(of_both[1])
    partners = {picture.tobytes() for picture in change(of_both[0]["pixels"])}
    own = [picture.tobytes() in partners for picture in of_both[1]["pixels"]]
    assert np.mean(own) < 0.01


def test_changes_are_what_their_names_say():
    picture = np.zeros((1, 5, 5, 3), np.uint8)
    picture[0, 1, 3] = 255
    assert changed_digits.inverted(picture)[0, 1, 3].tolist() == [0, 0, 0]
    colors = changed_digits.colored(picture)[0]
    np.testing.assert_allclose(colors[1, 3], [255, 216.75, 25.5], atol=0.5)
    np.testing.assert_allclose(colors[0, 0], [12.75, 25.5, 114.75], atol=0.5)
    left = changed_digits.turned(picture)[0, ..., 0]
    assert np.argwhere(left).tolist() == [[1, 1]]
    thick = changed_digits.thickened(picture)[0, ..., 0] > 0
    assert thick.sum() == 9
    assert thick[0:3, 2:5].all()


def test_mnist_is_taken_where_it_is(real_data):
    dataset = DatasetLibrary(Path(real_data), print).load("digits_inverted")
    assert "digits of mnist" in dataset.provenance.note
    assert len(dataset.train) == 4_000
    assert len(dataset.test) == 1_000
