from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lecture_models.data import idx
from lecture_models.data.dataset import DataError

PATH = Path("somewhere/labels-idx1-ubyte")
LABELS = bytes.fromhex("00000801 00000003 050004")


def test_three_labels_written_by_hand_are_read():
    np.testing.assert_array_equal(idx.parse(LABELS, 1, PATH), [5, 0, 4])


@given(arrays(np.uint8, array_shapes(max_dims=3, max_side=5)))
def test_what_is_serialized_is_parsed_back(array):
    np.testing.assert_array_equal(idx.parse(idx.serialize(array), array.ndim, PATH), array)


@given(st.integers(0, len(LABELS) - 1))
def test_every_cut_of_a_file_is_refused(length):
    with pytest.raises(DataError, match="labels-idx1-ubyte"):
        idx.parse(LABELS[:length], 1, PATH)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"<!DOCTYPE html><html>", "begins with 3c 21 44 4f"),
        (bytes.fromhex("00000803 00000001 00000001 00000001 07"), "magic number 2051"),
        (bytes.fromhex("00000d01 00000001 00000000"), "magic number 3329"),
        (LABELS + b"\0", r"holds 4 bytes after its header; its shape \(3,\) needs 3"),
        (LABELS[:-1], "holds 2 bytes after its header"),
    ],
    ids=["empty", "a web page", "images", "floats", "a byte too many", "a byte too few"],
)
def test_a_file_that_is_no_label_file_is_refused(content, message):
    with pytest.raises(DataError, match=message) as caught:
        idx.parse(content, 1, PATH)
    assert str(PATH) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_header_that_promises_more_than_memory_holds_is_refused():
    content = bytes.fromhex("00000803 ffffffff ffffffff ffffffff 00")
    with pytest.raises(DataError, match="holds 1 bytes after its header"):
        idx.parse(content, 3, PATH)
