import io

import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataError
from lecture_models.data.label_maps import binary_mask, decode_map

VALUES = np.array([[0, 3, 0], [3, 3, 0]], np.uint8)


def encoded(array, mode=None, kind="PNG"):
    content = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(content, kind)
    return content.getvalue()


def test_values_come_back():
    np.testing.assert_array_equal(decode_map(encoded(VALUES), "m.png", (3, 2)), VALUES)
    one_bit = decode_map(encoded(255 * (VALUES > 0).astype(np.uint8), "1"), "m.png")
    np.testing.assert_array_equal(one_bit, VALUES > 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encoded(VALUES.astype(np.uint16)), "mode I;16; a map must have one channel"),
        (encoded(np.zeros((2, 3, 3), np.uint8)), "mode RGB"),
        (encoded(VALUES, kind="JPEG"), "changes values; a map must be a PNG file"),
        (encoded(VALUES)[:40], "cut off or not a picture"),
        (b"", "cut off or not a picture"),
        (encoded(VALUES.T.copy()), "has 2x3 pixels; its picture has 3x2"),
    ],
)
def test_other_files_are_refused(content, message):
    with pytest.raises(DataError, match=message):
        decode_map(content, "m.png", (3, 2))


def test_a_mask_has_an_object_and_one_value():
    np.testing.assert_array_equal(binary_mask(VALUES, "m"), VALUES > 0)
    with pytest.raises(DataError, match="has no object"):
        binary_mask(0 * VALUES, "m")
    with pytest.raises(DataError, match="one other value"):
        binary_mask(np.array([[0, 1, 2]], np.uint8), "m")
