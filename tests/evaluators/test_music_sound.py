import mido
import numpy as np
import pytest

from lecture_models.data.midi_files import parse_midi
from lecture_models.data.notes import Note, notes_roll, roll_notes
from lecture_models.evaluators.music_sound import (
    LOUDEST,
    RATE,
    encode_midi,
    frequency,
    music,
    play,
)


def loudness(samples):
    return float(np.sqrt(np.mean(np.square(samples))))


def peak_hertz(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE)[spectrum.argmax()])


def test_the_concert_a_has_440_hertz_and_an_octave_doubles():
    assert frequency(69) == 440.0
    assert frequency(81) == pytest.approx(880.0)
    assert frequency(60) == pytest.approx(261.626, abs=1e-3)


@pytest.mark.parametrize("pitch", [40, 60, 69, 84, 108])
def test_a_note_sounds_at_its_frequency(pitch):
    samples = play([Note(0, 2, pitch)], 0.5)
    assert loudness(samples) > 0.1
    assert np.abs(samples).max() == pytest.approx(LOUDEST, abs=1e-6)
    assert peak_hertz(samples) == pytest.approx(frequency(pitch), abs=1.5)


def test_a_note_begins_and_ends_when_it_should():
    samples = play([Note(1, 2, 69), Note(4, 5, 69)], 0.5)
    parts = [loudness(samples[int(a * RATE) : int(b * RATE)]) for a, b in ((0, 0.5), (0.5, 1))]
    assert parts[0] == 0.0
    assert parts[1] > 0.1
    assert loudness(samples[int(1.1 * RATE) : int(1.9 * RATE)]) == 0.0
    assert len(samples) == pytest.approx(2.5 * RATE, abs=0.1 * RATE)


def test_a_chord_has_the_frequencies_of_its_notes():
    samples = play([Note(0, 4, pitch) for pitch in (60, 64, 67)], 0.5)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    middle = np.median(spectrum)
    for pitch in (60, 64, 67):
        near = np.abs(hertz - frequency(pitch)) < 1.5
        assert spectrum[near].max() > 100 * middle


def test_nothing_to_play_is_silence():
    assert play([], 0.5).tolist() == [0.0] * RATE


def test_a_score_has_the_notes_and_the_tempo(tmp_path):
    notes = [Note(0, 1, 60), Note(0, 2, 64), Note(1, 2, 60)]
    content = encode_midi(notes, beats_per_unit=0.5, seconds_per_unit=0.25)
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    read = parse_midi(content, path).notes
    assert read == [(0.0, 0.5, 60), (0.0, 1.0, 64), (0.5, 1.0, 60)]
    assert mido.MidiFile(path).length == pytest.approx(0.5)
    assert content == encode_midi(notes, 0.5, 0.25)


def test_a_roll_comes_back_from_its_score(tmp_path):
    roll = (np.random.default_rng(0).random((12, 88)) < 0.05).astype(np.uint8)
    roll[[0, -1], 40] = 1
    content = encode_midi(roll_notes(roll), 1.0, 0.6)
    notes = parse_midi(content, tmp_path / "a.mid").notes
    assert (notes_roll(notes) == roll).all()


def test_sound_and_score_have_the_same_caption():
    sound, score = music([Note(0, 1, 60)], 1.0, 0.6, "one note")
    assert sound.caption == score.caption == "one note"
    assert sound.rate == RATE
    assert score.content.startswith(b"MThd")
