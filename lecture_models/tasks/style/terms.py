"""The terms of a style transfer at one size, with what they are compared to."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lecture_models.image_space.gram import gram_matrix
from lecture_models.image_space.objectives import feature_match, gram_match, total_variation
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Term
from lecture_models.tasks.style.images import Picture, Style, scaled, scaled_mask

REFERENCE_PIXELS = 256 * 256


class Weighting(NamedTuple):
    """alpha, beta, w_l of each layer, and the weight of the total variation.

    With `per_pixel` the sums over places, which grow with the picture, are weighted as if it had
    256x256 pixels, so that one ratio serves all sizes. Where a layer has a mean in `activations`,
    its losses are weighted as if that were 1, so that one ratio serves all networks.
    """

    content: float
    style: float
    style_layers: dict[str, float]
    content_layers: tuple[str, ...]
    variation: float
    per_pixel: bool
    activations: Mapping[str, float] = MappingProxyType({})

    def of_sums(self, height: int, width: int) -> float:
        return REFERENCE_PIXELS / (height * width) if self.per_pixel else 1.0

    def of_layer(self, layer: str, power: int) -> float:
        """1 / (mean activation)^power: the content loss goes with its square, E_l with its 4th."""
        return self.activations.get(layer, 1.0) ** -power


def mean_activations(
    network: Network, variables: Any, picture: Picture, layers: Sequence[str]
) -> dict[str, float]:
    """Over the places and channels of each layer; at least 1e-6."""

    def found(variables, picture):
        _, activations = network(variables, picture)
        return {layer: jnp.abs(activations[layer]).mean() for layer in layers}

    return {
        name: max(float(each), 1e-6) for name, each in jax.jit(found)(variables, picture).items()
    }


def content_targets(
    network: Network, layers: Sequence[str]
) -> Callable[[Any, Picture], tuple[Any, ...]]:
    """(variables, picture) -> P of each layer, jitted; what is not needed is not computed."""

    def found(variables, picture):
        _, activations = network(variables, picture)
        return tuple(activations[layer] for layer in layers)

    return jax.jit(found)


def style_targets(network: Network, layers: Sequence[str]) -> Callable[..., tuple[Any, ...]]:
    """(variables, picture, mask or None) -> A and M of each layer, jitted."""

    def found(variables, picture, mask):
        _, activations = network(variables, picture)
        targets = []
        for layer in layers:
            features = activations[layer]
            rows, columns = features.shape[1:3]
            seen = scaled_mask(mask, (rows, columns))
            places = jnp.asarray(float(rows * columns))
            if seen is not None:
                places = jnp.square(seen).sum()
            targets.append({"gram": gram_matrix(features, seen)[0], "places": places})
        return tuple(targets)

    return jax.jit(found)


def style_terms(
    network: Network,
    variables: Any,
    styles: Sequence[Style],
    weighting: Weighting,
    factor: float,
    layer_sizes: dict[str, tuple[int, int]],
) -> tuple[Term, ...]:
    """beta w_l E_l for each style and layer; the style pictures are scaled by `factor`.

    `layer_sizes` are the (row, column) of the layers for the content, for its masks.
    """
    layers = tuple(weighting.style_layers)
    seen = style_targets(network, layers)
    terms = []
    for number, style in enumerate(styles, start=1):
        prefix = f"style{number}" if len(styles) > 1 else "style"
        targets = seen(variables, scaled(style.picture, factor), style.part)
        for layer, target in zip(layers, targets, strict=True):
            if style.place is not None:
                target = target | {"mask": scaled_mask(style.place, layer_sizes[layer])}
            weight = weighting.style * style.share * weighting.style_layers[layer]
            weight *= weighting.of_layer(layer, 4)
            terms.append(Term(f"{prefix}_{layer}", gram_match(layer), weight, target))
    return tuple(terms)


def content_terms(
    targets: Sequence[Any], weighting: Weighting, height: int, width: int
) -> tuple[Term, ...]:
    """alpha L_content, shared evenly where there are several layers."""
    layers = weighting.content_layers
    weight = weighting.content * weighting.of_sums(height, width) / max(1, len(layers))
    names = ["content"] if len(layers) == 1 else [f"content_{layer}" for layer in layers]
    return tuple(
        Term(name, feature_match(layer), weight * weighting.of_layer(layer, 2), target)
        for name, layer, target in zip(names, layers, targets, strict=True)
    )


def variation_term(weighting: Weighting, height: int, width: int) -> tuple[Term, ...]:
    if weighting.variation == 0.0:
        return ()
    weight = weighting.variation * weighting.of_sums(height, width)
    return (Term("variation", total_variation(2.0), weight),)
