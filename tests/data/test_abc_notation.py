from fractions import Fraction

import pytest

from lecture_models.data.abc_notation import (
    AbcError,
    read_key,
    read_length,
    read_meter,
    read_tune,
    split_tunes,
)


def tune(music, meter="4/4", key="C", length="1/8"):
    return read_tune(f"X:1\nT:Test\nM:{meter}\nL:{length}\nK:{key}\n{music}")


def pitches(music, **fields):
    return [note.pitch for note in tune(music, **fields).notes]


def lengths(music, **fields):
    """Lists the lengths of the notes, in eighths."""
    return [(note.end - note.start) * 8 for note in tune(music, **fields).notes]


def bars(music, **fields):
    return [(bar.length * 8, bar.inner) for bar in tune(music, **fields).bars]


def test_letters_and_marks_give_the_octave():
    assert pitches("C,, C, C c c' c''") == [36, 48, 60, 72, 84, 96]
    assert pitches("CDEFGAB") == [60, 62, 64, 65, 67, 69, 71]


def test_the_key_alters_notes_in_all_octaves():
    assert pitches("F f c F,", key="D Major") == [66, 78, 73, 54]
    assert pitches("B E", key="F") == [70, 64]


def test_an_accidental_lasts_to_the_end_of_its_bar_and_octave():
    assert pitches("^F F f | F") == [66, 66, 77, 65]
    assert pitches("=F F | F", key="G") == [65, 65, 66]
    assert pitches("__B ^^C") == [69, 62]


@pytest.mark.parametrize(
    ("key", "altered"),
    [
        ("C Major", {}),
        ("G", {"F": 1}),
        ("Am", {}),
        ("A Minor", {}),
        ("F# Minor", {"F": 1, "C": 1, "G": 1}),
        ("D Mixolydian", {"F": 1}),
        ("A Dorian", {"F": 1}),
        ("Bb", {"B": -1, "E": -1}),
        ("E phr", {}),
        ("F lydian", {}),
        ("C# Major", dict.fromkeys("ABCDEFG", 1)),
    ],
)
def test_keys_have_their_sharps_and_flats(key, altered):
    assert read_key(key) == {letter: altered.get(letter, 0) for letter in "ABCDEFG"}


def test_lengths_are_numbers_and_fractions_of_the_unit():
    assert lengths("A A2 A/ A/2 A3/2 A//") == [1.0, 2.0, 0.5, 0.5, 1.5, 0.25]
    assert lengths("A", length="1/4") == [2.0]
    assert read_length("3/4") == Fraction(3, 4)
    for wrong in ("0", "2/0", "//2", "123456789"):
        with pytest.raises(AbcError, match="the length"):
            read_length(wrong)


def test_meters_are_lengths_of_bars():
    assert [read_meter(text) for text in ("6/8", "C", "C|", "9/8", "none")] == [
        Fraction(3, 4),
        Fraction(1),
        Fraction(1),
        Fraction(9, 8),
        None,
    ]
    with pytest.raises(AbcError, match="the meter is '6-8'; it must be as 6/8"):
        read_meter("6-8")


def test_three_notes_of_a_triplet_take_the_time_of_two():
    assert lengths("(3ABc d") == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1.0])
    assert lengths("(2AB c", meter="6/8") == [1.5, 1.5, 1.0]
    assert lengths("(3:2:2AB c") == pytest.approx([2 / 3, 2 / 3, 1.0])


def test_broken_rhythm_takes_from_one_note_and_gives_to_the_other():
    assert lengths("A>B c<d e>>f") == [1.5, 0.5, 0.5, 1.5, 1.75, 0.25]
    starts = [note.start * 8 for note in tune("A>B c").notes]
    assert starts == [0.0, 1.5, 2.0]


def test_a_chord_sounds_at_once_and_a_rest_is_silent():
    notes = tune("[CEG]2 z2 C").notes
    assert [(note.start * 8, note.end * 8, note.pitch) for note in notes] == [
        (0.0, 2.0, 60),
        (0.0, 2.0, 64),
        (0.0, 2.0, 67),
        (4.0, 5.0, 60),
    ]


def test_a_tie_joins_notes_across_a_bar():
    assert lengths("A2-|A2 A") == [4.0, 1.0]
    assert lengths("A2-|B2") == [2.0, 2.0]


def test_what_has_no_effect_is_read():
    assert pitches('"Am"A {gag}B ~c .d (ef) !trill!g %comment') == [69, 71, 72, 74, 76, 77, 79]


def test_bars_at_the_ends_of_parts_may_be_incomplete():
    music = "AG|FAdA FAdA|GBdB GBdB|F6:|\n|:AB|c8|d7|e6||"
    assert bars(music) == [
        (2, False),
        (8, True),
        (8, True),
        (6, False),
        (2, False),
        (8, True),
        (7, True),
        (6, False),
    ]
    assert [bar.is_full for bar in tune(music).bars if bar.inner] == [True, True, True, False]


def test_endings_are_no_notes():
    assert bars("A8|B8|1c8:|2d8|]") == [(8, False), (8, True), (8, False), (8, False)]
    assert bars("A8|B8|[1c8:|[2d8|]") == [(8, False), (8, True), (8, False), (8, False)]


def test_the_meter_and_the_key_can_change_on_the_way():
    found = tune("C8|D8|\nM:6/8\nK:D\nF6|C6|")
    assert [bar.meter for bar in found.bars] == [1, 1, Fraction(3, 4), Fraction(3, 4)]
    assert [note.pitch for note in found.notes][2:] == [66, 61]
    assert [bar.length for bar in tune("C8|D8|[M:3/4]E6|F6||").bars][2:] == [Fraction(3, 4)] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a tune must begin with the field X:"),
        ("T:A\nK:C\nABc", "a tune must begin with the field X:"),
        ("X:1\nT:A\nABc", "line 3 is 'ABc'; the field K: must come before"),
        ("X:1\nK:C\nABc", "there is no title, field T:"),
        ("X:1\nT:A\nK:C", "there are no notes"),
        ("X:1\nT:A\nK:C\nz4|", "there are no notes"),
        ("X:1\nT:A\nK:H\nABc", "the key is 'H'; it must be as D Major"),
        ("X:1\nT:A\nK:C\nAB;c", "line 4: ';' at place 3 has no meaning"),
        ("X:1\nT:A\nK:C\n[AB", r"line 4: '\[' at place 1 has no meaning"),
        ("X:1\nT:A\nK:C\n(3AB", "a tuplet lacks 1 notes"),
        ("X:1\nT:A\nK:C\n(3A(3ABc", "a tuplet lacks 2 notes"),
        ("X:1\nT:A\nK:C\nA>", "a note is missing after < or >"),
        ("X:1\nT:A\nK:C\n>A", "a note is missing before >"),
        ("X:1\nT:A\nK:C\nA0", "the length '0' must be above 0"),
    ],
)
def test_what_is_no_tune_is_refused_in_one_line(text, message):
    with pytest.raises(AbcError, match=message) as caught:
        read_tune(text)
    assert "\n" not in str(caught.value)


def test_empty_lines_separate_tunes():
    assert split_tunes("X:1\nA\n\n\nX:2\nB\n \nX:3\n") == ["X:1\nA", "X:2\nB", "X:3"]
    assert split_tunes(" \n\n") == []
