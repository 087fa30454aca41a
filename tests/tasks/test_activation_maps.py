import numpy as np

from lecture_models.tasks.activation_maps import seen_by
from tests.tasks.attribution.brightness import SIDE, network


def test_a_classifier_sees_the_brightest_color_where_it_is(monkeypatch):
    monkeypatch.setattr("lecture_models.tasks.activation_maps.AT_ONCE", 2)
    pixels = np.full((3, SIDE, SIDE, 3), 128, np.uint8)
    pixels[:2, 4:8, 8:12, 0], pixels[2, 2:4, 2:4, 2] = 255, 255
    seen = seen_by(network(), pixels)
    assert seen.probabilities.argmax(axis=1).tolist() == [0, 0, 2]
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert seen.heats.shape == (3, SIDE, SIDE)
    top, left = np.unravel_index(seen.heats[2].argmax(), (SIDE, SIDE))
    assert 2 <= top < 4
    assert 2 <= left < 4
