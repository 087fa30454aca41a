"""Trains a U-Net that maps pictures to maps: its inputs, its step and its predictions.

Its inputs are small pictures, and where a pretrained network is at hand, features of it at the
deeper levels; they are computed once, before the training.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Key, UInt8

from lecture_models.data.dataset import Dataset
from lecture_models.data.joint_views import resized
from lecture_models.data.lookup import Library
from lecture_models.experiment import Best, Evaluation, Experiment
from lecture_models.models.unet import UNet, enlarged_map, level_sides
from lecture_models.steps.classifier import ClassifierState
from lecture_models.steps.dense import dense_step
from lecture_models.steps.descent import Metrics
from lecture_models.tasks.codes import LayerReader, feature_grids, input_side, resizing_network
from lecture_models.tasks.dense_config import DenseConfig, FeatureConfig, adamw
from lecture_models.tasks.layers import layer_shapes
from lecture_models.weights.network import Pretrained
from lecture_models.weights.pretrained import Weights

Pixels = UInt8[np.ndarray, "picture height width 3"]
Inputs = dict[str, Array | np.ndarray]  # `images`, uint8, and `features`, float16, per picture.
Shape = tuple[int, int, int]

FOLD = 2
PREDICTED_AT_ONCE = 32  # Pictures.

# Maps the predicted maps and a batch to one loss per picture, by name; the losses are added.
PictureLosses = Callable[[Float[Array, "batch height width out"], Mapping[str, Array]], dict]


class DenseNetwork(NamedTuple):
    """Holds a U-Net and what it reads.

    Attributes:
        model: the U-Net.
        side: the side of its images in pixels.
        shapes: the height, width and channels of the features of each of its deepest levels.
        source: the network whose features are read; None from scratch.
        at_once: the number of pictures that it takes at once.
    """

    model: UNet
    side: int
    shapes: tuple[Shape, ...]
    source: Pretrained | None
    at_once: int

    def inputs(self, pixels: Pixels) -> Inputs:
        """Returns what the U-Net reads of pictures of any size, squeezed into squares."""
        small = [resized(picture, (self.side, self.side)) for picture in pixels]
        images = np.array(small, np.uint8).reshape(-1, self.side, self.side, 3)
        length = sum(int(np.prod(shape)) for shape in self.shapes)
        features = np.zeros((len(pixels), length), np.float16)
        if self.source is not None and len(pixels):
            side = input_side(self.source, 0)
            large = np.stack([resized(picture, (side, side)) for picture in pixels])
            reader = _pyramid_reader(self.source, side, self.shapes)
            grids = feature_grids(self.source, reader, large, self.at_once)
            features = grids.reshape(features.shape)
        return {"images": images, "features": features}

    def maps(
        self, variables, inputs: Inputs, training: bool = False, **settings
    ) -> Float[Array, "batch height width out"] | tuple:
        """Returns the U-Net's map of a batch; with `mutable`, also what has changed."""
        images = inputs["images"].astype(jnp.float32) / 127.5 - 1.0
        features, start = [], 0
        for shape in self.shapes:
            end = start + int(np.prod(shape))
            part = inputs["features"][:, start:end].astype(jnp.float32)
            features.append(part.reshape(-1, *shape))
            start = end
        result = self.model.apply(variables, images, tuple(features), training, **settings)
        if "mutable" in settings:
            (maps, _), changed = result
            return maps, changed
        return result[0]

    def init(self, key: Key[Array, ""], optimizer) -> ClassifierState:
        """Returns the state before the first step."""
        images = jnp.zeros((1, self.side, self.side, 3))
        features = tuple(jnp.zeros((1, *shape)) for shape in self.shapes)
        variables = self.model.init(key, images, features)
        params, moments = variables["params"], variables["batch_stats"]
        return ClassifierState(params, moments, optimizer.init(params), jnp.zeros((), jnp.int32))


def make_network(
    config: DenseConfig, outputs: int, fold: int = FOLD, unfolded: bool = True
) -> DenseNetwork:
    """Returns the U-Net of a Config, which reads pixels alone."""
    model = UNet(outputs, config.widths, fold, unfolded=unfolded)
    return DenseNetwork(model, config.side, (), None, PREDICTED_AT_ONCE)


def make_feature_network(config: FeatureConfig, outputs: int, weights: Weights) -> DenseNetwork:
    """Returns a U-Net that also reads features of a pretrained network, unless from scratch."""
    network = make_network(config, outputs)
    if config.scratch:
        return network
    source = weights.load(config.model)
    sides = level_sides(config.side, FOLD, len(config.widths))
    model = network.model.clone(reduced=config.reduced, dropout=config.dropout)
    shapes = _feature_shapes(source, sides[1:])
    return DenseNetwork(model, config.side, shapes, source, config.feature_batch)


def _maps_of(source: Pretrained) -> dict[str, tuple[int, ...]]:
    side = input_side(source, 0)
    shapes = layer_shapes(resizing_network(source, side), source, (side, side))
    return {name: shape for name, shape in shapes.items() if len(shape) == 4 and shape[1] > 1}


def _pyramid_layers(source: Pretrained, sides: tuple[int, ...]) -> list[str]:
    """Returns for each side the last layer that is not smaller, or the largest layer's last."""
    maps = _maps_of(source)
    layers = []
    for side in sides:
        least = min(side, *(max(shape[1] for shape in maps.values()),))
        layers.append([name for name, shape in maps.items() if shape[1] >= least][-1])
    return layers


