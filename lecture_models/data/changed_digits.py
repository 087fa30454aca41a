"""Makes two domains of digits whose pairs are known: white ones on black, and changed ones.

A split has `pixels`, uint8 RGB, (example, 28, 28, 3), `labels`, the domain, 0 or 1, and `digits`.
Training and validation pictures are no pairs: each domain has digits of its own. Test pictures are
pairs: the second half of the test split shows the digits of the first half, changed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lecture_models.data import digits, mnist
from lecture_models.data.dataset import DataAbsentError, Dataset, Split
from lecture_models.data.pixels import uint8_from_images

Pictures = UInt8[np.ndarray, "picture side side 3"]

# At most so many of each domain.
NUM_TRAIN, NUM_VALIDATION, NUM_TEST = 2_000, 200, 500
INK, PAPER = (1.0, 0.85, 0.1), (0.05, 0.1, 0.45)  # Yellow on dark blue, as shares of 255.


def inverted(pictures: Pictures) -> Pictures:
    """Returns black digits on white."""
    return 255 - pictures


def colored(pictures: Pictures) -> Pictures:
    """Returns yellow digits on dark blue."""
    shares = pictures.astype(np.float32) / 255.0
    ink, paper = (np.array(color, np.float32)[None, None, None] for color in (INK, PAPER))
    return np.rint(255.0 * (paper + shares * (ink - paper))).astype(np.uint8)


def turned(pictures: Pictures) -> Pictures:
    """Returns digits that lie on their side, turned to the left by 90 degrees."""
    return np.ascontiguousarray(np.rot90(pictures, axes=(1, 2)))


def thickened(pictures: Pictures) -> Pictures:
    """Returns digits whose strokes are wider by one pixel at each side."""
    from scipy.ndimage import grey_dilation

    return grey_dilation(pictures, (1, 3, 3, 1))


CHANGES: Mapping[str, Callable[[Pictures], Pictures]] = {
    f"digits_{change.__name__}": change for change in (inverted, colored, turned, thickened)
}


def read(name: str, data_dir: Path) -> Dataset:
    """Returns digits of MNIST, or else those that scikit-learn ships, and changed ones.

    Args:
        name: one of `CHANGES`.
        data_dir: the data folder.

    Raises:
        DataAbsentError: neither data set is there.
        DataError: files of MNIST are damaged.
    """
    try:
        dataset = mnist.read(mnist.MNIST, data_dir)
    except DataAbsentError:
        dataset = digits.read()
    change = CHANGES[name]
    provenance = dataset.provenance._replace(
        dataset=name, note=f"digits of {dataset.provenance.dataset}, changed here"
    )
    return Dataset(
        _apart(dataset.train, NUM_TRAIN, change),
        _apart(dataset.validation, NUM_VALIDATION, change),
        _in_pairs(dataset.test, NUM_TEST, change),
        ("digits", f"{change.__name__} digits"),
        provenance,
    )


def _color(split: Split) -> Pictures:
    return np.repeat(uint8_from_images(split.images), 3, axis=-1)


def _apart(split: Split, most: int, change: Callable) -> Split:
    """Returns every other digit as it is, and the others changed."""
    count = min(most, len(split) // 2)
    chosen = split.select(slice(2 * count))
    pictures, labels = _color(chosen), chosen.labels
    return _split(pictures[::2], change(pictures[1::2]), labels[::2], labels[1::2])


def _in_pairs(split: Split, most: int, change: Callable) -> Split:
    chosen = split.select(slice(most))
    pictures = _color(chosen)
    return _split(pictures, change(pictures), chosen.labels, chosen.labels)


def _split(first: Pictures, second: Pictures, of_first, of_second) -> Split:
    return Split(
        {
            "pixels": np.concatenate([first, second]),
            "labels": np.repeat([0, 1], [len(first), len(second)]).astype(np.int32),
            "digits": np.concatenate([of_first, of_second]),
        }
    )
