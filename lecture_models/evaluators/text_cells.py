"""Finds the cells of a language model that track something a reader of the text can see."""

import re
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64

# Between double quotes; or from a single quote before a capital to one after a word or a mark,
# within one paragraph. 'Tis, 'Twas, 'Twere and 'Twill open nothing.
_QUOTED = re.compile(
    r'["“](?:(?!\n\n)[^"”]){1,600}["”]'
    r"|(?<!\w)'(?!T(?:is|was|were|will)\b)(?=[A-Z])(?:(?!\n\n).){1,400}?[\w.,;:!?-]'(?!\w)",
    re.DOTALL,
)
_SPEAKER = re.compile(r"(?:^|(?<=\n\n))[^\n:]{1,40}:", re.MULTILINE)


class TrackingCell(NamedTuple):
    """Describes the cell whose state follows a property of the text most closely.

    Attributes:
        name: the property in words.
        feature: the number of the cell.
        chosen: its correlation with the property where it was chosen.
        correlation: its correlation with the property on another text.
    """

    name: str
    feature: int
    chosen: float
    correlation: float


def text_properties(text: str) -> dict[str, Float64[np.ndarray, " character"]]:
    """Returns what the cells are compared with, after each character.

    Args:
        text: the text.

    Returns:
        By name: the place in the line, whether a quotation is open, whether the character belongs
        to the name of a speaker at the beginning of a paragraph, and the place in the word.
    """
    return {
        "place in the line": _since(text, "\n"),
        "inside a quotation": _within(_QUOTED, text),
        "inside a speaker's name": _within(_SPEAKER, text),
        "place in the word": _since(text, None),
    }


def tracking_cells(
    chosen_on: tuple[Float32[np.ndarray, "character feature"], str],
    reported_on: tuple[Float32[np.ndarray, "other feature"], str],
) -> tuple[TrackingCell, ...]:
    """Finds the best cell for each property; it is chosen on one text and reported on another.

    Args:
        chosen_on: the states after each character of a text, and the text.
        reported_on: the same for another text.

    Returns:
        A cell for each property that varies in both texts, best first.
    """
    chosen = text_properties(chosen_on[1])
    reported = text_properties(reported_on[1])
    cells = []
    for name in chosen:
        if np.ptp(chosen[name]) == 0.0 or np.ptp(reported[name]) == 0.0:
            continue
        scores = _correlations(chosen_on[0], chosen[name])
        feature = int(np.abs(scores).argmax())
        other = _correlations(reported_on[0][:, feature : feature + 1], reported[name])
        cells.append(TrackingCell(name, feature, float(scores[feature]), float(other[0])))
    return tuple(sorted(cells, key=lambda cell: -abs(cell.correlation)))


def _since(text: str, mark: str | None) -> Float64[np.ndarray, " character"]:
    """Counts the characters since `mark`, or since the last one that is not a letter."""
    counts, count = np.zeros(len(text)), 0
    for place, character in enumerate(text):
        ends = character == mark if mark else not character.isalpha()
        count = 0 if ends else count + 1
        counts[place] = count
    return counts


def _within(pattern: re.Pattern[str], text: str) -> Float64[np.ndarray, " character"]:
    """Returns 1 at the characters of a match but its last, after which it is over, and else 0."""
    inside = np.zeros(len(text))
    for match in pattern.finditer(text):
        inside[match.start() : match.end() - 1] = 1.0
    return inside


def _correlations(
    states: Float32[np.ndarray, "character feature"], values: Float64[np.ndarray, " character"]
) -> Float64[np.ndarray, " feature"]:
    centered = states - states.mean(axis=0, keepdims=True, dtype=np.float64)
    deviation = values - values.mean()
    scale = np.sqrt(np.square(centered).sum(axis=0) * np.square(deviation).sum())
    return (deviation[:, None] * centered).sum(axis=0) / np.maximum(scale, 1e-12)
