"""FractalNet, and a column of it as a network of its own.

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
    """A 3x3 convolution, dropout, batch normalization, and the nonlinearity.

    Where `live` is false, the unit is on no surviving path: its running statistics do not move.
    """

    features: int
    dropout: float
    nonlinearity: Nonlinearity
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Images, training: bool, live: Bool[Array, ""] | None = None) -> Maps:
        x = nn.Conv(
            self.features,
            (3, 3),
            use_bias=False,  # The normalization has one.
            kernel_init=nn.initializers.xavier_uniform(),
            dtype=self.dtype,
            name="conv",
        )(x)
        x = nn.Dropout(self.dropout, deterministic=not training)(x)
        return self.nonlinearity(batch_norm(x, training, "bn", live, self.dtype))


class FractalNet(nn.Module):
    """B fractal blocks of C columns, each followed by 2x2 maximum pooling; a mean, and logits.

    f_1(z) = conv(z), f_{C+1}(z) = (f_C o f_C)(z) join conv(z); joins that meet are one, the
    element-wise mean of the inputs that survive. The longest path has B 2^(C - 1) convolutions, a
    block has 2^C - 1, and its paths number p_1 = 1, p_{C+1} = p_C^2 + 1: 1, 2, 5, 26, 677.
    B is the number of `channels`; the defaults are FractalNet-20 for CIFAR.

    In training drop-path draws from the rng `structure` once for a mini-batch, with chance
    `global_ratio` a single column, else each join on its own; dropout, one rate for each block,
    draws from `dropout`. `paths` overrides what is drawn, in evaluation too.

    Activations: `block1`, `pool1`, ..., `pool` (the mean).

    Raises ValueError where dropout and channels differ in number, where a side of the images is not
    a multiple of 2^B, and where `nn.drop_path` does.
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
                raise ValueError(f"{name} is {getattr(self, name)}; allowed: from 0 to 1")

    @nn.compact
    def __call__(
        self, images: Images, training: bool = False, paths: Paths | None = None
    ) -> Outputs:
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
        """Each column goes on from the last join that it took part in."""
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
    """The element-wise mean of the inputs, or of those kept, of which there is at least one."""
    if len(inputs) == 1:
        return inputs[0]
    if kept is None:
        return sum(inputs) / len(inputs)
    weights = [each.astype(inputs[0].dtype) for each in kept]
    return sum(x * weight for x, weight in zip(inputs, weights, strict=True)) / sum(weights)


class FractalColumn(nn.Module):
    """One column of a FractalNet alone: a plain network of 2^(column - 1) convolutions a block.

    Columns count from 1, the shallowest. The other fields are the FractalNet's, as `column_of`
    gives them; `column_variables` gives the variables. Activations and errors are FractalNet's.
    """

    channels: tuple[int, ...]
    column: int
    num_classes: int
    dropout: tuple[float, ...]
    nonlinearity: Nonlinearity = nn.relu
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, images: Images, training: bool = False) -> Outputs:
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
    """The network of one column: `model.num_columns` is the deepest.

    Raises ValueError where there is no such column.
    """
    if not 1 <= column <= model.num_columns:
        raise ValueError(f"column is {column}; allowed: 1 to {model.num_columns}, the deepest")
    fields = ("channels", "num_classes", "dropout", "nonlinearity", "dtype")
    return FractalColumn(column=column, **{name: getattr(model, name) for name in fields})


def column_variables(variables: dict[str, Any], column: int) -> dict[str, Any]:
    """The variables of `column_of(model, column)` among those of the FractalNet.

    Raises ValueError where there is no such column.
    """
    own, others = f"_column{column}_", "_column"
    taken = {
        collection: {
            name.replace(own, "_"): value
            for name, value in found.items()
            if own in name or others not in name
        }
        for collection, found in variables.items()
    }
    if not any(own in name for name in variables["params"]):
        raise ValueError(f"column is {column}: the variables have no such column")
    return taken


def _require_one_rate_per_block(channels: tuple[int, ...], dropout: tuple[float, ...]) -> None:
    if len(channels) != len(dropout) or not channels:
        raise ValueError(
            f"channels {channels} and dropout {dropout}: one of each for every block, and at least "
            "one block"
        )


def _require_halvings(images: Images, num_blocks: int) -> None:
    height, width = images.shape[1:3]
    if height % 2**num_blocks or width % 2**num_blocks:
        raise ValueError(
            f"images are {height}x{width}; {num_blocks} halvings need sides that are multiples of "
            f"{2**num_blocks}"
        )
