"""Measures what a linear classifier can read from features."""

import numpy as np
from jaxtyping import Float, Int

Features = Float[np.ndarray, "_ feature"]
Targets = Int[np.ndarray, "_ ..."]


def probe_accuracy(
    train: Features,
    train_targets: Targets,
    test: Features,
    test_targets: Targets,
    penalty: float = 10.0,
) -> float:
    """Returns the balanced accuracy of a linear probe on test examples.

    The probe is scikit-learn's least-squares classifier on features that are standardized by the
    training examples.

    Args:
        train: features of the training examples.
        train_targets: their classes, (example,), or the answers to several questions,
            (example, question), for each of which there is a probe.
        test: features of the test examples.
        test_targets: their classes or answers.
        penalty: the weight of the squared weights of the probe.

    Returns:
        The accuracy, averaged over classes and over questions. Guessing gives 1 divided by the
        number of classes. Alain and Bengio, 2016.
    """
    from sklearn.linear_model import RidgeClassifier

    mean, deviation = train.mean(0, keepdims=True), train.std(0, keepdims=True)
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    train, test = (train - mean) / scale, (test - mean) / scale
    columns = np.reshape(train_targets, (len(train), -1)).T
    truths = np.reshape(test_targets, (len(test), -1)).T
    scores = []
    for answers, truth in zip(columns, truths, strict=True):
        probe = RidgeClassifier(penalty, class_weight="balanced").fit(train, answers)
        is_right = probe.predict(test) == truth
        scores.append(np.mean([is_right[truth == answer].mean() for answer in np.unique(truth)]))
    return float(np.mean(scores))
