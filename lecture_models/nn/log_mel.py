"""Turns sounds into what recognizers of speech see: log-mel spectra, cepstra and their changes.

A sound is cut into overlapping frames; a frame's power spectrum is summed in triangular bands whose
centers are equally spaced in mel, a scale of pitch; and the logarithm is taken. Davis and
Mermelstein, 1980.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int

Samples = Float[Array | np.ndarray, "batch sample"]
Lengths = Int[Array | np.ndarray, " batch"]
Mask = Bool[Array, "batch frame"]
Features = Float[Array, "batch frame feature"]

QUIET = 1e-6  # Added to the power before the logarithm: that of silence with 16 bits, about.
SLOPE_REACH = 2  # Frames on either side from which a change is computed.


class Spectrum(NamedTuple):
    """Says how a sound is cut into frames and bands.

    Attributes:
        rate: samples per second.
        window: samples of a frame.
        hop: samples between the beginnings of frames.
        bands: the number of mel bands.
        lowest: the lowest frequency of the first band in Hz; the last band ends at rate / 2.
    """

    rate: int = 8_000
    window: int = 256
    hop: int = 128
    bands: int = 40
    lowest: float = 60.0

    def frames(self, length: int) -> int:
        """Returns the number of frames of a sound, the last one perhaps beyond its end."""
        return max(1, -(-length // self.hop))


class Reading(NamedTuple):
    """Says how sounds are read, one number for each.

    Attributes:
        pitch: the factor of all frequencies.
        tempo: the factor of the speed.
    """

    pitch: Float[Array, " batch"]
    tempo: Float[Array, " batch"]


def as_it_is(batch: int) -> Reading:
    """Returns the reading that changes nothing.

    Args:
        batch: the number of sounds.

    Returns:
        Factors of 1.
    """
    return Reading(jnp.ones(batch), jnp.ones(batch))


def hertz_to_mel(hertz: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Returns frequencies on the mel scale.

    mel = 2595 log10(1 + f / 700)

    Args:
        hertz: frequencies.

    Returns:
        Their pitch; 1,000 Hz are about 1,000 mel. O'Shaughnessy, 1987.
    """
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def mel_to_hertz(mel: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Returns the frequencies of pitches on the mel scale.

    Args:
        mel: pitches.

    Returns:
        Frequencies in Hz.
    """
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def mel_centers(spectrum: Spectrum) -> Float[np.ndarray, " edge"]:
    """Returns the lowest frequency, the centers of all bands, and the highest one.

    Args:
        spectrum: the bands.

    Returns:
        Frequencies in Hz, equally spaced in mel.
    """
    ends = hertz_to_mel(np.array([spectrum.lowest, spectrum.rate / 2.0]))
    return mel_to_hertz(np.linspace(ends[0], ends[1], spectrum.bands + 2))


def mel_filters(spectrum: Spectrum) -> Float32[np.ndarray, "bin band"]:
    """Returns the weights of the triangular bands.

    Each triangle is 1 at its center and 0 at the centers of its neighbors, so that the triangles
    sum to 1 between the first and the last center.

    Args:
        spectrum: the frames and bands.

    Returns:
        The weight of each frequency of a frame's spectrum in each band.

    Raises:
        ValueError: a band is so narrow that no frequency of the spectrum lies within it.
    """
    bins = np.fft.rfftfreq(spectrum.window, 1.0 / spectrum.rate)[:, None]
    edges = mel_centers(spectrum)
    rise = (bins - edges[None, :-2]) / (edges[1:-1] - edges[:-2])[None]
    fall = (edges[None, 2:] - bins) / (edges[2:] - edges[1:-1])[None]
    weights = np.maximum(0.0, np.minimum(rise, fall))
    if not weights.any(axis=0).all():
        raise ValueError(
            f"{spectrum.bands} bands are too many for frames of {spectrum.window} samples: band "
            f"{int(np.argmin(weights.any(axis=0)))} holds no frequency"
        )
    return weights.astype(np.float32)


def cut_frames(
    samples: Samples, spectrum: Spectrum, reading: Reading, frames: int
) -> Float[Array, "batch frame window"]:
    """Returns the frames of sounds, read at another pitch and tempo.

    Frames begin at multiples of hop * tempo, and within a frame every pitch-th sample is read, by
    linear interpolation: the frequencies change with the pitch alone, the duration with the tempo
    alone.

    Args:
        samples: the sounds; zeros follow them.
        spectrum: the frames.
        reading: pitch and tempo of each sound.
        frames: the number of frames.

    Returns:
        The frames, not windowed.
    """
    begins = spectrum.hop * jnp.arange(frames)[None] * reading.tempo[:, None]
    within = jnp.arange(spectrum.window)[None] * reading.pitch[:, None]
    places = (begins[:, :, None] + within[:, None]).reshape(len(samples), -1)
    before = jnp.floor(places).astype(jnp.int32)
    share = places - before
    padded = jnp.pad(samples, ((0, 0), (0, 2)))
    last = padded.shape[1] - 1
    first, second = (
        jnp.take_along_axis(padded, jnp.minimum(before + step, last), axis=1) for step in (0, 1)
    )
    read = first + share * (second - first)
    return read.reshape(len(samples), frames, spectrum.window)


def power_spectra(frames: Float[Array, "batch frame window"]) -> Float[Array, "batch frame bin"]:
    """Returns the power of each frequency of frames under a Hann window.

    P[k] = |sum_n w[n] x[n] exp(-2 pi i k n / N)|^2 / sum_n w[n]^2

    Args:
        frames: the frames.

    Returns:
        The powers of frequencies k rate / N from 0 to rate / 2. Of white noise each is the noise's
        variance, in the mean.
    """
    size = frames.shape[-1]
    # Periodic, as in SciPy's short-time transforms.
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)
    window = (window / np.sqrt(np.sum(window**2))).astype(np.float32)
    return jnp.square(jnp.abs(jnp.fft.rfft(frames * window[None, None])))


def log_mel(
    samples: Samples, lengths: Lengths, spectrum: Spectrum, reading: Reading | None = None
) -> tuple[Features, Mask]:
    """Returns the logarithm of the power in each mel band of each frame.

    Args:
        samples: the sounds; zeros follow them.
        lengths: the number of samples of each.
        spectrum: frames and bands.
        reading: another pitch and tempo; None for none.

    Returns:
        The log-mel spectra, and which frames begin within the sound; the others are not 0.
    """
    samples, lengths = jnp.asarray(samples), jnp.asarray(lengths)
    reading = as_it_is(len(samples)) if reading is None else reading
    frames = spectrum.frames(samples.shape[1])
    powers = power_spectra(cut_frames(samples, spectrum, reading, frames))
    begins = spectrum.hop * jnp.arange(frames)[None] * reading.tempo[:, None]
    mask = (begins < lengths[:, None]).at[:, 0].set(True)
    return jnp.log(powers @ mel_filters(spectrum) + QUIET), mask


def standardized(features: Features, mask: Mask, each_band: bool = False) -> Features:
    """Returns features of mean 0 and variance 1 within each sound, 0 after its end.

    So the loudness does not matter; nor does the microphone's response, if each band has mean 0 and
    variance 1. But in a single word the mean over time of a band tells the vowel.

    Args:
        features: the features.
        mask: which frames belong to the sound.
        each_band: whether each feature has its own mean and variance over time, or all have one.

    Returns:
        The standardized features; what never changes is 0.
    """
    axes = (1,) if each_band else (1, 2)
    weights = jnp.broadcast_to(mask[..., None], features.shape).astype(features.dtype)
    count = jnp.maximum(weights.sum(axis=axes, keepdims=True), 1.0)
    mean = (weights * features).sum(axis=axes, keepdims=True) / count
    centered = weights * (features - mean)
    variance = jnp.square(centered).sum(axis=axes, keepdims=True) / count
    return centered / jnp.sqrt(variance + 1e-5)


def slopes(features: Features) -> Features:
    """Returns how fast features change: the slope of a line through five frames ("deltas").

    d_t = sum_k k (x_(t+k) - x_(t-k)) / (2 sum_k k^2), k = 1, 2; the first and last frames are
    repeated beyond the ends. Furui, 1986.

    Args:
        features: the features.

    Returns:
        Their slopes per frame.
    """
    reach, time = SLOPE_REACH, features.shape[1]
    padded = jnp.pad(features, ((0, 0), (reach, reach), (0, 0)), mode="edge")
    total = jnp.zeros_like(features)
    for step in range(1, reach + 1):
        ahead = padded[:, reach + step : reach + step + time]
        behind = padded[:, reach - step : reach - step + time]
        total = total + step * (ahead - behind)
    return total / (2.0 * sum(step**2 for step in range(1, reach + 1)))


def cepstra(
    log_mel_spectra: Float[Array, "batch frame band"], count: int
) -> Float[Array, "batch frame coefficient"]:
    """Returns the first mel-frequency cepstral coefficients (MFCC).

    c_k = sqrt(2 / M) sum_m x_m cos(pi k (m + 1/2) / M), and c_0 is divided by sqrt(2): the
    orthonormal DCT-II, which makes the bands of speech nearly uncorrelated.

    Args:
        log_mel_spectra: the logarithms x of the powers in M bands.
        count: the number of coefficients, at most M.

    Returns:
        The coefficients.

    Raises:
        ValueError: there are more coefficients than bands.
    """
    from scipy.fft import dct

    bands = log_mel_spectra.shape[-1]
    if not 1 <= count <= bands:
        raise ValueError(f"{count} coefficients of {bands} bands: there must be 1 to {bands}")
    basis = dct(np.eye(bands), type=2, norm="ortho", axis=1)[:, :count]
    return log_mel_spectra @ basis.astype(np.float32)
