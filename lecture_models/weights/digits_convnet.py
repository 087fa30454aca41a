"""Trains a small classifier once, on the digits that scikit-learn ships.

So experiments that look inside a classifier have one on a machine without files and network.
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
class DigitsTraining:
    """Holds everything that the parameters depend on; each value of it has a file of its own.

    Attributes:
        channels: number of channels of each stage, which has two 3x3 convolutions as in VGG.
        hidden: width of the dense layers.
        num_steps: number of training steps.
        batch_size: number of digits of a step.
        learning_rate: initial rate of Adam; it decays to 0 as a cosine.
        seed: from which the initial values and the batches are drawn.
        version: is raised when the training below changes.
    """

    channels: tuple[int, ...] = (16, 32, 64)
    hidden: int = 128
    num_steps: int = 300  # 13 epochs of the 1,497 digits that are not test digits.
    batch_size: int = 64
    learning_rate: float = 2e-3
    seed: int = 0
    version: int = 1

    @property
    def model(self) -> VGG:
        """Returns the network."""
        stages = tuple((channels, (3, 3)) for channels in self.channels)
        return VGG(stages=stages, num_classes=10, hidden=self.hidden, dropout_rate=0.0)

    @property
    def digest(self) -> str:
        """Returns the SHA-256 of the fields."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self)).encode()).hexdigest()


def digits_convnet(
    folder: Path, announce: Callable[[str], None], training: DigitsTraining = DigitsTraining()
) -> Pretrained:
    """Returns the network from its file, or trains it now and writes the file.

    It takes RGB of 32x32, but its first filters are the same for red, green and blue, so gradients
    are gray. If the file cannot be read, the network is trained again; if it cannot be written,
    training goes on without it.

    Args:
        folder: the folder of the file.
        announce: is called with one line before training, and with a warning about the network.
        training: how it is trained.
    """
    path = folder / f"{NAME}-{training.digest[:12]}.safetensors"
    try:
        variables, accuracy = tensors.read(path), float(tensors.read_note(path))
    except (WeightsError, ValueError):
        announce(f"TRAINING {NAME} on scikit-learn's digits: once, in about a minute")
        variables, accuracy = train(training)
        _write(path, tensors.packed(variables, repr(accuracy)), announce)
    sha256 = hashlib.sha256(tensors.packed(variables, repr(accuracy))).hexdigest()
    announce(f"{NAME}: {ALARM}; {accuracy:.1%} of 300 test digits right")
    return Pretrained(
        NAME,
        training.model,
        jax.tree.map(jnp.asarray, unflatten_dict(variables, sep="/")),
        Preprocessing((1.0,) * 3, (1.0,) * 3, 2.0, bgr=False, size=SIDE, shorter_side=SIDE),
        tuple("0123456789"),
        Provenance(
            f"weights {NAME}",
            f"trained here on scikit-learn's digits at {SIDE}x{SIDE}, recipe "
            f"{training.digest[:12]}; test accuracy {accuracy:.4f} on 300 digits",
            (DataFile(path, sha256),),
            ALARM,
        ),
        ALARM,
    )


def train(training: DigitsTraining) -> tuple[dict[str, np.ndarray], float]:
    """Returns the tensors by their paths, and the accuracy on the test digits."""
    dataset, model = digits.read(SIDE), training.model
    schedule = optax.cosine_decay_schedule(training.learning_rate, training.num_steps)
    optimizer = optax.adam(schedule)
    init_key, step_key = jax.random.split(jax.random.key(training.seed))
    state = init_classifier(model.init, optimizer, jnp.zeros((1, SIDE, SIDE, 1)), init_key)

    @jax.jit
    def step(state, batch):
        key = jax.random.fold_in(step_key, state.step)
        return classifier_step(model.apply, optimizer, state, batch, key)[0]

    arrays = dict(joined(dataset.train, dataset.validation).arrays)  # No hyperparameter is chosen.
    batches = ArrayBatches(arrays, training.batch_size, training.seed)
    for batch in itertools.islice(batches(0), training.num_steps):
        state = step(state, batch)
    variables = jax.device_get({"params": state.params})
    return _over_colors(variables), _accuracy(model, variables, dataset)


def _accuracy(model: VGG, variables: Any, dataset: Dataset) -> float:
    logits, _ = jax.jit(model.apply)(variables, dataset.test.images)
    return float((np.argmax(logits, 1) == dataset.test.labels).mean())


def _over_colors(variables: Any) -> dict[str, np.ndarray]:
    """Returns the tensors for RGB; three equal channels give the output that one gave."""
    flat = flatten_dict(variables, sep="/")
    kernel = flat["params/conv1_1/kernel"]
    return flat | {"params/conv1_1/kernel": np.repeat(kernel / 3.0, 3, axis=2)}


def _write(path: Path, content: bytes, announce: Callable[[str], None]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, content)
    except OSError as error:
        announce(
            f"{path} cannot be written ({error.strerror}): the network is trained again next time"
        )
