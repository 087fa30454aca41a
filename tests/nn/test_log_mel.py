import jax.numpy as jnp
import numpy as np
import pytest
import scipy.fft
import scipy.signal

from lecture_models.nn.log_mel import (
    Reading,
    Spectrum,
    as_it_is,
    cepstra,
    cut_frames,
    hertz_to_mel,
    log_mel,
    mel_centers,
    mel_filters,
    mel_to_hertz,
    power_spectra,
    slopes,
    standardized,
)

SPECTRUM = Spectrum()


def tones(*hertz, length=4_000, rate=8_000):
    times = np.arange(length) / rate
    return jnp.asarray(np.stack([np.sin(2.0 * np.pi * one * times) for one in hertz]), jnp.float32)


def full(samples):
    return jnp.full(len(samples), samples.shape[1])


def band_of(hertz):
    return int(np.argmin(np.abs(mel_centers(SPECTRUM)[1:-1] - hertz)))


def test_the_mel_scale_is_1000_at_1000_hz_and_comes_back():
    assert hertz_to_mel(np.array([1_000.0])) == pytest.approx(1_000.0, abs=0.1)
    hertz = np.linspace(0.0, 4_000.0, 9)
    np.testing.assert_allclose(mel_to_hertz(hertz_to_mel(hertz)), hertz, atol=1e-9)


@pytest.mark.parametrize("hertz", [300.0, 1_000.0, 2_500.0])
def test_a_tone_peaks_in_the_band_of_its_frequency(hertz):
    features, mask = log_mel(tones(hertz), jnp.array([4_000]), SPECTRUM)
    assert mask.all()
    peaks = np.asarray(features[0, 1:-2].argmax(axis=-1))
    assert set(peaks.tolist()) == {band_of(hertz)}


def test_the_triangles_sum_to_one_between_the_first_and_the_last_center():
    centers = mel_centers(SPECTRUM)[1:-1]
    bins = np.fft.rfftfreq(256, 1 / 8_000)
    sums = mel_filters(SPECTRUM).sum(axis=1)
    between = (bins >= centers[0]) & (bins <= centers[-1])
    np.testing.assert_allclose(sums[between], 1.0, atol=1e-6)
    assert sums[bins < SPECTRUM.lowest].max() == 0.0


def test_bands_without_a_frequency_are_refused():
    with pytest.raises(ValueError, match="60 bands are too many for frames of 64 samples: band"):
        mel_filters(Spectrum(window=64, bands=60))


def test_the_power_spectrum_keeps_the_energy():
    frames = np.random.default_rng(0).normal(size=(1, 3, 256)).astype(np.float32)
    powers = np.asarray(power_spectra(jnp.asarray(frames)), np.float64)
    window = scipy.signal.get_window("hann", 256)
    twice = np.full(129, 2.0)
    twice[[0, -1]] = 1.0  # All other frequencies stand for two.
    energy = ((window * frames) ** 2).sum(axis=-1)
    # Parseval: the sum over all frequencies is the number of samples times the energy.
    expected = 256 * energy / (window**2).sum()
    np.testing.assert_allclose((twice * powers).sum(axis=-1), expected, rtol=1e-5)


def test_the_spectrum_is_that_of_scipy():
    samples = np.random.default_rng(1).normal(size=(1, 2_048)).astype(np.float32)
    frames = cut_frames(jnp.asarray(samples), SPECTRUM, as_it_is(1), 15)
    window = scipy.signal.get_window("hann", 256)
    transform = scipy.signal.ShortTimeFFT(window, 128, 8_000)
    expected = np.abs(transform.stft(samples[0], p0=1, p1=16, k_offset=0)) ** 2
    ours = np.asarray(power_spectra(frames))[0]
    np.testing.assert_allclose(ours, expected.T / (window**2).sum(), rtol=1e-3, atol=1e-5)


def test_white_noise_has_its_variance_at_every_frequency():
    frames = 0.5 * np.random.default_rng(2).normal(size=(1, 4_000, 256)).astype(np.float32)
    means = np.asarray(power_spectra(jnp.asarray(frames)).mean(axis=(0, 1)))
    np.testing.assert_allclose(means[2:-2], 0.25, rtol=0.1)


