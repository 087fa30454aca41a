"""Data sets by name: looked for in a folder, then at TFDS, then the next name of the list."""

import difflib
import functools
import os
from collections.abc import Callable
from pathlib import Path

from lecture_models.data import cifar10, cifar10_jpeg, digits, folder, mnist, picture, usps
from lecture_models.data.dataset import DataAbsentError, DataError, DataFile, Dataset, Provenance
from lecture_models.data.download import download
from lecture_models.data.folder import PictureOptions
from lecture_models.data.picture import Picture, shown
from lecture_models.data.sample_pictures import credit_of, locate

# Where each name is looked for, in this order; the download comes last.
SOURCES: dict[str, tuple[Callable[[Path], Dataset], ...]] = {
    "mnist": (
        functools.partial(mnist.read, mnist.MNIST),
        functools.partial(mnist.read_prepared, mnist.MNIST),
    ),
    "fashion_mnist": (
        functools.partial(mnist.read, mnist.FASHION_MNIST),
        functools.partial(mnist.read_prepared, mnist.FASHION_MNIST),
    ),
    # The lossy copies come after whatever has the exact pixels.
    "cifar10": (cifar10.read_exact, cifar10.read_prepared, cifar10_jpeg.read),
    "cifar10_jpeg": (cifar10_jpeg.read,),
    "usps": (usps.read,),
    "digits": (lambda data_dir: digits.read(),),
}
_MOST_FILES = 100  # Pictures that a run's record names one by one.
_SPECS = {spec.name: spec for spec in (mnist.MNIST, mnist.FASHION_MNIST)}


def default_data_dir() -> Path:
    """$LECTURE_MODELS_DATA, or lecture_models/data in the user's cache folder."""
    if folder := os.environ.get("LECTURE_MODELS_DATA"):
        return Path(folder).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "lecture_models" / "data"


