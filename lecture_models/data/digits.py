"""Scikit-learn's 1,797 handwritten digits of 8x8, resized: what runs with no file and no network.

The test half of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998, UCI).
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
    """The digits at `size` x `size`, split by index into 1,197, 300 and 300; levels were 0 to 16.

    Raises DataAbsentError where scikit-learn is not installed.
    """
    file, (images, labels) = _read(_embedded_file(), size)
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
        source=f"embedded in scikit-learn {importlib.metadata.version('scikit-learn')}",
        files=(file,),
        note=f"1,797 digits of 8x8 resized to {size}x{size}, not MNIST",
    )
    return Dataset(train, validation, test, tuple("0123456789"), provenance)


@functools.cache
def _read(path: Path, size: int) -> tuple[DataFile, Split]:
    """Once in a process, where many runs may want them; the arrays cannot be written to."""
    content, file = read_file(path)
    table = np.loadtxt(io.BytesIO(gunzip(content, file.path)), delimiter=",", dtype=np.int32)
    gray = np.rint(table[:, :64].reshape(-1, 8, 8) * (255.0 / 16.0)).astype(np.uint8)
    images = images_from_uint8(np.stack([_resized(image, size) for image in gray])[..., None])
    labels = table[:, 64]
    for array in (labels, images):
        array.flags.writeable = False
    return file, Split(images, labels)


def _embedded_file() -> Path:
    """The table behind sklearn.datasets.load_digits, found without the seconds of its import."""
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise DataAbsentError("scikit-learn is not installed (pip install scikit-learn)")
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"


def _resized(image: UInt8[np.ndarray, "8 8"], size: int) -> UInt8[np.ndarray, "height width"]:
    # Pillow clips what bicubic interpolation overshoots to 0 ... 255.
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))
