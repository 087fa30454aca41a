"""Defines FractalNet, and the plain network that is one of its columns.

Larsson et al., "FractalNet: ultra-deep neural networks without residuals", 2017.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

from lecture_models.nn.batch_norm import batch_norm
from lecture_models.nn.classifier_head import linear_classifier
from lecture_models.nn.drop_path import (
    Paths,
    fractal_inputs,
    live_convolutions,
    sample_paths,
)
from lecture_models.nn.pooling import max_pool

Images = Float[Array, "batch height width channel"]
Maps = Float[Array, "batch height width map"]
Outputs = tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]
Nonlinearity = Callable[[jax.Array], jax.Array]


class ConvUnit(nn.Module):
    """Applies a 3x3 convolution, dropout, batch normalization, and the nonlinearity.

    Attributes:
        features: the number of output channels.
        dropout: the dropout rate, from 0 to 1.
        nonlinearity: the function after the normalization.
        dtype: the type in which the unit computes.
    """

    features: int
    dropout: float
    nonlinearity: Nonlinearity
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Images, training: bool, live: Bool[Array, ""] | None = None) -> Maps:
        """Returns the output maps.

        Args:
            x: the input maps.
            training: whether dropout is active, and the batch's own moments are used.
            live: whether the unit is on a surviving path; if not, its running statistics do not
                change. None means that it is.
        """
        x = nn.Conv(
            self.features,
            (3, 3),
            use_bias=False,  # The normalization has a bias.
            kernel_init=nn.initializers.xavier_uniform(),
            dtype=self.dtype,
            name="conv",
        )(x)
        x = nn.Dropout(self.dropout, deterministic=not training)(x)
        return self.nonlinearity(batch_norm(x, training, "bn", live, self.dtype))


class FractalNet(nn.Module):
    """Computes logits, and activations by name, from images.

    B fractal blocks of C columns, each followed by 2x2 maximum pooling, a global mean, and logits:

    f_1(z) = conv(z), f_{C+1}(z) = (f_C o f_C)(z) join conv(z)

    Consecutive joins are merged into one, the element-wise mean of the inputs that survive. A block
    has 2^C - 1 convolutions and 1, 2, 5, 26, 677, ... paths (p_1 = 1, p_{C+1} = p_C^2 + 1); the
    longest path through the network has B 2^(C - 1) convolutions. The defaults are FractalNet-20
    for CIFAR.

    In training drop-path draws once per mini-batch: with probability `global_ratio` a single column
    survives; otherwise each input of a join is dropped on its own.

    Names of activations: `block1`, `pool1`, ..., and `pool` (the global mean).

    Attributes:
        channels: the number of channels of each of the B blocks.
        num_columns: the number of columns C.
        num_classes: the number of classes; 0 means that there is no classifier. Logits then have
            shape (batch, 0).
        dropout: the dropout rate of each block, from 0 to 1.
        local_drop: the probability that an input of a join is dropped, from 0 to 1.
        global_ratio: the probability that a mini-batch uses a single column, from 0 to 1.
        nonlinearity: the function after each normalization.
        dtype: the type in which the network computes; logits are float32.

    Raises:
        ValueError: `channels` and `dropout` differ in length, there is no block or no column, or a
            probability of drop-path is not from 0 to 1.
    """

    channels: tuple[int, ...] = (64, 128, 256, 512, 512)
    num_columns: int = 3
    num_classes: int = 10
    dropout: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4)
    local_drop: float = 0.15
    global_ratio: float = 0.5
    nonlinearity: Nonlinearity = nn.relu
    dtype: DTypeLike = jnp.float32

    def __post_init__(self):
        super().__post_init__()
        fractal_inputs(self.num_columns)
        _require_one_rate_per_block(self.channels, self.dropout)
        for name in ("local_drop", "global_ratio"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be from 0 to 1")

    @nn.compact
    def __call__(
        self, images: Images, training: bool = False, paths: Paths | None = None
    ) -> Outputs:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: whether drop-path draws from the rng `structure`, dropout draws from the rng
                `dropout`, and batch normalization uses the batch's own moments.
            paths: the inputs of joins that survive, also in evaluation; None means that they are
                drawn in training, and that all survive in evaluation.

        Raises:
            ValueError: a side of the images is not a multiple of 2^B.
        """
        _require_halvings(images, len(self.channels))
        drops = self.local_drop > 0.0 or self.global_ratio > 0.0
        if paths is None and training and drops and not self.is_initializing():
            paths = sample_paths(
                self.make_rng("structure"),
                len(self.channels),
                self.num_columns,
                self.local_drop,
                self.global_ratio,
            )
        live = None if paths is None else live_convolutions(paths)
        activations, x = {}, images
        for block in range(len(self.channels)):
            gates = (None, None) if paths is None else (paths[block], live[block])
            activations[f"block{block + 1}"] = x = self._block(x, block, training, *gates)
            activations[f"pool{block + 1}"] = x = max_pool(x, window=2, stride=2)
        activations["pool"] = x = x.mean((1, 2))
        return linear_classifier(x, self.num_classes, self.dtype), activations

    def _block(
        self,
        x: Images,
        block: int,
        training: bool,
        paths: Bool[Array, "row column"] | None,
        live: Bool[Array, "row column"] | None,
    ) -> Maps:
        """Applies one block; each column continues from the last join in which it took part."""
        columns = [x] * self.num_columns
        for row, ends in enumerate(fractal_inputs(self.num_columns)):
            inputs = [column for column in range(self.num_columns) if ends[column]]
            outputs = []
            for column in inputs:
                place = (row + 1) // 2 ** (self.num_columns - 1 - column)
                unit = ConvUnit(
                    self.channels[block],
                    self.dropout[block],
                    self.nonlinearity,
                    self.dtype,
                    name=f"block{block + 1}_column{column + 1}_conv{place}",
                )
                alive = None if live is None else live[row, column]
                outputs.append(unit(columns[column], training, alive))
            kept = None if paths is None else [paths[row, column] for column in inputs]
            joined = join(outputs, kept)
            for column in inputs:
                columns[column] = joined
        return columns[-1]


