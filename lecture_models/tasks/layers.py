"""Which class, layer and unit are meant by what a user wrote."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax.errors import FlaxError

from lecture_models.config import did_you_mean
from lecture_models.image_space.step import Network
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained

_MOST_LISTED = 8


def class_index(written: str, classes: tuple[str, ...], flag: str = "target") -> int:
    """Of an index, or of one of the names of a class, capital letters or not; given as `flag`.

    Raises WeightsError for another, and where two classes have the name.
    """
    if written.isdecimal():
        index = int(written)
        if index >= len(classes):
            raise WeightsError(f"--{flag} is {index}; it must be from 0 to {len(classes) - 1}")
        return index
    wanted = written.strip().casefold()
    names = [[name.strip().casefold() for name in each.split(",")] for each in classes]
    found = [
        index
        for index, each in enumerate(names)
        if wanted in each or wanted == classes[index].casefold()
    ]
    if not found:
        known = [name for each in names for name in each]
        raise WeightsError(f"there is no class {written!r}{did_you_mean(wanted, known)}")
    if len(found) > 1:
        listed = "; ".join(f"{index} ({classes[index]})" for index in found[:_MOST_LISTED])
        raise WeightsError(f"--{flag}={written} is {len(found)} classes; give a number: {listed}")
    return found[0]


def feature_shapes(network: Pretrained) -> dict[str, tuple[int, ...]]:
    """Of the activations, without the batch, from the image on."""
    order: list[str] = []

    def activations(variables, images):
        _, found = network.model.apply(variables, images)
        order.extend(found)  # A traced function gives them back by alphabet.
        return found

    side = network.preprocess.size
    images = jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)
    shapes = jax.eval_shape(activations, network.variables, images)
    return {name: shapes[name].shape[1:] for name in order}


def require_layer(shapes: dict[str, tuple[int, ...]], flag: str, name: str) -> None:
    """Raises WeightsError, with the names, where the network has no such activations."""
    if name not in shapes:
        raise WeightsError(
            f"--{flag}: there is no layer {name!r}{did_you_mean(name, shapes)} "
            f"Known: {', '.join(shapes)}"
        )


def require_unit(shapes: dict[str, tuple[int, ...]], layer: str, unit: int) -> None:
    """Raises WeightsError for a layer that is not there, or a unit that it does not have."""
    if not layer:
        if unit >= 0:
            raise WeightsError(f"--unit is {unit}, but no --layer is named")
        return
    require_layer(shapes, "layer", layer)
    count = shapes[layer][-1]
    if unit >= count:
        raise WeightsError(f"--unit is {unit}; {layer} has units 0 to {count - 1}; -1 is any")


def cam_layer(shapes: dict[str, tuple[int, ...]], name: str) -> str:
    """The layer for Grad-CAM: without a name the last that has rows and columns.

    Raises WeightsError for a layer that is not there, or has no rows and columns.
    """
    spatial = [each for each, shape in shapes.items() if len(shape) == 3 and shape[0] > 1]
    if not name:
        if not spatial:
            raise WeightsError("Grad-CAM needs a layer with rows and columns; there is none")
        return spatial[-1]
    require_layer(shapes, "cam_layer", name)
    if len(shapes[name]) != 3:
        raise WeightsError(f"--cam_layer is {name}, of shape {shapes[name]}: no rows and columns")
    return name


def layer_shapes(apply: Network, network: Pretrained, size: tuple[int, int]) -> dict[str, Any]:
    """The shape of every activation for one image of (height, width), in the network's order.

    Nothing is computed. Raises WeightsError where the network does not take such an image.
    """
    images = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    order: list[str] = []

    def traced(variables, images):
        _, found = apply(variables, images)
        order.extend(found)  # What comes back is in the alphabet's order.
        return found

    try:
        activations = jax.eval_shape(traced, network.variables, images)
    except (ValueError, ZeroDivisionError, FlaxError) as error:
        raise WeightsError(
            f"{network.name} does not take an image of {size[0]}x{size[1]}: {error}"
        ) from error
    return {name: activations[name].shape for name in order}


def require_layers(
    apply: Network, network: Pretrained, size: tuple[int, int], layers: Sequence[str]
) -> None:
    """Raises WeightsError, listing the layers, for one that the network lacks, or that is empty."""
    shapes = layer_shapes(apply, network, size)
    for layer in layers:
        if layer not in shapes:
            raise WeightsError(
                f"{network.name} has no layer {layer!r}{did_you_mean(layer, shapes)} Its layers: "
                f"{', '.join(shapes)}"
            )
        if 0 in shapes[layer]:
            raise WeightsError(
                f"an image of {size[0]}x{size[1]} is too small for the layer {layer} of "
                f"{network.name}"
            )
