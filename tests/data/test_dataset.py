import hashlib

import numpy as np
import pytest

from lecture_models.data.dataset import DataError, Split, hold_out_last, joined, split_checksum
from lecture_models.data.pixels import images_from_uint8
from lecture_models.data.ragged import Ragged


def _split(pixels, labels):
    return Split.labeled_images(
        images_from_uint8(np.array(pixels, np.uint8).reshape(-1, 1, 2, 1)), np.int32(labels)
    )


SMALL = _split([[0, 255], [1, 254], [127, 128]], [3, 0, 9])


def test_the_ends_of_the_byte_become_minus_one_and_one_exactly():
    assert SMALL.images[0].tolist() == [[[-1.0], [1.0]]]


def test_every_byte_survives_the_way_to_minus_one_and_one_and_back():
    pixels = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(5, axis=0)
    np.testing.assert_array_equal(np.rint((images_from_uint8(pixels) + 1.0) * 127.5), pixels)


def test_checksum_is_that_of_shape_bytes_and_labels():
    content = b"(3, 1, 2, 1)" + bytes([0, 255, 1, 254, 127, 128])
    content += b"\3\0\0\0" + b"\0\0\0\0" + b"\x09\0\0\0"
    assert split_checksum(SMALL) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        _split([[0, 255], [1, 254], [127, 129]], [3, 0, 9]),
        _split([[0, 255], [1, 254], [127, 128]], [3, 0, 8]),
    ],
    ids=["a pixel", "a label"],
)
def test_checksum_sees_one_change_of(other):
    assert split_checksum(other) != split_checksum(SMALL)


def test_the_last_examples_are_held_out_and_the_rest_keeps_its_order():
    kept, held = hold_out_last(SMALL, 1)
    assert (kept.labels.tolist(), held.labels.tolist()) == ([3, 0], [9])
    np.testing.assert_array_equal(np.concatenate([kept.images, held.images]), SMALL.images)


@pytest.mark.parametrize("count", [-1, 0, 3, 4])
def test_an_empty_part_is_refused(count):
    with pytest.raises(DataError, match=f"{count} of 3 examples cannot be held out"):
        hold_out_last(SMALL, count)


def test_two_splits_are_joined_in_their_order():
    images = np.arange(3, dtype=np.float32).reshape(3, 1, 1, 1)
    first, second = (
        Split.labeled_images(images[:2], np.int32([4, 5])),
        Split.labeled_images(images[2:], np.int32([6])),
    )
    whole = joined(first, second)
    np.testing.assert_array_equal(whole.images, images)
    assert whole.labels.tolist() == [4, 5, 6]


def test_a_split_holds_arrays_of_any_kind():
    split = Split(
        {
            "tokens": Ragged.from_sequences([[1, 2, 3], [4], [5, 6]], np.int32),
            "boxes": Ragged.from_sequences([np.ones((2, 4)), np.zeros((0, 4)), np.ones((1, 4))]),
            "frames": np.zeros((3, 8, 4, 4, 1), np.uint8),
            "labels": np.int32([0, 1, 0]),
        }
    )
    assert len(split) == 3
    assert split["boxes"][1].shape == (0, 4)
    for part in (split.select(slice(1, 3)), split.select(np.array([1, 2]))):
        assert part["tokens"][0].tolist() == [4]
        assert part["frames"].shape == (2, 8, 4, 4, 1)
    kept, held = hold_out_last(split, 1)
    assert (kept["tokens"].lengths.tolist(), held["tokens"][0].tolist()) == ([3, 1], [5, 6])
    assert joined(held, kept)["tokens"][1].tolist() == [1, 2, 3]


def test_an_absent_array_is_refused_with_those_that_are_there():
    pairs = Split({"source": np.zeros(3), "target": np.zeros(3)})
    with pytest.raises(DataError, match="this data set has no images; it has source, target"):
        _ = pairs.images
    with pytest.raises(DataError, match="has no labels"):
        _ = pairs.labels


@pytest.mark.parametrize("arrays", [{"images": np.zeros(3), "labels": np.zeros(2)}, {}])
def test_arrays_of_different_numbers_of_examples_are_refused(arrays):
    with pytest.raises(DataError, match="must have equally many examples: (images 3, labels 2|no)"):
        Split(arrays)