def join(inputs: list[Maps], kept: list[Bool[Array, ""]] | None = None) -> Maps:
    """Computes the element-wise mean of the inputs that survive.

    Args:
        inputs: the maps that meet, at least one.
        kept: whether each input survives; at least one must. None means that all survive.

    Returns:
        The mean.
    """
    if len(inputs) == 1:
        return inputs[0]
    if kept is None:
        return sum(inputs) / len(inputs)
    weights = [survives.astype(inputs[0].dtype) for survives in kept]
    return sum(x * weight for x, weight in zip(inputs, weights, strict=True)) / sum(weights)


class FractalColumn(nn.Module):
    """Computes logits, and activations by name, by one column of a FractalNet.

    A column is a plain network of 2^(column - 1) convolutions per block. `column_of` makes it, and
    `column_variables` selects its variables.

    Attributes:
        channels: the number of channels of each block.
        column: the column, counted from 1, the shallowest.
        num_classes: the number of classes; 0 means that there is no classifier.
        dropout: the dropout rate of each block, from 0 to 1.
        nonlinearity: the function after each normalization.
        dtype: the type in which the network computes; logits are float32.
    """

    channels: tuple[int, ...]
    column: int
    num_classes: int
    dropout: tuple[float, ...]
    nonlinearity: Nonlinearity = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, images: Images, training: bool = False) -> Outputs:
        """Returns logits and the activations by name, as those of `FractalNet`.

        Args:
            images: the images, preprocessed.
            training: whether dropout draws from the rng `dropout`, and batch normalization uses the
                batch's own moments.

        Raises:
            ValueError: a side of the images is not a multiple of 2 to the number of blocks.
        """
        _require_halvings(images, len(self.channels))
        activations, x = {}, images
        blocks = zip(self.channels, self.dropout, strict=True)
        for block, (features, rate) in enumerate(blocks, 1):
            for place in range(1, 2 ** (self.column - 1) + 1):
                name = f"block{block}_conv{place}"
                x = ConvUnit(features, rate, self.nonlinearity, self.dtype, name=name)(x, training)
            activations[f"block{block}"] = x
            activations[f"pool{block}"] = x = max_pool(x, window=2, stride=2)
        activations["pool"] = x = x.mean((1, 2))
        return linear_classifier(x, self.num_classes, self.dtype), activations


def column_of(model: FractalNet, column: int) -> FractalColumn:
    """Returns the network that is one column of a FractalNet.

    Args:
        model: the FractalNet.
        column: the column, from 1, the shallowest, to `model.num_columns`, the deepest.

    Returns:
        The network; `column_variables` gives its variables.

    Raises:
        ValueError: the column does not exist.
    """
    if not 1 <= column <= model.num_columns:
        raise ValueError(f"column is {column}; it must be from 1 to {model.num_columns}")
    fields = ("channels", "num_classes", "dropout", "nonlinearity", "dtype")
    return FractalColumn(column=column, **{name: getattr(model, name) for name in fields})


def column_variables(variables: dict[str, Any], column: int) -> dict[str, Any]:
    """Selects the variables of one column from those of a FractalNet.

    Args:
        variables: the variables of the FractalNet, by collection.
        column: the column, counted from 1, the shallowest.

    Returns:
        The variables of `column_of(model, column)`, which include the classifier's.

    Raises:
        ValueError: the column does not exist.
    """
    own, any_column = f"_column{column}_", "_column"
    selected = {
        collection: {
            name.replace(own, "_"): value
            for name, value in group.items()
            if own in name or any_column not in name
        }
        for collection, group in variables.items()
    }
    if not any(own in name for name in variables["params"]):
        raise ValueError(f"column is {column}; the variables have no such column")
    return selected


def _require_one_rate_per_block(channels: tuple[int, ...], dropout: tuple[float, ...]) -> None:
    if len(channels) != len(dropout) or not channels:
        raise ValueError(
            f"channels is {channels} and dropout is {dropout}; they must have the same length, one "
            "of each per block, and there must be at least one block"
        )


def _require_halvings(images: Images, num_blocks: int) -> None:
    height, width = images.shape[1:3]
    if height % 2**num_blocks or width % 2**num_blocks:
        raise ValueError(
            f"images are {height}x{width}; for {num_blocks} blocks both sides must be multiples of "
            f"{2**num_blocks}"
        )
