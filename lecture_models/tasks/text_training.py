"""Trains text classifiers, one for each fold, side by side, and keeps the best of each.

All folds see the same batches; a text weighs 0 in the folds in which it validates or tests. At
regular steps every network is judged on its fold's validation texts, and the state keeps a copy of
the best one so far, so that test texts are classified by it alone, once.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Int32, Key

from lecture_models.data.ragged_batches import RaggedBatches, ragged_batches
from lecture_models.evaluators.text_classification import Judged
from lecture_models.metrics.macro_scores import SCORES
from lecture_models.models.text_classifier import TextClassifier
from lecture_models.steps.descent import Params, TrainState, descend, init_train_state
from lecture_models.tasks.text_folds import (
    VALIDATION,
    PartArrays,
    TextFolds,
    part_arrays,
    training_split,
)

CHUNK = 512  # Texts of all folds together that are classified at a time.


class BestNetworks(NamedTuple):
    """Holds the networks with the highest validation score so far.

    Attributes:
        params: their parameters.
        scores: their scores, from 0 to 1; -1 before the first check.
        steps: the steps after which they were checked.
    """

    params: Params
    scores: Float32[Array, " fold"]
    steps: Int32[Array, " fold"]


class FoldState(NamedTuple):
    """Holds the networks of all folds along the first axis of each array, and the best of them."""

    networks: TrainState
    step: Int32[Array, ""]
    best: BestNetworks


class Schedule(NamedTuple):
    """Says when networks are judged: after every `check_every` steps and after the last one."""

    check_every: int
    num_steps: int


def make_batches(folds: TextFolds, batch_size: int, seed: int, balanced: bool) -> RaggedBatches:
    """Returns the batches that all folds share.

    Args:
        folds: the texts.
        batch_size: number of texts of a batch, of which each fold trains on its own.
        seed: from which the orders are drawn.
        balanced: whether all classes weigh the same.
    """
    return ragged_batches(training_split(folds, balanced), batch_size, seed)


def init_folds(
    model: TextClassifier, optimizer: optax.GradientTransformation, folds: int, key: Key[Array, ""]
) -> FoldState:
    """Returns networks before the first step, each with parameters of its own."""
    tokens, lengths = jnp.zeros((1, 2), jnp.int32), jnp.full(1, 2, jnp.int32)

    def init(key):
        return init_train_state(optimizer, model.init(key, tokens, lengths)["params"])

    networks = jax.vmap(init)(jax.random.split(key, folds))
    best = BestNetworks(
        jax.tree.map(jnp.copy, networks.params),
        jnp.full(folds, -1.0),
        jnp.zeros(folds, jnp.int32),
    )
    return FoldState(networks, jnp.zeros((), jnp.int32), best)


def make_step(
    model: TextClassifier,
    optimizer: optax.GradientTransformation,
    folds: TextFolds,
    metric: str,
    schedule: Schedule,
    max_norm: float = 0.0,
) -> Callable:
    """Returns the training step of all folds.

    Args:
        model: the network.
        optimizer: the optimizer of each network.
        folds: the texts.
        metric: the name of the validation score.
        schedule: when the networks are judged.
        max_norm: largest norm of a class's weights in the last layer; 0 for no limit.
    """
    known, validation = jnp.asarray(folds.known), part_arrays(folds, VALIDATION)
    train_one = functools.partial(_train_one, model, optimizer, max_norm)

    def check(networks, step, best):
        scores = fold_scores(model, networks.params, validation, metric)
        better = scores > best.scores

        def choose(new, old):
            return jnp.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old)

        params = jax.tree.map(choose, networks.params, best.params)
        return BestNetworks(params, choose(scores, best.scores), choose(step, best.steps))

    def step(state, batch, key):
        keys = jax.random.split(key, len(folds))
        networks, metrics = jax.vmap(train_one, in_axes=(0, 0, 1, 0, None))(
            state.networks, known, batch["fold_weights"], keys, batch
        )
        count = state.step + 1
        due = (count % schedule.check_every == 0) | (count == schedule.num_steps)
        steps = jnp.full(len(folds), count)
        best = jax.lax.cond(
            due, check, lambda networks, steps, best: best, networks, steps, state.best
        )
        return FoldState(networks, count, best), jax.tree.map(jnp.mean, metrics)

    return step


def _train_one(model, optimizer, max_norm, network, known, weights, key, batch):
    """Updates the network of one fold, which does not know all words and weighs the texts."""
    tokens = jnp.where(known[batch["tokens"]], batch["tokens"], 0)
    weights = weights * batch["weights"]
    weights = weights / jnp.maximum(weights.sum(), 1e-6)

    def loss(params):
        logits = model.apply(
            {"params": params},
            tokens,
            batch["tokens_lengths"],
            training=True,
            rngs={"dropout": key},
        )
        nats = optax.softmax_cross_entropy_with_integer_labels(logits, batch["labels"])
        wrong = (logits.argmax(-1) != batch["labels"]).astype(jnp.float32)
        mean = (weights * nats).sum()
        return mean, {"loss": mean, "weighted_error_percent": 100.0 * (weights * wrong).sum()}

    network, metrics = descend(optimizer, network, loss)
    if max_norm:
        network = network._replace(params=_limit_norms(network.params, max_norm))
    return network, metrics


def _limit_norms(params: Params, most: float) -> Params:
    """Returns parameters in which no class's weights of the last layer are longer than `most`."""
    kernel = params["head"]["kernel"]
    norms = jnp.linalg.norm(kernel, axis=0, keepdims=True)
    scaled = kernel * jnp.minimum(1.0, most / jnp.maximum(norms, 1e-9))
    return {**params, "head": {**params["head"], "kernel": scaled}}


