"""Trains a language model of characters that remembers what it read, and holds its texts."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.data.dataset import DataError, Dataset
from lecture_models.models.token_rnn import TokenRNN, reset_where
from lecture_models.nn.recurrent_stack import Carries
from lecture_models.steps.descent import TrainState, descend, init_train_state


class CarriedState(NamedTuple):
    """Holds the network, its optimizer, and what it remembers of each stream.

    The carries are a part of the state, so that a run that resumes goes on reading where it was.
    """

    network: TrainState
    carries: Carries


def init_characters(
    model: TokenRNN, optimizer: optax.GradientTransformation, batch: int, key: Key[Array, ""]
) -> CarriedState:
    """Returns the state before the first step of `batch` streams."""
    tokens = jnp.zeros((1, 1), jnp.int32)
    network = init_train_state(optimizer, model.init(key, tokens)["params"])
    return CarriedState(network, model.zero_carries(batch))


def make_step(model: TokenRNN, optimizer: optax.GradientTransformation) -> Callable:
    """Returns the training step on batches of `StreamBatches`."""

    def step(state: CarriedState, batch, key):
        tokens, carries = batch["tokens"], reset_where(batch["fresh"], state.carries)

        def loss(params):
            after, logits = model.apply(
                {"params": params}, tokens[:, :-1], carries, training=True, rngs={"dropout": key}
            )
            nats = optax.softmax_cross_entropy_with_integer_labels(logits, tokens[:, 1:]).mean()
            return nats, ({"nats": nats}, after)

        network, (metrics, after) = descend(optimizer, state.network, loss)
        return CarriedState(network, jax.lax.stop_gradient(after)), metrics

    return step


class HeldOut(NamedTuple):
    """Holds the parts of a text on which the network is judged, as tokens and as characters."""

    before: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    vocabulary: tuple[str, ...]

    def text(self, tokens: np.ndarray) -> str:
        """Returns the characters of tokens."""
        return "".join(self.vocabulary[token] for token in tokens)


def held_out(dataset: Dataset, names: str) -> HeldOut:
    """Returns the parts of a text.

    Args:
        dataset: the text.
        names: what `--dataset` asks for, for the message.

    Raises:
        DataError: the data set is not a text.
    """
    if "tokens" not in dataset.vocabularies:
        raise DataError(f"--dataset={names} is not a text")
    train, validation, test = (
        split["tokens"].values for split in (dataset.train, dataset.validation, dataset.test)
    )
    return HeldOut(train, validation, test, dataset.vocabularies["tokens"])