def test_pitch_moves_the_frequency_and_tempo_the_number_of_frames():
    samples = tones(1_000.0, 1_000.0, 1_000.0)
    reading = Reading(jnp.array([1.0, 1.5, 1.0]), jnp.array([1.0, 1.0, 2.0]))
    features, mask = log_mel(samples, full(samples), SPECTRUM, reading)
    peaks = np.asarray(features[:, 5].argmax(axis=-1)).tolist()
    assert peaks == [band_of(1_000.0), band_of(1_500.0), band_of(1_000.0)]
    assert mask.sum(axis=1).tolist() == [32, 32, 16]


def test_the_mask_ends_with_the_sound_and_has_one_frame_at_least():
    samples = jnp.zeros((3, 1_280))
    _, mask = log_mel(samples, jnp.array([1_280, 129, 1]), SPECTRUM)
    assert mask.sum(axis=1).tolist() == [10, 2, 1]
    assert SPECTRUM.frames(1_280) == 10


def test_silence_is_finite():
    features, mask = log_mel(jnp.zeros((1, 640)), jnp.array([640]), SPECTRUM)
    assert np.isfinite(np.asarray(standardized(features, mask))).all()


def test_standardized_features_know_neither_loudness_nor_padding():
    samples = jnp.asarray(np.random.default_rng(3).normal(size=(1, 1_280)), jnp.float32)
    both = jnp.concatenate([samples, 7.0 * samples])
    features, mask = log_mel(both, full(both), SPECTRUM)
    for each_band, axes in ((False, (1, 2)), (True, 1)):
        values = np.asarray(standardized(features, mask, each_band))
        np.testing.assert_allclose(values[0], values[1], atol=1e-3)
        np.testing.assert_allclose(values.mean(axis=axes), 0.0, atol=1e-4)
        np.testing.assert_allclose(values.std(axis=axes), 1.0, atol=1e-3)
    part = jnp.asarray(np.arange(10)[None] < 6)
    values = np.asarray(standardized(features[:1], part))
    assert not values[0, 6:].any()
    expected = np.asarray(standardized(features[:1, :6], part[:, :6]))
    np.testing.assert_allclose(values[0, :6], expected[0], atol=1e-5)


def test_slopes_are_those_of_lines_and_of_scipy():
    line = jnp.asarray(0.5 * np.arange(9.0)[None, :, None], jnp.float32)
    np.testing.assert_allclose(np.asarray(slopes(line))[0, 2:-2, 0], 0.5, rtol=1e-6)
    values = np.random.default_rng(4).normal(size=(1, 20, 3))
    expected = scipy.signal.savgol_filter(values, 5, 1, deriv=1, axis=1)
    ours = np.asarray(slopes(jnp.asarray(values, jnp.float32)))
    np.testing.assert_allclose(ours[:, 2:-2], expected[:, 2:-2], atol=1e-5)


def test_all_cepstra_keep_the_norm_and_come_back():
    values = np.random.default_rng(5).normal(size=(1, 4, 40)).astype(np.float32)
    coefficients = np.asarray(cepstra(jnp.asarray(values), 40))
    norms = np.linalg.norm(values, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(coefficients, axis=-1), norms, rtol=1e-5)
    np.testing.assert_allclose(scipy.fft.idct(coefficients, norm="ortho"), values, atol=1e-5)
    first = np.asarray(cepstra(jnp.asarray(values), 13))
    np.testing.assert_allclose(coefficients[..., :13], first, atol=1e-5)


def test_the_first_cepstrum_is_the_mean_times_the_root_of_the_number_of_bands():
    flat = jnp.full((1, 1, 16), 3.0)
    np.testing.assert_allclose(np.asarray(cepstra(flat, 3))[0, 0], [12.0, 0.0, 0.0], atol=1e-5)


def test_more_cepstra_than_bands_are_refused():
    with pytest.raises(ValueError, match="5 coefficients of 4 bands: there must be 1 to 4"):
        cepstra(jnp.zeros((1, 1, 4)), 5)
