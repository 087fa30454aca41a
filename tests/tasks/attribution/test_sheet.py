import numpy as np
import pytest

from lecture_models.tasks.attribution.methods import AttributionMaps
from lecture_models.tasks.attribution.sheet import (
    COLUMNS,
    colored,
    contact_sheet,
    diverging,
    method_scales,
    overlay,
    scale_words,
    scales_text,
    shaded,
)
from tests.tasks.attribution.brightness import spots


def test_a_sheet_holds_the_picture_and_every_map(found):
    title = ("red, or scarlet as some would call it", "99.9%")
    sheet = contact_sheet(spots()[0], found, method_scales(found), 0, title)
    assert sheet.shape[0] == 1
    assert sheet.shape[2] > COLUMNS * 160
    assert sheet.min() >= -1.0
    assert sheet.max() <= 1.0


def test_maps_without_evidence_are_black_or_white_and_signals_gray():
    zeros = np.zeros((3, 3), np.float32)
    np.testing.assert_array_equal(shaded(zeros, 2.0), zeros)
    np.testing.assert_array_equal(diverging(zeros, 2.0), np.ones((3, 3, 3)))
    np.testing.assert_array_equal(colored(np.zeros((3, 3, 3)), 2.0), np.full((3, 3, 3), 0.5))
    np.testing.assert_allclose(overlay(np.full((3, 3, 3), -1.0), zeros, 2.0), 0.0)


def test_signs_have_colors():
    signed = np.array([[2.0, -2.0, 1.0, 9.0]])
    red, blue, pink = [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.5, 0.5]
    np.testing.assert_array_equal(diverging(signed, 2.0)[0], [red, blue, pink, red])
    drawn = overlay(np.full((1, 4, 3), -1.0), signed / 2.0, 2.0)[0]
    assert drawn[0, 0] > drawn[0, 2]
    assert drawn[1, 2] > drawn[1, 0]


def test_all_maps_of_a_method_have_one_scale():
    present = np.linspace(0.0, 1.0, 101).reshape(1, 1, 101)
    raw = {"saliency": np.concatenate([present, 0.1 * present]), "lrp": -2.0 * present}
    raw["grad_cam"] = np.concatenate([0.5 * present, 0.0 * present])
    scales = method_scales(AttributionMaps(raw))
    assert scales == pytest.approx({"saliency": 0.99, "lrp": 1.98, "grad_cam": 0.5})
    # So the same class score in another picture is drawn a tenth as bright.
    assert shaded(raw["saliency"][1], scales["saliency"]).max() == pytest.approx(0.1 / 0.99)
    assert [scale_words(name, top) for name, top in scales.items()] == [
        *("0 to 0.99", "-1.98 to 1.98", "0 to 0.5"),
    ]
    assert scales_text(scales).split("\n")[2] == "LRP-epsilon  -1.98 to 1.98"
    assert method_scales(AttributionMaps({"saliency": np.zeros((1, 2, 2))})) == {"saliency": 1.0}
