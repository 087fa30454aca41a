"""Pretrained networks by name: looked for in a folder, then downloaded where there is a hub."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from lecture_models.data.dataset import DataFile, Provenance
from lecture_models.models.vgg import VGG
from lecture_models.runtime.config import did_you_mean
from lecture_models.runtime.start import cache_folder
from lecture_models.weights import tensors
from lecture_models.weights.catalogue import CATALOGUE, Entry
from lecture_models.weights.conversion import convert
from lecture_models.weights.download import download
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import Preprocessing

UNTRAINED = "untrained"
_NOISE = "random parameters: what it says of a picture means nothing"


class Pretrained(NamedTuple):
    """A network with its parameters.

    `model.apply(variables, preprocess(images))` takes RGB in [-1, 1]; `classes` are the names of
    its logits, none where it has only features.
    """

    name: str
    model: nn.Module
    variables: Any
    preprocess: Preprocessing
    classes: tuple[str, ...]
    provenance: Provenance


def default_weights_dir() -> Path:
    """$LECTURE_MODELS_WEIGHTS, or lecture_models/weights in the user's cache folder."""
    if folder := os.environ.get("LECTURE_MODELS_WEIGHTS"):
        return Path(folder).expanduser()
    return cache_folder() / "weights"


@functools.cache
def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 names of ILSVRC 2012 in the usual order, that of their WordNet numbers."""
    lines = Path(__file__).with_name("imagenet_synset_words.txt").read_text("utf-8").splitlines()
    return tuple(line.partition(" ")[2] for line in lines)


class Weights:
    """Pretrained networks by name, looked for in a folder first; remembers what was read.

    Without `weights_dir` the folder is `default_weights_dir()`. `announce` is given one line where
    a file is downloaded, where nothing vouches for it, and where a network is untrained.
    """

    def __init__(self, weights_dir: Path | None, announce: Callable[[str], None]):
        self._weights_dir = weights_dir or default_weights_dir()
        self._announce = announce
        self._loaded: dict[str, Pretrained] = {}

    def load(self, name: str) -> Pretrained:
        """The network of a name of the catalogue; "untrained" has random parameters.

        Raises WeightsError for an unknown name, where the file cannot be had, where its SHA-256 is
        another, and where it does not fit the network.
        """
        if name not in self._loaded:
            self._loaded[name] = self._untrained() if name == UNTRAINED else self._read(name)
        return self._loaded[name]

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Of everything that was loaded, in this order."""
        return tuple(each.provenance for each in self._loaded.values())

    def _read(self, name: str) -> Pretrained:
        if name not in CATALOGUE:
            known = (*CATALOGUE, UNTRAINED)
            raise WeightsError(
                f"there are no weights {name!r}{did_you_mean(name, known)} Known: "
                f"{', '.join(known)}"
            )
        entry = CATALOGUE[name]
        path = self._weights_dir / entry.file
        downloaded = not path.is_file()
        if downloaded:
            self._fetch(name, entry, path)
        file = DataFile(path, self._verify(entry, path))
        model = entry.build()
        variables = convert(
            tensors.read(path),
            entry.layout,
            expected_shapes(model),
            f"{path} does not fit {entry.architecture}",
        )
        notes = [entry.note] if entry.note else []
        if entry.sha256 is None:
            notes.append("not verified: nobody vouches for this file")
        return Pretrained(
            name,
            model,
            variables,
            entry.preprocessing,
            imagenet_classes() if model.num_classes else (),
            Provenance(
                f"weights {name}",
                f"{entry.architecture}; {entry.source}; {entry.licence}"
                + ("; downloaded just now" if downloaded else ""),
                (file,),
                "; ".join(notes),
            ),
        )

    def _fetch(self, name: str, entry: Entry, path: Path) -> None:
        absent = f"{name}: there is no {entry.file} in {self._weights_dir}"
        if entry.url is None or entry.sha256 is None:
            raise WeightsError(
                f"{absent}, and no public safetensors of it are known (made from: {entry.source}); "
                "name the folder that holds it as --weights_dir"
            )
        try:
            download(entry.url, path, entry.sha256, self._announce)
        except WeightsError as error:
            raise WeightsError(f"{absent}; {error}") from error

    def _verify(self, entry: Entry, path: Path) -> str:
        found = tensors.sha256(path)
        if entry.sha256 is None:
            self._announce(f"NOT VERIFIED: {path} has SHA-256 {found}, which nobody vouches for")
        elif found != entry.sha256:
            raise WeightsError(
                f"{path} is damaged, or another file of this name: its SHA-256 is {found}, "
                f"not {entry.sha256}; delete it"
            )
        return found

    def _untrained(self) -> Pretrained:
        self._announce(f"UNTRAINED: a small network of {_NOISE}")
        model = VGG(stages=((8, (3,)), (16, (3,))), hidden=32)
        random = np.random.default_rng(0)  # NumPy's: jax would compile for seconds.
        variables = jax.tree.map(
            lambda leaf: jnp.asarray(random.normal(0.0, 0.1, leaf.shape), jnp.float32),
            expected_shapes(model, side=56),
        )
        preprocessing = CATALOGUE["resnet18_timm"].preprocessing
        return Pretrained(
            UNTRAINED,
            model,
            variables,
            preprocessing._replace(size=56, shorter_side=64),
            imagenet_classes(),
            Provenance(f"weights {UNTRAINED}", "drawn from seed 0", (), _NOISE),
        )


def expected_shapes(model: nn.Module, side: int = 224) -> Any:
    """The shapes of a network's variables for pictures of a side, at no cost."""
    images = jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)
    return jax.eval_shape(model.init, jax.random.key(0), images)
