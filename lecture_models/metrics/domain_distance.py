"""Measures how far apart the features of two domains are."""

import numpy as np
from jaxtyping import Float

Features = Float[np.ndarray, "_ feature"]


def proxy_a_distance(source: Features, target: Features, seed: int = 0) -> float:
    """Returns 2 (1 - 2 e), where e is the error of a linear classifier that tells the domains.

    A support vector machine learns the domain from one half of each, and e is its error on the
    other half. Features are standardized by the first halves.

    Args:
        source: features of the source domain, four rows or more.
        target: features of the target domain, likewise.
        seed: from which the halves are drawn.

    Returns:
        From 0, where the domains cannot be told apart, to 2. Noise can make it slightly negative.
        Ben-David et al., 2010, A theory of learning from different domains, section 4.

    Raises:
        ValueError: a domain has fewer than four rows.
    """
    from sklearn.svm import LinearSVC

    if min(len(source), len(target)) < 4:
        raise ValueError(f"{len(source)} and {len(target)} rows; each domain needs at least 4")
    draw = np.random.default_rng(seed)
    halves: list[list[np.ndarray]] = [[], []]
    for features in (source, target):
        order = draw.permutation(len(features))
        for half, rows in zip(halves, np.array_split(order, 2), strict=True):
            half.append(features[rows])
    (train, test), (answers, truth) = (
        [np.concatenate(half) for half in halves],
        [np.repeat([0, 1], [len(part) for part in half]) for half in halves],
    )
    center, scale = train.mean(0, keepdims=True), np.maximum(train.std(0, keepdims=True), 1e-6)
    machine = LinearSVC(C=1e-2, dual="auto", random_state=0, max_iter=5_000)
    machine.fit((train - center) / scale, answers)
    error = 1.0 - machine.score((test - center) / scale, truth)
    return float(2.0 * (1.0 - 2.0 * error))
