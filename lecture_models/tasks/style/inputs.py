"""Builds the stages of a style transfer from a content picture, its styles and a network."""

from typing import NamedTuple

from lecture_models.image_space.colors import gray
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Term
from lecture_models.nn.pooling import mean_pool
from lecture_models.tasks.canvas import canvas_size, extended
from lecture_models.tasks.image_optimization import Stage, feature_network
from lecture_models.tasks.layers import layer_shapes, require_layers
from lecture_models.tasks.style import images, terms
from lecture_models.tasks.style.images import Picture, Style
from lecture_models.tasks.style.terms import Activations, Weighting, whole_activations
from lecture_models.tasks.style.tiled import tiled_activations, tiled_stage
from lecture_models.weights.pretrained import Pretrained


class StyleInputs(NamedTuple):
    """Holds what every stage of a style transfer is made from, at full size.

    Attributes:
        network: the pretrained network with its variables.
        apply: the network as a function of images in [-1, 1]; see `style_network`.
        content: the content picture.
        styles: the style pictures.
        weighting: the weights of all loss terms.
        tile: pixels of a tile's side; 0 to compute every picture at once.
    """

    network: Pretrained
    apply: Network
    content: Picture
    styles: tuple[Style, ...]
    weighting: Weighting
    tile: int = 0

    @property
    def activations(self) -> Activations:
        """Returns the functions that measure the network's activations of pictures."""
        if self.tile:
            return tiled_activations(self.apply, self.tile)
        return whole_activations(self.apply)


def style_network(network: Pretrained, average_pooling: bool, keep_colors: bool) -> Network:
    """Returns the function that gives a network's activations for images in [-1, 1].

    Args:
        network: the pretrained network.
        average_pooling: replaces maximum pooling by average pooling, as in the paper.
        keep_colors: the network sees only the luminance of the images.
    """
    if average_pooling:
        network = network._replace(model=network.model.clone(pool=mean_pool))
    apply = feature_network(network)
    if not keep_colors:
        return apply
    return lambda variables, images: apply(variables, gray(images))


def require_style_inputs(inputs: StyleInputs, factor: float) -> None:
    """Checks every layer that the loss uses, at the coarsest size.

    Args:
        inputs: the pictures at full size and the layers.
        factor: the scale of the coarsest size.

    Raises:
        WeightsError: the network lacks a layer, or a picture is too small for it.
    """
    layers = [*inputs.weighting.content_layers, *inputs.weighting.style_layers]
    styles = [images.scaled_size(style.picture, factor) for style in inputs.styles]
    for size in (images.scaled_size(inputs.content, factor), *styles):
        require_layers(inputs.apply, inputs.network, size, layers)


def balance(inputs: StyleInputs) -> StyleInputs:
    """Returns inputs whose layers are weighted as if their mean activation were 1."""
    layers = {*inputs.weighting.content_layers, *inputs.weighting.style_layers}
    means = inputs.activations.mean_activations(
        inputs.network.variables, inputs.content, sorted(layers)
    )
    return inputs._replace(weighting=inputs.weighting._replace(mean_activations=means))


def canvas_of(inputs: StyleInputs, factor: float) -> tuple[int, int]:
    """Returns height and width of what is optimized when the content is scaled by `factor`."""
    layers = [*inputs.weighting.content_layers, *inputs.weighting.style_layers]
    size = images.scaled_size(inputs.content, factor)
    return canvas_size(inputs.apply, inputs.network, size, layers)


def make_stage(inputs: StyleInputs, factor: float, num_steps: int) -> Stage:
    """Returns the stage of `num_steps` steps with all pictures scaled by `factor`."""
    picture = images.scaled(inputs.content, factor)
    canvas = canvas_of(inputs, factor)
    content_targets = inputs.activations.content_targets(inputs.weighting.content_layers)
    targets = content_targets(inputs.network.variables, extended(picture, canvas))
    content = terms.content_terms(targets, inputs.weighting, *canvas)
    stage_terms = (*content, *other_terms(inputs, factor))
    stage = Stage(*picture.shape[1:3], num_steps, stage_terms, canvas=canvas)
    if not inputs.tile or max(canvas) <= inputs.tile:
        return stage
    variables = inputs.network.variables
    return tiled_stage(inputs.apply, variables, inputs.weighting, stage, inputs.tile)


def other_terms(inputs: StyleInputs, factor: float) -> tuple[Term, ...]:
    """Returns the style terms at the scale `factor`, and the total variation."""
    size, canvas = images.scaled_size(inputs.content, factor), canvas_of(inputs, factor)
    shapes = layer_shapes(inputs.apply, inputs.network, canvas)
    layer_sizes = {layer: shapes[layer][1:3] for layer in inputs.weighting.style_layers}
    styles = [
        style._replace(content_mask=images.extended_mask(style.content_mask, size, canvas))
        for style in inputs.styles
    ]
    return (
        *terms.style_terms(
            inputs.activations,
            inputs.network.variables,
            styles,
            inputs.weighting,
            factor,
            layer_sizes,
        ),
        *terms.variation_term(inputs.weighting, *canvas),
    )