@functools.partial(jax.jit, static_argnames="model")
def fold_logits(
    model: TextClassifier, params: Params, part: PartArrays
) -> Float[Array, "fold text class"]:
    """Returns the logits of the texts of a part, each from the network of its fold."""
    folds, count = part.tokens.shape[:2]
    size = min(count, max(1, CHUNK // folds))
    chunks = -(-count // size)

    def cut(array):
        missing = ((0, 0), (0, chunks * size - count), *((0, 0),) * (array.ndim - 2))
        padded = jnp.pad(array, missing, mode="edge")
        return jnp.moveaxis(padded.reshape(folds, chunks, size, *array.shape[2:]), 1, 0)

    def classify(params, tokens, lengths):
        return model.apply({"params": params}, tokens, lengths)

    logits = jax.lax.map(
        lambda chunk: jax.vmap(classify)(params, *chunk), (cut(part.tokens), cut(part.lengths))
    )
    return jnp.moveaxis(logits, 0, 1).reshape(folds, -1, logits.shape[-1])[:, :count]


def fold_scores(
    model: TextClassifier, params: Params, part: PartArrays, metric: str
) -> Float[Array, " fold"]:
    """Returns a score of each fold's network on the texts of its part, from 0 to 1."""
    logits = fold_logits(model, params, part)
    true = jax.nn.one_hot(part.labels, logits.shape[-1]) * part.exists[..., None]
    predicted = jax.nn.one_hot(logits.argmax(-1), logits.shape[-1])
    return SCORES[metric](jnp.einsum("ftc,ftp->fcp", true, predicted))


def judge(model: TextClassifier, params: Params, folds: TextFolds, part: int) -> Judged:
    """Returns the texts of a part of all folds with the logits of the networks of their folds."""
    arrays = part_arrays(folds, part)
    logits = np.asarray(fold_logits(model, params, arrays))
    members = [folds.members(fold, part) for fold in range(len(folds))]
    texts = np.concatenate(members)
    return Judged(
        [folds.texts[text] for text in texts],
        folds.labels[texts],
        logits[arrays.exists],
        np.repeat(np.arange(len(folds)), [len(chosen) for chosen in members]),
    )
