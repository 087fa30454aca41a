import numpy as np
import pytest

from lecture_models.plots.figure import SIDE, new_figure
from lecture_models.plots.line_plot import Curve, line_plot, thin_ticks

X = np.array([1.0, 10.0, 100.0])


def test_curves_are_drawn_in_their_colors():
    image = line_plot([Curve("a", X, X), Curve("b", X, 100.0 - X, color=3)], ("n", "error"))
    assert image.shape == (SIDE, SIDE, 3)
    blue, red = np.array([31, 119, 180]) / 127.5 - 1.0, np.array([214, 39, 40]) / 127.5 - 1.0
    for color in (blue, red):
        assert (np.abs(image - color.reshape(1, 1, 3)).max(-1) < 0.02).sum() > 200


def test_a_band_and_a_logarithmic_axis_change_the_picture():
    plain = line_plot([Curve("", X, X)], ("", ""))
    banded = line_plot([Curve("", X, X, spread=X / 4.0)], ("", ""))
    logarithmic = line_plot([Curve("", X, X)], ("", ""), logarithmic="xy")
    assert (plain != banded).sum() > 1_000
    assert (plain != logarithmic).sum() > 1_000


def test_positions_may_have_names():
    curve = Curve("", np.arange(3.0), X)
    named = line_plot([curve], ("", ""), tick_names=("pixels", "relu1", "relu2"))
    assert (named != line_plot([curve], ("", ""))).sum() > 200


def test_curves_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="there are no curves"):
        line_plot([], ("", ""))
    with pytest.raises(ValueError, match="'a' has 3 positions and 2 values"):
        line_plot([Curve("a", X, X[:2])], ("", ""))


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [(5.0, 80.0, ["5", "10", "20", "50"]), (0.03, 0.8, ["0.05", "0.1", "0.2", "0.5"])],
)
def test_a_short_logarithmic_axis_has_few_plain_labels(low, high, labels):
    axes = new_figure().add_subplot()
    axes.plot([low, high], [0.0, 1.0])
    axes.set_xscale("log")
    thin_ticks(axes.xaxis)
    shown = [
        text
        for place, text in zip(
            axes.get_xticks(),
            axes.xaxis.get_major_formatter().format_ticks(axes.get_xticks()),
            strict=True,
        )
        if low <= place <= high
    ]
    assert shown == labels
    assert not any(axes.xaxis.get_minor_formatter().format_ticks(axes.get_xticks(minor=True)))
