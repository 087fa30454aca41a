"""Makes WAV files for tests."""

import io

import numpy as np
from scipy.io import wavfile


def tone(hertz: float = 440.0, rate: int = 8_000, seconds: float = 0.05) -> np.ndarray:
    return 0.5 * np.sin(2.0 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def wav(samples: np.ndarray, rate: int = 8_000) -> bytes:
    """Returns a WAV file with the type of the samples; floats are written with 16 bits."""
    if samples.dtype == np.float64:
        samples = np.rint(samples * 32767).astype(np.int16)
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, samples)
    return buffer.getvalue()


def wav_24_bits(values: list[int]) -> bytes:
    """Returns a mono file of 24 bits, which SciPy reads but does not write."""
    data = b"".join(value.to_bytes(3, "little", signed=True) for value in values)
    header = wav(np.zeros(1, np.int16))[:44]
    parts = [
        header[:4] + (36 + len(data)).to_bytes(4, "little") + header[8:28],
        (3 * 8_000).to_bytes(4, "little") + (3).to_bytes(2, "little") + (24).to_bytes(2, "little"),
        header[36:40] + len(data).to_bytes(4, "little") + data,
    ]
    return b"".join(parts)
