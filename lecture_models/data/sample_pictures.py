"""Pictures by name for a machine without any: those that scikit-image and scikit-learn ship.

Nothing is downloaded, and neither package is imported, which would take seconds.
"""

import difflib
import importlib.util
from pathlib import Path
from typing import NamedTuple

from lecture_models.data.dataset import DataError

PREFIX = "sample:"


class Sample(NamedTuple):
    """A file below a package, and who gave it away."""

    package: str
    file: str
    credit: str


_SKLEARN = "ships with scikit-learn, CC BY 2.0"
_SKIMAGE = "ships with scikit-image"

SAMPLES: dict[str, Sample] = {
    # Photos.
    "china": Sample("sklearn", "datasets/images/china.jpg", f"{_SKLEARN}, danielbuechele (Flickr)"),
    "flower": Sample("sklearn", "datasets/images/flower.jpg", f"{_SKLEARN}, vultilion (Flickr)"),
    "astronaut": Sample("skimage", "data/astronaut.png", f"{_SKIMAGE}, public domain, NASA"),
    "camera": Sample("skimage", "data/camera.png", f"{_SKIMAGE}, CC0, Lav Varshney"),
    "chelsea": Sample("skimage", "data/chelsea.png", f"{_SKIMAGE}, CC0, Stefan van der Walt"),
    "coffee": Sample("skimage", "data/coffee.png", f"{_SKIMAGE}, CC0, Rachel Michetti"),
    "rocket": Sample("skimage", "data/rocket.jpg", f"{_SKIMAGE}, public domain, SpaceX"),
    # Styles.
    "hubble": Sample("skimage", "data/hubble_deep_field.jpg", f"{_SKIMAGE}, public domain, NASA"),
    "tissue": Sample("skimage", "data/ihc.png", f"{_SKIMAGE}, no known restrictions, CMMI"),
    # Textures, gray.
    "brick": Sample("skimage", "data/brick.png", f"{_SKIMAGE}, CC0, CC0Textures"),
    "grass": Sample("skimage", "data/grass.png", f"{_SKIMAGE}, CC0, linolafett"),
    "gravel": Sample("skimage", "data/gravel.png", f"{_SKIMAGE}, CC0, CC0Textures"),
}


def locate(name: str) -> Path:
    """The file of a picture: at the path `name`, else the sample of that name.

    "china" is the file of that name where there is one; "sample:china" is always the sample.
    Raises DataError where there is neither, with the nearest name.
    """
    if not name:
        raise DataError(f"a picture has no name; give a path or a sample: {', '.join(SAMPLES)}")
    if name.startswith(PREFIX):
        return sample_file(name.removeprefix(PREFIX))
    path = Path(name).expanduser()
    if path.exists() or (name not in SAMPLES and not _may_be_sample(name)):
        return _existing(path)
    return sample_file(name)


def credit_of(path: Path) -> str:
    """Who gave the picture away, where it is a sample; else empty."""
    return next((each.credit for each in SAMPLES.values() if path == _found(each)), "")


def sample_file(name: str) -> Path:
    """Raises DataError for another name, and where the package is not installed."""
    if name not in SAMPLES:
        raise DataError(
            f"there is no picture and no sample {name!r}{_hint(name, list(SAMPLES))}; samples are "
            f"{', '.join(SAMPLES)}"
        )
    path = _found(SAMPLES[name])
    if path is None:
        raise DataError(f"{SAMPLES[name].package}, which ships {PREFIX}{name}, is not installed")
    return path


def _found(sample: Sample) -> Path | None:
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
        beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        missing = "" if path.parent.is_dir() else f": the folder {path.parent} does not exist"
        raise DataError(f"there is no picture {path}{missing}{_hint(path.name, beside)}")
    return path


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
