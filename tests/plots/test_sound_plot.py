import numpy as np
import pytest

from lecture_models.plots.sound_plot import HeardWord, sound_plot

SAMPLES = np.sin(np.arange(400) / 5.0)
SPECTRUM = np.random.default_rng(0).normal(size=(12, 8))


def test_words_are_drawn_below_the_spectrum():
    plain = sound_plot(SAMPLES, SPECTRUM, 0.05, "a title")
    again = sound_plot(SAMPLES, SPECTRUM, 0.05, "a title")
    words = (HeardWord("yes", np.linspace(0.0, 1.0, 3)), HeardWord("no", np.zeros(3)))
    heard = sound_plot(SAMPLES, SPECTRUM, 0.05, "a title", words)
    np.testing.assert_array_equal(plain, again)
    assert plain.shape == heard.shape == (640, 640, 3)
    assert not np.array_equal(plain, heard)


@pytest.mark.parametrize(
    ("samples", "spectrum", "seconds"),
    [
        (SAMPLES[:0], SPECTRUM, 1.0),
        (SAMPLES, SPECTRUM[:0], 1.0),
        (SAMPLES, SPECTRUM, 0.0),
    ],
)
def test_nothing_cannot_be_drawn(samples, spectrum, seconds):
    with pytest.raises(ValueError, match="cannot be drawn; all must be above 0"):
        sound_plot(samples, spectrum, seconds)
