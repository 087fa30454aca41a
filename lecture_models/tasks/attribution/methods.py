"""Computes the maps of all attribution methods for one network, in batches."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from lecture_models.attribution.class_activation import features_and_gradients, grad_cam
from lecture_models.attribution.gradients import (
    input_gradient,
    integrated_gradients,
    magnitude,
    smooth_gradient,
)
from lecture_models.attribution.occlusion import occlusion_map
from lecture_models.attribution.rectifiers import deconvolved, guided
from lecture_models.weights.pretrained import Pretrained

Variables = Any  # A pytree of arrays.
Images = Float[Array | np.ndarray, "image height width 3"]
Targets = Int[np.ndarray, " image"]
Maps = Float[np.ndarray, "image height width"]
Probabilities = Float[np.ndarray, "image class"]

GRAY = 0.0  # The baseline of integrated gradients and the fill of a patch: mid-gray.
RANGE = 2.0  # From black, -1, to white, 1.
# Methods in the order in which they are shown, with the names that people read.
METHODS = {
    "saliency": "saliency",
    "smoothgrad": "SmoothGrad",
    "integrated_gradients": "integrated gradients",
    "guided_backprop": "guided backprop",
    "deconvnet": "deconvnet",
    "occlusion": "occlusion",
    "grad_cam": "Grad-CAM",
}
ONE_PASS = ("saliency", "guided_backprop", "deconvnet", "grad_cam")  # Methods of one gradient each.


class AttributionFunctions(NamedTuple):
    """Holds the jitted functions of one network from which all methods are computed.

    All but `probabilities` take variables, images in [-1, 1], and the index of the class that each
    image is explained for.

    Attributes:
        probabilities: class probabilities of images, from variables and images.
        gradient: gradient of the class score, (image, height, width, 3).
        guided: the signal of guided backpropagation, likewise.
        deconvnet: the signal of the deconvnet, likewise.
        grad_cam: Grad-CAM maps, resized to the images, (image, height, width).
    """

    probabilities: Callable[[Variables, Images], Array]
    gradient: Callable[[Variables, Images, Targets], Array]
    guided: Callable[[Variables, Images, Targets], Array]
    deconvnet: Callable[[Variables, Images, Targets], Array]
    grad_cam: Callable[[Variables, Images, Targets], Array]


class AttributionInputs(NamedTuple):
    """Holds what the maps depend on.

    Attributes:
        variables: the variables of the network.
        images: images in [-1, 1] of the network's input size.
        targets: index of the class that each image is explained for.
    """

    variables: Variables
    images: Images
    targets: Targets

    def first(self, count: int) -> "AttributionInputs":
        """Returns the inputs with the first `count` images only."""
        return self._replace(images=self.images[:count], targets=self.targets[:count])


class MethodSettings(NamedTuple):
    """Holds the settings of the methods that need many passes through the network.

    Attributes:
        batch_size: number of images per pass; memory grows with it.
        occlusion_size: side of the patch in pixels.
        occlusion_stride: distance between neighboring patches in pixels.
        smooth_samples: number of noisy images of SmoothGrad.
        smooth_noise: standard deviation of their noise, as a share of the range from black to
            white.
        integrated_steps: number of points of integrated gradients.
    """

    batch_size: int
    occlusion_size: int
    occlusion_stride: int
    smooth_samples: int
    smooth_noise: float
    integrated_steps: int


class AttributionMaps(NamedTuple):
    """Holds the maps of several methods for the same images.

    Attributes:
        maps: by method, one map per image, (image, height, width); higher where there is more
            evidence for the class.
        signals: by method, the signals of guided backpropagation and the deconvnet in color,
            (image, height, width, 3), from which their maps are made.
    """

    maps: dict[str, Maps]
    signals: dict[str, Images]


def make_attribution_functions(
    network: Pretrained, layer: str, unit: int, cam_layer: str
) -> AttributionFunctions:
    """Returns the jitted functions of a network.

    Args:
        network: the network; its model must have a field `nonlinearity`.
        layer: the layer whose largest activation guided backpropagation and the deconvnet explain;
            "" to explain the class score, as all other methods do.
        unit: index of the feature of that layer; negative for any feature.
        cam_layer: the layer of Grad-CAM.

    Returns:
        The functions.
    """

    def outputs(model, variables, images):
        return model.apply(variables, network.preprocess.normalize(images))

    def class_score(model, variables, images, targets):
        logits, activations = outputs(model, variables, images)
        return jnp.take_along_axis(logits, targets.reshape(-1, 1), axis=1)[:, 0], activations

    def largest_activation(model, variables, images, targets):
        if not layer:
            return class_score(model, variables, images, targets)
        _, activations = outputs(model, variables, images)
        features = activations[layer] if unit < 0 else activations[layer][..., unit]
        return features.reshape(len(images), -1).max(axis=1), activations

    def gradient(score, model):
        def gradient_of_images(variables, images, targets):
            return input_gradient(lambda images: score(model, variables, images, targets)[0])(
                images
            )

        return jax.jit(gradient_of_images)

    def cam(variables, images, targets):
        def at_layer(images):
            scores, activations = class_score(network.model, variables, images, targets)
            return scores, activations[cam_layer]

        coarse = grad_cam(*features_and_gradients(at_layer, images))
        return jax.image.resize(coarse, images.shape[:3], "linear")

    def probabilities(variables, images):
        return jax.nn.softmax(outputs(network.model, variables, images)[0])

    rectifier = network.model.nonlinearity
    return AttributionFunctions(
        jax.jit(probabilities),
        gradient(class_score, network.model),
        gradient(largest_activation, network.model.clone(nonlinearity=guided(rectifier))),
        gradient(largest_activation, network.model.clone(nonlinearity=deconvolved(rectifier))),
        jax.jit(cam),
    )


def class_probability(
    functions: AttributionFunctions, variables: Variables, target: int
) -> Callable[[Images], Float[np.ndarray, " image"]]:
    """Returns the function that computes the probability of one class."""
    return lambda images: np.asarray(functions.probabilities(variables, images))[:, target]


def class_probabilities(
    functions: AttributionFunctions, variables: Variables, images: Images, batch_size: int
) -> Probabilities:
    """Returns the probabilities of all classes, computed in batches."""
    inputs = AttributionInputs(variables, images, np.zeros(len(images), np.int64))
    return in_batches(
        lambda variables, batch, targets: functions.probabilities(variables, batch),
        inputs,
        batch_size,
    )


def in_batches(
    function: Callable[[Variables, Images, Targets], Array],
    inputs: AttributionInputs,
    batch_size: int,
) -> np.ndarray:
    """Returns a function's results for all images, computed in batches.

    Args:
        function: one of the `AttributionFunctions` that take targets.
        inputs: variables, images and targets.
        batch_size: number of images per call. The last batch is filled up with copies of its last
            image, so that one compiled program serves all batches.

    Returns:
        The results, with the images along the first axis.
    """
    results = []
    for first in range(0, len(inputs.images), batch_size):
        index = np.minimum(np.arange(first, first + batch_size), len(inputs.images) - 1)
        batch = jnp.asarray(np.asarray(inputs.images)[index])
        targets = jnp.asarray(inputs.targets[index])
        results.append(np.asarray(function(inputs.variables, batch, targets)))
    return np.concatenate(results)[: len(inputs.images)]


def one_pass_maps(
    functions: AttributionFunctions, inputs: AttributionInputs, batch_size: int
) -> AttributionMaps:
    """Returns the maps of the methods in `ONE_PASS`, which need one gradient each."""
    signals = {
        name: in_batches(function, inputs, batch_size)
        for name, function in (
            ("saliency", functions.gradient),
            ("guided_backprop", functions.guided),
            ("deconvnet", functions.deconvnet),
        )
    }
    maps = {name: np.asarray(magnitude(jnp.asarray(signal))) for name, signal in signals.items()}
    maps["grad_cam"] = in_batches(functions.grad_cam, inputs, batch_size)
    return AttributionMaps(maps, {name: signals[name] for name in ("guided_backprop", "deconvnet")})


def attribution_maps(
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    settings: MethodSettings,
    key: Key[Array, ""],
) -> AttributionMaps:
    """Returns the maps of all methods in `METHODS`.

    Args:
        functions: the functions of the network.
        inputs: variables, images and targets.
        settings: the settings of the methods that need many passes.
        key: random key of SmoothGrad.

    Returns:
        The maps, in the order of `METHODS`.
    """
    cheap = one_pass_maps(functions, inputs, settings.batch_size)
    costly: dict[str, list[np.ndarray]] = {}
    for index, (image, target) in enumerate(zip(inputs.images, inputs.targets, strict=True)):
        image_key = jax.random.fold_in(key, index)
        image_maps = _maps_of_many_passes(
            functions, inputs.variables, image, target, settings, image_key
        )
        for name, map_ in image_maps.items():
            costly.setdefault(name, []).append(np.asarray(map_))
    maps = cheap.maps | {name: np.stack(image_maps) for name, image_maps in costly.items()}
    return cheap._replace(maps={name: maps[name] for name in METHODS})


def _maps_of_many_passes(
    functions, variables, image, target, settings: MethodSettings, key
) -> dict[str, Array]:
    targets = jnp.asarray(np.full(settings.batch_size, target))

    def gradient(images):
        return functions.gradient(variables, images, targets)

    smooth = smooth_gradient(
        gradient,
        image,
        key,
        settings.smooth_samples,
        RANGE * settings.smooth_noise,
        settings.batch_size,
    )
    integrated = integrated_gradients(
        gradient, image, np.full_like(image, GRAY), settings.integrated_steps, settings.batch_size
    )
    occlusion = occlusion_map(
        class_probability(functions, variables, target),
        image,
        settings.occlusion_size,
        settings.occlusion_stride,
        settings.batch_size,
        GRAY,
    )
    return {
        "smoothgrad": magnitude(jnp.asarray(smooth)[None])[0],
        # Signed: what speaks against the class is not evidence for it.
        "integrated_gradients": integrated.sum(axis=-1),
        "occlusion": occlusion,
    }
