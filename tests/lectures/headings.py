"""Finds the titles of the slides in the texts of the lectures; each text has a form of its own."""

import itertools
import re

# Titles of lecture 004; the bullet that follows a title tells its slides apart.
_TITLES = {
    *("Outline", "Review: Perceptron", "Review: ANN", "Deep Learning", "Deep Learning: History"),
    *("Convolutional Neural Network", "Recurrent Neural Network", "Deep Generative Models"),
    *("Autoencoder", "Generative Adversarial Networks", "Readings"),
}
# Lines of lecture 003 that look like titles: steps of a list, and the end of a sentence.
_NOTES = re.compile(r"\d\. (Forward|Backprop|Make|Update)|Likelihood|.*[:.]$|.*, (CVPR|ICLR) \d+$")


def headings(number: str, text: str) -> list[tuple[str, int]]:
    """Returns the title of each slide and on how many slides in a row it stands."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    titles = _FORMS[number](lines)
    return [(title, len(list(group))) for title, group in itertools.groupby(titles)]


def _markdown(lines: list[str]) -> list[str]:
    titles = [line.lstrip("# ").replace("**", "") for line in lines if re.match(r"#{1,2} ", line)]
    # Not a comment in a program, and not the name of a conference below a title.
    return [title for title in titles if title[0].isupper()]


def _numbered(lines: list[str]) -> list[str]:
    return [line for line in lines if re.match(r"\d\d\. ", line)]


def _notes(lines: list[str]) -> list[str]:
    return [
        line
        for line in lines
        if re.fullmatch(r"(\d\. )?[A-Z2][ -~]*", line.replace("2. v", "2. V"))
        and len(line.split()) <= 8
        and not _NOTES.match(line)
        and not re.search(r"[$\\{}]", line)
    ]


def _with_bullets(lines: list[str]) -> list[str]:
    found = []
    for line, following in itertools.pairwise([*lines, ""]):
        if line in _TITLES:
            bullet = re.match(r"[-■] (.+)", following)
            found.append(f"{line} / {bullet[1]}" if bullet else line)
    return found


_FORMS = {
    "000": _markdown,
    "001": _markdown,
    "002": _numbered,
    "003": _notes,
    "004": _with_bullets,
}
