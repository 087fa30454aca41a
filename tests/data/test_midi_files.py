import sys

import mido
import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.midi_files import parse_midi, read_midi_roll

TICKS = 96  # In a beat.


def message(kind, pitch=60, time=0, velocity=64, channel=0):
    return mido.Message(kind, note=pitch, time=time, velocity=velocity, channel=channel)


def note(pitch=60, ticks=TICKS, channel=0, wait=0):
    return [
        message("note_on", pitch, wait, channel=channel),
        message("note_off", pitch, ticks, channel=channel),
    ]


def write(path, *tracks, kind=1):
    file = mido.MidiFile(type=kind, ticks_per_beat=TICKS)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    file.save(path)
    return path


def notes_of(path):
    return parse_midi(path.read_bytes(), path)


def test_notes_are_read_in_beats_whatever_the_tempo(tmp_path):
    tempo = mido.MetaMessage("set_tempo", tempo=250_000, time=0)
    faster = mido.MetaMessage("set_tempo", tempo=100_000, time=0)
    found = notes_of(write(tmp_path / "a.mid", [tempo, *note(), faster, *note(64, 2 * TICKS)]))
    assert found.notes == [(0.0, 1.0, 60), (1.0, 3.0, 64)]
    assert not found.skipped


def test_what_a_piano_cannot_play_is_skipped_and_counted(tmp_path):
    track = [*note(20), *note(109), *note(21), *note(108), *note(40, channel=9), *note(50, 0)]
    found = notes_of(write(tmp_path / "a.mid", track, []))
    assert [pitch for _, _, pitch in found.notes] == [21, 108]
    assert found.skipped == {
        "notes outside of the pitches 21 to 108": 2,
        "drum notes": 1,
        "notes of no length": 1,
    }


def test_a_key_that_is_struck_again_ends_its_note(tmp_path):
    track = [message("note_on"), message("note_on", time=TICKS), message("note_off", time=TICKS)]
    assert notes_of(write(tmp_path / "a.mid", track)).notes == [(0.0, 1.0, 60), (1.0, 2.0, 60)]


def test_a_note_on_without_velocity_ends_a_note_and_so_does_the_end_of_the_track(tmp_path):
    track = [message("note_on"), message("note_on", time=TICKS, velocity=0), message("note_on", 62)]
    end = mido.MetaMessage("end_of_track", time=3 * TICKS)
    found = notes_of(write(tmp_path / "a.mid", [*track, end]))
    assert found.notes == [(0.0, 1.0, 60), (1.0, 4.0, 62)]


def test_the_roll_has_two_frames_per_beat_and_begins_with_the_first_note(tmp_path):
    path = write(tmp_path / "a.mid", [*note(60, TICKS, wait=4 * TICKS), *note(64, TICKS // 2)])
    roll, file, _ = read_midi_roll(path)
    assert np.argwhere(roll).tolist() == [[0, 39], [1, 39], [2, 43]]
    assert file.path == path


def folder_of(tmp_path, count):
    for number in range(count):
        write(tmp_path / f"piece{number}.mid", note(60 + number), note(40), note(10))
    (tmp_path / "notes.txt").write_text("not music")
    return tmp_path


def own(path):
    return Library(None, print).music("--music", str(path))


@pytest.mark.parametrize(("count", "sizes"), [(3, [1, 1, 1]), (10, [8, 1, 1]), (21, [17, 2, 2])])
def test_a_folder_is_dealt_out_to_the_three_splits(tmp_path, count, sizes):
    dataset = own(folder_of(tmp_path, count))
    assert [len(split) for split in dataset[:3]] == sizes
    pitches = np.concatenate(
        [np.flatnonzero(split["frames"].values.any(0)) for split in dataset[:3]]
    )
    assert set(pitches.tolist()) == {19, *range(39, 39 + count)}
    assert dataset.provenance.note == f"{count} notes outside of the pitches 21 to 108 skipped"
    assert len(dataset.provenance.files) == count


def test_folders_with_too_few_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"holds 2 MIDI files .*; it must hold at least 3"):
        own(folder_of(tmp_path, 2))
    with pytest.raises(DataError, match="--music=.*none must be a folder of MIDI files"):
        own(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"RIFF....", "is not a MIDI file: it begins with b'RIFF', not b'MThd'"),
        (b"MThd", "is cut off or damaged"),
        (b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\x20\0\x90", "is cut off or damaged"),
        (b"MThd\0\0\0\6\0\0\0\0\xe7\x28", "counts time in frames of film; it must count it in"),
        (b"MThd\0\0\0\6\0\2\0\0\0\x60", "is of type 2, independent pieces; it must be of type 0"),
        (b"MThd\0\0\0\6\0\1\0\0\0\x60", "has no notes to read$"),
    ],
)
def test_what_is_not_music_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_midi_roll(path)
    assert "\n" not in str(caught.value)


def test_a_file_with_drums_alone_says_so(tmp_path):
    path = write(tmp_path / "a.mid", note(40, channel=9))
    with pytest.raises(DataError, match="has no notes to read: 1 drum notes skipped"):
        read_midi_roll(path)


def test_pieces_that_are_too_short_or_too_long_are_refused(tmp_path):
    with pytest.raises(DataError, match="is 1 frame of half a beat long; it must have at least 2"):
        read_midi_roll(write(tmp_path / "a.mid", note(ticks=10)))
    far = [*note(), message("note_on", time=0x0FFFFFFF), message("note_off", time=1)]
    with pytest.raises(DataError, match=r"is 2,\d+,\d+ beats long; it must be at most 100,000"):
        read_midi_roll(write(tmp_path / "b.mid", far))


def test_damaged_bytes_never_escape_as_another_error(tmp_path):
    path = write(tmp_path / "a.mid", [*note(), *note(64), *note(67)], note(40))
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(content)
        for place in generator.integers(4, len(content), 2):
            damaged[place] = int(generator.integers(256))
        try:
            assert parse_midi(bytes(damaged), path).notes
        except DataError:
            continue


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mid", note())
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(DataError, match="which needs the package mido: pip install mido"):
        read_midi_roll(path)


def test_an_own_piece_must_be_a_file(tmp_path):
    library = Library(None, print)
    with pytest.raises(DataError, match="--prompt=.* is not a file; it must be a MIDI file"):
        library.piece("--prompt", str(tmp_path))
    piece = library.piece("--prompt", str(write(tmp_path / "a.mid", [*note(), *note(19)])))
    assert piece.roll.shape == (2, 88)
    assert piece.provenance.note == "1 notes outside of the pitches 21 to 108 skipped"
    assert piece.provenance in library.provenance
