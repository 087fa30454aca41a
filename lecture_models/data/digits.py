"""Scikit-learn's 1,797 handwritten digits of 8x8, resized: what runs with no file and no network.

The test half of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998, UCI).
"""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from lecture_models.data.dataset import DataAbsentError, Dataset, Provenance, Split
from lecture_models.data.pixels import symmetric

_NUM_TRAIN, _NUM_VALIDATION = 1_197, 300  # The remaining 300 are the test split.


def read(size: int = 28) -> Dataset:
    """The digits at `size` x `size`, split by index into 1,197, 300 and 300.

    Raises DataAbsentError where scikit-learn is not installed.
    """
    try:
        import sklearn
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataAbsentError("scikit-learn is not installed (pip install scikit-learn)") from error
    bunch = load_digits()
    grey = np.rint(bunch.images * (255.0 / 16.0)).astype(np.uint8)  # The levels are 0 to 16.
    images = symmetric(np.stack([_resized(image, size) for image in grey])[..., None])
    labels = bunch.target.astype(np.int32)
    train, validation, test = (
        Split(images[part], labels[part])
        for part in (
            slice(_NUM_TRAIN),
            slice(_NUM_TRAIN, _NUM_TRAIN + _NUM_VALIDATION),
            slice(_NUM_TRAIN + _NUM_VALIDATION, None),
        )
    )
    provenance = Provenance(
        dataset="digits",
        source=f"embedded in scikit-learn {sklearn.__version__}",
        files=(),
        note=f"1,797 digits of 8x8 resized to {size}x{size}, not MNIST",
    )
    return Dataset(train, validation, test, tuple("0123456789"), provenance)


def _resized(image: UInt8[np.ndarray, "8 8"], size: int) -> UInt8[np.ndarray, "height width"]:
    # Pillow clips what bicubic interpolation overshoots to 0 ... 255.
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))
