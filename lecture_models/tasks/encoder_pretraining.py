"""Trains the layers of an encoder without labels, in four ways.

An autoencoder, a denoising one and a variational one train all layers at once, below a code layer
that is discarded afterwards. A stack of autoencoders trains one layer after the other. The layers
have the names that flax gives them, so a classifier with the same layers can take their parameters
unchanged.
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
from lecture_models.models.autoencoder import (
    DenseDecoder,
    DenseEncoder,
    EncoderDecoder,
    Nonlinearity,
)
from lecture_models.models.vae import GaussianEncoder
from lecture_models.nn.corruption import corrupt
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.steps.descent import Metrics, Params, TrainState, descend, init_train_state
from lecture_models.steps.vae import VAE, elbo_terms

Images = Float[Array, "batch height width channel"]
Vectors = Float[Array, "batch value"]
StageStates = tuple[TrainState, ...]  # The states of a net's stages, the lowest layer first.


class EncoderArchitecture(NamedTuple):
    """Describes the layers that all encoders share.

    Attributes:
        hidden: widths of the hidden layers, which are kept after pre-training.
        code_dim: width of the code layer, which is discarded; a stack has none.
        image_shape: height, width and channels.
        nonlinearity: the activation function of the hidden layers.
    """

    hidden: tuple[int, ...]
    code_dim: int
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity


class PretrainingStage(NamedTuple):
    """Describes how a net is trained: all of its layers, or one layer of a stack.

    Attributes:
        init: `init(key)` returns the parameters; the hidden layers are under "encoder", by name.
        loss: `loss(params, inputs, key)` returns one value per input.
        optimizer: updates the parameters.
        inputs: `inputs(lower_states, images)` returns the inputs of the loss, from the states of
            the stages below; by default the images themselves.
    """

    init: Callable[[Key[Array, ""]], Params]
    loss: Callable[[Params, Any, Key[Array, ""]], Float[Array, " batch"]]
    optimizer: optax.GradientTransformation
    inputs: Callable[[StageStates, Images], Any] = lambda lower_states, images: images


Stages = tuple[PretrainingStage, ...]  # One for a net as a whole, or one for each layer of a stack.


def layer_name(index: int) -> str:
    """Returns the name of a hidden layer in the parameters of every encoder and classifier."""
    return f"Dense_{index}"


def autoencoder_stage(
    architecture: EncoderArchitecture, optimizer: optax.GradientTransformation, masking: float
) -> PretrainingStage:
    """Returns the training of a denoising autoencoder, or of a plain one if `masking` is 0.

    The loss is the cross-entropy of the clean pixels, in nats. Source: Vincent et al., 2010,
    section 3.

    Args:
        architecture: the layers.
        optimizer: updates the parameters.
        masking: fraction of the input pixels that are set to black.
    """
    encoder = DenseEncoder(architecture.hidden, architecture.code_dim, architecture.nonlinearity)
    networks = _with_decoder(architecture, encoder)

    def loss(params, images, key):
        codes = networks.encode(params, corrupt(key, images, masking=masking))
        return bernoulli_cross_entropy(networks.decode(params, codes), images)

    return PretrainingStage(networks.init, loss, optimizer)


def variational_stage(
    architecture: EncoderArchitecture, optimizer: optax.GradientTransformation
) -> PretrainingStage:
    """Returns the training of a variational autoencoder.

    The loss is the negative ELBO in nats, in which gray values are probabilities. Source: Kingma
    and Welling, 2014, Eq. 10.
    """
    encoder = GaussianEncoder(architecture.hidden, architecture.code_dim, architecture.nonlinearity)
    networks = _with_decoder(architecture, encoder)
    vae = VAE(networks.encode, networks.decode)

    def loss(params, images, key):
        reconstruction, kl_divergence = elbo_terms(vae, params, images, key)
        return reconstruction + kl_divergence.sum(-1)

    return PretrainingStage(networks.init, loss, optimizer)


def stack_stage(
    architecture: EncoderArchitecture,
    optimizer: optax.GradientTransformation,
    layer: int,
    masking: float,
    sparsity: float,
) -> PretrainingStage:
    """Returns the training of one layer of a stack, as a denoising autoencoder of its inputs.

    The inputs of the lowest layer are the pixels in [0, 1], and the error is their cross-entropy in
    nats. The inputs of every other layer are the activations of the layer below, and the error is
    the sum of the squared differences. Source: Vincent et al., 2010, section 3.5.

    Args:
        architecture: the layers.
        optimizer: updates the parameters of this layer.
        layer: index of the layer; 0 is the lowest.
        masking: fraction of the inputs that are set to 0.
        sparsity: weight of a penalty, the sum of the layer's absolute activations.
    """
    name, width = layer_name(layer), architecture.hidden[layer]
    num_inputs = architecture.hidden[layer - 1] if layer else math.prod(architecture.image_shape)
    encoder, decoder = nn.Dense(width), nn.Dense(num_inputs)
    error = _squared_error if layer else _cross_entropy

    def init(key):
        encoder_key, decoder_key = jax.random.split(key)
        return {
            "encoder": {name: encoder.init(encoder_key, jnp.zeros((1, num_inputs)))["params"]},
            "decoder": decoder.init(decoder_key, jnp.zeros((1, width)))["params"],
        }

    def loss(params, inputs, key):
        corrupted = _set_to_zero(key, inputs, masking)
        layer_params = {"params": params["encoder"][name]}
        activations = architecture.nonlinearity(encoder.apply(layer_params, corrupted))
        outputs = decoder.apply({"params": params["decoder"]}, activations)
        return error(outputs, inputs) + sparsity * jnp.sum(jnp.abs(activations), axis=-1)

    def inputs(lower_states, images):
        return _apply_lower_layers(architecture.nonlinearity, lower_states, images)

    return PretrainingStage(init, loss, optimizer, inputs)


def init_nets(stages: dict[str, Stages], key: Key[Array, ""]) -> dict[str, StageStates]:
    """Returns the initial states of every net's stages, by kind of pre-training."""
    keys = iter(jax.random.split(key, sum(map(len, stages.values()))))
    return {
        kind: tuple(init_train_state(stage.optimizer, stage.init(next(keys))) for stage in of_kind)
        for kind, of_kind in stages.items()
    }


