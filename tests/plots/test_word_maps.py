import numpy as np
import pytest

from lecture_models.plots.attention_map import attention_map
from lecture_models.plots.word_maps import DARKEST, HEADING, SIDE, word_maps


def test_the_place_that_counts_is_bright_and_the_others_are_dark():
    image = np.ones((32, 32, 3), np.float32)
    weights = np.zeros((1, 4, 4), np.float32)
    weights[0, :, :2] = 0.3
    sheet = word_maps(image, ["word"], weights)
    _, word, *_ = np.split(sheet[HEADING : HEADING + SIDE], 4, axis=1)
    assert (word[:, : SIDE // 4] > 0.99).all()
    assert (word[:, -SIDE // 4 :] < 2 * DARKEST - 0.99).all()
    assert (sheet[:HEADING, SIDE : 2 * SIDE] < 0.0).any()  # The word above it.


def test_words_without_room_are_left_out():
    sheet = word_maps(np.zeros((8, 8, 3)), ["a"] * 40, np.ones((40, 2, 2)))
    assert sheet.shape == word_maps(np.zeros((8, 8, 3)), [], np.zeros((0, 2, 2))).shape


def test_words_without_weights_are_refused():
    with pytest.raises(ValueError, match="there are 2 words and the weights of 1"):
        word_maps(np.zeros((8, 8, 3)), ["a", "b"], np.zeros((1, 2, 2)))


def test_an_attention_map_is_dark_where_the_weight_is():
    weights = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    image = attention_map(("ein", "hund"), ("a", "dog", "<end>"), weights)
    rows, columns = np.nonzero(image[..., 2] - image[..., 0] > 0.6)
    assert rows.max() < 350
    assert columns.max() < 450
    assert len(rows) > 1_000


def test_an_attention_map_needs_a_weight_for_each_pair_of_words():
    with pytest.raises(ValueError, match="3 rows and 2 columns of words"):
        attention_map(("a", "b"), ("c", "d", "e"), np.zeros((2, 3)))
