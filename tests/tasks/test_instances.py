import numpy as np

from lecture_models.data.made_nuclei import make
from lecture_models.tasks.instances import (
    drawn_instances,
    edge_distances,
    judge_instances,
    otsu_instances,
    separated,
    stretched,
)

ROWS, COLUMNS = np.mgrid[:40, :40]
LEFT = (ROWS - 20) ** 2 + (COLUMNS - 12) ** 2 < 81
RIGHT = (ROWS - 20) ** 2 + (COLUMNS - 28) ** 2 < 81
DISCS = np.where(LEFT, 1, np.where(RIGHT, 2, 0)).astype(np.uint8)


def test_touching_discs_are_separated_by_their_distances():
    assert (LEFT & np.roll(RIGHT, -1, 1)).any()  # They touch.
    inside = np.where(DISCS > 0, 5.0, -5.0)
    distances = edge_distances(DISCS[None])[0]
    found = separated(inside, distances, 0.5)
    assert judge_instances([found], DISCS[None]).bowl == 1.0
    assert separated(inside, distances, -1.0).max() == 1


def test_an_object_without_a_seed_is_its_own():
    inside = np.where(DISCS > 0, 5.0, -5.0)
    distances = np.where(RIGHT, edge_distances(DISCS[None])[0], 0.1)
    apart = np.where(abs(COLUMNS - 20) < 3, -5.0, inside)
    assert separated(apart, distances, 0.5).max() == 2
    assert separated(-np.ones((8, 8)), np.zeros((8, 8)), 0.5).max() == 0


def test_distances_are_one_in_the_middle_and_fall_to_the_edge():
    distances = edge_distances(DISCS[None])[0]
    assert distances[20, 12] == distances[20, 28] == 1.0
    assert distances[0, 0] == 0.0
    assert 0.0 < distances[12, 12] < 0.3
    assert (edge_distances(DISCS[None, :, ::-1])[0][:, ::-1] == distances).all()


def test_a_threshold_merges_what_touches_and_a_watershed_parts_it():
    pixels = np.where(DISCS > 0, 200, 20).astype(np.uint8)[None, ..., None].repeat(3, 3)
    merged = otsu_instances(pixels, split=False)
    assert merged[0].max() == 1
    results = judge_instances(merged, DISCS[None])
    assert (results.merged, results.count_error) == (1, 1.0)
    assert judge_instances(otsu_instances(pixels, split=True), DISCS[None]).half == 1.0


def test_made_nuclei_are_numbered_and_bright():
    split = make().validation
    for pixels, masks in zip(split["pixels"], split["masks"], strict=True):
        assert np.unique(masks).tolist() == list(range(masks.max() + 1))
        assert pixels[masks > 0].mean() > 2.0 * pixels[masks == 0].mean()


def test_dark_and_bright_pictures_are_stretched_alike():
    bright = np.where(DISCS > 0, 200, 20).astype(np.uint8)[None, ..., None].repeat(3, 3)
    dark = np.where(DISCS > 0, 9, 4).astype(np.uint8)[None, ..., None].repeat(3, 3)
    np.testing.assert_array_equal(stretched(dark), stretched(bright))
    assert np.unique(stretched(dark)).tolist() == [0, 255]
    assert stretched(0 * dark).max() == 0
    assert stretched(dark[:0]).shape == (0, 40, 40, 3)


def test_pictures_stand_beside_their_truth():
    pixels = np.zeros((2, 40, 40, 3), np.uint8)
    shown = drawn_instances(pixels, [DISCS, 0 * DISCS], DISCS[None].repeat(2, 0), "", np.array([1]))
    assert [mask.max() for mask in shown.masks] == [2, 0]
    assert np.isfinite(shown.pixels).all()
