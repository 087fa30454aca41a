import numpy as np
import pytest

from lecture_models.plots.figure import SIDE
from lecture_models.plots.piano_roll import RollPanel, roll_plot


def roll(frames, *keys):
    values = np.zeros((frames, 88))
    values[:, list(keys)] = 1.0
    return values


def test_a_picture_has_the_size_of_all_figures_and_is_the_same_again():
    panels = [RollPanel("one", roll(8, 40, 52)), RollPanel("two", roll(4, 45))]
    picture = roll_plot(panels, 0.5)
    assert picture.shape == (SIDE, SIDE, 3)
    assert (picture == roll_plot(panels, 0.5)).all()


def test_more_keys_down_make_a_darker_picture():
    dark, light = (
        roll_plot([RollPanel("", roll(8, *keys))], 0.5).mean() for keys in (range(30, 60), (30, 59))
    )
    assert dark < light - 0.3


def test_a_higher_note_is_higher_in_the_picture():
    high, low = np.zeros((2, 88)), np.zeros((2, 88))
    high[:, 60], low[:, 40] = 1.0, 1.0
    rows = []
    for values in (high, low):
        panels = [RollPanel("", values), RollPanel("", roll(2, 40, 60))]
        picture = roll_plot(panels, 0.5)[: SIDE // 2, 100:500].mean(axis=(1, 2))
        rows.append(int(picture[30:-15].argmin()))
    assert rows[0] < rows[1]


def test_silence_can_be_drawn_but_no_frames_cannot():
    assert np.isfinite(roll_plot([RollPanel("silence", roll(3))], 0.5)).all()
    for panels in ([], [RollPanel("", roll(0))]):
        with pytest.raises(ValueError, match="there must be at least 1 roll, and each must have"):
            roll_plot(panels, 0.5)
