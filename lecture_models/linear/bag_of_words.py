"""Classifies texts by which words and pairs of words they have, regardless of their order."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64, Int

Texts = Sequence[Sequence[str]]
Labels = Int[np.ndarray, " _"]

STRENGTHS = (0.3, 1.0, 3.0, 10.0)  # Inverse weights of the L2 penalty that are tried.
LEAST_TEXTS = 2  # Training texts that a word or a pair must be in.


def logistic_regression(
    train: tuple[Texts, Labels],
    validation: tuple[Texts, Labels],
    test: Texts,
    score: Callable[[Labels, Labels], float],
    balanced: bool,
) -> Float64[np.ndarray, "_ class"]:
    """Trains logistic regression on TF-IDF of words and of pairs of neighbors, by scikit-learn.

    Args:
        train: texts cut into words, and their classes.
        validation: further texts and classes, on which the penalty is chosen.
        test: the texts to classify.
        score: maps true and predicted classes to a number; higher is better.
        balanced: whether each class weighs as much as any other.

    Returns:
        The log-probabilities of the classes of each test text.
    """
    import threadpoolctl
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(analyzer=_words_and_pairs, min_df=LEAST_TEXTS, sublinear_tf=True)
    features = vectorizer.fit_transform(train[0])
    held_out = vectorizer.transform(validation[0])
    weights = "balanced" if balanced else None
    with threadpoolctl.threadpool_limits(1, user_api="blas"):  # More threads wait for each other.
        models = [
            LogisticRegression(C=strength, class_weight=weights, max_iter=1_000, tol=1e-3).fit(
                features, train[1]
            )
            for strength in STRENGTHS
        ]
    chosen = max(models, key=lambda model: score(validation[1], model.predict(held_out)))
    return chosen.predict_log_proba(vectorizer.transform(test)).astype(np.float64)


def _words_and_pairs(words: Sequence[str]) -> list[str]:
    return [*words, *(" ".join(pair) for pair in itertools.pairwise(words))]
