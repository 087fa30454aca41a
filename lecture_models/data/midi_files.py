"""Reads a user's own MIDI files as piano rolls; mido does the parsing.

Time is counted in beats, so that changes of tempo do not matter. Skipped, and counted: drums, notes
outside of the piano's keys, and notes of no length. The pedal is not read.
"""

import collections
import io
from pathlib import Path
from typing import Any, NamedTuple

from lecture_models.data.archives import read_file
from lecture_models.data.dataset import DataError, DataFile, Dataset, Provenance
from lecture_models.data.film import natural_order
from lecture_models.data.notes import HIGHEST_PITCH, LOWEST_PITCH, Note, notes_roll
from lecture_models.data.piano_rolls import LEAST_FRAMES, Roll, own_dataset, read_own_rolls
from lecture_models.data.picture import shown
from lecture_models.files import local_path

SUFFIXES = (".mid", ".midi")
DRUMS = 9  # The tenth channel, which General MIDI reserves.
FEWEST_FILES = 3  # One for each split.
HELD_OUT = 0.1  # Share of the files that validate, and that test.
FRAMES_PER_BEAT = 2.0
# Four minutes of quarter notes at 120 a minute have about 1,000 frames; a far longer file is
# damaged, and would take the memory.
MOST_BEATS = 100_000
# A damaged file fails wherever the parser happens to be.
_DAMAGED = (EOFError, OSError, ValueError, LookupError, TypeError, AttributeError)


class MidiNotes(NamedTuple):
    """Holds the notes of a MIDI file.

    Attributes:
        notes: their times are in beats.
        skipped: how many notes were skipped, by the reason.
    """

    notes: list[Note]
    skipped: collections.Counter[str]


def read_music(flag: str, name: str) -> Dataset:
    """Returns a user's own music: a folder of MIDI files, or a MATLAB file of piano rolls.

    The MIDI files of a folder, in the natural order of their names, are dealt out: every tenth one
    validates and every tenth one tests, at least one each. Frames are half a beat long.

    Args:
        flag: the flag that names the folder or file, for messages.
        name: the path.

    Raises:
        DataError: it does not exist, there are fewer than three MIDI files, or one cannot be read.
    """
    path = local_path(flag, name)
    if path.is_file() and path.suffix.lower() == ".mat":
        return read_own_rolls(path)
    if not path.is_dir():
        raise DataError(
            f"{flag}={shown(path)} must be a folder of MIDI files ({', '.join(SUFFIXES)}) or a "
            "MATLAB file (.mat)"
        )
    paths = [found for found in path.rglob("*") if found.suffix.lower() in SUFFIXES]
    paths = sorted(
        (found for found in paths if not found.name.startswith(".")),
        key=lambda found: natural_order(str(found.relative_to(path))),
    )
    if len(paths) < FEWEST_FILES:
        raise DataError(
            f"{flag}={shown(path)} holds {len(paths)} MIDI files ({', '.join(SUFFIXES)}); it must "
            f"hold at least {FEWEST_FILES}"
        )
    rolls, files, skipped = [], [], collections.Counter()
    for found in paths:
        roll, file, reasons = read_midi_roll(found)
        rolls.append(roll)
        files.append(file)
        skipped += reasons
    return own_dataset(path, _dealt_out(rolls), tuple(files), described(skipped))


class OwnPiece(NamedTuple):
    """Holds one piece of the user's, and its source."""

    roll: Roll
    provenance: Provenance


def read_piece(flag: str, name: str) -> OwnPiece:
    """Returns the piano roll of a user's MIDI file.

    Args:
        flag: the flag that names the file, for messages.
        name: the path.

    Raises:
        DataError: the file does not exist or cannot be read.
    """
    path = local_path(flag, name)
    if not path.is_file():
        raise DataError(f"{flag}={shown(path)} is not a file; it must be a MIDI file")
    roll, file, skipped = read_midi_roll(path)
    return OwnPiece(roll, Provenance(path.name, "own piece", (file,), described(skipped)))


def described(skipped: collections.Counter[str]) -> str:
    """Returns in words how many notes were skipped; "" if none was."""
    return ", ".join(f"{count:,} {reason} skipped" for reason, count in sorted(skipped.items()))


