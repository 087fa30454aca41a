"""Computes the maps of the attribution methods that a user chose, for one network, in batches."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.attribution.class_activation import enlarged
from lecture_models.attribution.gradients import integrated_gradients, magnitude, smooth_gradient
from lecture_models.attribution.occlusion import occlusion_map
from lecture_models.attribution.score_cam import score_cam
from lecture_models.tasks.attribution.functions import (
    AttributionFunctions,
    AttributionInputs,
    OfTargets,
    Targets,
    class_probability,
    in_batches,
)

Image = Float[np.ndarray, "height width 3"]
Maps = Float[np.ndarray, "image height width"]
Signals = Float[np.ndarray, "image height width 3"]

GRAY = 0.0  # The fill of an occluding patch, and what deletion ends with: mid-gray.
RANGE = 2.0  # From black, -1, to white, 1.


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
        baseline: returns the baseline of integrated gradients for an image in [-1, 1].
        score_cam_features: number of feature maps of Score-CAM; 0 for all.
    """

    batch_size: int
    occlusion_size: int
    occlusion_stride: int
    smooth_samples: int
    smooth_noise: float
    integrated_steps: int
    baseline: Callable[[Image], Image]
    score_cam_features: int


class AttributionMaps(NamedTuple):
    """Holds what several methods computed for the same images.

    Attributes:
        raw: by method, one map per image, (image, height, width), or one signal in color per
            image, (image, height, width, 3).
    """

    raw: dict[str, Maps | Signals]

    @property
    def maps(self) -> dict[str, Maps]:
        """Returns by method one map per image, higher where there is more evidence for the class.

        The map of a signal is its largest absolute value over the channels.
        """
        return {name: as_maps(raw) for name, raw in self.raw.items()}


Compute = Callable[
    [AttributionFunctions, AttributionInputs, MethodSettings, Key[Array, ""]], Maps | Signals
]


class Method(NamedTuple):
    """Describes an attribution method.

    Attributes:
        title: the name that people read.
        compute: computes the maps or signals of all images.
        is_signed: whether values below 0 speak against the class.
        is_coarse: whether its maps mean nothing without the image below them.
        is_one_pass: whether it needs one gradient for each image.
        has_own_rule: whether it replaces the network's nonlinearity by one with another gradient.
    """

    title: str
    compute: Compute
    is_signed: bool = False
    is_coarse: bool = False
    is_one_pass: bool = True
    has_own_rule: bool = False


def as_maps(raw: Maps | Signals) -> Maps:
    """Returns maps as they are, and of signals in color the largest absolute value of a pixel."""
    return np.asarray(magnitude(jnp.asarray(raw))) if raw.ndim == 4 else raw


def attribution_maps(
    names: tuple[str, ...],
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    settings: MethodSettings,
    key: Key[Array, ""],
) -> AttributionMaps:
    """Returns the maps of several methods.

    Args:
        names: the methods, from `METHODS`.
        functions: the functions of the network.
        inputs: variables, images and targets.
        settings: the settings of the methods that need many passes.
        key: random key of SmoothGrad.

    Returns:
        The maps, in the order of `names`.
    """
    return AttributionMaps(
        {name: METHODS[name].compute(functions, inputs, settings, key) for name in names}
    )


def _saliency(functions, inputs, settings, key) -> Maps:
    return as_maps(in_batches(functions.gradient, inputs, settings.batch_size))


def _smoothgrad(functions, inputs, settings, key) -> Maps:
    def of_image(index, image, target):
        return smooth_gradient(
            _gradient(functions, inputs, target, settings),
            image,
            jax.random.fold_in(key, index),
            settings.smooth_samples,
            RANGE * settings.smooth_noise,
            settings.batch_size,
        )

    return as_maps(_one_by_one(of_image, inputs))


def _integrated_gradients(functions, inputs, settings, key) -> Maps:
    def of_image(index, image, target):
        # Signed: what speaks against the class is not evidence for it.
        return integrated_gradients(
            _gradient(functions, inputs, target, settings),
            image,
            settings.baseline(image),
            settings.integrated_steps,
            settings.batch_size,
        ).sum(axis=-1)

    return _one_by_one(of_image, inputs)


