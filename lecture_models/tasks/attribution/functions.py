"""Jits the functions of one network from which all attribution maps are computed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lecture_models.attribution.class_activation import (
    enlarged,
    features_and_gradients,
    grad_cam,
    grad_cam_plus_plus,
)
from lecture_models.attribution.gradients import input_gradient
from lecture_models.attribution.rectifiers import Nonlinearity, deconvolved, guided
from lecture_models.attribution.relevance import relevance, relevance_rule
from lecture_models.attribution.score_cam import masked
from lecture_models.weights.network import Pretrained

Variables = Any  # A pytree of arrays.
Images = Float[Array | np.ndarray, "image height width 3"]
Targets = Int[np.ndarray, " image"]
Probabilities = Float[np.ndarray, "image class"]
OfTargets = Callable[[Variables, Images, Targets], Array]


class AttributionFunctions(NamedTuple):
    """Holds the jitted functions of one network from which all methods are computed.

    Unless stated otherwise they take variables, images in [-1, 1], and the index of the class that
    each image is explained for.

    Attributes:
        probabilities: class probabilities of images, from variables and images.
        scores: the class scores, that is logits, (image,).
        gradient: gradient of the class score, (image, height, width, 3).
        guided: the signal of guided backpropagation, likewise.
        deconvnet: the signal of the deconvnet, likewise.
        relevance: the relevance of each pixel, (image, height, width).
        grad_cam: Grad-CAM maps, resized to the images, (image, height, width).
        grad_cam_plus_plus: Grad-CAM++ maps, likewise.
        features: feature maps of Grad-CAM's layer, (image, row, column, feature).
        masked_scores: class scores of one image seen through each of several maps, from variables,
            the image, the maps and one index per map.
    """

    probabilities: Callable[[Variables, Images], Array]
    scores: OfTargets
    gradient: OfTargets
    guided: OfTargets
    deconvnet: OfTargets
    relevance: OfTargets
    grad_cam: OfTargets
    grad_cam_plus_plus: OfTargets
    features: OfTargets
    masked_scores: Callable[[Variables, Array, Array, Targets], Array]


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


def make_attribution_functions(
    network: Pretrained, layer: str, unit: int, cam_layer: str, lrp_epsilon: float = 0.0
) -> AttributionFunctions:
    """Returns the jitted functions of a network; each is compiled when it is first called.

    Args:
        network: the network. Guided backpropagation, the deconvnet and the relevance need a model
            with a field `nonlinearity`; see `has_nonlinearity`.
        layer: the layer whose largest activation guided backpropagation and the deconvnet explain;
            "" to explain the class score, as all other methods do.
        unit: index of the feature of that layer; negative for any feature.
        cam_layer: the layer of Grad-CAM and its relatives.
        lrp_epsilon: the stabilizer of the relevance; see `attribution.relevance`.

    Returns:
        The functions.
    """
    scored = _Scored(network, layer, unit)

    def scores(variables, images, targets):
        return scored.class_score(network.model, variables, images, targets)[0]

    def features(variables, images, targets):
        return scored.class_score(network.model, variables, images, targets)[1][cam_layer]

    def masked_scores(variables, image, maps, targets):
        return scores(variables, masked(image, maps), targets)

    def probabilities(variables, images):
        return jax.nn.softmax(scored.outputs(network.model, variables, images)[0])

    def gradient(variables, images, targets):
        return input_gradient(lambda images: scores(variables, images, targets))(images)

    functions = (
        *(probabilities, scores, gradient),
        *(scored.signal(rule) for rule in (guided, deconvolved)),
        scored.relevance(lrp_epsilon),
        *(
            scored.class_activation(cam_layer, combine)
            for combine in (grad_cam, grad_cam_plus_plus)
        ),
        *(features, masked_scores),
    )
    return AttributionFunctions(*map(jax.jit, functions))


class _Scored(NamedTuple):
    """Makes functions of (variables, images, targets) from a network; see AttributionFunctions."""

    network: Pretrained
    layer: str
    unit: int

    def outputs(self, model, variables, images):
        return model.apply(variables, self.network.preprocess.normalize(images))

    def class_score(self, model, variables, images, targets):
        logits, activations = self.outputs(model, variables, images)
        return jnp.take_along_axis(logits, targets.reshape(-1, 1), axis=1)[:, 0], activations

    def largest_activation(self, model, variables, images, targets):
        if not self.layer:
            return self.class_score(model, variables, images, targets)[0]
        features = self.outputs(model, variables, images)[1][self.layer]
        if self.unit >= 0:
            features = features[..., self.unit]
        return features.reshape(len(images), -1).max(axis=1)

    def signal(self, rule: Callable[[Nonlinearity], Nonlinearity]) -> OfTargets:
        """Returns the function that computes the gradient with a rule for nonlinearities."""

        def of_images(variables, images, targets):
            model = self.network.model
            model = model.clone(nonlinearity=rule(model.nonlinearity))
            signals = input_gradient(
                lambda images: self.largest_activation(model, variables, images, targets)
            )(images)
            if len(self.network.preprocess.mean) == 3:
                return signals
            # A network of gray images has one signal, which is shown in gray.
            return jnp.broadcast_to(signals.mean(axis=-1, keepdims=True), signals.shape)

        return of_images

    def class_activation(self, layer: str, combine: Callable[..., Array]) -> OfTargets:
        """Returns the function that computes maps from a layer's features and gradients."""

        def of_images(variables, images, targets):
            def at_layer(images):
                scores, activations = self.class_score(
                    self.network.model, variables, images, targets
                )
                return scores, activations[layer]

            _, height, width, _ = images.shape
            return enlarged(combine(*features_and_gradients(at_layer, images)), height, width)

        return of_images

    def relevance(self, epsilon: float) -> OfTargets:
        """Returns the function that computes the relevance of pixels, summed over channels."""

        def of_images(variables, images, targets):
            model = self.network.model
            rules = {"nonlinearity": relevance_rule(model.nonlinearity, epsilon)}
            if getattr(model, "normalization", None) is not None:
                # It multiplies each value by a factor, which is held constant.
                rules["normalization"] = relevance_rule(model.normalization, 0.0)
            model = model.clone(**rules)
            values, _ = relevance(
                lambda inputs: model.apply(variables, inputs)[0],
                self.network.preprocess.normalize(images),
                targets,
                epsilon,
            )
            return values.sum(axis=-1)

        return of_images


def has_nonlinearity(network: Pretrained) -> bool:
    """Returns True if the model's nonlinearity can be replaced by one with another gradient."""
    return getattr(network.model, "nonlinearity", None) is not None


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


def in_batches(function: OfTargets, inputs: AttributionInputs, batch_size: int) -> np.ndarray:
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