def _feature_shapes(source: Pretrained, sides: tuple[int, ...]) -> tuple[Shape, ...]:
    maps = _maps_of(source)
    layers = _pyramid_layers(source, sides)
    return tuple((side, side, maps[layer][3]) for side, layer in zip(sides, layers, strict=True))


def _pyramid_reader(source: Pretrained, side: int, shapes: tuple[Shape, ...]) -> LayerReader:
    """Returns the reader of several layers, each at the size of its level, as one vector."""
    apply = resizing_network(source, side)
    layers = _pyramid_layers(source, tuple(shape[0] for shape in shapes))

    def read(variables, images):
        activations = apply(variables, images)[1]
        parts = []
        for layer, shape in zip(layers, shapes, strict=True):
            parts.append(enlarged_map(activations[layer], shape[:2]).reshape(len(images), -1))
        return jnp.concatenate(parts, axis=1)

    length = sum(int(np.prod(shape)) for shape in shapes)
    return LayerReader("+".join(layers), side, (length,), read)


def make_step(network: DenseNetwork, optimizer: optax.GradientTransformation, losses):
    """Returns the training step.

    Args:
        network: the U-Net.
        optimizer: the optimizer.
        losses: maps the predicted maps and the batch to losses by name, one per picture.
    """

    def step(state: ClassifierState, batch, key) -> tuple[ClassifierState, Metrics]:
        def loss(params):
            variables = state._replace(params=params).variables
            maps, changed = network.maps(
                variables, batch, True, rngs={"dropout": key}, mutable=["batch_stats"]
            )
            means = {name: values.mean() for name, values in losses(maps, batch).items()}
            return sum(means.values()), (means, changed["batch_stats"])

        return dense_step(optimizer, state, loss)

    return step


def make_predict(network: DenseNetwork) -> Callable[..., Float32[np.ndarray, "picture h w out"]]:
    """Returns `predict(state, inputs, shape)`: the maps of all pictures, enlarged to a shape."""

    @jax.jit
    def apply(variables, inputs):
        return network.maps(variables, inputs)

    resize = jax.jit(enlarged_map, static_argnums=1)

    def predict(state: ClassifierState, inputs: Inputs, shape: tuple[int, int]) -> np.ndarray:
        count, parts = len(inputs["images"]), []
        size = max(1, min(PREDICTED_AT_ONCE, count))
        for first in range(0, count, size):
            chosen = np.minimum(np.arange(first, first + size), count - 1)  # One compiled shape.
            batch = {name: array[chosen] for name, array in inputs.items()}
            parts.append(np.asarray(resize(apply(state.variables, batch), shape)))
        if not parts:
            return np.zeros((0, *shape, network.model.outputs), np.float32)
        return np.concatenate(parts)[:count]

    return predict


class JudgedPictures(NamedTuple):
    """Holds the pictures that a U-Net is judged by, and what it reads of them, computed once.

    Attributes:
        pixels: the pictures by name, such as "test".
        inputs: what the U-Net reads of them, by the same names.
        predict: see `make_predict`.
    """

    pixels: dict[str, Pixels]
    inputs: dict[str, Inputs]
    predict: Callable[..., Float32[np.ndarray, "picture h w out"]]

    def maps(self, state: ClassifierState, name: str) -> Float32[np.ndarray, "picture h w out"]:
        """Returns the U-Net's maps of pictures, at the size of the pictures."""
        return self.predict(state, self.inputs[name], self.pixels[name].shape[1:3])


def held_out_pictures(dataset: Dataset, own: Pixels) -> dict[str, Pixels]:
    """Returns the pictures "validation" and "test" of a data set, and "own", the user's."""
    pixels = {name: getattr(dataset, name)["pixels"] for name in ("validation", "test")}
    return pixels | {"own": own}


def judged_pictures(
    network: DenseNetwork,
    pixels: dict[str, Pixels],
    prepare: Callable[[Pixels], Pixels] = lambda pixels: pixels,
) -> JudgedPictures:
    """Returns pictures and what a U-Net reads of them.

    Args:
        network: the U-Net.
        pixels: the pictures by name; there may be none of a name.
        prepare: changes pictures before the U-Net reads them.
    """
    inputs = {name: network.inputs(prepare(pictures)) for name, pictures in pixels.items()}
    return JudgedPictures(pixels, inputs, make_predict(network))


def dense_experiment(
    config: DenseConfig,
    network: DenseNetwork,
    batches: Callable[[int], Iterator[dict[str, np.ndarray]]],
    losses: PictureLosses,
    evaluate: Callable[..., Evaluation],
    best: Best | None = None,
) -> Experiment:
    """Returns the experiment that trains a U-Net.

    Args:
        config: the fields that all of them share.
        network: the U-Net.
        batches: draws training pictures, as `DenseNetwork.inputs` returns them, and their truth.
        losses: see `make_step`.
        evaluate: see `Experiment`.
        best: see `Experiment`.
    """
    optimizer = adamw(config)
    return Experiment(
        lambda key: network.init(key, optimizer),
        make_step(network, optimizer, losses),
        evaluate,
        batches,
        best,
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )


def own_pictures(library: Library, images: tuple[str, ...], side: int) -> Pixels:
    """Returns the central squares of the user's pictures; none if there are no names."""
    files = library.pictures(images, side) if images else []
    return np.array([file.pixels for file in files], np.uint8).reshape(-1, side, side, 3)
