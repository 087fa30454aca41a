"""A content picture, its styles and a network: what the stages of a style transfer are made of."""

from typing import NamedTuple

from lecture_models.image_space.colors import gray
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Term
from lecture_models.nn.pooling import mean_pool
from lecture_models.tasks.image_optimization import Stage, feature_network
from lecture_models.tasks.layers import layer_shapes, require_layers
from lecture_models.tasks.style import images, terms
from lecture_models.tasks.style.images import Picture, Style
from lecture_models.tasks.style.terms import Weighting
from lecture_models.weights.pretrained import Pretrained


class StyleInputs(NamedTuple):
    network: Pretrained
    apply: Network
    content: Picture
    styles: tuple[Style, ...]
    weighting: Weighting


def seeing_network(network: Pretrained, average_pooling: bool, keep_colors: bool) -> Network:
    """Of the luminance alone where colors are kept."""
    if average_pooling:
        network = network._replace(model=network.model.clone(pool=mean_pool))
    apply = feature_network(network)
    if not keep_colors:
        return apply
    return lambda variables, images: apply(variables, gray(images))


def require_style_inputs(scene: StyleInputs, factor: float) -> None:
    """Raises WeightsError for a layer that the network lacks, or for which a picture is too small.

    The pictures are those of the coarsest size, scaled by `factor`.
    """
    layers = [*scene.weighting.content_layers, *scene.weighting.style_layers]
    for picture in (scene.content, *(style.picture for style in scene.styles)):
        size = images.scaled_size(picture, factor)
        require_layers(scene.apply, scene.network, size, layers)


def balanced(scene: StyleInputs) -> StyleInputs:
    """Its weights are as if every layer had a mean activation of 1 on the content."""
    layers = {*scene.weighting.content_layers, *scene.weighting.style_layers}
    found = terms.mean_activations(
        scene.apply, scene.network.variables, scene.content, sorted(layers)
    )
    return scene._replace(weighting=scene.weighting._replace(activations=found))


def make_stage(scene: StyleInputs, factor: float, num_steps: int) -> Stage:
    """All pictures scaled by `factor`."""
    picture = images.scaled(scene.content, factor)
    height, width = picture.shape[1:3]
    seen = terms.content_targets(scene.apply, scene.weighting.content_layers)
    targets = seen(scene.network.variables, picture)
    content = terms.content_terms(targets, scene.weighting, height, width)
    return Stage(height, width, num_steps, (*content, *other_terms(scene, factor)))


def other_terms(scene: StyleInputs, factor: float) -> tuple[Term, ...]:
    """The style at that scale, and the total variation."""
    size = images.scaled_size(scene.content, factor)
    shapes = layer_shapes(scene.apply, scene.network, size)
    layer_sizes = {layer: shapes[layer][1:3] for layer in scene.weighting.style_layers}
    return (
        *terms.style_terms(
            scene.apply,
            scene.network.variables,
            scene.styles,
            scene.weighting,
            factor,
            layer_sizes,
        ),
        *terms.variation_term(scene.weighting, *size),
    )
