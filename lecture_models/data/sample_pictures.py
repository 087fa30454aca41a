"""Finds pictures by name, among them sample pictures that scikit-image and scikit-learn ship.

Nothing is downloaded, and neither package is imported, because that would take seconds.
"""

import importlib.util
from pathlib import Path
from typing import NamedTuple

from lecture_models.config import did_you_mean
from lecture_models.data.dataset import DataError
from lecture_models.files import local_path

PREFIX = "sample:"


class SamplePicture(NamedTuple):
    """Describes a picture that a package ships.

    Attributes:
        package: name of the package.
        file: path of the file inside the package.
        credit: license and author.
    """

    package: str
    file: str
    credit: str


_SKLEARN = "ships with scikit-learn, CC BY 2.0"
_SKIMAGE = "ships with scikit-image"

SAMPLES: dict[str, SamplePicture] = {
    # Photos.
    "china": SamplePicture(
        "sklearn", "datasets/images/china.jpg", f"{_SKLEARN}, danielbuechele (Flickr)"
    ),
    "flower": SamplePicture(
        "sklearn", "datasets/images/flower.jpg", f"{_SKLEARN}, vultilion (Flickr)"
    ),
    "astronaut": SamplePicture("skimage", "data/astronaut.png", f"{_SKIMAGE}, public domain, NASA"),
    "camera": SamplePicture("skimage", "data/camera.png", f"{_SKIMAGE}, CC0, Lav Varshney"),
    "chelsea": SamplePicture(
        "skimage", "data/chelsea.png", f"{_SKIMAGE}, CC0, Stefan van der Walt"
    ),
    "coffee": SamplePicture("skimage", "data/coffee.png", f"{_SKIMAGE}, CC0, Rachel Michetti"),
    "rocket": SamplePicture("skimage", "data/rocket.jpg", f"{_SKIMAGE}, public domain, SpaceX"),
    # Styles.
    "hubble": SamplePicture(
        "skimage", "data/hubble_deep_field.jpg", f"{_SKIMAGE}, public domain, NASA"
    ),
    "tissue": SamplePicture("skimage", "data/ihc.png", f"{_SKIMAGE}, no known restrictions, CMMI"),
    # Textures, gray.
    "brick": SamplePicture("skimage", "data/brick.png", f"{_SKIMAGE}, CC0, CC0Textures"),
    "grass": SamplePicture("skimage", "data/grass.png", f"{_SKIMAGE}, CC0, linolafett"),
    "gravel": SamplePicture("skimage", "data/gravel.png", f"{_SKIMAGE}, CC0, CC0Textures"),
}


def locate(name: str) -> Path:
    """Returns the file at the path `name`, or else the sample picture of that name.

    "china" is the file of that name if there is one; "sample:china" is always the sample.

    Raises:
        DataError: there is neither; the message has the nearest name.
    """
    if not name:
        raise DataError(f"a picture has no name; give a path or a sample: {', '.join(SAMPLES)}")
    if name.startswith(PREFIX):
        return sample_file(name.removeprefix(PREFIX))
    path = local_path("the picture", name)
    if path.exists() or (name not in SAMPLES and not _may_be_sample(name)):
        return _existing(path)
    return sample_file(name)


def credit_of(path: Path) -> str:
    """Returns license and author of a sample picture; "" for other files."""
    samples = SAMPLES.values()
    return next((sample.credit for sample in samples if path == _installed(sample)), "")


def sample_file(name: str) -> Path:
    """Returns the file of a sample picture.

    Raises:
        DataError: there is no sample of this name, or its package is not installed.
    """
    if name not in SAMPLES:
        raise DataError(
            f"there is no picture and no sample {name!r}{did_you_mean(name, SAMPLES)} Samples: "
            f"{', '.join(SAMPLES)}"
        )
    path = _installed(SAMPLES[name])
    if path is None:
        raise DataError(f"{SAMPLES[name].package}, which ships {PREFIX}{name}, is not installed")
    return path


def _installed(sample: SamplePicture) -> Path | None:
    """Returns the path of a sample picture; None if its package is not installed."""
    package = importlib.util.find_spec(sample.package)
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / sample.file


def _may_be_sample(name: str) -> bool:
    return "/" not in name and "\\" not in name and not Path(name).suffix


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise DataError(f"{path} is a folder; name one picture")
    if not path.exists():
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        missing = "" if path.parent.is_dir() else f": the folder {path.parent} does not exist"
        raise DataError(f"there is no picture {path}{missing}{did_you_mean(path.name, beside)}")
    return path
