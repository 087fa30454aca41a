"""Finds data sets by name: in the data folder, as TFDS prepared them, or by a download."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

from lecture_models.config import did_you_mean
from lecture_models.data import (
    abc_tunes,
    att_faces,
    boxed_pictures,
    bsds_crops,
    captioned_pictures,
    cbcl_faces,
    changed_digits,
    characters,
    cifar10_jpeg,
    cifar_records,
    depth_pairs,
    digits,
    folder,
    fsdd,
    instance_maps,
    joined_words,
    labeled_texts,
    made_chorales,
    made_digit_scenes,
    made_nuclei,
    made_number_names,
    made_objects,
    made_opinions,
    made_rooms,
    made_scenes,
    made_speech,
    many_boxes,
    mnist,
    monet2photo,
    moving_shapes,
    piano_rolls,
    sample_crops,
    sentence_pairs,
    sentence_sounds,
    svhn,
    synthetic_faces,
    toy_objects,
    usps,
    weizmann_actions,
    yale_faces,
)
from lecture_models.data.cifar10 import CIFAR10
from lecture_models.data.cifar100 import CIFAR100, CIFAR100_COARSE
from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance
from lecture_models.data.download import download
from lecture_models.data.folder import PictureOptions
from lecture_models.files import cache_folder, local_path

# The readers of each data set, in the order in which they are tried; a download comes last.
SOURCES: dict[str, tuple[Callable[[Path], Dataset], ...]] = {
    "mnist": (
        functools.partial(mnist.read, mnist.MNIST),
        functools.partial(mnist.read_prepared, mnist.MNIST),
    ),
    "fashion_mnist": (
        functools.partial(mnist.read, mnist.FASHION_MNIST),
        functools.partial(mnist.read_prepared, mnist.FASHION_MNIST),
    ),
    # The lossy copies come after the readers of exact pixels.
    "cifar10": (
        functools.partial(cifar_records.read, CIFAR10),
        functools.partial(cifar_records.read_prepared, CIFAR10),
        cifar10_jpeg.read,
    ),
    "cifar10_jpeg": (cifar10_jpeg.read,),
    "cifar100": (
        functools.partial(cifar_records.read, CIFAR100),
        functools.partial(cifar_records.read_prepared, CIFAR100),
    ),
    "cifar100_coarse": (
        functools.partial(cifar_records.read, CIFAR100_COARSE),
        functools.partial(
            cifar_records.read_prepared, CIFAR100_COARSE, name="cifar100", feature="coarse_label"
        ),
    ),
    "svhn": (svhn.read, svhn.read_prepared),
    "svhn_extra": (svhn.read_with_extra,),
    "usps": (usps.read,),
    "digits": (lambda data_dir: digits.read(),),
    "toy_objects": (lambda data_dir: toy_objects.make(),),
    "tinyshakespeare": (characters.read_shakespeare,),
    "irish_abc": (abc_tunes.read_irish,),
    "made_tunes": (lambda data_dir: abc_tunes.make_tunes(),),
    "zen": (lambda data_dir: characters.read_zen(),),
    "tweets": (labeled_texts.read_tweets,),
    "tweets_emotion": (labeled_texts.read_emotions,),
    "rt_polarity": (labeled_texts.read_polarity,),
    "made_opinions": (lambda data_dir: made_opinions.make(),),
    **{name: (read,) for name, read in sentence_pairs.MULTI30K.items()},
    "made_number_names": (lambda data_dir: made_number_names.make(),),
    "flickr8k": (captioned_pictures.read,),
    "made_scenes": (lambda data_dir: made_scenes.make(),),
    "weizmann_horses": (boxed_pictures.read_horses,),
    "made_objects": (lambda data_dir: made_objects.make(),),
    "bccd": (many_boxes.read_bccd,),
    "made_digit_scenes": (lambda data_dir: made_digit_scenes.make(),),
    "dsb2018_nuclei": (instance_maps.read_nuclei,),
    "made_nuclei": (lambda data_dir: made_nuclei.make(),),
    "nyu_depth": (depth_pairs.read_nyu,),
    "made_rooms": (lambda data_dir: made_rooms.make(),),
    "att_faces": (att_faces.read,),
    "yale_faces": (yale_faces.read,),
    "cbcl_faces": (cbcl_faces.read,),
    "bsds_crops": (bsds_crops.read,),
    "synthetic_faces": (lambda data_dir: synthetic_faces.read(),),
    "synthetic_patches": (lambda data_dir: synthetic_faces.read_patches(),),
    "sample_crops": (lambda data_dir: sample_crops.read(),),
    "weizmann_actions": (weizmann_actions.read,),
    "monet2photo": (monet2photo.read,),
    **{name: (functools.partial(changed_digits.read, name),) for name in changed_digits.CHANGES},
    "moving_shapes": (lambda data_dir: moving_shapes.make(),),
    **{name: (functools.partial(piano_rolls.read, name),) for name in piano_rolls.FILES},
    "made_chorales": (lambda data_dir: made_chorales.make(),),
    "fsdd": (fsdd.read,),
    "made_words": (lambda data_dir: made_speech.make(),),
    "yesno": (sentence_sounds.read_yesno,),
    "digit_strings": (joined_words.read_digit_strings,),
    "made_sentences": (lambda data_dir: made_speech.make_sentences(),),
}
_DOWNLOADABLE = {layout.name: layout for layout in (mnist.MNIST, mnist.FASHION_MNIST)}


def default_data_dir() -> Path:
    """Returns $LECTURE_MODELS_DATA, or lecture_models/data in the user's cache folder."""
    if data_dir := os.environ.get("LECTURE_MODELS_DATA"):
        return local_path("$LECTURE_MODELS_DATA", data_dir)
    return cache_folder() / "data"


