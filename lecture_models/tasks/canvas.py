"""Extends an image to a canvas of which a network sees every pixel, and cuts the image out again.

A pooling that rounds down ignores the rows and columns beyond its last whole window. VGG's five of
them ignore up to 31 pixels at the bottom and at the right, where an image that is optimized
would keep what it began with.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from lecture_models.image_space.step import Network
from lecture_models.metrics.receptive_field import ReceptiveField
from lecture_models.metrics.traced_field import traced_fields
from lecture_models.tasks.layers import layer_shapes
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained

Pictures = Float[Array, "image height width channel"]

_MORE = 32  # Pixels: the largest stride of the networks here.


def canvas_size(
    apply: Network, network: Pretrained, size: tuple[int, int], layers: Sequence[str]
) -> tuple[int, int]:
    """Returns the smallest size, from `size` on, at which no layer ignores a strip of pixels.

    Args:
        apply: computes logits and activations from variables and images.
        network: the network.
        size: height and width of the image in pixels.
        layers: the layers that the loss reads; names that the network lacks are skipped.

    Returns:
        Height and width: those of `size` along an axis on which no layer ignores anything, as with
        poolings that round up; else multiples of the strides of all layers.

    Raises:
        WeightsError: the network cannot take the image, even with a few more pixels.
    """
    try:
        shapes = layer_shapes(apply, network, size)
    except WeightsError:  # Too small, perhaps only by the pixels that the canvas adds.
        ample = (size[0] + _MORE, size[1] + _MORE)
        shapes = dict.fromkeys(layer_shapes(apply, network, ample), (1, 0, 0, 0))
    else:
        ample = size
    images = jax.ShapeDtypeStruct((1, *ample, 3), jnp.float32)
    with nn.intercept_methods(_with_zeros):
        fields = traced_fields(lambda *args: apply(*args)[1], network.variables, images)
    maps = [layer for layer in layers if len(shapes.get(layer, ())) == 4]
    rows = [(fields[layer].rows, shapes[layer][1]) for layer in maps]
    columns = [(fields[layer].columns, shapes[layer][2]) for layer in maps]
    return _whole_side(size[0], rows), _whole_side(size[1], columns)


def _whole_side(side: int, layers: Sequence[tuple[ReceptiveField | None, int]]) -> int:
    """Returns the side of the canvas, from the fields and numbers of the layers' units."""
    bounded = [(field, count) for field, count in layers if field is not None]
    if not any(_is_cut(side, field, count) for field, count in bounded):
        return side
    stride = math.lcm(*(field.stride for field, _ in bounded))
    return math.ceil(side / stride) * stride


def _is_cut(side: int, field: ReceptiveField, count: int) -> bool:
    """Tells whether the last unit's field reaches less far beyond the image than the first's."""
    return count == 0 or field.span(count - 1)[1] - (side - 1) < -field.span(0)[0]


def _with_zeros(call: Callable[..., Any], args: Any, kwargs: Any, context: Any) -> Any:
    """Makes a convolution pad with zeros instead of pixels, whose fields could not be traced."""
    module = context.module
    if not isinstance(module, nn.Conv) or module.padding not in ("REFLECT", "CIRCULAR"):
        return call(*args, **kwargs)
    plain = module.clone(parent=None, name=None, padding="SAME")
    return plain.apply({"params": module.variables["params"]}, *args, **kwargs)


def extended(images: Pictures, canvas: tuple[int, int], margin: int = 0) -> Pictures:
    """Returns images that continue, mirrored, to the size of a canvas.

    Args:
        images: the images.
        canvas: height and width of the canvas in pixels.
        margin: pixels above and to the left of the images; the rest is below and to the right.
    """
    above = (margin, margin)
    surplus = [whole - side - margin for whole, side in zip(canvas, images.shape[1:3], strict=True)]
    if not any((*above, *surplus)):
        return images
    borders = ((0, 0), *zip(above, surplus, strict=True), (0, 0))
    return jnp.pad(images, borders, mode="symmetric")


def cropped(images: Pictures, size: tuple[int, int], margin: int = 0) -> Pictures:
    """Returns the images without what `extended` added."""
    return images[:, margin : margin + size[0], margin : margin + size[1]]
