"""LeNet-5 for 28x28 digits, as taught and as printed in 1998, and the features before its output.

The network of 1998 is `OriginalLeNet5`, a choice of fields.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, DTypeLike, Float

Maps = Float[Array, "batch height width channel"]
Halved = Float[Array, "batch half_height half_width channel"]

# Table I: the maps of S2 that each of C3's 16 maps sees, 60 pairs in all.
C3_TABLE = (
    *(tuple(sorted((i + j) % 6 for j in range(3))) for i in range(6)),
    *(tuple(sorted((i + j) % 6 for j in range(4))) for i in range(6)),
    *(tuple(sorted((i + j) % 6 for j in (0, 1, 3, 4))) for i in range(3)),
    tuple(range(6)),
)


class LeNet5(nn.Module):
    """LeNet-5 with every map of S2 connected to every map of C3: 61,706 parameters.

    C1 6@28x28, S2 6@14x14, C3 16@10x10, S4 16@5x5, C5 120, F6 84, and a linear layer of logits;
    convolutions are 5x5. Returns `(logits, activations)`, the activations by those names, after
    their nonlinearity. Nothing differs in training. With `num_classes` 0 the network ends at S4,
    for images of any size, and logits are (batch, 0).

    Departures from the paper, each undone by a field: subsampling is a plain mean, without a
    coefficient, bias or sigmoid of its own; the output layer is linear, where the paper's has
    radial basis functions; tanh is not scaled to 1.7159 tanh(2a/3); C3 sees all maps of S2.

    Raises ValueError where the padded image of a classifier is not 32x32.

    LeCun et al., "Gradient-based learning applied to document recognition", 1998, section II.B.
    """

    num_classes: int = 10
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.tanh
    padding: int = 2  # Makes MNIST's 28x28 the paper's 32x32.
    connections: tuple[tuple[int, ...], ...] | None = None  # Of C3 to S2: C3_TABLE, or None, all.
    trainable_subsampling: bool = False
    radial_output: bool = False
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        batch, height, width, _ = images.shape
        sides = (height + 2 * self.padding, width + 2 * self.padding)
        if self.num_classes and sides != (32, 32):
            raise ValueError(
                f"image is {height}x{width} with padding {self.padding}: "
                "LeNet-5 takes 32x32 after padding"
            )
        settings = {"kernel_init": self.kernel_init, "dtype": self.dtype}
        activations = {}
        convolution = nn.Conv(6, (5, 5), padding=self.padding, name="C1", **settings)
        activations["C1"] = x = self.nonlinearity(convolution(images))
        activations["S2"] = x = self._subsample("S2", x)
        if self.connections is None:
            convolution = nn.Conv(16, (5, 5), padding="VALID", name="C3", **settings)
        else:
            convolution = _TabledConvolution(self.connections, name="C3", **settings)
        activations["C3"] = x = self.nonlinearity(convolution(x))
        activations["S4"] = x = self._subsample("S4", x)
        if self.num_classes == 0:
            return jnp.zeros((batch, 0)), activations
        # A 5x5 convolution of 5x5 maps is a matrix product, which is faster so written.
        x = x.reshape(batch, -1)
        activations["C5"] = x = self.nonlinearity(nn.Dense(120, name="C5", **settings)(x))
        activations["F6"] = x = self.nonlinearity(nn.Dense(84, name="F6", **settings)(x))
        if self.radial_output:
            logits = radial_logits(x, self.num_classes)
        else:
            logits = nn.Dense(self.num_classes, name="output", **settings)(x)
        return logits.astype(jnp.float32), activations

    def _subsample(self, name: str, x: Maps) -> Halved:
        x = _halve(x)
        if not self.trainable_subsampling:
            return x
        return self.nonlinearity(_Subsampling(self.kernel_init, self.dtype, name=name)(x))


def scaled_tanh(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1.7159 tanh(2x/3), which is 1 at 1 and -1 at -1. Section II.B, equation 6; appendix A."""
    return 1.7159 * jnp.tanh(2.0 / 3.0 * x)


def uniform_by_fan_in(
    key: Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32
) -> Float[Array, "..."]:
    """Uniform within 2.4 over the number of inputs of a unit, as in the paper's appendix A."""
    bound = 2.4 / np.prod(shape[:-1])
    return jax.random.uniform(key, shape, dtype, -bound, bound)


