"""Reads scikit-learn's 1,797 handwritten digits of 8x8, which need no download.

Source: E. Alpaydin and C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
Repository, 1998, test part. scikit-learn ships it as `datasets/data/digits.csv.gz`: a line holds 64
levels from 0 to 16, row by row, and the digit. The package vouches for the file, so it is recorded
with its SHA-256 but not compared.
"""

import functools
import importlib.metadata
import importlib.util
import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from lecture_models.data.archives import gunzip, read_file
from lecture_models.data.dataset import DataAbsentError, DataFile, Dataset, Provenance, Split
from lecture_models.data.pixels import images_from_uint8

_NUM_TRAIN, _NUM_VALIDATION = 1_197, 300  # The remaining 300 are the test split.


def read(size: int = 28) -> Dataset:
    """Returns the digits at `size` x `size` pixels, split by index into 1,197, 300 and 300.

    Raises:
        DataAbsentError: scikit-learn is not installed.
    """
    file, all_digits = _read(_embedded_file(), size)
    train, validation, test = (
        all_digits.select(part)
        for part in (
            slice(_NUM_TRAIN),
            slice(_NUM_TRAIN, _NUM_TRAIN + _NUM_VALIDATION),
            slice(_NUM_TRAIN + _NUM_VALIDATION, None),
        )
    )
    provenance = Provenance(
        dataset="digits",
        source=f"embedded in scikit-learn {importlib.metadata.version('scikit-learn')}",
        files=(file,),
        note=f"1,797 digits of 8x8 resized to {size}x{size}, not MNIST",
    )
    return Dataset(train, validation, test, tuple("0123456789"), provenance)


@functools.cache
def _read(path: Path, size: int) -> tuple[DataFile, Split]:
    """Reads the file once per process, because many runs may use it; the arrays are read-only."""
    content, file = read_file(path)
    table = np.loadtxt(io.BytesIO(gunzip(content, file.path)), delimiter=",", dtype=np.int32)
    gray = np.rint(table[:, :64].reshape(-1, 8, 8) * (255.0 / 16.0)).astype(np.uint8)
    images = images_from_uint8(np.stack([_resized(image, size) for image in gray])[..., None])
    labels = table[:, 64]
    for array in (labels, images):
        array.flags.writeable = False
    return file, Split.labeled_images(images, labels)


def _embedded_file() -> Path:
    """Finds the file of sklearn.datasets.load_digits; an import of sklearn takes seconds."""
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise DataAbsentError("scikit-learn is not installed (pip install scikit-learn)")
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"


def _resized(image: UInt8[np.ndarray, "8 8"], size: int) -> UInt8[np.ndarray, "height width"]:
    # Pillow clips what bicubic interpolation overshoots to 0 ... 255.
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))
