import struct

import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.wav import Recording, is_silent, read_sound, read_wav, resampled
from tests.data.small_sounds import tone, wav, wav_24_bits


@pytest.mark.parametrize(
    ("dtype", "low", "middle", "high"),
    [
        (np.uint8, 0, 128, 192),
        (np.int16, -(2**15), 0, 2**14),
        (np.int32, -(2**31), 0, 2**30),
        (np.float32, -1.0, 0.0, 0.5),
    ],
)
def test_all_widths_are_read_to_the_same_values(dtype, low, middle, high):
    recording = read_wav(wav(np.array([low, middle, high], dtype)), "a.wav")
    assert recording.rate == 8_000
    np.testing.assert_allclose(recording.samples, [-1.0, 0.0, 0.5])
    assert recording.samples.dtype == np.float32


def test_twenty_four_bits_are_read():
    recording = read_wav(wav_24_bits([-(2**23), 0, 2**22, 1]), "a.wav")
    np.testing.assert_allclose(recording.samples, [-1.0, 0.0, 0.5, 2.0**-23], rtol=1e-6)


def test_stereo_becomes_the_mean_of_both_channels():
    channels = np.array([[0.5, 0.1], [-0.2, 0.2]], np.float32)
    np.testing.assert_allclose(read_wav(wav(channels), "a.wav").samples, [0.3, 0.0], atol=1e-7)


def test_floats_that_are_too_loud_are_scaled_down():
    loud = read_wav(wav(np.array([4.0, -2.0], np.float32)), "a.wav")
    np.testing.assert_allclose(loud.samples, [1.0, -0.5])


@pytest.mark.parametrize("rate", [44_100, 48_000, 11_025, 8_000, 4_000])
def test_every_rate_is_resampled_to_the_same_tone(rate):
    samples = read_sound(wav(tone(500.0, rate, 0.5), rate), "a.wav", 8_000)
    assert len(samples) == pytest.approx(4_000, abs=2)
    inner = slice(400, 3_600)  # The filter sees nothing before and after the sound.
    np.testing.assert_allclose(samples[inner], tone(500.0, 8_000, 0.5)[inner], atol=0.01)


def test_frequencies_that_would_fold_over_are_removed():
    high = Recording(tone(15_000.0, 48_000, 0.5).astype(np.float32), 48_000)
    assert np.abs(resampled(high, 8_000).samples[100:-100]).max() < 0.005


def test_silence_is_told_and_refused():
    assert is_silent(Recording(np.full(5, 0.25, np.float32), 8_000))
    with pytest.raises(DataError, match="quiet.wav is silent: all its samples are equal"):
        read_sound(wav(np.zeros(100, np.int16)), "quiet.wav", 8_000)


def cut(content):
    return content[:-3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.wav is empty"),
        (cut(wav(tone())), "is cut off: it has 841 bytes, and its header states 844"),
        (wav(tone())[:20], "is cut off: it has 20 bytes"),
        (wav(np.zeros(0, np.int16)), "holds no samples"),
        (b"ID3\x04rest of it", "is an MP3 file, not a WAV file; convert it"),
        (b"\xff\xfb\x90\x00" * 9, "is an MP3 file"),
        (b"OggS" + bytes(40), "is an Ogg file"),
        (b"fLaC" + bytes(40), "is a FLAC file"),
        (bytes(4) + b"ftypM4A ", "is an MP4 or M4A file"),
        (b"hello, this is a text of some length", "does not begin with RIFF and WAVE"),
        (wav(np.array([np.nan, 0.0], np.float32)), "samples that are not finite"),
        (wav(tone(), 100), "has 100 samples per second; allowed: 1,000 to 768,000"),
        (b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE", "does not state its length"),
        (b"RIFF" + struct.pack("<I", 4) + b"WAVE", "is not a WAV file that can be read"),
        (
            wav(tone())[:20] + struct.pack("<H", 7) + wav(tone())[22:],
            "is not a WAV file that can be read",
        ),
    ],
)
def test_what_is_no_whole_wav_file_is_refused_in_one_line(content, message):
    with pytest.raises(DataError, match=message) as raised:
        read_wav(content, "a.wav")
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("a.wav")
