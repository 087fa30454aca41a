import hashlib

import numpy as np
import pytest

from lecture_models.data.dataset import DataError, Split, hold_out_last, joined, split_checksum
from lecture_models.data.pixels import images_from_uint8


def _split(pixels, labels):
    return Split(
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
        SMALL._replace(labels=np.int32([3, 0, 8])),
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
    first, second = Split(images[:2], np.int32([4, 5])), Split(images[2:], np.int32([6]))
    whole = joined(first, second)
    np.testing.assert_array_equal(whole.images, images)
    assert whole.labels.tolist() == [4, 5, 6]
