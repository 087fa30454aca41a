"""Pretrained networks by name: looked for in a folder, then downloaded where there is a hub."""

import os
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

from lecture_models.config import did_you_mean
from lecture_models.data.dataset import DataFile, Provenance
from lecture_models.files import cache_folder
from lecture_models.weights import digits_convnet, random_networks, tensors
from lecture_models.weights.catalog import CATALOG, Entry, Pinned
from lecture_models.weights.conversion import convert
from lecture_models.weights.download import download
from lecture_models.weights.error import WeightsAbsentError, WeightsError
from lecture_models.weights.network import Pretrained, expected_shapes, imagenet_classes
from lecture_models.weights.normalized_vgg import normalize
from lecture_models.weights.random_networks import UNTRAINED

# Networks that need no file of anybody's.
MADE_HERE: dict[str, Callable[[Callable[[str], None]], Pretrained]] = {
    random_networks.VGG19_RANDOM: lambda announce: random_networks.random_vgg19(
        CATALOG["vgg19_caffe_conv"].preprocessing, announce
    ),
    digits_convnet.NAME: lambda announce: digits_convnet.digits_convnet(
        cache_folder() / "weights", announce
    ),
    UNTRAINED: lambda announce: random_networks.untrained(
        CATALOG["resnet18_timm"].preprocessing, announce
    ),
}


def known() -> tuple[str, ...]:
    """Every name that can be loaded."""
    return (*CATALOG, *MADE_HERE)


def default_weights_dir() -> Path:
    """$LECTURE_MODELS_WEIGHTS, or lecture_models/weights in the user's cache folder."""
    if folder := os.environ.get("LECTURE_MODELS_WEIGHTS"):
        return Path(folder).expanduser()
    return cache_folder() / "weights"


class Weights:
    """Pretrained networks by name, looked for in a folder first; remembers what was read.

    Without `weights_dir` the folder is `default_weights_dir()`. `announce` is given one line where
    a file is downloaded, where nothing vouches for it, where a network stands in for another, and
    where it is random or trained here.
    """

    def __init__(self, weights_dir: Path | None, announce: Callable[[str], None]):
        self._weights_dir = weights_dir or default_weights_dir()
        self._announce = announce
        self._networks: dict[str, Pretrained] = {}
        self._loaded: dict[str, Pretrained] = {}

    def load(self, names: str) -> Pretrained:
        """The network of a name of `known()`, or the first to be had of a list ("a,b,c").

        A single name is never replaced. Raises WeightsError for an unknown name, where nothing can
        be had, and, even where the list goes on, where a SHA-256 is another or the file does not
        fit the network.
        """
        if names not in self._loaded:
            self._loaded[names] = self._first(_parse(names))
        return self._loaded[names]

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Of everything that was loaded, in this order, each once."""
        return tuple(dict.fromkeys(each.provenance for each in self._loaded.values()))

    def _first(self, names: list[str]) -> Pretrained:
        reasons: list[str] = []
        for name in names:
            try:
                network = self._load_one(name)
            except WeightsAbsentError as error:
                reasons.append(str(error))
                continue
            return self._fallback(network, "; ".join(reasons)) if reasons else network
        raise WeightsAbsentError("; ".join(reasons))

    def _fallback(self, network: Pretrained, reason: str) -> Pretrained:
        self._announce(f"FALLBACK: {reason}; going on with {network.name}")
        note = network.provenance.note
        recorded = f"{note}; " * bool(note) + f"fallback: {reason}"
        return network._replace(provenance=network.provenance._replace(note=recorded))

    def _load_one(self, name: str) -> Pretrained:
        if name not in self._networks:
            make = MADE_HERE.get(name)
            self._networks[name] = make(self._announce) if make else self._read(name)
        return self._networks[name]

    def _read(self, name: str) -> Pretrained:
        entry = CATALOG[name]
        path, downloaded = self._weights_dir / entry.file, False
        if not path.is_file():
            self._fetch(name, entry, path)
            downloaded = True
        files = [DataFile(path, self._verify(path, entry.sha256))]
        model = entry.build()
        variables = convert(
            entry.prepare(tensors.read(path)),
            entry.layout,
            expected_shapes(model),
            f"{path} does not fit {entry.architecture}",
        )
        if entry.means is not None:
            files.append(self._means_file(name, entry.means))
            scaled = normalize(variables, tensors.read(files[-1].path))
            variables = jax.tree.map(jnp.asarray, scaled)
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
                f"{entry.architecture}; {entry.source}; {entry.license}"
                + ("; downloaded just now" if downloaded else ""),
                tuple(files),
                "; ".join(notes),
            ),
        )

    def _means_file(self, name: str, means: Pinned) -> DataFile:
        path = self._weights_dir / means.file
        if not path.is_file():
            raise WeightsAbsentError(f"{name}: there is no {means.file} in {self._weights_dir}")
        return DataFile(path, self._verify(path, means.sha256))

    def _fetch(self, name: str, entry: Entry, path: Path) -> None:
        absent = f"{name}: there is no {entry.file} in {self._weights_dir}"
        if entry.url is None or entry.sha256 is None:
            raise WeightsAbsentError(
                f"{absent}, and no public safetensors of it are known (made from: {entry.source}); "
                "name the folder that holds it as --weights_dir"
            )
        try:
            download(entry.url, path, entry.sha256, self._announce)
        except WeightsError as error:
            raise WeightsAbsentError(f"{absent}; {error}") from error

    def _verify(self, path: Path, sha256: str | None) -> str:
        found = tensors.sha256(path)
        if sha256 is None:
            self._announce(f"NOT VERIFIED: {path} has SHA-256 {found}, which nobody vouches for")
        elif found != sha256:
            raise WeightsError(
                f"{path} is damaged, or another file of this name: its SHA-256 is {found}, "
                f"not {sha256}; delete it"
            )
        return found


def _parse(names: str) -> list[str]:
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in known():
            raise WeightsError(
                f"there are no weights {name!r}{did_you_mean(name, known())} Known: "
                f"{', '.join(known())}"
            )
    return wanted
