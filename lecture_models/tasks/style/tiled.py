"""Computes the targets and the loss of a style transfer tile by tile, in less memory."""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from lecture_models.image_space.gram import gram_distance, gram_matrix, gram_places
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Objective, Term, View
from lecture_models.image_space.tiles import Tile, tiled_sums
from lecture_models.tasks.image_optimization import Stage, Targeted
from lecture_models.tasks.style.images import scaled_mask
from lecture_models.tasks.style.terms import Activations, Weighting
from lecture_models.tasks.tile_fields import Size, bounded_fields, strides, tiles_of


class LayerSum(NamedTuple):
    """Describes a sum over the positions of a layer.

    Attributes:
        layer: name of the layer.
        measure: computes it from features and the part of a target that belongs to them.
    """

    layer: str
    measure: Callable[[Array, Any], Array]


def absolute_values(features, target):
    """Returns the sum of the absolute values of each image's features."""
    return jnp.abs(features).sum((1, 2, 3))


def squared_distance(features, target):
    """Returns half the squared distance of each image's features from the target's."""
    return 0.5 * jnp.square(features - target).sum((1, 2, 3))


def masked_gram(features, mask):
    """Returns the Gram matrix of each image; a mask has shape (1, row, column, 1)."""
    return gram_matrix(features, None if mask is None else mask[0, :, :, 0])


def sums_by_tiles(
    network: Network, variables: Any, sums: dict[str, LayerSum], tile: int, size: Size
) -> Callable[[Targeted, Array], dict[str, Array]]:
    """Returns the function that computes sums over positions tile by tile.

    Args:
        network: the network's activations for images in [-1, 1].
        variables: the network's variables, of which only the shapes are used.
        sums: the sums by name.
        tile: pixels of a tile's side.
        size: (height, width) of the images.

    Returns:
        A function of variables with targets, and of images. A target is a map with the positions of
        its layer, or None; targets are in the order of `sums`.
    """
    fields = bounded_fields(network, variables, [each.layer for each in sums.values()], size)
    layer_strides = {layer: strides(field) for layer, field in fields.items()}

    def of_tile(given: Targeted, crop, part: Tile):
        _, activations = network(given.variables, crop)
        found = {}
        for (name, each), target in zip(sums.items(), given.targets, strict=True):
            counted = part.units(activations[each.layer], layer_strides[each.layer])
            found[name] = each.measure(counted, target)
        return found

    def cut(given: Targeted, part: Tile):
        return given._replace(
            targets=tuple(
                None if target is None else part.of_whole(target, layer_strides[each.layer])
                for each, target in zip(sums.values(), given.targets, strict=True)
            )
        )

    return tiled_sums(of_tile, tiles_of(fields, tile, size), cut)


def tiled_activations(network: Network, tile: int) -> Activations:
    """Returns the functions that measure the activations of pictures tile by tile."""

    def map_shapes(variables, picture, layers):
        _, activations = jax.eval_shape(network, variables, picture)
        return {layer: activations[layer].shape for layer in layers}

    def mean_activations(variables, picture, layers):
        sums = {layer: LayerSum(layer, absolute_values) for layer in layers}
        total = sums_by_tiles(network, variables, sums, tile, picture.shape[1:3])
        values = total(Targeted(variables, (None,) * len(sums)), picture)
        shapes = map_shapes(variables, picture, layers)
        return {
            layer: max(float(values[layer][0]) / np.prod(shapes[layer]), 1e-6) for layer in layers
        }

    def style_targets(layers):
        sums = {layer: LayerSum(layer, masked_gram) for layer in layers}

        def of_picture(variables, picture, mask):
            total = sums_by_tiles(network, variables, sums, tile, picture.shape[1:3])
            masks, places = [], []
            for _, rows, columns, _ in map_shapes(variables, picture, layers).values():
                layer_mask = scaled_mask(mask, (rows, columns))
                masks.append(None if layer_mask is None else layer_mask[None, :, :, None])
                places.append(gram_places(rows, columns, layer_mask))
            grams = total(Targeted(variables, tuple(masks)), picture)
            return tuple(
                {"gram": grams[layer][0], "places": number}
                for layer, number in zip(layers, places, strict=True)
            )

        return of_picture

    def content_targets(layers):
        return lambda variables, picture: _tiled_maps(network, variables, picture, layers, tile)

    return Activations(mean_activations, content_targets, style_targets)


