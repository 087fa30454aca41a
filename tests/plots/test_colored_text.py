"""Tests texts on colored paper."""

import numpy as np
import pytest

from lecture_models.plots.colored_text import CELL_HEIGHT, CELL_WIDTH, MARGIN, colored_text


def paper(picture, row, column):
    """Returns the color at the top left corner of a character's cell, in 0..255."""
    pixel = picture[MARGIN + row * CELL_HEIGHT, MARGIN + column * CELL_WIDTH]
    return np.rint((pixel + 1.0) * 127.5).astype(int).tolist()


def test_the_paper_shows_the_number():
    picture = colored_text("a\nbcde", np.array([1.0, 0.0, -1.0, 0.0, 9.0, -9.0]), columns=3)
    assert picture.shape == (2 * MARGIN + 3 * CELL_HEIGHT, 2 * MARGIN + 3 * CELL_WIDTH, 3)
    assert paper(picture, 0, 0) == paper(picture, 1, 2) == [0xF2, 0x8E, 0x6D]
    assert paper(picture, 0, 1) == paper(picture, 1, 1) == [0xFF, 0xFF, 0xFF]
    assert paper(picture, 1, 0) == paper(picture, 2, 0) == [0x6B, 0xA8, 0xE0]


def test_letters_are_drawn_and_the_rest_is_cut_off():
    blank = colored_text(" " * 9, np.zeros(9), columns=3, rows=2)
    letters = colored_text("abcdefghi", np.zeros(9), columns=3, rows=2)
    assert blank.shape == letters.shape == (2 * MARGIN + 2 * CELL_HEIGHT, 2 * MARGIN + 27, 3)
    assert blank.min() == 1.0
    assert letters.min() < 0.0


def test_texts_and_numbers_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="there are 2 characters and 3 values"):
        colored_text("ab", np.zeros(3))
