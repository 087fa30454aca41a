"""Computes an objective of one layer tile by tile, for images that are too large at once."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Objective, View
from lecture_models.image_space.tiles import tile_grid, tiled_objective
from lecture_models.metrics.traced_field import ReceptiveFields, traced_fields
from lecture_models.nn.cpu.convolutions import plain_convolutions
from lecture_models.tasks.image_optimization import Pictures
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained

VALUE = "value"  # The name under which the sum over tiles is returned, like an activation.


class Arguments(NamedTuple):
    """Holds the network's variables and the objective's target, in place of variables alone."""

    variables: Any
    target: Any


def layer_fields(
    apply: Network, network: Pretrained, layer: str, size: tuple[int, int]
) -> ReceptiveFields:
    """Returns the receptive fields of a layer's units for an image of (height, width) pixels."""
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
    """Returns a network that computes an objective tile by tile; `tiled_value` reads the result.

    Args:
        apply: the network's logits and activations; the returned network takes `Arguments` in
            place of its variables.
        network: the pretrained network.
        layer: the layer of the objective.
        objective: a sum over the layer's positions.
        tile: pixels of a tile's side.
        size: the largest (height, width) of an image.

    Raises:
        WeightsError: a unit of the layer may depend on the whole image, or the tile is smaller than
            the layer's stride.
    """
    rows, columns = _bounded_fields(apply, network, layer, size)
    if tile < max(rows.stride, columns.stride):
        raise WeightsError(
            f"--tile is {tile}; it must be at least {max(rows.stride, columns.stride)}, the stride "
            f"of {layer}, or 0 to compute the whole image at once"
        )
    strides = rows.stride, columns.stride

    def sums(arguments: Arguments, cut: Pictures, part):
        logits, activations = apply(arguments.variables, cut)
        counted = part.units(activations[layer], strides)
        return objective(View(cut, logits, {layer: counted}), arguments.target)

    def tiled(arguments: Arguments, images: Pictures):
        # A convolution's padding, and so the position of a field, may depend on the size.
        with plain_convolutions():
            rows, columns = _bounded_fields(apply, network, layer, images.shape[1:3])
        tiles = tile_grid(images.shape[1:3], tile, [rows], [columns])
        value = tiled_objective(sums, tiles)(arguments, images)
        return jnp.zeros((len(images), 0)), {VALUE: value}

    return tiled


def _bounded_fields(apply, network, layer, size) -> ReceptiveFields:
    fields = layer_fields(apply, network, layer, size)
    if fields.rows is None or fields.columns is None:
        raise WeightsError(
            f"--tile is given, but a unit of {layer} may depend on the whole image; use --tile=0"
        )
    return fields


def tiled_value(view: View, target: Any):
    """Returns the objective's value that a `tiled_network` has computed."""
    return view.activations[VALUE]
