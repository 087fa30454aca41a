"""Four ways to train the layers of one encoder without labels.

An autoencoder, a denoising and a variational one train all layers at once, under a code that is
thrown away; a stack trains them one by one. The layers bear the names that flax gives them, so that
a classifier of the same layers takes them over as they are.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.losses.reconstruction import bernoulli_cross_entropy
from lecture_models.models.autoencoder import DenseDecoder, DenseEncoder, Nonlinearity, Pair
from lecture_models.models.vae import GaussianEncoder
from lecture_models.nn.corruption import corrupt
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.steps.descent import Metrics, Params, TrainState, descend, init_train_state
from lecture_models.steps.vae import VAE, elbo_terms

Images = Float[Array, "batch height width channel"]
Inputs = Any  # Images, or what the layers below make of them.
Stages = tuple[
    TrainState, ...
]  # One for a net that is trained as a whole, else one for each layer.


class Shape(NamedTuple):
    """What all encoders have in common: the layers that are handed over, and the code on them."""

    hidden: tuple[int, ...]
    code_dim: int
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity


class Pretraining(NamedTuple):
    """How one stage is trained.

    `init(key)` gives parameters, the layers to hand over under "encoder"; `loss(params, inputs,
    key)` one value for each input; `inputs(below, images)` what the stages below make of images.
    """

    init: Callable[[Key[Array, ""]], Params]
    loss: Callable[[Params, Inputs, Key[Array, ""]], Float[Array, " batch"]]
    optimizer: optax.GradientTransformation
    inputs: Callable[[Stages, Images], Inputs] = lambda below, images: images


def layer_name(index: int) -> str:
    """Of a hidden layer, in the parameters of every encoder and of the classifier."""
    return f"Dense_{index}"


def autoencoder(
    shape: Shape, optimizer: optax.GradientTransformation, masking: float
) -> Pretraining:
    """Reconstructs the clean image, in nats, from one with that fraction of its pixels black.

    Vincent et al., 2010, section 3; a plain autoencoder where the fraction is 0.
    """
    encoder = DenseEncoder(shape.hidden, shape.code_dim, shape.nonlinearity)
    networks = _pair(shape, encoder)

    def loss(params, images, key):
        codes = networks.encode(params, corrupt(key, images, masking=masking))
        return bernoulli_cross_entropy(networks.decode(params, codes), images)

    return Pretraining(networks.init, loss, optimizer)


def variational_autoencoder(shape: Shape, optimizer: optax.GradientTransformation) -> Pretraining:
    """Lowers the negative bound, in nats; gray values are read as probabilities.

    Kingma and Welling, 2014, Eq. 10.
    """
    encoder = GaussianEncoder(shape.hidden, shape.code_dim, shape.nonlinearity)
    networks = _pair(shape, encoder)
    vae = VAE(networks.encode, networks.decode)

    def loss(params, images, key):
        reconstruction, divergence = elbo_terms(vae, params, images, key)
        return reconstruction + divergence.sum(-1)

    return Pretraining(networks.init, loss, optimizer)


def stacked_layer(
    shape: Shape,
    optimizer: optax.GradientTransformation,
    index: int,
    masking: float,
    sparsity: float,
) -> Pretraining:
    """One layer as an autoencoder of what is below it, pixels on [0, 1] or codes.

    The error of the clean input (nats over pixels, squared over codes) from one with that fraction
    of its values 0, and `sparsity` times the sum of the layer's absolute values. Vincent et al.,
    2010, section 3.5.
    """
    name, width = layer_name(index), shape.hidden[index]
    below = shape.hidden[index - 1] if index else math.prod(shape.image_shape)
    encoder, decoder = nn.Dense(width), nn.Dense(below)

    def squared_error(outputs, inputs):
        return jnp.sum((outputs - inputs) ** 2, axis=-1)

    def cross_entropy(outputs, inputs):
        images = (2.0 * inputs - 1.0).reshape(-1, *shape.image_shape)
        return bernoulli_cross_entropy(outputs.reshape(images.shape), images)

    error = squared_error if index else cross_entropy

    def init(key):
        encoder_key, decoder_key = jax.random.split(key)
        return {
            "encoder": {name: encoder.init(encoder_key, jnp.zeros((1, below)))["params"]},
            "decoder": decoder.init(decoder_key, jnp.zeros((1, width)))["params"],
        }

    def loss(params, inputs, key):
        corrupted = inputs
        if masking > 0.0:
            kept = jax.random.bernoulli(key, 1.0 - masking, inputs.shape)
            corrupted = jnp.where(kept, inputs, 0.0)
        layer = {"params": params["encoder"][name]}
        codes = shape.nonlinearity(encoder.apply(layer, corrupted))
        outputs = decoder.apply({"params": params["decoder"]}, codes)
        return error(outputs, inputs) + sparsity * jnp.sum(jnp.abs(codes), axis=-1)

    def inputs(below, images):
        x = flatten_to_unit_range(images)
        for each, stage in enumerate(below):
            layer = stage.params["encoder"][layer_name(each)]
            x = shape.nonlinearity(x @ layer["kernel"] + layer["bias"][None, :])
        return x

    return Pretraining(init, loss, optimizer, inputs)


def init_nets(
    pretrainings: dict[str, tuple[Pretraining, ...]], key: Key[Array, ""]
) -> dict[str, Stages]:
    """The first state of every stage of every kind."""
    keys = iter(jax.random.split(key, sum(map(len, pretrainings.values()))))
    return {
        kind: tuple(init_train_state(each.optimizer, each.init(next(keys))) for each in stages)
        for kind, stages in pretrainings.items()
    }


def pretraining_step(
    pretrainings: dict[str, tuple[Pretraining, ...]],
    layer: int,
    nets: dict[str, Stages],
    images: Images,
    key: Key[Array, ""],
) -> tuple[dict[str, Stages], Metrics]:
    """One descent of each kind on the same images: of a stack that layer, of others the whole.

    The metrics are the mean losses from before it, by kind.
    """
    trained, losses = {}, {}
    keys = jax.random.split(key, len(pretrainings))
    for each_key, (kind, stages) in zip(keys, pretrainings.items(), strict=True):
        index = min(layer, len(stages) - 1)
        inputs = stages[index].inputs(nets[kind][:index], images)

        def mean_loss(params, loss=stages[index].loss, inputs=inputs, key=each_key):
            mean = loss(params, inputs, key).mean()
            return mean, {"loss": mean}

        state, metrics = descend(stages[index].optimizer, nets[kind][index], mean_loss)
        trained[kind] = (*nets[kind][:index], state, *nets[kind][index + 1 :])
        losses[kind] = metrics["loss"]
    return trained, losses


def pretrained_layers(shape: Shape, stages: Stages) -> Params:
    """The hidden layers of an encoder, without its code."""
    layers = {}
    for stage in stages:
        layers |= stage.params["encoder"]
    return {layer_name(index): layers[layer_name(index)] for index in range(len(shape.hidden))}


def _pair(shape: Shape, encoder: nn.Module) -> Pair:
    decoder = DenseDecoder(shape.hidden[::-1], shape.image_shape, shape.nonlinearity)
    return Pair(encoder, decoder, shape.code_dim, shape.image_shape)
