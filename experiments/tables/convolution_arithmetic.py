"""The lectures' examples of convolution and pooling, recomputed.

Source: Gong, Deep Learning I; Li, Deep Learning 2; the lecture on inversion and style, VGG
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from lecture_models.metrics.receptive_field import extent, gradient_support
from lecture_models.metrics.traced_network import COUNTED, TRACED, format_shape, trace
from lecture_models.models.cifar_convnet import CifarConvNet
from lecture_models.nn.arithmetic import convolve, correlate, exact_output_size, same_padding
from lecture_models.nn.pooling import max_pool
from lecture_models.tables.table import PublishedValue, Table, TableContext, TableRow, published

SIZES = "Gong, Deep Learning I, the convolutional operation"
PADDING = "Gong, Deep Learning I, the convolutional layer"
EXAMPLES = "Gong, Deep Learning I, examples time"
POOLING = "Gong, Deep Learning I, the pooling layer"
FORMULA = "Li, Deep Learning 2, Convolution Layer: W = 5, P = 1, F = 3, S = 2"
CONVNET = "Li, Deep Learning 2, basic architecture"
CONVNET_SHAPES = (
    ("CONV", "conv", "32x32x12"),
    ("RELU", "relu", "32x32x12"),
    ("POOL", "pool", "16x16x12"),
)
CONVOLUTION = "Li, Deep Learning 2, Convolution: the formula of a 2-D image"
STACKS = "the lecture on inversion and style, VGG"
BY_FORMULA = "nn.arithmetic.output_size"
E6 = "E6: the maximum stays the same if its pixel moves within the window: this is invariance"
E8 = "E8: the formula is a convolution; the figures and every layer are a correlation"


def build(context: TableContext) -> Table:
    rows = (*_sizes(), *_layers(), *_poolings(), *_meanings(), *_stacks())
    notes = ("`output_size` refuses sizes that are not whole; `exact_output_size` gives 2.33.",)
    return Table(rows, notes)


def _sizes() -> list[TableRow]:
    rows = [
        TableRow(
            "W = 5, F = 3, S = 2, P = 1", published("3", FORMULA), _size(5, 3, 2, 1), BY_FORMULA
        )
    ]
    for stride, printed in ((1, "5"), (2, "3"), (3, "2.33")):
        ours = _size(7, 3, stride)
        how = BY_FORMULA if isinstance(ours, int) else f"{BY_FORMULA}, which refuses it"
        rows.append(
            TableRow(f"N = 7, F = 3, stride {stride}", published(printed, SIZES), ours, how)
        )
    rows.append(
        TableRow(
            "7x7, F = 3, stride 1, pad 1", published("7", PADDING), _size(7, 3, 1, 1), BY_FORMULA
        )
    )
    for filter, printed in ((3, "1"), (5, "2"), (7, "3")):
        ours, how = same_padding(filter), "nn.arithmetic.same_padding"
        rows.append(
            TableRow(
                f"padding that keeps the size, F = {filter}", published(printed, PADDING), ours, how
            )
        )
    return rows


def _size(*layer: int) -> int | float:
    """Returns the output size along one side, a fraction if no such layer exists."""
    exact = exact_output_size(*layer)
    return int(exact) if exact == int(exact) else round(exact, 2)


def _layers() -> list[TableRow]:
    ten = trace(_Features(nn.Conv(10, (5, 5), padding=same_padding(5))), 32, 32, 3)
    one = trace(_Features(nn.Conv(1, (5, 5))), 32, 32, 3)
    net = trace(CifarConvNet(), 32, 32, 3)
    shape = format_shape(ten.shapes["logits"])
    return [
        TableRow(
            "32x32x3, ten 5x5 filters, pad 2: output",
            PublishedValue("32x32x10", EXAMPLES),
            shape,
            TRACED,
        ),
        TableRow("one such filter: parameters", published("76", EXAMPLES), one.num_params, COUNTED),
        TableRow("all ten: parameters", published("760", EXAMPLES), ten.num_params, COUNTED),
        *(
            TableRow(
                f"CIFAR ConvNet: {name}",
                PublishedValue(shape, CONVNET),
                format_shape(net.shapes[ours]),
                TRACED,
            )
            for name, ours, shape in CONVNET_SHAPES
        ),
        TableRow(
            "CIFAR ConvNet: FC",
            PublishedValue("10", CONVNET),
            format_shape(net.shapes["logits"]),
            TRACED,
        ),
    ]


class _Features(nn.Module):
    """Wraps one convolution as a network."""

    convolution: nn.Module

    def __call__(self, images):
        return self.convolution(images), {}


def _poolings() -> list[TableRow]:
    slice_ = jnp.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
    pooled = max_pool(slice_[None, :, :, None], 2, 2)[0, :, :, 0]
    moved = max_pool(slice_[::-1, ::-1][None, :, :, None], 2, 2)[0, ::-1, ::-1, 0]
    kept = "invariance" if jnp.array_equal(pooled, moved) else "variance"
    ours = "; ".join(" ".join(f"{value:g}" for value in row) for row in pooled.tolist())
    return [
        TableRow(
            "2x2 max-pooling at stride 2",
            PublishedValue("6 8; 3 4", POOLING),
            ours,
            "nn.pooling.max_pool",
        ),
        TableRow(
            "2x2 max-pooling: parameters", published("0", POOLING), 0, "a function, not a module"
        ),
        TableRow(
            "pooling preserves spatial ...",
            PublishedValue("variance", POOLING),
            kept,
            "the maxima of windows turned by 180 degrees are the same",
            erratum=E6,
        ),
    ]


def _meanings() -> list[TableRow]:
    image_key, kernel_key = jax.random.split(jax.random.key(0))
    image = jax.random.normal(image_key, (6, 6))
    kernel = jax.random.normal(kernel_key, (3, 3))
    layer = nn.Conv(1, (3, 3), padding="VALID", use_bias=False)
    params = {"params": {"kernel": kernel[:, :, None, None]}}
    output = layer.apply(params, image[None, :, :, None])[0, :, :, 0]
    meanings = {"correlation": correlate(image, kernel), "convolution": convolve(image, kernel)}
    (ours,) = (name for name, value in meanings.items() if jnp.allclose(output, value, atol=1e-5))
    how = "a layer's output compared with both"
    return [
        TableRow(
            "what a layer computes",
            PublishedValue("convolution", CONVOLUTION),
            ours,
            how,
            erratum=E8,
        )
    ]


def _stacks() -> list[TableRow]:
    rows = []
    for depth, printed in ((2, "5"), (3, "7")):
        label = f"{depth} stacked 3x3 filters"
        sees = published(printed, STACKS)
        stacked, wide = _weights(depth * (3,)), _weights((int(printed),))
        rows += [
            TableRow(f"{label} see", sees, _seen(depth), "support of a gradient"),
            TableRow(f"{label}: weights, C^2", None, stacked, COUNTED),
            TableRow(f"one {printed}x{printed} filter: weights, C^2", None, wide, COUNTED),
        ]
    return rows


def _seen(depth: int) -> int:
    """Returns the number of pixels along one side that the central unit of a stack depends on."""
    stack, images = _Channels(depth * (3,)), jnp.ones((1, 15, 15, 1))
    variables = jax.tree.map(jnp.ones_like, stack.init(jax.random.key(0), images))
    (first, last), _ = extent(
        gradient_support(lambda x: stack.apply(variables, x)[0], images, (7, 7))
    )
    return last - first + 1


def _weights(filters: tuple[int, ...]) -> int:
    """Returns the weights of convolutions from C channels to C, in units of C^2."""
    return trace(_Channels(filters), 8, 8, 64).num_params // 64**2


class _Channels(nn.Module):
    """Stacks convolutions that keep the number of channels."""

    filters: tuple[int, ...]

    @nn.compact
    def __call__(self, images):
        for filter in self.filters:
            images = nn.Conv(images.shape[-1], (filter, filter), use_bias=False)(images)
        return images, {}
