"""Networks that are a list of convolutions and poolings: the list, and what runs it."""

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
    """A convolution with a bias and a nonlinearity; `features` 0 stands for the classes."""

    features: int
    window: int
    stride: int = 1
    padded: bool = True  # So that stride 1 keeps the side.
    name: str = ""  # Else conv1, conv2, ... by place.


class Pool(NamedTuple):
    """Overlapping pooling, 32 to 16 to 8: as in Caffe the last window may hang over the edge."""

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
    """The last maps and all activations; its convolutions are submodules of the module that calls.

    Dropout of rate `dropout` follows each layer of stride 2. With 0 classes the convolution that
    gives them is left out. The names are conv1 (before the nonlinearity), relu1, pool1, ...; a
    convolution `name` is followed by relu_`name`. Without `rectified_scores` the convolution that
    gives the classes is linear.
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
    """Means of the classes' maps as float32 logits; with 0 classes of shape (batch, 0)."""
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