def read_midi_roll(path: Path) -> tuple[Roll, DataFile, collections.Counter[str]]:
    """Returns the piano roll of a MIDI file, the file, and how many notes were skipped and why.

    Raises:
        DataError: the file is not a MIDI file, is damaged, or has no notes that a piano has.
    """
    content, file = read_file(path)
    notes, skipped = parse_midi(content, path)
    roll = notes_roll(notes, FRAMES_PER_BEAT)
    if len(roll) < LEAST_FRAMES:
        raise DataError(
            f"{path} is {len(roll)} frame of half a beat long; it must have at least {LEAST_FRAMES}"
        )
    return roll, file, skipped


def parse_midi(content: bytes, path: Path) -> MidiNotes:
    """Returns the notes in the bytes of a MIDI file.

    Args:
        content: the bytes of the file.
        path: the file that error messages name.

    Raises:
        DataError: the content is not a MIDI file or is cut off, counts time in seconds of film, is
            too long, or has no notes that a piano has.
    """
    if not content.startswith(b"MThd"):
        raise DataError(f"{path} is not a MIDI file: it begins with {content[:4]!r}, not b'MThd'")
    mido = midi_library(f"{path} is a MIDI file")
    try:
        file = mido.MidiFile(file=io.BytesIO(content), clip=True)
    except _DAMAGED as error:
        raise DataError(
            f"{path} is cut off or damaged ({str(error) or type(error).__name__})"
        ) from error
    if not 0 < file.ticks_per_beat < 0x8000:
        raise DataError(f"{path} counts time in frames of film; it must count it in beats")
    if file.type == 2:
        raise DataError(f"{path} is of type 2, independent pieces; it must be of type 0 or 1")
    notes, skipped = [], collections.Counter()
    for track in file.tracks:
        notes += _track_notes(track, file.ticks_per_beat, skipped)
    if not notes:
        why = described(skipped)
        raise DataError(f"{path} has no notes to read{f': {why}' if why else ''}")
    if (length := max(note.end for note in notes)) > MOST_BEATS:
        raise DataError(f"{path} is {length:,.0f} beats long; it must be at most {MOST_BEATS:,}")
    return MidiNotes(sorted(notes), skipped)


def midi_library(need: str) -> Any:
    """Returns the module mido.

    Args:
        need: what needs it, the beginning of the error message.

    Raises:
        DataError: the package is missing.
    """
    try:
        import mido  # Imported when used: most experiments have no music.
    except ImportError as error:
        raise DataError(f"{need}, which needs the package mido: pip install mido") from error
    return mido


def _track_notes(track: Any, ticks_per_beat: int, skipped: collections.Counter[str]) -> list[Note]:
    """Returns the notes of a track; a key struck again while it is down ends its note."""
    now, down, notes = 0, {}, []

    def release(key: tuple[int, int]) -> None:
        start = down.pop(key)
        if key[0] == DRUMS:
            skipped["drum notes"] += 1
        elif not LOWEST_PITCH <= key[1] <= HIGHEST_PITCH:
            skipped[f"notes outside of the pitches {LOWEST_PITCH} to {HIGHEST_PITCH}"] += 1
        elif now == start:
            skipped["notes of no length"] += 1
        else:
            notes.append(Note(start / ticks_per_beat, now / ticks_per_beat, key[1]))

    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        key = (message.channel, message.note)
        if key in down:
            release(key)
        if message.type == "note_on" and message.velocity > 0:
            down[key] = now
    for key in list(down):  # Notes that the track never ends.
        release(key)
    return notes


def _dealt_out(rolls: list[Roll]) -> tuple[list[Roll], list[Roll], list[Roll]]:
    """Returns pieces for training, validation and test."""
    every = max(FEWEST_FILES, min(round(1 / HELD_OUT), len(rolls)))
    parts: tuple[list[Roll], ...] = ([], [], [])
    for number, roll in enumerate(rolls):
        place = number % every
        parts[{every - 2: 1, every - 1: 2}.get(place, 0)].append(roll)
    return parts