class DatasetLibrary:
    """Reads data sets by name, each once, and records what it read."""

    def __init__(
        self,
        data_dir: Path | None,
        announce: Callable[[str], None],
        picture_options: PictureOptions | None = None,
    ):
        """Takes the data folder and the options of the data set "folder".

        Args:
            data_dir: the data folder; None for `default_data_dir()`, which is never read as the
                data set "folder", the user's own pictures.
            announce: is called with one line when a data set replaces another, when one is
                downloaded, and when pictures are read.
            picture_options: how the data set "folder" is read; None for the defaults.
        """
        self._data_dir = data_dir or default_data_dir()
        self._has_own_dir = data_dir is not None
        self._announce = announce
        self._picture_options = picture_options
        self._sources = SOURCES | {"folder": (self._read_folder,)}
        self._datasets: dict[str, Dataset] = {}
        self._loaded: dict[str, Dataset] = {}

    def load(self, names: str) -> Dataset:
        """Returns a data set.

        Args:
            names: one name, such as "mnist", or several separated by commas, such as
                "mnist,digits", of which the first available one is used. A single name has no
                fallback, nor has "folder".

        Raises:
            DataError: a name is unknown; no data set is available; a file is damaged, even if other
                names follow; or there are options for pictures, but "folder" is not among the
                names.
        """
        if names not in self._loaded:
            self._loaded[names] = self._first_available(self._parse(names))
        return self._loaded[names]

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Lists the sources of the data sets, in the order of reading, each once."""
        return tuple(dict.fromkeys(dataset.provenance for dataset in self._loaded.values()))

    def _first_available(self, names: list[str]) -> Dataset:
        reasons: list[str] = []
        for name in names:
            try:
                dataset = self._load_one(name)
            except DataAbsentError as error:
                reasons.append(f"{name} is not available ({error})")
                continue
            return self._as_fallback(dataset, "; ".join(reasons)) if reasons else dataset
        advice = "put the files there, or give another folder"
        if not self._data_dir.is_dir():
            advice = f"the folder {self._data_dir} does not exist: give another one"
        raise DataError(f"{'; '.join(reasons)}; {advice}")

    def _as_fallback(self, dataset: Dataset, reason: str) -> Dataset:
        name, note = dataset.provenance.dataset, dataset.provenance.note
        self._announce(f"FALLBACK: {reason}; training on {name}{f': {note}' if note else ''}")
        recorded = f"{note}; " * bool(note) + f"fallback: {reason}"
        return dataset._replace(provenance=dataset.provenance._replace(note=recorded))

    def _load_one(self, name: str) -> Dataset:
        if name not in self._datasets:
            self._datasets[name] = self._read_first_source(name)
        return self._datasets[name]

    def _read_first_source(self, name: str) -> Dataset:
        sources = self._sources[name]
        if name in _DOWNLOADABLE:
            sources += (lambda data_dir: self._download(_DOWNLOADABLE[name]),)
        reasons = []
        for source in sources:
            try:
                return source(self._data_dir)
            except DataAbsentError as error:
                reasons.append(str(error))
        raise DataAbsentError("; ".join(reasons))

    def _download(self, layout: mnist.MnistLayout) -> Dataset:
        files = tuple(f"{file}.gz" for file in mnist.FILES)
        download(layout.name, files, self._data_dir / layout.folders[0], self._announce)
        dataset = mnist.read(layout, self._data_dir)
        return dataset._replace(
            provenance=dataset.provenance._replace(source="downloaded through TFDS just now")
        )

    def _read_folder(self, data_dir: Path) -> Dataset:
        if not self._has_own_dir:
            raise DataError("--dataset=folder needs --data_dir=DIR, the folder of the pictures")
        return folder.read(data_dir, self._picture_options or PictureOptions(), self._announce)

    def _parse(self, names: str) -> list[str]:
        requested = [name.strip() for name in names.split(",")]
        for name in requested:
            if name not in self._sources:
                hint, known = did_you_mean(name, self._sources), ", ".join(self._sources)
                raise DataError(f"there is no data set {name!r}{hint} Data sets: {known}")
        if self._picture_options is not None and "folder" not in requested:
            raise DataError(
                f"--image_size and --skip_bad_images are for --dataset=folder, not for {names}"
            )
        return requested
