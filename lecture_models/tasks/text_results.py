"""Explains texts by their words, and classifies test texts by counting words."""

import functools

import jax
import numpy as np

from lecture_models.attribution.words import word_contributions
from lecture_models.data.words import number_words
from lecture_models.evaluators.text_classification import Judged, colored_words, heading
from lecture_models.experiment import Images
from lecture_models.linear.bag_of_words import logistic_regression
from lecture_models.metrics.classification import confusion_matrix
from lecture_models.metrics.macro_scores import SCORES
from lecture_models.models.text_classifier import TextClassifier
from lecture_models.steps.descent import Params
from lecture_models.tasks.text_folds import TEST, TRAIN, VALIDATION, TextFolds

ROWS, TIME = 12, 20  # Texts and words are padded to multiples of these.


def explain(
    model: TextClassifier, params: Params, folds: TextFolds, texts: list[list[str]]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns the logits of texts by the first fold's network, and what each word contributes."""
    first = jax.tree.map(lambda array: array[0], params)
    tokens = number_words(texts, folds.vocabulary)
    # Few shapes, so that few programs are compiled.
    rows, time = (
        -(-size // step) * step
        for size, step in zip((len(texts), int(tokens.lengths.max())), (ROWS, TIME), strict=True)
    )
    padded = np.zeros((rows, time), np.int32)
    padded[: len(texts)] = tokens.padded(time)
    padded = np.where(folds.known[0][padded], padded, 0)
    lengths = np.ones(rows, np.int32)
    lengths[: len(texts)] = tokens.lengths
    logits, contributions = map(np.asarray, _explain(model, first, padded, lengths))
    return logits[: len(texts)], [
        row[: len(words)] for row, words in zip(contributions, texts, strict=False)
    ]


@functools.partial(jax.jit, static_argnames="model")
def _explain(model: TextClassifier, params: Params, tokens, lengths):
    variables = {"params": params}

    def classify(embedded):
        return model.apply(variables, embedded, lengths, method="classify")

    embedded = model.apply(variables, tokens, method="embed")
    logits = classify(embedded)
    return logits, word_contributions(classify, embedded, logits.argmax(-1))


def word_picture(
    model: TextClassifier,
    params: Params,
    folds: TextFolds,
    texts: list[list[str]],
    labels: np.ndarray | None = None,
) -> Images:
    """Returns the picture of texts whose words are colored by what they contribute.

    Args:
        model: the network.
        params: the parameters of all folds.
        folds: what the folds know.
        texts: texts cut into words.
        labels: their classes; None if they are not known.
    """
    logits, contributions = explain(model, params, folds, texts)
    labels = [None] * len(texts) if labels is None else [int(label) for label in labels]
    headings = [
        heading(row, folds.classes, label) for row, label in zip(logits, labels, strict=True)
    ]
    return colored_words(texts, contributions, headings)


def counting_baselines(
    folds: TextFolds, judged: Judged, metric: str, balanced: bool
) -> dict[str, Judged]:
    """Returns the test texts as classified by counting words, and by the most frequent class.

    Args:
        folds: the texts.
        judged: the test texts of all folds.
        metric: the name of the score by which the penalty is chosen on validation texts.
        balanced: whether all classes weigh the same.
    """
    count = len(folds.classes)

    def score(labels, predictions):
        return float(SCORES[metric](confusion_matrix(labels, predictions, count)))

    counted, frequent = [], []
    for fold in range(len(folds)):
        train, validation, test = (folds.labeled(fold, part) for part in (TRAIN, VALIDATION, TEST))
        counted.append(logistic_regression(train, validation, test[0], score, balanced))
        most = np.bincount(train[1], minlength=count).argmax()
        frequent.append(np.tile(np.eye(count)[most], (len(test[0]), 1)))
    return {
        "logistic regression on TF-IDF of words and pairs": judged._replace(
            logits=np.concatenate(counted)
        ),
        "the most frequent training class": judged._replace(logits=np.concatenate(frequent)),
    }
