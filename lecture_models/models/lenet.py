"""Defines LeNet-5 for 28x28 digits, as it is taught and as it was published in 1998.

`LeNet5` is the former; `OriginalLeNet5` is the latter, a choice of its fields.

LeCun et al., "Gradient-based learning applied to document recognition", 1998, section II.B.
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

# Table I: for each of C3's 16 maps the maps of S2 that it sees, 60 pairs in all.
C3_TABLE = (
    *(tuple(sorted((i + j) % 6 for j in range(3))) for i in range(6)),
    *(tuple(sorted((i + j) % 6 for j in range(4))) for i in range(6)),
    *(tuple(sorted((i + j) % 6 for j in (0, 1, 3, 4))) for i in range(3)),
    tuple(range(6)),
)


class LeNet5(nn.Module):
    """Computes logits, and activations by name, from images.

    Layers: C1 6@28x28, S2 6@14x14, C3 16@10x10, S4 16@5x5, C5 120, F6 84, and linear logits;
    convolutions are 5x5. Activations have these names and are taken after the nonlinearity. With
    the defaults there are 61,706 parameters.

    Departures from the paper, each of which a field undoes: subsampling is a plain mean, without a
    coefficient, a bias and a sigmoid of its own; the output layer is linear, where the paper's has
    radial basis functions; tanh is not scaled to 1.7159 tanh(2a/3); each map of C3 sees all maps of
    S2.

    Attributes:
        num_classes: the number of classes; 0 means that the network ends at S4. Images may then
            have any size, and logits have shape (batch, 0).
        nonlinearity: the function after each layer but the last.
        padding: the pixels added on each side; 2 makes MNIST's 28x28 the paper's 32x32.
        border: the value of those pixels. For images in [-1, 1], 0 is mid-gray, as in the reported
            runs of `lenet_mnist`; -1 is black, MNIST's background, as in the paper's images.
        connections: for each map of C3 the maps of S2 that it sees, such as `C3_TABLE`; None means
            all.
        trainable_subsampling: whether S2 and S4 have a coefficient and a bias per map, followed by
            the nonlinearity.
        radial_output: whether logits are those of `radial_logits`.
        kernel_init: the initializer of all weights.
        dtype: the type in which the network computes; logits are float32.
    """

    num_classes: int = 10
    nonlinearity: Callable[[jax.Array], jax.Array] = nn.tanh
    padding: int = 2
    border: float = 0.0
    connections: tuple[tuple[int, ...], ...] | None = None
    trainable_subsampling: bool = False
    radial_output: bool = False
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> tuple[Float[Array, "batch class"], dict[str, Float[Array, "batch ..."]]]:
        """Returns logits and the activations by name.

        Args:
            images: the images, preprocessed.
            training: has no effect.

        Raises:
            ValueError: there is a classifier, and the padded image is not 32x32.
        """
        batch, height, width, _ = images.shape
        sides = (height + 2 * self.padding, width + 2 * self.padding)
        if self.num_classes and sides != (32, 32):
            raise ValueError(
                f"image is {height}x{width} and padding is {self.padding}; "
                "the padded image must be 32x32"
            )
        settings = {"kernel_init": self.kernel_init, "dtype": self.dtype}
        activations = {}
        convolution = nn.Conv(6, (5, 5), padding=self._conv_padding, name="C1", **settings)
        activations["C1"] = x = self.nonlinearity(convolution(self._bordered(images)))
        activations["S2"] = x = self._subsample("S2", x)
        if self.connections is None:
            convolution = nn.Conv(16, (5, 5), padding="VALID", name="C3", **settings)
        else:
            convolution = _TabledConvolution(self.connections, name="C3", **settings)
        activations["C3"] = x = self.nonlinearity(convolution(x))
        activations["S4"] = x = self._subsample("S4", x)
        if self.num_classes == 0:
            return jnp.zeros((batch, 0)), activations
        # A 5x5 convolution of 5x5 maps is a matrix product, and faster if computed as one.
        x = x.reshape(batch, -1)
        activations["C5"] = x = self.nonlinearity(nn.Dense(120, name="C5", **settings)(x))
        activations["F6"] = x = self.nonlinearity(nn.Dense(84, name="F6", **settings)(x))
        if self.radial_output:
            logits = radial_logits(x, self.num_classes)
        else:
            logits = nn.Dense(self.num_classes, name="output", **settings)(x)
        return logits.astype(jnp.float32), activations

    @property
    def _conv_padding(self) -> int | str:
        return "VALID" if self.border else self.padding

    def _bordered(self, images: Maps) -> Float[Array, "batch padded_height padded_width channel"]:
        if not self.border:
            return images
        sides = (self.padding, self.padding)
        return jnp.pad(images, ((0, 0), sides, sides, (0, 0)), constant_values=self.border)

    def _subsample(self, name: str, x: Maps) -> Halved:
        x = _halve(x)
        if not self.trainable_subsampling:
            return x
        return self.nonlinearity(_Subsampling(self.kernel_init, self.dtype, name=name)(x))


def scaled_tanh(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Computes 1.7159 tanh(2x/3), which is 1 at x = 1 and -1 at x = -1.

    Args:
        x: the inputs.

    Returns:
        The values, in [-1.7159, 1.7159]. LeCun et al., 1998, equation 6 and appendix A.
    """
    return 1.7159 * jnp.tanh(2.0 / 3.0 * x)


