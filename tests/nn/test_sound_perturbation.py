import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.nn.sound_perturbation import (
    Perturbation,
    add_noise,
    draw_noise,
    draw_reading,
    hide,
)


def key():
    return jax.random.key(0)


def test_pitch_and_tempo_stay_within_their_limits_and_are_as_often_up_as_down():
    reading = draw_reading(key(), 2_000, Perturbation(pitch=0.25, tempo=0.1))
    for factors, most in ((reading.pitch, 1.25), (reading.tempo, 1.1)):
        values = np.asarray(factors)
        assert values.min() >= 1.0 / most - 1e-6
        assert values.max() <= most + 1e-6
        assert abs(np.log(values).mean()) < 0.02
    assert abs(np.corrcoef(reading.pitch, reading.tempo)[0, 1]) < 0.1


def test_no_perturbation_reads_sounds_as_they_are():
    reading = draw_reading(key(), 3, Perturbation())
    assert reading.pitch.tolist() == reading.tempo.tolist() == [1.0] * 3
    samples = jnp.ones((1, 4))
    assert draw_noise(key(), samples, jnp.array([4]), Perturbation()) is samples


def test_noise_has_the_ratio_that_is_asked_for_and_ends_with_the_sound():
    samples = jnp.asarray(np.random.default_rng(0).normal(size=(2, 20_000)), jnp.float32)
    lengths = jnp.array([20_000, 10_000])
    samples = samples * (jnp.arange(20_000)[None] < lengths[:, None])
    noise = np.asarray(add_noise(key(), samples, lengths, jnp.array([0.0, 20.0])) - samples)
    assert not noise[1, 10_000:].any()
    powers = [np.square(noise[0]).mean(), np.square(noise[1, :10_000]).mean()]
    np.testing.assert_allclose(powers, [1.0, 0.01], rtol=0.05)


def test_drawn_noise_is_at_most_as_loud_as_allowed():
    samples = jnp.ones((500, 400))
    noisy = draw_noise(key(), samples, jnp.full(500, 400), Perturbation(loudest_noise=10.0))
    ratios = -10.0 * np.log10(np.square(np.asarray(noisy - samples)).mean(axis=1))
    assert ratios.min() > 9.0
    assert ratios.max() > 50.0


def test_hidden_stretches_are_zero_and_not_too_wide():
    features = jnp.ones((200, 30, 20))
    mask = jnp.ones((200, 30), bool)
    hidden = np.asarray(hide(key(), features, mask, Perturbation(hidden_bands=3, hidden_frames=4)))
    bands = (hidden == 0).all(axis=1).sum(axis=1)
    frames = (hidden == 0).all(axis=2).sum(axis=1)
    assert 4 <= bands.max() <= 6
    assert 6 <= frames.max() <= 8
    assert set(np.unique(hidden).tolist()) == {0.0, 1.0}
    nothing = hide(key(), features, mask, Perturbation())
    np.testing.assert_array_equal(nothing, features)