def _tiled_maps(network, variables, picture, layers, tile) -> tuple[Array, ...]:
    """Returns the activations of layers, computed tile by tile."""
    size = picture.shape[1:3]
    fields = bounded_fields(network, variables, layers, size)

    def counted(variables, crop, part):
        _, activations = network(variables, crop)
        return tuple(part.units(activations[layer], strides(fields[layer])) for layer in layers)

    compiled = jax.jit(counted, static_argnums=2)
    _, shapes = jax.eval_shape(network, variables, picture)
    maps = tuple(np.zeros(shapes[layer].shape, np.float32) for layer in layers)
    for part in tiles_of(fields, tile, size):
        found = compiled(variables, part.cut(picture), part.inside)
        for layer, whole, values in zip(layers, maps, found, strict=True):
            down, across = strides(fields[layer])
            whole[:, part.rows.whole_units(down), part.columns.whole_units(across)] = values
    return tuple(jnp.asarray(whole) for whole in maps)


def tiled_stage(
    network: Network, variables: Any, weighting: Weighting, stage: Stage, tile: int
) -> Stage:
    """Returns a stage whose loss is computed tile by tile, exactly up to rounding.

    In place of activations, the stage's network computes the sums over positions that its terms are
    functions of.

    Args:
        network: the network's activations for images in [-1, 1].
        variables: the network's variables.
        weighting: the layers of the terms.
        stage: a stage whose first terms are those of the content layers. Of the others, those with
            a Gram matrix as target belong to the style layers in turn; the rest to the pixels.
        tile: pixels of a tile's side.
    """
    size = stage.canvas_size
    images = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    _, shapes = jax.eval_shape(network, variables, images)
    num_content = len(weighting.content_layers)
    grams = [term for term in stage.terms[num_content:] if isinstance(term.target, dict)]
    sums, objectives = {}, {}
    for layer, term in zip(weighting.content_layers, stage.terms, strict=False):
        sums[term.name] = LayerSum(layer, squared_distance)
        objectives[term.name] = _value_of(term)
    for layer, term in zip(itertools.cycle(weighting.style_layers), grams, strict=False):
        sums[term.name] = LayerSum(layer, masked_gram)
        objectives[term.name] = _gram_value_of(term, shapes[layer].shape[1:3])
    total = sums_by_tiles(network, variables, sums, tile, size)
    terms = tuple(
        term._replace(objective=objectives.get(term.name, term.objective)) for term in stage.terms
    )

    def tiled(given: Targeted, images):
        targets = zip(terms, given.targets, strict=True)
        cut = tuple(_positions(target) for term, target in targets if term.name in sums)
        values = total(given._replace(targets=cut), images)
        return jnp.zeros((len(images), 0)), values

    return stage._replace(terms=terms, network=tiled)


def _positions(target: Any) -> Array | None:
    """Returns the part of a term's target that has positions, with an image axis."""
    if not isinstance(target, dict):
        return target
    return None if "mask" not in target else target["mask"][None, :, :, None]


def _value_of(term: Term) -> Objective:
    return lambda view, target: view.activations[term.name]


def _gram_value_of(term: Term, map_size: Size) -> Objective:
    def objective(view: View, target: dict[str, Array]):
        places = gram_places(*map_size, target.get("mask"))
        grams = view.activations[term.name]
        return gram_distance(grams, places, target["gram"], target["places"])

    return objective
