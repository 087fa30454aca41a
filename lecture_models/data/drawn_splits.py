"""Draws the splits of data sets whose pictures are made by a rule."""

from collections.abc import Callable

import numpy as np

from lecture_models.data.dataset import Split


def draw_splits(
    seed: int,
    sizes: tuple[int, int, int],
    draw: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]],
    make_split: Callable[[np.ndarray, np.ndarray], Split],
) -> list[Split]:
    """Returns the three splits, the same for the same seed.

    Args:
        seed: from which all examples are drawn, one after another.
        sizes: the number of examples of each split.
        draw: draws one example, a picture and its truth.
        make_split: makes a split of pictures and truths, each stacked.
    """
    generator = np.random.default_rng(seed)
    splits = []
    for size in sizes:
        examples = [draw(generator) for _ in range(size)]
        splits.append(make_split(*(np.stack(part) for part in zip(*examples, strict=True))))
    return splits
