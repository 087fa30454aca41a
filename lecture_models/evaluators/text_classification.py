"""Shows how texts are classified: scores, confusion, words in color, and confident errors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Int64

from lecture_models.experiment import DataTable, Evaluation, Images
from lecture_models.metrics.calibration import expected_calibration_error, reliability
from lecture_models.metrics.classification import confusion_matrix
from lecture_models.metrics.macro_scores import SCORES
from lecture_models.plots.colored_text import colored_text
from lecture_models.plots.confusion import confusion_plot
from lecture_models.plots.reliability import reliability_plot

COLUMNS = 100  # Characters in a line of colored words.
ERRORS = 20  # Confident errors in the table.


class Judged(NamedTuple):
    """Holds texts that networks have classified, those of all folds one after the other.

    Attributes:
        texts: the texts, cut into words.
        labels: their classes.
        logits: their logits, each from the network of its fold.
        folds: the number of the fold of each text.
    """

    texts: Sequence[Sequence[str]]
    labels: Int[np.ndarray, " text"]
    logits: Float[np.ndarray, "text class"]
    folds: Int[np.ndarray, " text"]

    @property
    def predictions(self) -> Int[np.ndarray, " text"]:
        return self.logits.argmax(axis=1)

    @property
    def confusions(self) -> Int64[np.ndarray, "fold true predicted"]:
        """Counts the texts of each fold by class and predicted class."""
        rows = [self.folds == fold for fold in range(self.folds.max() + 1)]
        predictions, count = self.predictions, self.logits.shape[1]
        return np.stack(
            [confusion_matrix(self.labels[row], predictions[row], count) for row in rows]
        )


def percentages(judged: Judged) -> dict[str, float]:
    """Computes accuracy, macro recall and macro F1.

    Args:
        judged: the texts.

    Returns:
        By name, the mean over the folds in percent; higher is better.
    """
    confusions = judged.confusions
    return {name: 100.0 * float(score(confusions).mean()) for name, score in SCORES.items()}


def score_percent(judged: Judged, metric: str) -> Float[np.ndarray, " fold"]:
    """Computes one score of each fold.

    Args:
        judged: the texts.
        metric: a name of `SCORES`.

    Returns:
        The scores in percent.
    """
    return 100.0 * np.asarray(SCORES[metric](judged.confusions))


def pictures(judged: Judged, classes: tuple[str, ...], name: str) -> Evaluation:
    """Draws the confusion matrix and the reliability diagram.

    Args:
        judged: the texts; those of all folds are counted together.
        classes: the names of the classes.
        name: the part's name, which begins the names of the pictures.

    Returns:
        The two pictures by name.
    """
    confusion = confusion_plot(judged.confusions.sum(axis=0), classes, "texts")
    bins = reliability(judged.logits, judged.labels)
    diagram = reliability_plot(*bins, expected_calibration_error(bins), "texts")
    return {
        f"{name}_confusion": Images(
            confusion[None], 1, f"{name} texts: rows are true classes, columns predicted ones"
        ),
        f"{name}_reliability": Images(
            diagram[None], 1, f"{name} texts: accuracy by confidence, below it the share of texts"
        ),
    }


def confident_errors(judged: Judged, classes: tuple[str, ...]) -> DataTable:
    """Lists the errors of the highest probability.

    Args:
        judged: the texts.
        classes: the names of the classes.

    Returns:
        A table with at most `ERRORS` rows, the most confident first.
    """
    predictions = judged.predictions
    confidence = np.exp(judged.logits - _log_sum(judged.logits)[:, None]).max(axis=1)
    wrong = np.flatnonzero(predictions != judged.labels)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:ERRORS]
    rows = tuple(
        (
            round(float(confidence[text]), 3),
            classes[predictions[text]],
            classes[judged.labels[text]],
            " ".join(judged.texts[text]),
        )
        for text in order
    )
    names = ("probability", "predicted class", "class of the data", "words")
    return DataTable(names, rows, "the errors of the highest probability")


def colored_words(
    texts: Sequence[Sequence[str]],
    contributions: Sequence[Float[np.ndarray, " word"]],
    headings: Sequence[str],
) -> Images:
    """Draws texts whose words are colored by what they contribute to the predicted class.

    Args:
        texts: texts cut into words.
        contributions: one number for each word.
        headings: a line above each text.

    Returns:
        A picture; in each text the color of the largest contribution is full.
    """
    shown, values = [], []
    for words, numbers, heading in zip(texts, contributions, headings, strict=True):
        largest = max(float(np.abs(numbers).max()), 1e-9)
        shown.append(heading + "\n")
        values.append(np.zeros(len(heading) + 1))
        place = 0
        for word, number in zip(words, numbers, strict=True):
            piece = word[: COLUMNS - 2] + " "
            if place + len(piece) >= COLUMNS:  # A word is not broken at the end of a line.
                shown.append("\n")
                values.append(np.zeros(1))
                place = 0
            shown.append(piece)
            values.append(np.r_[np.full(len(piece) - 1, number / largest), 0.0])
            place += len(piece)
        shown.append("\n\n")
        values.append(np.zeros(2))
    text = "".join(shown).rstrip("\n")
    rows = 3 * len(texts) + sum(map(len, shown)) // 40
    picture = colored_text(text, np.concatenate(values)[: len(text)], COLUMNS, rows)
    caption = (
        "words by gradient x input: orange speaks for the predicted class, blue against it; in "
        "each text the strongest word has the full color"
    )
    return Images(picture[None], 1, caption)


def heading(
    logits: Float[np.ndarray, " class"], classes: tuple[str, ...], label: int | None
) -> str:
    """Formats the predicted class of a text in one line.

    Args:
        logits: the logits of the text.
        classes: the names of the classes.
        label: its class; None if it is not known.

    Returns:
        Such as "[positive 0.93; in the data neutral]".
    """
    probabilities = np.exp(logits - _log_sum(logits[None])[0])
    best = int(logits.argmax())
    truth = "" if label is None else f"; in the data {classes[label]}"
    return f"[{classes[best]} {probabilities[best]:.2f}{truth}]"


def _log_sum(logits: Float[np.ndarray, "text class"]) -> Float[np.ndarray, " text"]:
    return np.logaddexp.reduce(logits.astype(np.float64), axis=1)