def pretraining_step(
    stages: dict[str, Stages],
    layer: int,
    nets: dict[str, StageStates],
    images: Images,
    key: Key[Array, ""],
) -> tuple[dict[str, StageStates], Metrics]:
    """Updates every net once on the same images.

    Args:
        stages: the stages of each net, by kind of pre-training.
        layer: the only layer that a stack updates; the other nets update all layers.
        nets: the states of the stages, by kind.
        images: images in [-1, 1].
        key: split among the kinds.

    Returns:
        The states after the step, and for each kind the metric `loss_KIND`: the batch mean of its
        loss before the step.
    """
    updated, metrics = {}, {}
    for kind_key, kind in zip(jax.random.split(key, len(stages)), stages, strict=True):
        index = min(layer, len(stages[kind]) - 1)
        state, loss = _update_stage(stages[kind][index], nets[kind], index, images, kind_key)
        updated[kind] = (*nets[kind][:index], state, *nets[kind][index + 1 :])
        metrics[f"loss_{kind}"] = loss
    return updated, metrics


def pretrained_layers(architecture: EncoderArchitecture, states: StageStates) -> Params:
    """Returns the parameters of a net's hidden layers, by name, the lowest first."""
    layers = {}
    for state in states:
        layers |= state.params["encoder"]
    names = map(layer_name, range(len(architecture.hidden)))
    return {name: layers[name] for name in names}


def _with_decoder(architecture: EncoderArchitecture, encoder: nn.Module) -> EncoderDecoder:
    hidden, code_dim, image_shape, nonlinearity = architecture
    decoder = DenseDecoder(hidden[::-1], image_shape, nonlinearity)
    return EncoderDecoder(encoder, decoder, code_dim, image_shape)


def _squared_error(outputs: Vectors, inputs: Vectors) -> Float[Array, " batch"]:
    return jnp.sum((outputs - inputs) ** 2, axis=-1)


def _cross_entropy(logits: Vectors, pixels: Vectors) -> Float[Array, " batch"]:
    # The loss takes images in [-1, 1] of any height, width and channels.
    shape = (*pixels.shape, 1, 1)
    return bernoulli_cross_entropy(logits.reshape(shape), (2.0 * pixels - 1.0).reshape(shape))


def _set_to_zero(key: Key[Array, ""], inputs: Vectors, fraction: float) -> Vectors:
    if fraction == 0.0:
        return inputs
    kept = jax.random.bernoulli(key, 1.0 - fraction, inputs.shape)
    return jnp.where(kept, inputs, 0.0)


def _apply_lower_layers(nonlinearity: Nonlinearity, states: StageStates, images: Images) -> Vectors:
    x = flatten_to_unit_range(images)
    for index, state in enumerate(states):
        layer = state.params["encoder"][layer_name(index)]
        x = nonlinearity(x @ layer["kernel"] + layer["bias"][None, :])
    return x


def _update_stage(
    stage: PretrainingStage,
    states: StageStates,
    index: int,
    images: Images,
    key: Key[Array, ""],
) -> tuple[TrainState, Float[Array, ""]]:
    inputs = stage.inputs(states[:index], images)

    def mean_loss(params):
        mean = stage.loss(params, inputs, key).mean()
        return mean, {"loss": mean}

    state, metrics = descend(stage.optimizer, states[index], mean_loss)
    return state, metrics["loss"]