def _guided_grad_cam(functions, inputs, settings, key) -> Signals:
    """Multiplies guided backpropagation by Grad-CAM (Selvaraju et al., 2017, section 3.2)."""
    signals, maps = (
        in_batches(function, inputs, settings.batch_size)
        for function in (functions.guided, functions.grad_cam)
    )
    return signals * maps[..., None]


def _occlusion(functions, inputs, settings, key) -> Maps:
    def of_image(index, image, target):
        return occlusion_map(
            class_probability(functions, inputs.variables, target),
            image,
            settings.occlusion_size,
            settings.occlusion_stride,
            settings.batch_size,
            GRAY,
        )

    return _one_by_one(of_image, inputs)


def _score_cam(functions, inputs, settings, key) -> Maps:
    features = in_batches(functions.features, inputs, settings.batch_size)
    _, height, width, _ = inputs.images.shape

    def of_image(index, image, target):
        targets = _repeated(target, settings)

        def masked_score(maps):
            return functions.masked_scores(
                inputs.variables, jnp.asarray(image), jnp.asarray(maps), targets
            )

        coarse = score_cam(
            masked_score, features[index], settings.batch_size, settings.score_cam_features
        )
        return enlarged(jnp.asarray(coarse)[None], height, width)[0]

    return _one_by_one(of_image, inputs)


def _in_batches(choose: Callable[[AttributionFunctions], OfTargets]) -> Compute:
    """Returns the computation of a method that is one of the network's functions."""
    return lambda functions, inputs, settings, key: in_batches(
        choose(functions), inputs, settings.batch_size
    )


def _one_by_one(of_image: Callable[..., Array], inputs: AttributionInputs) -> np.ndarray:
    """Returns the results for each image, computed one after the other."""
    pairs = zip(inputs.images, inputs.targets, strict=True)
    return np.stack(
        [np.asarray(of_image(index, image, target)) for index, (image, target) in enumerate(pairs)]
    )


def _gradient(functions, inputs, target, settings) -> Callable[[Array], Array]:
    """Returns the function that computes the gradient of one class score for a batch of images."""
    targets = _repeated(target, settings)
    return lambda images: functions.gradient(inputs.variables, images, targets)


def _repeated(target: int, settings: MethodSettings) -> Targets:
    return jnp.asarray(np.full(settings.batch_size, target))


# In the order in which they are shown.
METHODS = {
    "saliency": Method("saliency", _saliency),
    "smoothgrad": Method("SmoothGrad", _smoothgrad, is_one_pass=False),
    "integrated_gradients": Method(
        "integrated gradients", _integrated_gradients, is_signed=True, is_one_pass=False
    ),
    "guided_backprop": Method(
        "guided backprop",
        _in_batches(lambda functions: functions.guided),
        is_signed=True,
        has_own_rule=True,
    ),
    "deconvnet": Method(
        "deconvnet",
        _in_batches(lambda functions: functions.deconvnet),
        is_signed=True,
        has_own_rule=True,
    ),
    "guided_grad_cam": Method(
        "guided Grad-CAM", _guided_grad_cam, is_signed=True, has_own_rule=True
    ),
    "lrp": Method(
        "LRP-epsilon",
        _in_batches(lambda functions: functions.relevance),
        is_signed=True,
        has_own_rule=True,
    ),
    "occlusion": Method("occlusion", _occlusion, is_signed=True, is_coarse=True, is_one_pass=False),
    "grad_cam": Method(
        "Grad-CAM", _in_batches(lambda functions: functions.grad_cam), is_coarse=True
    ),
    "grad_cam_plus_plus": Method(
        "Grad-CAM++", _in_batches(lambda functions: functions.grad_cam_plus_plus), is_coarse=True
    ),
    "score_cam": Method("Score-CAM", _score_cam, is_coarse=True, is_one_pass=False),
}
