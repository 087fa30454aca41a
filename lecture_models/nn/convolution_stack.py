"""Describes networks that are a list of convolutions and poolings, and runs such lists.

On a CPU a run may compute these convolutions by faster algorithms: see docs/cpu_convolutions.md.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from lecture_models.nn.pooling import max_pool

Maps = Float[Array, "batch height width channel"]
NewMaps = Float[Array, "batch new_height new_width new_channel"]


class Conv(NamedTuple):
    """Describes a convolution with a bias, followed by the nonlinearity.

    Attributes:
        features: the number of output channels; 0 means one channel per class.
        window: the filter's side in pixels.
        stride: the step between positions in pixels.
        padded: whether zeros are added so that the side stays the same at stride 1.
        name: the submodule's name; "" means conv1, conv2, ... in the order of the list.
    """

    features: int
    window: int
    stride: int = 1
    padded: bool = True
    name: str = ""


class Pool(NamedTuple):
    """Describes a pooling whose windows may overlap and may extend over the edge, as in Caffe.

    The default takes a side of 32 to 16, and 16 to 8.

    Attributes:
        window: the window's side in pixels.
        stride: the step between windows in pixels.
        reduce: the pooling function, such as `max_pool` or `mean_pool` of `nn.pooling`.
    """

    window: int = 3
    stride: int = 2
    reduce: Callable[..., jax.Array] = max_pool


def run_stack(
    layers: tuple[Conv | Pool, ...],
    x: Maps,
    num_classes: int,
    nonlinearity: Callable[[jax.Array], jax.Array],
    dropout: float,
    training: bool,
    dtype: DTypeLike,
    rectified_scores: bool = True,
) -> tuple[NewMaps, dict[str, Float[Array, "batch ..."]]]:
    """Applies a list of layers; convolutions become submodules of the linen module that calls.

    It must be called within a compact method.

    Args:
        layers: the layers in order.
        x: the input maps.
        num_classes: the number of classes; 0 means that a convolution of 0 features is skipped.
        nonlinearity: the function that follows each convolution.
        dropout: the rate of the dropout after each layer of stride 2, from 0 to 1.
        training: whether dropout is active; it then draws from the rng `dropout`.
        dtype: the type in which convolutions compute.
        rectified_scores: whether the nonlinearity also follows the convolution of the classes.

    Returns:
        The last maps, and the activations by name: conv1 (before the nonlinearity), relu1, pool1,
        ...; a convolution with a name of its own is followed by relu_NAME.
    """
    activations, convolutions, pools = {}, 0, 0
    for layer in layers:
        if isinstance(layer, Pool):
            pools += 1
            x = layer.reduce(x, layer.window, layer.stride, ceil=True)
            activations[f"pool{pools}"] = x
        elif layer.features or num_classes:
            convolutions += 1
            name, rectified = f"conv{convolutions}", f"relu{convolutions}"
            if layer.name:
                name, rectified = layer.name, f"relu_{layer.name}"
            activations[name] = x = _convolve(x, layer, layer.features or num_classes, dtype, name)
            if layer.features or rectified_scores:
                activations[rectified] = x = nonlinearity(x)
        if layer.stride == 2:
            x = nn.Dropout(dropout, deterministic=not training)(x)
    return x, activations


def mean_scores(x: Maps, num_classes: int) -> Float[Array, "batch class"]:
    """Returns the mean of each class's map over all pixels.

    Args:
        x: one map per class.
        num_classes: the number of classes; with 0 the maps are ignored.

    Returns:
        Logits in float32, of shape (batch, 0) if `num_classes` is 0. Lin et al., "Network in
        network", 2014, section 3.2.
    """
    if num_classes == 0:
        return jnp.zeros((len(x), 0), jnp.float32)
    return x.astype(jnp.float32).mean((1, 2))


def _convolve(x: Maps, layer: Conv, features: int, dtype: DTypeLike, name: str) -> NewMaps:
    return nn.Conv(
        features,
        (layer.window, layer.window),
        layer.stride,
        padding=layer.window // 2 if layer.padded else 0,
        kernel_init=nn.initializers.he_normal(),
        dtype=dtype,
        name=name,
    )(x)
