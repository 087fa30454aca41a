"""How an experiment takes an objective of one layer tile by tile."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Objective, View
from lecture_models.image_space.tiles import of_sums, tile_grid
from lecture_models.metrics.traced_field import Fields, traced_fields
from lecture_models.nn.cpu.convolutions import plain_convolutions
from lecture_models.tasks.image_optimization import Pictures
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained

VALUE = "value"  # In the place of an activation: what the tiles' sum came to.


class Arguments(NamedTuple):
    """In the place of a network's variables: its own, and the objective's target."""

    variables: Any
    target: Any


def layer_fields(apply: Network, network: Pretrained, layer: str, size: tuple[int, int]) -> Fields:
    """What each unit of a layer sees of an image of (height, width), at no cost."""
    images = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    _, fields = traced_fields(apply, network.variables, images)
    return fields[layer]


def tiled_network(
    apply: Network,
    network: Pretrained,
    layer: str,
    objective: Objective,
    tile: int,
    size: tuple[int, int],
) -> Network:
    """Given `Arguments`, an `objective` that is a sum over the layer's places: for `tiled_value`.

    It is for images of at most `size`, (height, width).

    Raises WeightsError for a layer whose units may depend on the whole picture, and for a tile
    smaller than the layer's stride.
    """
    rows, columns = _bounded_fields(apply, network, layer, size)
    if tile < max(rows.stride, columns.stride):
        raise WeightsError(
            f"--tile is {tile}; it must be at least {max(rows.stride, columns.stride)}, the stride "
            f"of {layer}, or 0 for the whole picture"
        )
    strides = rows.stride, columns.stride

    def sums(arguments: Arguments, cut: Pictures, part):
        logits, activations = apply(arguments.variables, cut)
        counted = part.units(activations[layer], strides)
        return objective(View(cut, logits, {layer: counted}), arguments.target)

    def tiled(arguments: Arguments, images: Pictures):
        # What pads a convolution may depend on the size, and so where a unit looks.
        with plain_convolutions():
            rows, columns = _bounded_fields(apply, network, layer, images.shape[1:3])
        tiles = tile_grid(images.shape[1:3], tile, [rows], [columns])
        value = of_sums(sums, tiles)(arguments, images)
        return jnp.zeros((len(images), 0)), {VALUE: value}

    return tiled


def _bounded_fields(apply, network, layer, size) -> Fields:
    fields = layer_fields(apply, network, layer, size)
    if fields.rows is None or fields.columns is None:
        raise WeightsError(
            f"a unit of {layer} may depend on the whole picture: no --tile is possible; 0 is whole"
        )
    return fields


def tiled_value(view: View, target: Any):
    """The objective of a `tiled_network`."""
    return view.activations[VALUE]
