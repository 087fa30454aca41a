"""Reads tunes in ABC notation: notes, bars, and whether each bar has the length of the meter.

It reads what folk tunes use: fields, notes with accidentals, octaves and lengths, rests, chords,
tuplets, broken rhythm, ties, bar lines, repeats and endings. Grace notes, slurs, chord symbols and
decorations are read and have no effect. Repeats are not played twice. Source: the ABC music
standard 2.1, abcnotation.com/wiki/abc:standard:v2.1.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from lecture_models.data.notes import Note

_FIELD = re.compile(r"([A-Za-z]):(.*)")
_TOKEN = re.compile(
    r"""(?P<skip>[ \t\\`)~.\-y]|"[^"]*"|![A-Za-z]+!|!|\{[^}]*\}|[HLMPSTuv](?=[\^_=A-Ga-g~(\[])|%.*)
    |\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]
    |(?P<bar>:*\[?\|[\]:|]*[1-9]?|::+[1-9]?|\[[1-9](?:[,-][1-9])*)
    |\((?P<tuplet>[2-9])(?::(?P<time>[1-9]?))?(?::(?P<count>[1-9]?))?
    |(?P<slur>\()
    |\[(?P<chord>(?:[\^_=]*[A-Ga-g][,']*[\d/]*)+)\](?P<chord_length>[\d/]*)
    |(?P<note>(?:\^{1,2}|_{1,2}|=)?[A-Ga-g][,']*)(?P<length>[\d/]*)
    |(?P<rest>[zx])(?P<rest_length>[\d/]*)
    |(?P<broken><{1,3}|>{1,3})""",
    re.VERBOSE,
)
_NOTE = re.compile(r"(\^{1,2}|_{1,2}|=)?([A-Ga-g])([,']*)")
_LENGTH = re.compile(r"(\d*)(/*)(\d*)")
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
_FIFTHS = "FCGDAEB"  # Sharps come in this order, flats in the reverse one.
# By how many sharps a mode differs from the major key of the same first note.
_MODES = {"maj": 0, "ion": 0, "lyd": 1, "mix": -1, "dor": -2, "min": -3, "aeo": -3, "phr": -4}
_MODES |= {"": 0, "m": -3, "loc": -5}
# How many notes' time a tuplet of so many notes takes; 5, 7 and 9 depend on the meter.
_TUPLET_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_MOST_DIGITS = 4


class AbcError(ValueError):
    """Says in one line why a text is not a tune."""


class Bar(NamedTuple):
    """Describes a bar.

    Attributes:
        length: the sum of its notes and rests, in whole notes.
        meter: what it should be; None without a meter.
        inner: False for a bar at the beginning or end of a part, where a repeat or a double line
            allows it to be incomplete.
    """

    length: Fraction
    meter: Fraction | None
    inner: bool

    @property
    def is_full(self) -> bool:
        """Tells whether the bar has the length of the meter."""
        return self.length == self.meter


class Tune(NamedTuple):
    """Holds what was read.

    Attributes:
        title: the first title.
        notes: their times are in whole notes.
        bars: all bars that have notes or rests.
    """

    title: str
    notes: tuple[Note, ...]
    bars: tuple[Bar, ...]


def split_tunes(text: str) -> list[str]:
    """Returns the tunes of a text, which are separated by empty lines."""
    return [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]


def read_tune(text: str) -> Tune:
    """Returns a tune.

    Args:
        text: lines; fields of one letter come first, `X:` the first and `K:` the last of them.

    Raises:
        AbcError: a field is missing or cannot be read, a character has no meaning, a tuplet or a
            broken rhythm lacks notes, or there is no note at all.
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith("X:"):
        raise AbcError("a tune must begin with the field X:")
    reader = _Reader()
    title = ""
    for number, line in enumerate(lines[1:], 2):
        field = _FIELD.match(line)
        if field:
            name, value = field[1], field[2].strip()
            title = title or (value if name == "T" else "")
            reader.read_field(name, value)
        elif reader.key is None:
            raise AbcError(
                f"line {number} is {line[:20]!r}; the field K: must come before the music"
            )
        else:
            reader.read_line(line, number)
    if not title:
        raise AbcError("there is no title, field T:")
    reader.end()
    return Tune(title, tuple(reader.notes), tuple(reader.bars))


def read_length(text: str) -> Fraction:
    """Returns the factor of a length: "" is 1, "2" is 2, "/" is 1/2, "3/2" is 3/2.

    Raises:
        AbcError: it is 0, divides by 0, or is of another form.
    """
    match = _LENGTH.fullmatch(text)
    if not match or len(text) > _MOST_DIGITS + 2:
        raise AbcError(f"the length {text!r} must be a number, a fraction, or / for a half")
    above, slashes, below = match.groups()
    divisor = int(below) if below else 2 ** len(slashes)
    if divisor == 0 or (above and int(above) == 0) or (len(slashes) > 1 and below):
        raise AbcError(f"the length {text!r} must be above 0 and finite")
    return Fraction(int(above or 1), divisor)


def read_meter(text: str) -> Fraction | None:
    """Returns the length of a bar in whole notes: 6/8, C for 4/4, C| for 2/2; None for "none".

    Raises:
        AbcError: it is of another form.
    """
    value = {"C": "4/4", "C|": "2/2", "none": ""}.get(text, text)
    if not value:
        return None
    if not (match := re.fullmatch(r"([1-9]\d?)/([1-9]\d?)", value)):
        raise AbcError(f"the meter is {text!r}; it must be as 6/8, C, C| or none")
    return Fraction(int(match[1]), int(match[2]))


def read_key(text: str) -> dict[str, int]:
    """Returns by how many semitones each note of a key is raised or lowered, by its letter.

    Raises:
        AbcError: it is not as "D Major", "Am", "F# Minor" or "G mix".
    """
    match = re.match(r"([A-G])([#b]?)\s*([A-Za-z]*)", text)
    mode = match[3].lower()[:3] if match else ""
    if not match or mode not in _MODES:
        raise AbcError(f"the key is {text!r}; it must be as D Major, Am, F# Minor or G mix")
    sharps = _FIFTHS.index(match[1]) - 1 + 7 * {"#": 1, "b": -1, "": 0}[match[2]] + _MODES[mode]
    letters = _FIFTHS if sharps > 0 else _FIFTHS[::-1]
    sign = 1 if sharps > 0 else -1
    altered = dict.fromkeys("ABCDEFG", 0)
    for place in range(abs(sharps)):
        altered[letters[place % 7]] += sign
    return altered


class _Reader:
    """Walks through the music of a tune."""

    def __init__(self):
        self.notes: list[Note] = []
        self.bars: list[Bar] = []
        self.key: dict[str, int] | None = None
        self._meter: Fraction | None = Fraction(1)
        self._unit: Fraction | None = None
        self._now = Fraction(0)
        self._bar_start = Fraction(0)
        self._begins_part = True
        self._in_bar: dict[tuple[str, int], int] = {}  # Accidentals last to the end of the bar.
        self._tuplet = (Fraction(1), 0)  # The factor of lengths, and how many notes are left.
        self._last: tuple[int, Fraction] | None = None  # Where the last note's notes begin.
        self._pending = Fraction(1)  # What a broken rhythm does to the next note.
        self._tied = False

    def read_field(self, name: str, value: str) -> None:
        if name == "K":
            self.key = read_key(value)
        elif name == "M":
            self._meter = read_meter(value)
        elif name == "L":
            self._unit = read_meter(value)

    def read_line(self, line: str, number: int) -> None:
        place = 0
        while place < len(line):
            match = _TOKEN.match(line, place)
            if not match or match.end() == place:
                raise AbcError(
                    f"line {number}: {line[place]!r} at place {place + 1} has no meaning"
                )
            self._read_token(
                {name: text for name, text in match.groupdict().items() if text}, match
            )
            place = match.end()

    def end(self) -> None:
        """Ends the last bar; refuses what is not complete."""
        self._end_bar("||")
        if self._tuplet[1]:
            raise AbcError(f"a tuplet lacks {self._tuplet[1]} notes")
        if self._pending != 1:
            raise AbcError("a note is missing after < or >")
        if not self.notes:
            raise AbcError("there are no notes")

    def _read_token(self, groups: dict[str, str], match: re.Match) -> None:
        if "skip" in groups or "slur" in groups:
            self._tied = self._tied or match[0] == "-"
        elif "field" in groups:
            self.read_field(groups["field"], groups.get("value", "").strip())
        elif "bar" in groups:
            self._end_bar(groups["bar"])
        elif "tuplet" in groups:
            self._begin_tuplet(groups)
        elif "broken" in groups:
            self._break_rhythm(groups["broken"])
        elif "rest" in groups:
            self._advance([], groups.get("rest_length", ""))
        elif "chord" in groups:
            found = [self._pitch(note) for note in _NOTE.finditer(groups["chord"])]
            self._advance(found, groups.get("chord_length", ""))
        else:
            self._advance([self._pitch(_NOTE.match(groups["note"]))], groups.get("length", ""))

    def _pitch(self, match: re.Match) -> int:
        accidental, letter, marks = match.groups()
        octave = (1 if letter.islower() else 0) + marks.count("'") - marks.count(",")
        name = letter.upper()
        if accidental:
            self._in_bar[name, octave] = _ACCIDENTALS[accidental]
        altered = self._in_bar.get((name, octave), self.key[name])
        return 60 + _SEMITONES[name] + 12 * octave + altered

    def _advance(self, pitches: list[int], length: str) -> None:
        """Adds notes of one length, or a rest if there are none, and moves on."""
        factor, left = self._tuplet
        unit = self._unit or Fraction(1, 8)
        duration = unit * read_length(length) * self._pending * (factor if left else 1)
        self._tuplet, self._pending = (factor, max(left - 1, 0)), Fraction(1)
        self._last = (len(self.notes), self._now)
        for pitch in pitches:
            self._add(pitch, duration)
        self._tied = False
        self._now += duration

    def _add(self, pitch: int, duration: Fraction) -> None:
        end = self._now + duration
        last = self.notes[-1] if self.notes else None
        if self._tied and last and last.pitch == pitch and last.end == float(self._now):
            self.notes[-1] = last._replace(end=float(end))
        else:
            self.notes.append(Note(float(self._now), float(end), pitch))

    def _break_rhythm(self, signs: str) -> None:
        """Makes the note before the signs longer and the next one shorter, or the reverse."""
        if self._last is None or self._now == self._bar_start:
            raise AbcError(f"a note is missing before {signs}")
        shorter = Fraction(1, 2 ** len(signs))
        before, self._pending = (
            (2 - shorter, shorter) if signs[0] == ">" else (shorter, 2 - shorter)
        )
        first, start = self._last
        self._now = start + before * (self._now - start)
        for place in range(first, len(self.notes)):
            self.notes[place] = self.notes[place]._replace(end=float(self._now))

    def _begin_tuplet(self, groups: dict[str, str]) -> None:
        if self._tuplet[1]:
            raise AbcError(f"a tuplet lacks {self._tuplet[1]} notes")
        size = int(groups["tuplet"])
        compound = self._meter is not None and self._meter.numerator % 3 == 0
        time = int(groups.get("time") or _TUPLET_TIMES.get(size, 3 if compound else 2))
        self._tuplet = (Fraction(time, size), int(groups.get("count") or size))

    def _end_bar(self, line: str) -> None:
        ends_part = line.strip("123456789,-[") != "|"
        if self._now > self._bar_start:
            inner = not (self._begins_part or ends_part)
            self.bars.append(Bar(self._now - self._bar_start, self._meter, inner))
        if self._now > self._bar_start or ends_part:
            self._begins_part = ends_part
        self._bar_start = self._now
        self._in_bar.clear()
