"""A small classifier that is trained here, once, on the digits that scikit-learn ships.

So that what looks inside a classifier has one on a machine without any file and any network.
"""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.traverse_util import flatten_dict, unflatten_dict

from lecture_models import files
from lecture_models.data import digits
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataFile, Dataset, Provenance, joined
from lecture_models.models.vgg import VGG
from lecture_models.steps.classifier import classifier_step, init_classifier
from lecture_models.weights import tensors
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import Preprocessing

NAME = "digits_convnet"
SIDE = 32
ALARM = (
    "a small network of handwritten digits, trained here: what it says of other pictures means "
    "nothing"
)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that the parameters depend on; files of other recipes have other names."""

    channels: tuple[int, ...] = (16, 32, 64)  # Two 3x3 convolutions each, as in VGG.
    hidden: int = 128
    num_steps: int = 300  # 13 epochs of the 1,497 digits that are not test digits.
    batch_size: int = 64
    learning_rate: float = 2e-3  # Adam; falls to zero as a cosine.
    seed: int = 0
    version: int = 1  # Of the program below.

    @property
    def model(self) -> VGG:
        stages = tuple((channels, (3, 3)) for channels in self.channels)
        return VGG(stages=stages, num_classes=10, hidden=self.hidden, dropout_rate=0.0)

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(dataclasses.asdict(self)).encode()).hexdigest()


def digits_convnet(
    folder: Path, announce: Callable[[str], None], recipe: Recipe = Recipe()
) -> Pretrained:
    """The network as it lies in `folder`, or trained now and left there.

    It takes RGB of 32x32 and reads gray from it: its first filters are the same for red, green and
    blue, so that gradients are gray too. A file that cannot be read is made again, and a folder
    that cannot be written is done without.
    """
    path = folder / f"{NAME}-{recipe.digest[:12]}.safetensors"
    try:
        found, accuracy = tensors.read(path), float(tensors.read_note(path))
    except (WeightsError, ValueError):
        announce(f"TRAINING {NAME} on scikit-learn's digits: once, in about a minute")
        found, accuracy = train(recipe)
        _keep(path, tensors.packed(found, repr(accuracy)), announce)
    sha256 = hashlib.sha256(tensors.packed(found, repr(accuracy))).hexdigest()
    announce(f"{NAME}: {ALARM}; {accuracy:.1%} of 300 test digits right")
    return Pretrained(
        NAME,
        recipe.model,
        jax.tree.map(jnp.asarray, unflatten_dict(found, sep="/")),
        Preprocessing((1.0,) * 3, (1.0,) * 3, 2.0, bgr=False, size=SIDE, shorter_side=SIDE),
        tuple("0123456789"),
        Provenance(
            f"weights {NAME}",
            f"trained here on scikit-learn's digits at {SIDE}x{SIDE}, recipe "
            f"{recipe.digest[:12]}; test accuracy {accuracy:.4f} on 300 digits",
            (DataFile(path, sha256),),
            ALARM,
        ),
        ALARM,
    )


def train(recipe: Recipe) -> tuple[dict[str, np.ndarray], float]:
    """The tensors by their paths, and the accuracy on the test digits."""
    dataset, model = digits.read(SIDE), recipe.model
    schedule = optax.cosine_decay_schedule(recipe.learning_rate, recipe.num_steps)
    optimizer = optax.adam(schedule)
    init_key, step_key = jax.random.split(jax.random.key(recipe.seed))
    state = init_classifier(model.init, optimizer, jnp.zeros((1, SIDE, SIDE, 1)), init_key)

    @jax.jit
    def step(state, batch):
        key = jax.random.fold_in(step_key, state.step)
        return classifier_step(model.apply, optimizer, state, batch, key)[0]

    arrays = joined(dataset.train, dataset.validation)._asdict()  # Nothing is chosen on either.
    batches = ArrayBatches(arrays, recipe.batch_size, recipe.seed)
    for batch in itertools.islice(batches(0), recipe.num_steps):
        state = step(state, batch)
    variables = jax.device_get({"params": state.params})
    return _over_colors(variables), _accuracy(model, variables, dataset)


def _accuracy(model: VGG, variables: Any, dataset: Dataset) -> float:
    logits, _ = jax.jit(model.apply)(variables, dataset.test.images)
    return float((np.argmax(logits, 1) == dataset.test.labels).mean())


def _over_colors(variables: Any) -> dict[str, np.ndarray]:
    """For three equal channels the first layer gives what it gave for one."""
    flat = flatten_dict(variables, sep="/")
    kernel = flat["params/conv1_1/kernel"]
    return flat | {"params/conv1_1/kernel": np.repeat(kernel / 3.0, 3, axis=2)}


def _keep(path: Path, content: bytes, announce: Callable[[str], None]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, content)
    except OSError as error:
        announce(f"{path} cannot be written ({error.strerror}): it is trained anew next time")
