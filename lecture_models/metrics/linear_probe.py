"""Measures what a linear classifier can read from features."""

import numpy as np
from jaxtyping import Float, Int

Features = Float[np.ndarray, "_ feature"]
Targets = Int[np.ndarray, "_ ..."]

SVM_COSTS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


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


def chosen_svm_error(
    train: Features,
    train_labels: Targets,
    validation: Features,
    validation_labels: Targets,
    test: Features,
    test_labels: Targets,
) -> float:
    """Returns the share of test examples that a linear support vector machine gets wrong.

    The penalty is the best of five on the validation examples. All features are divided by one
    number, the root of the mean square of the training features.

    Args:
        train: features of the training examples.
        train_labels: their classes, two or more.
        validation: features of the examples on which the penalty is chosen.
        validation_labels: their classes.
        test: features of the test examples.
        test_labels: their classes.

    Returns:
        The share, from 0 to 1. Radford et al., 2016, section 5 (squared hinge loss, one against all
        others).
    """
    from sklearn.svm import LinearSVC

    center, scale = train.mean(0, keepdims=True), np.sqrt(np.mean(np.square(train)))
    train, validation, test = ((part - center) / scale for part in (train, validation, test))
    machines = [
        LinearSVC(C=cost, dual="auto", random_state=0, tol=1e-3, max_iter=5_000).fit(
            train, train_labels
        )
        for cost in SVM_COSTS
    ]
    best = max(machines, key=lambda machine: machine.score(validation, validation_labels))
    return float(1.0 - best.score(test, test_labels))
