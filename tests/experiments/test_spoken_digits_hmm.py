import jax.numpy as jnp
import numpy as np
import pytest

from experiments import spoken_digits_hmm as experiment
from lecture_models.data.lookup import Library
from lecture_models.tasks.sound_folds import make_folds


@pytest.fixture(scope="module")
def config():
    return experiment.Config(**experiment.SMOKE | {"context": 2})


@pytest.fixture(scope="module")
def parts(config):
    dataset = Library(None, print).load("made_words")
    sounds = make_folds(dataset, 0.3, leave_speakers_out=False, validate=False)
    speech = experiment.hear(config, sounds)
    return sounds, speech, experiment.fit(config, sounds, speech)


def test_a_window_is_a_frame_between_its_neighbors(config, parts):
    _, speech, _ = parts
    frames = speech.cepstral.values.shape[1]
    rows = experiment.windows(config, speech, np.array([3 * frames + 4, 3 * frames]))
    spectra = speech.spectral[3, 2:-2]
    np.testing.assert_array_equal(rows[0].reshape(5, -1), spectra[2:7])
    np.testing.assert_array_equal(rows[1].reshape(5, -1)[2:], spectra[:3])
    assert not rows[1].reshape(5, -1)[:2].any()


def test_the_network_learns_the_states_of_training_frames_alone(config, parts):
    sounds, speech, (fitted,) = parts
    frames = speech.cepstral.values.shape[1]
    assert set(np.unique(fitted.frames // frames)) == set(sounds.folds[0].train.tolist())
    np.testing.assert_array_equal(
        fitted.targets // config.states, sounds.labels[fitted.frames // frames]
    )
    assert fitted.prior.sum() == pytest.approx(1.0)
    lengths = speech.cepstral.lengths[sounds.folds[0].train]
    assert len(fitted.frames) == lengths.sum()


class Ignorant:
    """Gives all states the same probability."""

    @staticmethod
    def apply(variables, inputs):
        return jnp.zeros((len(inputs), 8))


def test_a_network_that_knows_nothing_recognizes_little_and_the_mixtures_much(config, parts):
    sounds, speech, fitted = parts
    judge = experiment.make_judge(config, sounds, speech, fitted, Ignorant)
    recognized, posteriors = judge({"weight": np.zeros((1, 1))})
    # Durations and priors alone decide.
    assert experiment.error_percent(recognized.labels, recognized.networks) > 40.0
    assert experiment.error_percent(recognized.labels, recognized.mixtures) < 10.0
    np.testing.assert_allclose(np.exp(posteriors).sum(axis=-1), 1.0, rtol=1e-5)


def test_the_gain_has_the_form_of_the_lecture():
    assert experiment.relative_gain(27.4, 18.5) == pytest.approx(32.48, abs=0.01)
    assert experiment.relative_gain(0.0, 1.0) == 0.0
    assert experiment.error_percent(np.array([1, 2]), np.array([1, 1])) == 50.0


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="--states is 1; it must be at least 2"):
        experiment.Config(states=1)
    with pytest.raises(ValueError, match="--bands is 12; it must be from 13 to 80"):
        experiment.Config(bands=12)
