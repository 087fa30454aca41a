"""Reads WAV files as mono sounds of one rate."""

import io
import math
import struct
import warnings
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Shaped

from lecture_models.data.dataset import DataError

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000  # Hz.
# How files of other kinds begin, for those that are named .wav; an MP3 may also begin with a frame.
_OTHERS = {
    b"ID3": "an MP3 file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"FORM": "an AIFF file",
}
OTHER_ENDINGS = frozenset(
    {".mp3", ".ogg", ".opus", ".flac", ".m4a", ".aac", ".aiff", ".aif", ".wma"}
)
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
# What SciPy raises for a header that lacks a part or contradicts itself.
_UNREADABLE = (
    *(ValueError, TypeError, IndexError, EOFError, ZeroDivisionError, UnboundLocalError),
    struct.error,
)
_CONVERT = "convert it, as by ffmpeg -i FILE out.wav"


class Recording(NamedTuple):
    """Holds a mono sound.

    Attributes:
        samples: values in [-1, 1].
        rate: samples per second.
    """

    samples: Float32[np.ndarray, " sample"]
    rate: int


def read_wav(content: bytes, name: str) -> Recording:
    """Returns the mean of the channels of a WAV file with 8, 16, 24 or 32 bits or floats.

    Floats beyond [-1, 1] are scaled down to a peak of 1.

    Args:
        content: the bytes of the file.
        name: what error messages call it.

    Raises:
        DataError: the file is of another kind, is cut off, holds no samples or not only finite
            ones, or has a rate outside of 1,000 to 768,000 Hz.
    """
    from scipy.io import wavfile

    _require_wav(content, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # Of chunks that are skipped.
            rate, values = wavfile.read(io.BytesIO(content))
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{name} is not a WAV file that can be read ({reason}); {_CONVERT}"
        ) from error
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise DataError(
            f"{name} has {rate:,} samples per second; allowed: {LOWEST_RATE:,} to {HIGHEST_RATE:,}"
        )
    if values.size == 0:
        raise DataError(f"{name} holds no samples")
    samples = _scaled(values)
    samples = samples if samples.ndim == 1 else samples.mean(axis=1)
    if not np.isfinite(samples).all():
        raise DataError(f"{name} holds samples that are not finite numbers")
    peak = float(np.abs(samples).max())
    return Recording((samples / max(1.0, peak)).astype(np.float32), int(rate))


def resampled(recording: Recording, rate: int) -> Recording:
    """Returns a sound at another rate, filtered so that no frequency folds over.

    Args:
        recording: the sound.
        rate: samples per second.

    Returns:
        The sound; at the rate that it has already, the same.
    """
    if recording.rate == rate:
        return recording
    from scipy.signal import resample_poly

    divisor = math.gcd(rate, recording.rate)
    samples = resample_poly(recording.samples, rate // divisor, recording.rate // divisor)
    return Recording(np.clip(samples, -1.0, 1.0).astype(np.float32), rate)


def is_silent(recording: Recording) -> bool:
    """Tells whether all samples are equal."""
    return bool(np.ptp(recording.samples) == 0.0)


def read_sound(content: bytes, name: str, rate: int) -> Float32[np.ndarray, " sample"]:
    """Returns the samples of a WAV file at a rate.

    Raises:
        DataError: as `read_wav`, or the sound is silent.
    """
    recording = read_wav(content, name)
    if is_silent(recording):
        raise DataError(f"{name} is silent: all its samples are equal")
    return resampled(recording, rate).samples


def _require_wav(content: bytes, name: str) -> None:
    if not content:
        raise DataError(f"{name} is empty")
    kind = next((kind for begin, kind in _OTHERS.items() if content.startswith(begin)), "")
    if content[4:8] == b"ftyp":
        kind = "an MP4 or M4A file"
    if len(content) > 1 and content[0] == 0xFF and content[1] & 0xE0 == 0xE0:
        kind = "an MP3 file"
    if kind:
        raise DataError(f"{name} is {kind}, not a WAV file; {_CONVERT}")
    if content[:4] not in (b"RIFF", b"RIFX", b"RF64") or content[8:12] != b"WAVE":
        raise DataError(f"{name} is not a WAV file: it does not begin with RIFF and WAVE")
    if content[:4] == b"RF64":
        return
    (size,) = struct.unpack(">I" if content[:4] == b"RIFX" else "<I", content[4:8])
    if size in _UNKNOWN_SIZES:
        raise DataError(f"{name} does not state its length, as if written to a pipe; {_CONVERT}")
    if len(content) < size + 8:
        raise DataError(
            f"{name} is cut off: it has {len(content):,} bytes, and its header states {size + 8:,}"
        )


def _scaled(values: Shaped[np.ndarray, "..."]) -> np.ndarray:
    """Returns integers of any width as floats in [-1, 1]; SciPy shifts 24 bits up to 32."""
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128.0) / 128.0
    if np.issubdtype(values.dtype, np.signedinteger):
        return values.astype(np.float64) / -float(np.iinfo(values.dtype).min)
    return values.astype(np.float64)
