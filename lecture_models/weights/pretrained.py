"""Loads pretrained networks by name, from a folder or by a download."""

import os
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

from lecture_models.config import did_you_mean
from lecture_models.data.dataset import DataFile, Provenance
from lecture_models.files import PathError, cache_folder, local_path
from lecture_models.weights import digits_convnet, own_model, random_networks, tensors
from lecture_models.weights.catalog import CATALOG, CatalogEntry, PinnedFile
from lecture_models.weights.conversion import convert
from lecture_models.weights.download import download
from lecture_models.weights.error import WeightsAbsentError, WeightsError
from lecture_models.weights.network import Pretrained, expected_shapes, imagenet_classes
from lecture_models.weights.normalized_vgg import normalize
from lecture_models.weights.random_networks import UNTRAINED

# Networks that are drawn or trained here, and need no published file.
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
    """Returns every name that can be loaded."""
    return (*CATALOG, *MADE_HERE)


def default_weights_dir() -> Path:
    """Returns $LECTURE_MODELS_WEIGHTS, or lecture_models/weights in the user's cache folder."""
    if weights_dir := os.environ.get("LECTURE_MODELS_WEIGHTS"):
        return local_path("$LECTURE_MODELS_WEIGHTS", weights_dir)
    return cache_folder() / "weights"


class Weights:
    """Loads pretrained networks by name, each once, and records what it loaded."""

    def __init__(
        self,
        weights_dir: Path | None,
        announce: Callable[[str], None],
        read_run: Callable[[Path], Pretrained] | None = None,
    ):
        """Takes the folder of the files.

        Args:
            weights_dir: the folder; None for `default_weights_dir()`.
            announce: is called with one line when a file is downloaded or cannot be verified, when
                a network replaces another, and when one is random or trained here.
            read_run: returns the network that a run trained, from the run's folder; None if
                networks have names only.
        """
        self._weights_dir = weights_dir or default_weights_dir()
        self._announce = announce
        self._read_run = read_run
        self._networks: dict[str, Pretrained] = {}
        self._loaded: dict[str, Pretrained] = {}

    def load(self, names: str) -> Pretrained:
        """Returns a network.

        Args:
            names: one of `known()`, the folder of a run, a network of one's own (FILE.py:FUNCTION,
                see `own_model`), or several separated by commas, of which the first available one
                is used. A single name has no fallback.

        Raises:
            WeightsError: a name is unknown; no network is available; or, even if other names
                follow, a file has a wrong SHA-256 or does not fit the network.
        """
        if names not in self._loaded:
            self._loaded[names] = self._first_available(self._parse(names))
        return self._loaded[names]

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Lists the sources of the networks, in the order of loading, each once."""
        return tuple(dict.fromkeys(network.provenance for network in self._loaded.values()))

    def _first_available(self, names: list[str]) -> Pretrained:
        reasons: list[str] = []
        for name in names:
            try:
                network = self._load_one(name)
            except WeightsAbsentError as error:
                reasons.append(str(error))
                continue
            return self._as_fallback(network, "; ".join(reasons)) if reasons else network
        raise WeightsAbsentError("; ".join(reasons))

    def _parse(self, names: str) -> list[str]:
        requested = [name.strip() for name in names.split(",")]
        for name in requested:
            is_own = name in self._networks or own_model.is_own(name)
            if name not in known() and not is_own and self._run_folder(name) is None:
                run = ", or the folder of a run" if self._read_run else ""
                raise WeightsError(
                    f"there are no weights {name!r}{did_you_mean(name, known())} Known: "
                    f"{', '.join(known())}{run}, or FILE.py:FUNCTION for a network of your own"
                )
        return requested

    def add(self, network: Pretrained) -> None:
        """Lets `load` find a network that was made in Python under its name."""
        self._networks[network.name] = network

    def _run_folder(self, name: str) -> Path | None:
        """Returns the folder that a name means, None if it means none."""
        if self._read_run is None or name in known() or own_model.is_own(name):
            return None
        try:
            folder = local_path("--model", name)
        except PathError:
            return None
        return folder if folder.is_dir() else None

    def _as_fallback(self, network: Pretrained, reason: str) -> Pretrained:
        self._announce(f"FALLBACK: {reason}; using {network.name}")
        note = network.provenance.note
        recorded = f"{note}; " * bool(note) + f"fallback: {reason}"
        return network._replace(provenance=network.provenance._replace(note=recorded))

    def _load_one(self, name: str) -> Pretrained:
        if name not in self._networks:
            make, folder = MADE_HERE.get(name), self._run_folder(name)
            if own_model.is_own(name):
                self._networks[name] = own_model.load(name)
            elif folder is not None:
                self._networks[name] = self._read_run(folder)
            else:
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
            notes.append("not verified: no SHA-256 of this file is known")
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

    def _means_file(self, name: str, means: PinnedFile) -> DataFile:
        path = self._weights_dir / means.file
        if not path.is_file():
            raise WeightsAbsentError(f"{name}: {means.file} does not exist in {self._weights_dir}")
        return DataFile(path, self._verify(path, means.sha256))

    def _fetch(self, name: str, entry: CatalogEntry, path: Path) -> None:
        absent = f"{name}: {entry.file} does not exist in {self._weights_dir}"
        if entry.url is None or entry.sha256 is None:
            raise WeightsAbsentError(
                f"{absent}, and has no known download (made from: {entry.source}); give the folder "
                "that holds it as --weights_dir"
            )
        try:
            download(entry.url, path, entry.sha256, self._announce)
        except WeightsError as error:
            raise WeightsAbsentError(f"{absent}; {error}") from error

    def _verify(self, path: Path, sha256: str | None) -> str:
        actual = tensors.sha256(path)
        if sha256 is None:
            self._announce(f"NOT VERIFIED: {path} has SHA-256 {actual}; the right one is not known")
        elif actual != sha256:
            raise WeightsError(
                f"{path} is damaged, or another file of this name: its SHA-256 is {actual}; it "
                f"must be {sha256}; delete it"
            )
        return actual
