"""The lectures' examples of convolution and pooling, recomputed.

Source: Gong, Deep Learning I; Li, Deep Learning 2; the lecture on inversion and style, VGG
"""

import jax
import jax.numpy as jnp
from flax import linen as nn

from lecture_models.metrics.receptive_field import extent, gradient_support
from lecture_models.metrics.traced_network import COUNTED, TRACED, by, trace
from lecture_models.models.cifar_convnet import CifarConvNet
from lecture_models.nn.arithmetic import convolve, correlate, output_size, same_padding
from lecture_models.nn.pooling import max_pool
from lecture_models.tables.table import Published, Row, Table, TableContext, published

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
E6 = "E6: a maximum stays where its pixel moves within the window: that is invariance"
E8 = "E8: the formula is a convolution, the pictures and every layer are a correlation"


def build(context: TableContext) -> Table:
    rows = (*_sizes(), *_layers(), *_poolings(), *_meanings(), *_stacks())
    notes = ("A size that is no whole number is refused: 2.33 is what the error says.",)
    return Table(rows, notes)


def _sizes() -> list[Row]:
    rows = [
        Row("W = 5, F = 3, S = 2, P = 1", published("3", FORMULA), _size(5, 3, 2, 1), BY_FORMULA)
    ]
    for stride, printed in ((1, "5"), (2, "3"), (3, "2.33")):
        ours = _size(7, 3, stride)
        how = BY_FORMULA if isinstance(ours, int) else f"{BY_FORMULA}, which refuses it"
        rows.append(Row(f"N = 7, F = 3, stride {stride}", published(printed, SIZES), ours, how))
    rows.append(
        Row("7x7, F = 3, stride 1, pad 1", published("7", PADDING), _size(7, 3, 1, 1), BY_FORMULA)
    )
    for filter, printed in ((3, "1"), (5, "2"), (7, "3")):
        ours, how = same_padding(filter), "nn.arithmetic.same_padding"
        rows.append(
            Row(
                f"padding that keeps the size, F = {filter}", published(printed, PADDING), ours, how
            )
        )
    return rows


def _size(*given: int) -> int | float:
    """Along one side; the broken number where there is no such layer."""
    try:
        return output_size(*given)
    except ValueError as error:
        return float(str(error).rpartition(" = ")[2])


def _layers() -> list[Row]:
    ten = trace(_Features(nn.Conv(10, (5, 5), padding=same_padding(5))), 32, 32, 3)
    one = trace(_Features(nn.Conv(1, (5, 5))), 32, 32, 3)
    net = trace(CifarConvNet(), 32, 32, 3)
    shape = by(ten.shapes["logits"])
    return [
        Row(
            "32x32x3, ten 5x5 filters, pad 2: output",
            Published("32x32x10", EXAMPLES),
            shape,
            TRACED,
        ),
        Row("one such filter: parameters", published("76", EXAMPLES), one.num_params, COUNTED),
        Row("all ten: parameters", published("760", EXAMPLES), ten.num_params, COUNTED),
        *(
            Row(f"CIFAR ConvNet: {name}", Published(shape, CONVNET), by(net.shapes[ours]), TRACED)
            for name, ours, shape in CONVNET_SHAPES
        ),
        Row("CIFAR ConvNet: FC", Published("10", CONVNET), by(net.shapes["logits"]), TRACED),
    ]


class _Features(nn.Module):
    """One convolution in the form of a network."""

    convolution: nn.Module

    def __call__(self, images):
        return self.convolution(images), {}


def _poolings() -> list[Row]:
    slice_ = jnp.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
    pooled = max_pool(slice_[None, :, :, None], 2, 2)[0, :, :, 0]
    moved = max_pool(slice_[::-1, ::-1][None, :, :, None], 2, 2)[0, ::-1, ::-1, 0]
    kept = "invariance" if jnp.array_equal(pooled, moved) else "variance"
    ours = "; ".join(" ".join(f"{value:g}" for value in row) for row in pooled.tolist())
    return [
        Row("2x2 maximum at stride 2", Published("6 8; 3 4", POOLING), ours, "nn.pooling.max_pool"),
        Row("its parameters", published("0", POOLING), 0, "a function, not a module"),
        Row(
            "pooling preserves spatial ...",
            Published("variance", POOLING),
            kept,
            "each window turned by 180 degrees: same maxima",
            erratum=E6,
        ),
    ]


def _meanings() -> list[Row]:
    image_key, kernel_key = jax.random.split(jax.random.key(0))
    image = jax.random.normal(image_key, (6, 6))
    kernel = jax.random.normal(kernel_key, (3, 3))
    layer = nn.Conv(1, (3, 3), padding="VALID", use_bias=False)
    params = {"params": {"kernel": kernel[:, :, None, None]}}
    output = layer.apply(params, image[None, :, :, None])[0, :, :, 0]
    meanings = {"correlation": correlate(image, kernel), "convolution": convolve(image, kernel)}
    (ours,) = (name for name, value in meanings.items() if jnp.allclose(output, value, atol=1e-5))
    how = "a layer's output beside both"
    return [
        Row("what a layer computes", Published("convolution", CONVOLUTION), ours, how, erratum=E8)
    ]


def _stacks() -> list[Row]:
    rows = []
    for depth, printed in ((2, "5"), (3, "7")):
        what = f"{depth} stacked 3x3 filters"
        sees = published(printed, STACKS)
        stacked, wide = _weights(depth * (3,)), _weights((int(printed),))
        rows += [
            Row(f"{what} see", sees, _seen(depth), "support of a gradient"),
            Row(f"{what}: weights, C^2", None, stacked, COUNTED),
            Row(f"one {printed}x{printed} filter: weights, C^2", None, wide, COUNTED),
        ]
    return rows


def _seen(depth: int) -> int:
    """Pixels along one side that the central unit of a stack depends on."""
    stack, images = _Channels(depth * (3,)), jnp.ones((1, 15, 15, 1))
    variables = jax.tree.map(jnp.ones_like, stack.init(jax.random.key(0), images))
    (first, last), _ = extent(
        gradient_support(lambda x: stack.apply(variables, x)[0], images, (7, 7))
    )
    return last - first + 1


def _weights(filters: tuple[int, ...]) -> int:
    """Of convolutions from C channels to C, in units of C^2."""
    return trace(_Channels(filters), 8, 8, 64).num_params // 64**2


class _Channels(nn.Module):
    """Convolutions of as many channels as the image has."""

    filters: tuple[int, ...]

    @nn.compact
    def __call__(self, images):
        for filter in self.filters:
            images = nn.Conv(images.shape[-1], (filter, filter), use_bias=False)(images)
        return images, {}
