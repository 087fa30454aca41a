"""Every attribution method on one network, with its parameters as arguments and in batches."""

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

Variables = Any
Images = Float[Array | np.ndarray, "image height width 3"]
Targets = Int[np.ndarray, " target"]
Maps = Float[np.ndarray, "image height width"]

GRAY = 0.0  # Of a baseline and of a patch: halfway between black and white.
RANGE = 2.0  # From black to white.
# With the names for people, in the order of a sheet.
METHODS = {
    "saliency": "saliency",
    "smoothgrad": "SmoothGrad",
    "integrated_gradients": "integrated gradients",
    "guided_backprop": "guided backprop",
    "deconvnet": "deconvnet",
    "occlusion": "occlusion",
    "grad_cam": "Grad-CAM",
}
ONE_PASS = ("saliency", "guided_backprop", "deconvnet", "grad_cam")  # Of one gradient.


class AttributionFunctions(NamedTuple):
    """Jitted functions of (variables, images, targets), a target being a class index."""

    probabilities: Callable[[Variables, Images], Array]  # Of all classes, without targets.
    gradient: Callable[[Variables, Images, Targets], Array]
    guided: Callable[[Variables, Images, Targets], Array]
    deconvnet: Callable[[Variables, Images, Targets], Array]
    grad_cam: Callable[[Variables, Images, Targets], Array]


class Effort(NamedTuple):
    """How finely the methods of many passes look; lengths in pixels of the network's input."""

    batch_size: int
    occlusion_size: int
    occlusion_stride: int
    smooth_samples: int
    smooth_noise: float  # Standard deviation as a share of the range from black to white.
    integrated_steps: int


class Attributions(NamedTuple):
    """A map for each image by method, more where there is more evidence.

    `projections` are the signals in the image's own channels, for pictures.
    """

    maps: dict[str, Maps]
    projections: dict[str, Images]


def make_attribution_functions(
    network: Pretrained, layer: str, unit: int, cam_layer: str
) -> AttributionFunctions:
    """Guided backpropagation and the deconvnet project the strongest activation of a `layer`.

    Of its feature `unit`, or of any where that is below 0; without a layer, the class score.
    """

    def outputs(model, variables, images):
        return model.apply(variables, network.preprocess.normalize(images))

    def class_score(model, variables, images, targets):
        logits, activations = outputs(model, variables, images)
        return jnp.take_along_axis(logits, targets.reshape(-1, 1), axis=1)[:, 0], activations

    def strongest(model, variables, images, targets):
        if not layer:
            return class_score(model, variables, images, targets)
        _, activations = outputs(model, variables, images)
        features = activations[layer] if unit < 0 else activations[layer][..., unit]
        return features.reshape(len(images), -1).max(axis=1), activations

    def gradient(score, model):
        def of(variables, images, targets):
            return input_gradient(lambda images: score(model, variables, images, targets)[0])(
                images
            )

        return jax.jit(of)

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
        gradient(strongest, network.model.clone(nonlinearity=guided(rectifier))),
        gradient(strongest, network.model.clone(nonlinearity=deconvolved(rectifier))),
        jax.jit(cam),
    )


def class_probability(
    probes: AttributionFunctions, variables: Variables, target: int
) -> Callable[[Images], Float[np.ndarray, " image"]]:
    """Of one class, as occlusion, deletion and insertion ask for it."""
    return lambda images: np.asarray(probes.probabilities(variables, images))[:, target]


def in_batches(
    function: Callable[[Variables, Images, Targets], Array],
    variables: Variables,
    images: Images,
    targets: Targets,
    batch_size: int,
) -> np.ndarray:
    """The last batch is filled up with its last image, so that there is one program."""
    results = []
    for first in range(0, len(images), batch_size):
        index = np.minimum(np.arange(first, first + batch_size), len(images) - 1)
        batch = jnp.asarray(np.asarray(images)[index])
        results.append(np.asarray(function(variables, batch, jnp.asarray(targets[index]))))
    return np.concatenate(results)[: len(images)]


def one_pass_attributions(
    probes: AttributionFunctions,
    variables: Variables,
    images: Images,
    targets: Targets,
    batch_size: int,
) -> Attributions:
    """The methods of `ONE_PASS`, cheap enough to be asked of many networks."""
    signals = {
        name: in_batches(function, variables, images, targets, batch_size)
        for name, function in (
            ("saliency", probes.gradient),
            ("guided_backprop", probes.guided),
            ("deconvnet", probes.deconvnet),
        )
    }
    maps = {name: np.asarray(magnitude(jnp.asarray(each))) for name, each in signals.items()}
    maps["grad_cam"] = in_batches(probes.grad_cam, variables, images, targets, batch_size)
    return Attributions(maps, {name: signals[name] for name in ("guided_backprop", "deconvnet")})


def attributions(
    probes: AttributionFunctions,
    variables: Variables,
    images: Images,
    targets: Targets,
    effort: Effort,
    key: Key[Array, ""],
) -> Attributions:
    """Every method of `METHODS`."""
    found = one_pass_attributions(probes, variables, images, targets, effort.batch_size)
    costly: dict[str, list[np.ndarray]] = {}
    for number, (image, target) in enumerate(zip(images, targets, strict=True)):
        for name, map_ in _of_many_passes(
            probes, variables, image, target, effort, jax.random.fold_in(key, number)
        ).items():
            costly.setdefault(name, []).append(np.asarray(map_))
    maps = found.maps | {name: np.stack(each) for name, each in costly.items()}
    return found._replace(maps={name: maps[name] for name in METHODS})


def _of_many_passes(probes, variables, image, target, effort, key) -> dict[str, Array]:
    targets = jnp.asarray(np.full(effort.batch_size, target))

    def gradient(images):
        return probes.gradient(variables, images, targets)

    probability = class_probability(probes, variables, target)
    smooth = smooth_gradient(
        gradient, image, key, effort.smooth_samples, RANGE * effort.smooth_noise, effort.batch_size
    )
    integrated = integrated_gradients(
        gradient, image, np.full_like(image, GRAY), effort.integrated_steps, effort.batch_size
    )
    size, stride = effort.occlusion_size, effort.occlusion_stride
    covered = occlusion_map(probability, image, size, stride, effort.batch_size, GRAY)
    return {
        "smoothgrad": magnitude(jnp.asarray(smooth)[None])[0],
        # With its sign: what speaks against the class is no evidence for it.
        "integrated_gradients": integrated.sum(axis=-1),
        "occlusion": covered,
    }