def radial_logits(
    features: Float[Array, "batch feature"], num_classes: int
) -> Float[Array, "batch class"]:
    """-sum_i (x_i - c_i)^2 for the code c of each class: the output units, equation 7, negated.

    The codes are constants of -1 and 1, no parameters. Departure from the paper: rows of a
    Hadamard matrix, which differ in nearly half of their places, where the paper draws the classes
    as bitmaps of 7x12; it names codes that correct errors as the alternative.

    Raises ValueError for more than 127 classes, which have no rows.
    """
    codes = jnp.asarray(_codes(num_classes, features.shape[-1]), features.dtype)
    return -jnp.square(features[:, None] - codes[None]).sum(-1)


def _codes(num_classes: int, length: int) -> Float[np.ndarray, "class feature"]:
    if num_classes > 127:
        raise ValueError(f"{num_classes} classes: the radial output has codes for at most 127")
    bits = np.bitwise_count(np.arange(1, num_classes + 1)[:, None] & np.arange(length)[None])
    return 1.0 - 2.0 * (bits % 2)


class _TabledConvolution(nn.Module):
    """A 5x5 convolution with filters only where `connections` has a pair of maps.

    Each of its maps lists the input maps that it sees; `kernel` holds the filters of those pairs,
    in the order of the list, and no others.
    """

    connections: tuple[tuple[int, ...], ...]
    kernel_init: nn.initializers.Initializer
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps) -> Float[Array, "batch valid_height valid_width map"]:
        seen = [len(inputs) for inputs in self.connections]
        outputs = np.repeat(np.arange(len(seen)), seen)
        inputs = np.concatenate([np.asarray(each) for each in self.connections])
        if inputs.max() >= x.shape[-1]:
            raise ValueError(f"connections name map {inputs.max()}: there are {x.shape[-1]} maps")

        def init(key, _):
            keys = jax.random.split(key, len(seen))
            filters = [
                self.kernel_init(key, (5, 5, count, 1))[..., 0]
                for key, count in zip(keys, seen, strict=True)
            ]
            return jnp.concatenate(filters, axis=-1)

        kernel = self.param("kernel", init, (5, 5, len(inputs)))
        bias = self.param("bias", nn.initializers.zeros, (len(seen),))
        full = jnp.zeros((5, 5, x.shape[-1], len(seen))).at[:, :, inputs, outputs].set(kernel)
        summed = jax.lax.conv_general_dilated(
            x.astype(self.dtype),
            full.astype(self.dtype),
            (1, 1),
            "VALID",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return summed + bias.astype(self.dtype).reshape(1, 1, 1, -1)


class _Subsampling(nn.Module):
    """A coefficient and a bias for each map, on sums of four: twice as many as there are maps."""

    kernel_init: nn.initializers.Initializer
    dtype: DTypeLike

    @nn.compact
    def __call__(self, means: Maps) -> Maps:
        maps = means.shape[-1]
        coefficient = self.param("coefficient", self._init, (maps,)).astype(self.dtype)
        bias = self.param("bias", nn.initializers.zeros, (maps,)).astype(self.dtype)
        return 4.0 * means * coefficient.reshape(1, 1, 1, -1) + bias.reshape(1, 1, 1, -1)

    def _init(self, key: Array, shape: tuple[int]) -> Float[Array, " map"]:
        """Those of a unit with four inputs, which share their weight."""
        return self.kernel_init(key, (4, *shape))[0]


def _halve(x: Maps) -> Halved:
    """Means of 2x2 squares: by reshape, whose gradient is faster than a window reduction's."""
    batch, height, width, channel = x.shape
    rows, columns = height // 2, width // 2
    x = x[:, : 2 * rows, : 2 * columns]
    return x.reshape(batch, rows, 2, columns, 2, channel).mean((2, 4))


# 60,000 trainable parameters: the output's 840 codes are fixed.
OriginalLeNet5 = partial(
    LeNet5,
    nonlinearity=scaled_tanh,
    connections=C3_TABLE,
    trainable_subsampling=True,
    radial_output=True,
    kernel_init=uniform_by_fan_in,
)
