import numpy as np
import pytest

from lecture_models.data import toy_objects


@pytest.fixture(scope="module")
def dataset():
    return toy_objects.make()


def test_every_split_has_all_objects_equally_often(dataset):
    assert [len(split) for split in dataset[:3]] == [4_000, 500, 1_000]
    for split in dataset[:3]:
        assert len(set(np.bincount(split.labels).tolist())) == 1
        assert split.images.shape[1:] == (32, 32, 1)
        assert split.images.min() >= -1.0
        assert split.images.max() <= 1.0
    assert dataset.classes[0] == "+ over L"


def test_strokes_and_parts_are_those_of_the_object_and_of_a_single_stroke(dataset):
    test = dataset.test
    assert (test["parts"].sum(1) == 2).all()
    for label, pair in enumerate(toy_objects.OBJECTS):
        rows = test.labels == label
        named = [toy_objects.PARTS[index] for index in np.flatnonzero(test["parts"][rows][0])]
        assert sorted(named) == sorted(pair)
    crosses = test["strokes"][test.labels == 2]  # X over V has diagonals alone, and one stroke.
    assert (crosses[:, 2:] == 1).all()
    assert crosses[:, :2].sum(1).max() == 1
    assert 0.3 < crosses[:, :2].sum(1).mean() < 0.7


def test_two_objects_of_the_same_parts_differ_by_their_order(dataset):
    above, below = (dataset.train.images[dataset.train.labels == label].mean(0) for label in (0, 1))
    assert np.abs(above - below).max() > 0.3


def test_the_same_seed_gives_the_same_pictures():
    first, second = (toy_objects._draw(np.random.default_rng(3), 20) for _ in range(2))
    np.testing.assert_array_equal(first.images, second.images)


@pytest.mark.parametrize(
    ("stroke", "row", "column"), [(0, 16, 19), (1, 19, 16), (2, 14, 18), (3, 18, 18)]
)
def test_strokes_have_their_directions(stroke, row, column):
    line = toy_objects._lines(
        np.random.default_rng(0), np.array([[16.0, 16.0]]), np.array([stroke])
    )
    assert line[0, 16, 16] == 1.0
    assert line[0, row, column] > 0.5
    assert line[0, 5, 5] == 0.0
