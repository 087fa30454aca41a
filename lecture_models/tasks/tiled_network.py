"""Computes an objective of one layer tile by tile, for images that are too large at once."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Objective, View
from lecture_models.image_space.tiles import tiled_objective
from lecture_models.metrics.traced_field import ReceptiveFields, traced_fields
from lecture_models.tasks.image_optimization import Pictures
from lecture_models.tasks.tile_fields import bounded_fields, strides, tiles_of
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
    fields = bounded_fields(apply, network.variables, [layer], size)
    tiles_of(fields, tile, size)  # A wrong tile is an error before the first step.
    layer_strides = strides(fields[layer])

    def sums(arguments: Arguments, cut: Pictures, part):
        logits, activations = apply(arguments.variables, cut)
        counted = part.units(activations[layer], layer_strides)
        return objective(View(cut, logits, {layer: counted}), arguments.target)

    def tiled(arguments: Arguments, images: Pictures):
        size = images.shape[1:3]
        fields = bounded_fields(apply, network.variables, [layer], size)
        value = tiled_objective(sums, tiles_of(fields, tile, size))(arguments, images)
        return jnp.zeros((len(images), 0)), {VALUE: value}

    return tiled


def tiled_value(view: View, target: Any):
    """Returns the objective's value that a `tiled_network` has computed."""
    return view.activations[VALUE]