class Library:
    """Data sets by name, looked for in a folder first; remembers what was read.

    Without `data_dir` the folder is `default_data_dir()`, in which "folder", a user's own
    pictures, is not looked for; `picture_options` are for it alone. `announce` is given one line
    where a data set stands in for another or is downloaded, and where pictures are read.
    """

    def __init__(
        self,
        data_dir: Path | None,
        announce: Callable[[str], None],
        picture_options: PictureOptions | None = None,
    ):
        self._data_dir = data_dir or default_data_dir()
        self._has_own_dir = data_dir is not None
        self._announce = announce
        self._picture_options = picture_options
        self._sources = SOURCES | {"folder": (self._read_pictures,)}
        self._datasets: dict[str, Dataset] = {}
        self._loaded: dict[str, Dataset] = {}
        self._pictures: list[Provenance] = []

    def load(self, names: str) -> Dataset:
        """The data set of a name ("mnist"), or the first to be had of a list ("mnist,digits").

        A single name is never replaced, nor is "folder". Raises DataError for an unknown name, for
        files that are there but damaged, even where the list goes on, where nothing can be had,
        and where options for pictures are given but the names are of other data.
        """
        if names not in self._loaded:
            self._loaded[names] = self._first(self._parse(names))
        return self._loaded[names]

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Of everything that was read, in this order, each once."""
        datasets = [dataset.provenance for dataset in self._loaded.values()]
        return tuple(dict.fromkeys([*datasets, *self._pictures]))

    def find_pictures(self, names: tuple[str, ...]) -> list[Path]:
        """The files that the names stand for; raises DataError for one that is absent.

        Cheap: for before a network is loaded, or trained.
        """
        return [path for name in names for path in _picture_files(name)]

    def pictures(self, names: tuple[str, ...], side: int) -> list[Picture]:
        """The central squares, at `side` x `side`, of picture files, samples and folders of files.

        Without names the two photos that scikit-learn ships. Raises DataError, one line, for the
        first that is absent or cannot be read.
        """
        paths = self.find_pictures(names) or picture.sample_files()
        found = [picture.read(path, side, square=True) for path in paths]
        files = tuple(DataFile(each.path, each.sha256) for each in found[:_MOST_FILES])
        if len(found) > _MOST_FILES:
            files = (DataFile(paths[0].parent, picture.digest(found)),)
        source = f"{len(found):,} picture{'s' * (len(found) > 1)}, central squares"
        note = "" if names else "the photos that scikit-learn ships: none were named"
        self._pictures.append(Provenance("pictures", source, files, note))
        return found

    def picture(self, name: str, size: int | None = None, square: bool = False) -> Picture:
        """One picture, in color, by its path or the name of a sample ("china", "sample:china").

        Its longer side is resized to `size` pixels, its aspect kept; None leaves it as it is.
        `square` keeps the central square alone, of `size` x `size`. Raises DataError, one line, as
        `sample_pictures.locate` and `picture.read_at` do.
        """
        found = picture.read_at(locate(name), size, square)
        height, width, _ = found.pixels.shape
        read_at = "" if (width, height) == found.size else f", read at {width}x{height}"
        source = f"{shown(found.path.name)}, {found.size[0]}x{found.size[1]}{read_at}"
        credit = credit_of(found.path)
        files = (DataFile(found.path, found.sha256),)
        self._pictures.append(
            Provenance("picture", f"{source}; {credit}" if credit else source, files)
        )
        return found

    def _first(self, names: list[str]) -> Dataset:
        reasons: list[str] = []
        for name in names:
            try:
                dataset = self._load_one(name)
            except DataAbsentError as error:
                reasons.append(f"{name} could not be had ({error})")
                continue
            return self._fallback(dataset, "; ".join(reasons)) if reasons else dataset
        advice = "put the files there, or give another folder"
        if not self._data_dir.is_dir():
            advice = f"the folder {self._data_dir} does not exist: give another one"
        raise DataError(f"{'; '.join(reasons)}; {advice}")

    def _fallback(self, dataset: Dataset, reason: str) -> Dataset:
        name, note = dataset.provenance.dataset, dataset.provenance.note
        self._announce(f"FALLBACK: {reason}; training on {name}{f': {note}' if note else ''}")
        recorded = f"{note}; " * bool(note) + f"fallback: {reason}"
        return dataset._replace(provenance=dataset.provenance._replace(note=recorded))

    def _load_one(self, name: str) -> Dataset:
        if name not in self._datasets:
            self._datasets[name] = self._look_for(name)
        return self._datasets[name]

    def _look_for(self, name: str) -> Dataset:
        sources = self._sources[name]
        if name in _SPECS:
            sources += (lambda data_dir: self._download(_SPECS[name]),)
        absent = []
        for source in sources:
            try:
                return source(self._data_dir)
            except DataAbsentError as error:
                absent.append(str(error))
        raise DataAbsentError("; ".join(absent))

    def _download(self, spec: mnist.Spec) -> Dataset:
        files = tuple(f"{file}.gz" for file in mnist.FILES)
        download(spec.name, files, self._data_dir / spec.folders[0], self._announce)
        dataset = mnist.read(spec, self._data_dir)
        return dataset._replace(
            provenance=dataset.provenance._replace(source="downloaded through TFDS just now")
        )

    def _read_pictures(self, data_dir: Path) -> Dataset:
        if not self._has_own_dir:
            raise DataError("--dataset=folder needs --data_dir=DIR, the folder of the pictures")
        return folder.read(data_dir, self._picture_options or PictureOptions(), self._announce)

    def _parse(self, names: str) -> list[str]:
        wanted = [name.strip() for name in names.split(",")]
        for name in wanted:
            if name not in self._sources:
                close = difflib.get_close_matches(name, self._sources, n=1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                known = ", ".join(self._sources)
                raise DataError(f"unknown data set {name!r}{hint}; known are {known}")
        if self._picture_options is not None and "folder" not in wanted:
            raise DataError(
                f"--image_size and --skip_bad_images are for --dataset=folder, not for {names}"
            )
        return wanted


def _picture_files(name: str) -> list[Path]:
    path = Path(name).expanduser()
    return picture.find(path) if path.is_dir() else [locate(name)]