def uniform_by_fan_in(
    key: Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32
) -> Float[Array, "..."]:
    """Draws weights uniformly from [-2.4 / F, 2.4 / F], where F is a unit's number of inputs.

    Args:
        key: the random key.
        shape: the shape of the weights; F is the product of all sizes but the last.
        dtype: the type of the weights.

    Returns:
        The weights. LeCun et al., 1998, appendix A.
    """
    bound = 2.4 / np.prod(shape[:-1])
    return jax.random.uniform(key, shape, dtype, -bound, bound)


def radial_logits(
    features: Float[Array, "batch feature"], num_classes: int
) -> Float[Array, "batch class"]:
    """Computes logits as negated squared distances of the features to a fixed code of each class.

    logit_c = -sum_i (x_i - code_ci)^2

    The codes consist of -1 and 1 and are not trained. Departure from the paper: they are rows of a
    Hadamard matrix, any two of which differ in nearly half of their places. The paper draws each
    class as a bitmap of 7x12, and names error-correcting codes as the alternative.

    Args:
        features: the features x of each example.
        num_classes: the number of classes, at most 127.

    Returns:
        The logits, at most 0. LeCun et al., 1998, equation 7, negated.

    Raises:
        ValueError: there are more than 127 classes.
    """
    codes = jnp.asarray(_codes(num_classes, features.shape[-1]), features.dtype)
    return -jnp.square(features[:, None] - codes[None]).sum(-1)


def _codes(num_classes: int, length: int) -> Float[np.ndarray, "class feature"]:
    if num_classes > 127:
        raise ValueError(f"num_classes is {num_classes}; with radial_output it must be at most 127")
    bits = np.bitwise_count(np.arange(1, num_classes + 1)[:, None] & np.arange(length)[None])
    return 1.0 - 2.0 * (bits % 2)


class _TabledConvolution(nn.Module):
    """Convolves by 5x5 filters, only between the maps that a table connects.

    For each output map `connections` lists the input maps that it sees. The parameter `kernel`
    holds the filters of these pairs, in the order of the table.
    """

    connections: tuple[tuple[int, ...], ...]
    kernel_init: nn.initializers.Initializer
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Maps) -> Float[Array, "batch valid_height valid_width map"]:
        seen = [len(inputs) for inputs in self.connections]
        outputs = np.repeat(np.arange(len(seen)), seen)
        inputs = np.concatenate([np.asarray(seen_maps) for seen_maps in self.connections])
        if inputs.max() >= x.shape[-1]:
            raise ValueError(
                f"connections name map {inputs.max()}; it must be at most {x.shape[-1] - 1}"
            )

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
    """Multiplies sums of four inputs by a coefficient per map, and adds a bias per map."""

    kernel_init: nn.initializers.Initializer
    dtype: DTypeLike

    @nn.compact
    def __call__(self, means: Maps) -> Maps:
        maps = means.shape[-1]
        coefficient = self.param("coefficient", self._init, (maps,)).astype(self.dtype)
        bias = self.param("bias", nn.initializers.zeros, (maps,)).astype(self.dtype)
        return 4.0 * means * coefficient.reshape(1, 1, 1, -1) + bias.reshape(1, 1, 1, -1)

    def _init(self, key: Array, shape: tuple[int]) -> Float[Array, " map"]:
        """Draws the weight that the four inputs of a unit share, as for a unit with four inputs."""
        return self.kernel_init(key, (4, *shape))[0]


def _halve(x: Maps) -> Halved:
    """Computes the mean of each 2x2 square.

    Reshaping is used because its gradient is faster than that of a windowed reduction.
    """
    batch, height, width, channel = x.shape
    rows, columns = height // 2, width // 2
    x = x[:, : 2 * rows, : 2 * columns]
    return x.reshape(batch, rows, 2, columns, 2, channel).mean((2, 4))


# 60,000 trainable parameters; the 840 numbers of the output's codes are fixed.
OriginalLeNet5 = partial(
    LeNet5,
    nonlinearity=scaled_tanh,
    connections=C3_TABLE,
    trainable_subsampling=True,
    radial_output=True,
    kernel_init=uniform_by_fan_in,
)
