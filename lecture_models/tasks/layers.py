"""Finds the class, the layers and the unit that a user named, or says which ones there are."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax.errors import FlaxError

from lecture_models.config import did_you_mean
from lecture_models.image_space.step import Network
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import Pretrained

LayerShapes = dict[str, tuple[int, ...]]

_MAX_LISTED = 8


def class_index(name: str, classes: tuple[str, ...], flag: str = "target") -> int:
    """Returns the index of the class that a user named.

    Args:
        name: one of the comma-separated names of a class, whatever its case; or else an index.
        classes: the names of all classes.
        flag: the flag that the name was given for, used in error messages.

    Returns:
        The index, from 0.

    Raises:
        WeightsError: if no class has this index or name, or several classes have the name.
    """
    folded = name.strip().casefold()
    synonyms = [[synonym.strip().casefold() for synonym in text.split(",")] for text in classes]
    matches = [
        index
        for index, text in enumerate(classes)
        if folded in synonyms[index] or folded == text.casefold()
    ]
    if not matches and name.strip().isdecimal():
        index = int(name)
        if index >= len(classes):
            raise WeightsError(f"--{flag} is {index}; it must be from 0 to {len(classes) - 1}")
        return index
    if not matches:
        known = [synonym for names in synonyms for synonym in names]
        raise WeightsError(f"there is no class {name!r}{did_you_mean(folded, known)}")
    if len(matches) > 1:
        listed = "; ".join(f"{index} ({classes[index]})" for index in matches[:_MAX_LISTED])
        raise WeightsError(
            f"--{flag} is {name}, the name of {len(matches)} classes; give an index: {listed}"
        )
    return matches[0]


def layer_shapes(apply: Network, network: Pretrained, size: tuple[int, int]) -> LayerShapes:
    """Returns the shape of each layer's activations for one image, without computing them.

    Args:
        apply: computes logits and activations from variables and images.
        network: the network whose variables `apply` takes.
        size: height and width of the image in pixels.

    Returns:
        The shapes by the names of the layers, from the image on. The first axis is that of images,
        of length 1.

    Raises:
        WeightsError: if the network cannot take an image of this size.
    """
    images = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)
    order: list[str] = []

    def traced(variables, images):
        _, activations = apply(variables, images)
        order.extend(activations)  # A traced function returns them in alphabetical order.
        return activations

    try:
        activations = jax.eval_shape(traced, network.variables, images)
    except (ValueError, ZeroDivisionError, FlaxError) as error:
        raise WeightsError(
            f"{network.name} does not take an image of {size[0]}x{size[1]}: {error}"
        ) from error
    return {name: activations[name].shape for name in order}


def require_layer(
    shapes: LayerShapes, layer: str, network: Pretrained, size: tuple[int, int]
) -> None:
    """Checks that a network has a layer, and that it is not empty.

    Args:
        shapes: the shapes of the network's layers, from `layer_shapes`.
        layer: the name that the user gave.
        network: the network.
        size: height and width in pixels of the image that `shapes` are for.

    Raises:
        WeightsError: if there is no such layer, with the nearest name and all names; or if the
            image is too small for it.
    """
    if layer not in shapes:
        raise WeightsError(
            f"{network.name} has no layer {layer!r} for images of {size[0]}x{size[1]}"
            f"{did_you_mean(layer, shapes)} Its layers: {', '.join(shapes)}"
        )
    if 0 in shapes[layer]:
        raise WeightsError(
            f"an image of {size[0]}x{size[1]} is too small for the layer {layer} of {network.name}"
        )


def require_layers(
    apply: Network, network: Pretrained, size: tuple[int, int], layers: Sequence[str]
) -> LayerShapes:
    """Checks that a network has all named layers, and that none of them is empty.

    Args:
        apply: computes logits and activations from variables and images.
        network: the network whose variables `apply` takes.
        size: height and width of the image in pixels.
        layers: the names that the user gave.

    Returns:
        The shapes of all layers, as `layer_shapes` returns them.

    Raises:
        WeightsError: as `layer_shapes` and `require_layer`.
    """
    shapes = layer_shapes(apply, network, size)
    for layer in layers:
        require_layer(shapes, layer, network, size)
    return shapes


def require_unit(shapes: LayerShapes, layer: str, unit: int) -> None:
    """Checks that a layer has a unit.

    Args:
        shapes: the shapes of the network's layers.
        layer: the name of a layer in `shapes`; "" for none.
        unit: index along the layer's last axis; negative for no particular unit.

    Raises:
        WeightsError: if the layer has fewer units, or a unit is given without a layer.
    """
    if not layer:
        if unit >= 0:
            raise WeightsError(f"--unit is {unit}, but --layer is empty; name a layer")
        return
    count = shapes[layer][-1]
    if unit >= count:
        raise WeightsError(
            f"--unit is {unit}; {layer} has the units 0 to {count - 1}, and -1 means any of them"
        )


def cam_layer(shapes: LayerShapes, layer: str) -> str:
    """Returns the layer that Grad-CAM uses.

    Args:
        shapes: the shapes of the network's layers.
        layer: the name of a layer in `shapes`; "" for the last one with several rows.

    Returns:
        The name of the layer.

    Raises:
        WeightsError: if the layer has no rows and columns, or there is no such layer.
    """
    if not layer:
        spatial = [name for name, shape in shapes.items() if len(shape) == 4 and shape[1] > 1]
        if not spatial:
            raise WeightsError("Grad-CAM needs a layer with rows and columns; there is none")
        return spatial[-1]
    if len(shapes[layer]) != 4:
        raise WeightsError(
            f"--cam_layer is {layer}, of shape {shapes[layer][1:]}; it must have rows and columns"
        )
    return layer
