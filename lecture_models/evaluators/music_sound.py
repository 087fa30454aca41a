"""Plays notes: as samples of a plucked tone, and as the bytes of a MIDI file."""

import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.data.midi_files import midi_library
from lecture_models.data.notes import Note
from lecture_models.experiment import Midi, Sound

RATE = 16_000  # Hz.
OVERTONES = (1.0, 0.5, 0.25, 0.12)  # Amplitudes at once, twice, ... the note's frequency.
DECAY_S = 1.2  # In this time a held tone falls to 1/e.
ATTACK_S, RELEASE_S = 0.01, 0.06  # A tone that began or ended at once would click.
LOUDEST = 0.9  # The highest sample, of 1.
PITCH_A, HERTZ_A = 69, 440.0  # Concert pitch.
TICKS_PER_BEAT = 480
VELOCITY = 80  # MIDI's loudness, of 127.
_SHORTEST_S = 0.02


def frequency(pitch: float) -> float:
    """Returns the frequency of a pitch of MIDI, in Hz, in equal temperament.

    440 * 2^((pitch - 69) / 12)

    Args:
        pitch: MIDI's number; 69 is the concert A.

    Returns:
        The frequency in Hz.
    """
    return HERTZ_A * 2.0 ** ((pitch - PITCH_A) / 12.0)


def play(notes: Sequence[Note], seconds_per_unit: float) -> Float32[np.ndarray, " sample"]:
    """Returns the sound of notes: sines with overtones that decay as a plucked string does.

    Args:
        notes: the notes; their times are in units.
        seconds_per_unit: the duration of a unit, such as a frame or a beat.

    Returns:
        Samples in [-1, 1] at `RATE` Hz, from the first unit on; the loudest is `LOUDEST`, and a
        second of silence where there are no notes.
    """
    if not notes:
        return np.zeros(RATE, np.float32)
    end = max(note.end for note in notes) * seconds_per_unit + RELEASE_S
    sound = np.zeros(int(np.ceil(end * RATE)) + 1)
    for note in notes:
        first = round(note.start * seconds_per_unit * RATE)
        tone = _tone(note.pitch, max((note.end - note.start) * seconds_per_unit, _SHORTEST_S))
        tone = tone[: len(sound) - first]
        sound[first : first + len(tone)] += tone
    return (LOUDEST * sound / np.abs(sound).max()).astype(np.float32)


def _tone(pitch: int, seconds: float) -> Float[np.ndarray, " sample"]:
    time = np.arange(int((seconds + RELEASE_S) * RATE)) / RATE
    hertz = frequency(pitch)
    tone = sum(
        amplitude * np.sin(2.0 * np.pi * number * hertz * time)
        for number, amplitude in enumerate(OVERTONES, 1)
        if number * hertz < RATE / 2  # Higher ones would come back as wrong low tones.
    )
    envelope = np.exp(-time / DECAY_S) * np.minimum(time / ATTACK_S, 1.0)
    return tone * envelope * np.clip((seconds + RELEASE_S - time) / RELEASE_S, 0.0, 1.0)


def encode_midi(notes: Sequence[Note], beats_per_unit: float, seconds_per_unit: float) -> bytes:
    """Returns notes as a Standard MIDI File with one track, to be played by a piano.

    Args:
        notes: the notes; their times are in units.
        beats_per_unit: quarter notes in a unit.
        seconds_per_unit: the duration of a unit, which gives the tempo.

    Returns:
        The bytes of the file, the same for the same notes.

    Raises:
        DataError: the package mido is missing.
    """
    mido = midi_library("a MIDI file is to be written")
    track = mido.MidiTrack()
    tempo = round(1e6 * seconds_per_unit / beats_per_unit)
    track.append(mido.MetaMessage("set_tempo", tempo=tempo, time=0))
    ticks = TICKS_PER_BEAT * beats_per_unit
    # At the same time a note ends before another begins, so that a key can be struck again.
    events = sorted(
        (max(round(when * ticks), 0), kind, note.pitch)
        for note in notes
        for when, kind in ((note.start, 1), (note.end, 0))
    )
    now = 0
    for when, kind, pitch in events:
        name = "note_on" if kind else "note_off"
        message = mido.Message(name, note=pitch, velocity=VELOCITY * kind, time=when - now)
        track.append(message)
        now = when
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT, tracks=[track])
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def music(
    notes: Sequence[Note], beats_per_unit: float, seconds_per_unit: float, caption: str
) -> tuple[Sound, Midi]:
    """Returns the same notes as a sound and as a score, for what `evaluate` returns.

    Args:
        notes: the notes; their times are in units.
        beats_per_unit: quarter notes in a unit.
        seconds_per_unit: the duration of a unit.
        caption: one line for both.

    Returns:
        The sound and the score.
    """
    samples = play(notes, seconds_per_unit)
    score = encode_midi(notes, beats_per_unit, seconds_per_unit)
    return Sound(samples, RATE, caption), Midi(score, caption)
