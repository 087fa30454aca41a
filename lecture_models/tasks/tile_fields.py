"""Cuts images into tiles for the receptive fields of a network's layers, or says why it cannot."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from lecture_models.image_space.step import Network
from lecture_models.image_space.tiles import Tile, tile_grid
from lecture_models.metrics.traced_field import ReceptiveFields, traced_fields
from lecture_models.nn.cpu.convolutions import plain_convolutions
from lecture_models.weights.error import WeightsError

Size = tuple[int, int]


def bounded_fields(
    network: Network, variables: Any, layers: Sequence[str], size: Size
) -> dict[str, ReceptiveFields]:
    """Returns the receptive fields of layers, by name, for an image of (height, width) pixels.

    Args:
        network: the network's activations for images in [-1, 1].
        variables: the network's variables, of which only the shapes are used.
        layers: names of the layers.
        size: (height, width) of the image.

    Raises:
        WeightsError: a unit of a layer may depend on the whole image.
    """
    images = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    # A convolution's padding, and so the position of a field, may depend on the size.
    with plain_convolutions():
        _, fields = traced_fields(network, variables, images)
    for layer in layers:
        if fields[layer].rows is None or fields[layer].columns is None:
            raise WeightsError(
                f"--tile is given, but a unit of {layer} may depend on the whole image; use "
                "--tile=0"
            )
    return {layer: fields[layer] for layer in layers}


def strides(fields: ReceptiveFields) -> tuple[int, int]:
    """Returns the distances of a layer's units along rows and columns, in pixels."""
    return fields.rows.stride, fields.columns.stride


def tiles_of(fields: dict[str, ReceptiveFields], tile: int, size: Size) -> tuple[Tile, ...]:
    """Returns the tiles of an image.

    Args:
        fields: the receptive fields of the layers whose units the tiles count, by layer.
        tile: pixels of a tile's side.
        size: (height, width) of the image.

    Raises:
        WeightsError: the tiles are smaller than a layer's stride.
    """
    least, layer = max((max(strides(field)), layer) for layer, field in fields.items())
    if tile < least:
        raise WeightsError(
            f"--tile is {tile}; it must be at least {least}, the stride of {layer}, or 0 to "
            "compute the whole image at once"
        )
    rows = [field.rows for field in fields.values()]
    return tile_grid(size, tile, rows, [field.columns for field in fields.values()])
