import jax
import numpy as np
import pytest

from experiments import spoken_digits as experiment
from lecture_models.data.lookup import Library
from lecture_models.models.sound_classifier import (
    SpectrogramConvolution,
    SpectrogramLSTM,
    WaveformConvolution,
)
from tests.data.small_sounds import tone, wav


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({}, SpectrogramConvolution),
        ({"lstm": True}, SpectrogramLSTM),
        ({"waveform": True}, WaveformConvolution),
    ],
)
def test_flags_choose_the_network(flags, kind):
    words, module, inputs = experiment.make_network(experiment.Config(**flags), 10)
    assert isinstance(module, kind)
    assert module.classes == 10
    assert inputs.hides == (kind is not WaveformConvolution)
    assert words


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"lstm": True, "waveform": True}, "--lstm and --waveform are two networks; choose one"),
        ({"features": ()}, "--features, --lstm_features and --waveform_features need a value"),
        ({"seconds": 0.01}, "--seconds is 0.01; it must be from 0.05 to 60.0"),
        ({"pitch": 1.5}, "--pitch is 1.5; it must be from 0.0 to 1.0"),
    ],
)
def test_bad_settings_are_refused(flags, message):
    with pytest.raises(ValueError, match=message):
        experiment.Config(**flags)


def write_own(folder):
    """Writes two words, low and high tones, of two speakers and twelve takes."""
    folder.mkdir()
    for word, hertz in (("low", 300.0), ("high", 2_000.0)):
        for speaker, factor in (("ann", 1.0), ("bob", 1.1)):
            for take in range(12):
                samples = tone(factor * hertz * (1 + 0.005 * take), seconds=0.1)
                (folder / f"{word}_{speaker}_{take}.wav").write_bytes(wav(samples))
    return str(folder)


@pytest.mark.slow
def test_own_words_are_learned_and_told_apart(tmp_path):
    settings = {"batch_size": 8, "learning_rate": 1e-2, "num_steps": 60}
    own = {"sounds": write_own(tmp_path / "own"), "leave_speakers_out": False}
    config = experiment.Config(**experiment.SMOKE | own | settings)
    built = experiment.build(config, Library(None, print))
    state, step = built.init(jax.random.key(0)), jax.jit(built.step)
    for number, batch in zip(range(60), built.batches(0), strict=False):
        state, _ = step(state, batch, jax.random.key(number))
    results = built.evaluate(state, jax.random.key(1))
    assert results["mean_accuracy_percent"] == 100.0
    assert results["error_percent"] == 0.0
    assert not any(name.startswith("wrong_") for name in results)
    captions = [results[f"right_{place}"].caption for place in range(3)]
    assert set(captions) <= {
        f"{speaker} says {word}; the answer is {word}"
        for speaker in ("ann", "bob")
        for word in ("high", "low")
    }
    noise = results["noise_accuracies"]
    assert [row[0] for row in noise.rows] == list(experiment.NOISES)
    assert noise.rows[-1][1] == 100.0
    assert np.asarray(results["spectra"].pixels).shape == (6, 640, 640, 3)
