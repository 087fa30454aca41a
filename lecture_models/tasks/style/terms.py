"""Builds the loss terms of a style transfer at one size, with their targets."""

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lecture_models.image_space.gram import gram_matrix, gram_places
from lecture_models.image_space.objectives import feature_match, gram_match, total_variation
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Term
from lecture_models.tasks.style.images import Picture, Style, scaled, scaled_mask

REFERENCE_PIXELS = 256 * 256


class Weighting(NamedTuple):
    """Holds the weights of a style transfer's loss terms. Gatys et al., 2016, Eq. 1 to 7.

    Attributes:
        content: alpha, the weight of the content loss.
        style: beta, the weight of the style loss.
        style_layers: w_l, the weight of each style layer.
        content_layers: the layers of the content loss, equally weighted.
        variation: the weight of the total variation; 0 for none.
        per_pixel: sums over positions, which grow with the picture, are weighted as if it had
            256x256 pixels, so that one ratio of alpha to beta serves all sizes.
        mean_activations: by layer, the mean activation on the content. The losses of these layers
            are weighted as if it were 1, so that one ratio serves all networks.
        mean_squares: each layer's loss is the mean square of the differences, of features for the
            content and of G / (M N) for the style, with M positions and N channels; content layers
            are summed. These are the losses of github.com/jcjohnson/neural-style.
    """

    content: float
    style: float
    style_layers: dict[str, float]
    content_layers: tuple[str, ...]
    variation: float
    per_pixel: bool
    mean_activations: Mapping[str, float] = MappingProxyType({})
    mean_squares: bool = False

    def position_scale(self, height: int, width: int) -> float:
        """Returns the factor of losses that are sums over the positions of an image."""
        return REFERENCE_PIXELS / (height * width) if self.per_pixel else 1.0

    def layer_scale(self, layer: str, power: int) -> float:
        """Returns 1 / (mean activation)^power: 2 for the content loss, 4 for the style loss E_l."""
        return self.mean_activations.get(layer, 1.0) ** -power

    def content_weight(self, target: Any, height: int, width: int) -> float:
        """Returns the weight of a layer's content loss for an image of height x width pixels.

        The target is the layer's activations; the weight depends on their number only.
        """
        if self.mean_squares:
            return self.content * 2.0 / target.size
        return self.content * self.position_scale(height, width) / len(self.content_layers)

    def style_scale(self, gram: Any) -> float:
        """Returns the factor of a layer's style loss E_l; it depends on the number of channels."""
        return 4.0 / gram.shape[-1] ** 2 if self.mean_squares else 1.0


def mean_activations(
    network: Network, variables: Any, picture: Picture, layers: Sequence[str]
) -> dict[str, float]:
    """Returns the mean absolute activation of each layer for a picture; at least 1e-6."""

    def means(variables, picture):
        _, activations = network(variables, picture)
        return {layer: jnp.abs(activations[layer]).mean() for layer in layers}

    values = jax.jit(means)(variables, picture)
    return {layer: max(float(value), 1e-6) for layer, value in values.items()}


def content_targets(
    network: Network, layers: Sequence[str]
) -> Callable[[Any, Picture], tuple[Any, ...]]:
    """Returns a jitted function (variables, picture) -> the activations P of each layer."""

    def activations_of(variables, picture):
        _, activations = network(variables, picture)
        return tuple(activations[layer] for layer in layers)

    return jax.jit(activations_of)


def style_targets(network: Network, layers: Sequence[str]) -> Callable[..., tuple[Any, ...]]:
    """Returns a jitted function (variables, picture, mask or None) -> targets of each layer.

    A target holds the Gram matrix A under `gram` and the number of positions M under `places`.
    """

    def gram_targets(variables, picture, mask):
        _, activations = network(variables, picture)
        targets = []
        for layer in layers:
            features = activations[layer]
            size = features.shape[1:3]
            layer_mask = scaled_mask(mask, size)
            places = gram_places(*size, layer_mask)
            targets.append({"gram": gram_matrix(features, layer_mask)[0], "places": places})
        return tuple(targets)

    return jax.jit(gram_targets)


class Activations(NamedTuple):
    """Holds the functions that measure a network's activations of pictures.

    Attributes:
        mean_activations: as the function of this name without its first argument.
        content_targets: likewise.
        style_targets: likewise.
    """

    mean_activations: Callable[[Any, Picture, Sequence[str]], dict[str, float]]
    content_targets: Callable[[Sequence[str]], Callable[[Any, Picture], tuple[Any, ...]]]
    style_targets: Callable[[Sequence[str]], Callable[..., tuple[Any, ...]]]


def whole_activations(network: Network) -> Activations:
    """Returns the functions that compute the activations of a whole picture at once."""
    return Activations(
        functools.partial(mean_activations, network),
        functools.partial(content_targets, network),
        functools.partial(style_targets, network),
    )


def style_terms(
    activations: Activations,
    variables: Any,
    styles: Sequence[Style],
    weighting: Weighting,
    factor: float,
    layer_sizes: dict[str, tuple[int, int]],
) -> tuple[Term, ...]:
    """Returns the terms beta w_l E_l of each style and layer. Gatys et al., 2016, Eq. 4 and 5.

    Args:
        activations: measures the activations of pictures.
        variables: the network's variables.
        styles: the style pictures with their shares and masks.
        weighting: the weights of the terms.
        factor: the scale of the style pictures.
        layer_sizes: the (rows, columns) of each layer for the content, used for its masks.
    """
    layers = tuple(weighting.style_layers)
    targets_of = activations.style_targets(layers)
    terms = []
    for number, style in enumerate(styles, start=1):
        prefix = f"style{number}" if len(styles) > 1 else "style"
        targets = targets_of(variables, scaled(style.picture, factor), style.style_mask)
        for layer, target in zip(layers, targets, strict=True):
            if style.content_mask is not None:
                target = target | {"mask": scaled_mask(style.content_mask, layer_sizes[layer])}
            weight = weighting.style * style.share * weighting.style_layers[layer]
            weight *= weighting.layer_scale(layer, 4) * weighting.style_scale(target["gram"])
            terms.append(Term(f"{prefix}_{layer}", gram_match(layer), weight, target))
    return tuple(terms)


def content_terms(
    targets: Sequence[Any], weighting: Weighting, height: int, width: int
) -> tuple[Term, ...]:
    """Returns the terms alpha L_content; several layers share alpha evenly. Eq. 1 of the paper.

    Args:
        targets: the content's activations, one for each content layer.
        weighting: the weights of the terms.
        height: pixels of the stage's image.
        width: pixels of the stage's image.
    """
    layers = weighting.content_layers
    names = ["content"] if len(layers) == 1 else [f"content_{layer}" for layer in layers]
    return tuple(
        Term(
            name,
            feature_match(layer),
            weighting.content_weight(target, height, width) * weighting.layer_scale(layer, 2),
            target,
        )
        for name, layer, target in zip(names, layers, targets, strict=True)
    )


def variation_term(weighting: Weighting, height: int, width: int) -> tuple[Term, ...]:
    """Returns the total variation as a term, or nothing where its weight is 0."""
    if weighting.variation == 0.0:
        return ()
    weight = weighting.variation * weighting.position_scale(height, width)
    return (Term("variation", total_variation(2.0), weight),)
