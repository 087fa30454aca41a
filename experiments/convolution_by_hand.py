"""Convolution as a sum, a matrix, a Fourier transform and a layer, with its gradient by hand.

    python launch.py --experiment=convolution_by_hand
    python launch.py --experiment=convolution_by_hand --images=FILE

Paper: none; the definitions and the sum over shared weights are the lecture's
Data: numbers that are drawn, and one picture: yours, or one that scikit-image ships
Cost: 20 seconds on one core
Expected: all ways agree with NumPy, SciPy and jax.grad to float32's precision; see
  results/convolution_by_hand.md
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.signal
from jaxtyping import Float, Float32

from lecture_models.config import require_at_least, require_single
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Animation, DataTable, Evaluation, Experiment, Images
from lecture_models.nn.convolution_sums import (
    MODES,
    convolve_fourier,
    convolve_sum,
    correlate_sum,
    input_gradient,
    layer_by_im2col,
    layer_gradient_by_im2col,
    separate,
    shared_weight_gradient,
    toeplitz_matrix,
)
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment

TOLERANCE = 1e-4  # Largest difference, as a share of the largest value, before an alarm.
OUTLINE, WAITING = (1.0, 0.2, -1.0), (-0.6, -0.6, -0.4)  # Orange and dark blue, in [-1, 1].

KERNELS = {
    "copy": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "box": [[1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "Sobel across": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    "Sobel down": [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
    "Laplace": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    images: tuple[str, ...] = ("sample:camera",)  # One picture: a file or a sample.
    size: int = 256  # Length of the picture's longer side in pixels.
    signal: int = 40  # Length of the drawn signal.
    kernel: int = 7  # Length of the drawn kernel, at most that of the signal.
    film_side: int = 10  # Side in pixels of the small picture that the window slides over.
    cell: int = 24  # Side in pixels of a drawn cell of the film.

    def __post_init__(self):
        super().__post_init__()
        require_single(self, "images")
        require_at_least(self, 16, "size")
        require_at_least(self, 1, "kernel")
        require_at_least(self, 4, "film_side", "cell")
        if self.signal < self.kernel:
            raise ValueError(
                f"--signal is {self.signal}; it must be at least --kernel, {self.kernel}"
            )


SMOKE = {"size": 32, "signal": 9, "kernel": 3, "film_side": 4, "cell": 6}


class Check(NamedTuple):
    """Holds one row of the table: two computations of one thing, which must agree."""

    thing: str
    ours: np.ndarray
    reference: np.ndarray

    @property
    def difference(self) -> float:
        """Returns the largest difference, as a share of the largest absolute reference."""
        largest = max(float(np.abs(self.reference).max()), 1e-12)
        return float(np.abs(np.asarray(self.ours) - self.reference).max()) / largest


def definition_checks(generator: np.random.Generator, config: Config) -> list[Check]:
    """Compares the sums of the lecture with NumPy and SciPy, in one and two dimensions."""
    x, w = (generator.normal(size=n).astype(np.float32) for n in (config.signal, config.kernel))
    image = generator.normal(size=(13, 17)).astype(np.float32)
    kernel = generator.normal(size=(3, 5)).astype(np.float32)
    checks = [
        Check(
            "[1, 2, 3] * [0, 1, 0.5]",
            convolve_sum(jnp.array([1.0, 2.0, 3.0]), jnp.array([0.0, 1.0, 0.5])),
            np.array([0.0, 1.0, 2.5, 4.0, 1.5]),
        )
    ]
    for mode in MODES:
        own = convolve_sum(jnp.asarray(x), jnp.asarray(w), mode)
        checks.append(Check(f"1-D sum = numpy.convolve, {mode}", own, np.convolve(x, w, mode)))
        own = convolve_sum(jnp.asarray(image), jnp.asarray(kernel), mode)
        reference = scipy.signal.convolve2d(image, kernel, mode)
        checks.append(Check(f"2-D sum = scipy convolve2d, {mode}", own, reference))
        own = convolve_fourier(jnp.asarray(image), jnp.asarray(kernel), mode)
        checks.append(Check(f"product of Fourier transforms, {mode}", own, reference))
    flipped = scipy.signal.convolve2d(image, kernel[::-1, ::-1])
    own = correlate_sum(jnp.asarray(image), jnp.asarray(kernel))
    checks.append(Check("correlation = convolution with the flipped kernel", own, flipped))
    swapped = convolve_sum(jnp.asarray(kernel), jnp.asarray(image))
    reference = np.asarray(convolve_sum(jnp.asarray(image), jnp.asarray(kernel)))
    return [
        *checks,
        Check("x * w = w * x", swapped, reference),
        *matrix_checks(x, w, image, kernel),
    ]


def matrix_checks(x, w, image, kernel) -> list[Check]:
    """Compares Toeplitz matrices with SciPy's, and their products with the convolutions."""
    line = toeplitz_matrix(jnp.asarray(w), x.shape)
    column = np.pad(w, (0, len(x) - 1))
    reference = scipy.linalg.toeplitz(column, np.r_[w[0], np.zeros(len(x) - 1)])
    blocks = toeplitz_matrix(jnp.asarray(kernel), image.shape)
    full = scipy.signal.convolve2d(image, kernel)
    return [
        Check("matrix of 1-D = scipy.linalg.toeplitz", line, reference),
        Check("matrix times signal = 1-D convolution", line @ x, np.convolve(x, w)),
        Check(
            "matrix of Toeplitz blocks times image = 2-D convolution",
            (blocks @ image.reshape(-1)).reshape(full.shape),
            full,
        ),
    ]


def gradient_checks(generator: np.random.Generator) -> list[Check]:
    """Compares gradients of shared weights by the lecture's sum with jax.grad."""
    checks = []
    for name, shapes in {"1-D": ((20,), (5,)), "2-D": ((9, 11), (3, 4))}.items():
        x, w = (jnp.asarray(generator.normal(size=shape), jnp.float32) for shape in shapes)

        def loss(w, x):
            return jnp.sum(jnp.sin(correlate_sum(x, w, "valid")))

        by_output = jnp.cos(correlate_sum(x, w, "valid"))
        by_weights, by_input = map(np.asarray, jax.jit(jax.grad(loss, (0, 1)))(w, x))
        own = shared_weight_gradient(x, by_output)
        checks.append(Check(f"{name}: dL/dw_i = sum_j dL/dy_j dy_j/dw_i", own, by_weights))
        checks.append(
            Check(f"{name}: dL/dx by a convolution", input_gradient(w, by_output), by_input)
        )
    return checks


def layer_checks(generator: np.random.Generator) -> list[Check]:
    """Compares a layer as one matrix product, and its gradient, with XLA's."""
    checks = []
    for stride in (1, 2):
        images = jnp.asarray(generator.normal(size=(2, 11, 11, 3)), jnp.float32)
        kernels = jnp.asarray(generator.normal(size=(3, 3, 3, 8)), jnp.float32)

        def layer(kernels, images=images, stride=stride):
            return jax.lax.conv_general_dilated(
                *(images, kernels, (stride, stride), "VALID"),
                dimension_numbers=("NHWC", "HWIO", "NHWC"),
            )

        outputs, back = jax.vjp(layer, kernels)
        by_output = jnp.cos(outputs)
        own = layer_by_im2col(images, kernels, stride)
        checks.append(Check(f"layer by im2col, stride {stride}", own, np.asarray(outputs)))
        own = layer_gradient_by_im2col(images, by_output, 3, stride)
        reference = np.asarray(back(by_output)[0])
        checks.append(Check(f"its gradient by im2col, stride {stride}", own, reference))
    return checks


def continuous_errors(steps: tuple[float, ...] = (2.0, 1.0, 0.5)) -> list[tuple[float, float]]:
    """Returns how far sums are from the integral s(t) = int x(a) w(t - a) da of two Gaussians.

    Two Gaussians of variances 1 and 4 have one of variance 5 as their convolution. Each row has the
    step of the sum and the largest error.
    """
    rows = []
    for step in steps:
        count = round(16.0 / step)
        places = step * np.arange(-count, count + 1)
        x, w = (np.exp(-(places**2) / (2.0 * v)) / np.sqrt(2.0 * np.pi * v) for v in (1.0, 4.0))
        found = step * np.asarray(
            convolve_sum(jnp.asarray(x, jnp.float32), jnp.asarray(w, jnp.float32), "same")
        )
        exact = np.exp(-(places**2) / 10.0) / np.sqrt(10.0 * np.pi)
        rows.append((step, float(np.abs(found - exact).max())))
    return rows


def filtered(image: Float32[np.ndarray, "height width"]) -> Images:
    """Returns the picture under each kernel of the lecture; a response of 0 is mid-gray.

    The last one is the length of the gradient that both Sobel filters measure.
    """
    responses = {
        name: np.asarray(convolve_sum(jnp.asarray(image), jnp.asarray(kernel, jnp.float32), "same"))
        for name, kernel in KERNELS.items()
    }
    edges = np.hypot(responses["Sobel across"], responses["Sobel down"])
    shown = []
    for name, response in responses.items():
        inner = response[1:-1, 1:-1]  # The border sees zeros outside of the picture.
        is_smooth = name in ("copy", "blur", "box", "sharpen")
        shown.append(inner if is_smooth else inner / max(float(np.abs(inner).max()), 1e-6))
    inner = edges[1:-1, 1:-1]
    shown.append(2.0 * inner / max(float(inner.max()), 1e-6) - 1.0)
    names = ", ".join([*responses, "length of the gradient"])
    return Images(np.stack(shown)[..., None], 3, f"convolutions of the picture: {names}")


def matrix_picture(matrix: Float[np.ndarray, "output input"], side: int) -> np.ndarray:
    """Returns a matrix as a square image: blue below 0, white at 0, red above."""
    scaled = np.asarray(matrix) / max(float(np.abs(matrix).max()), 1e-12)
    red, blue = np.where(scaled < 0.0, 1.0 + scaled, 1.0), np.where(scaled > 0.0, 1.0 - scaled, 1.0)
    image = 2.0 * np.stack([red, 1.0 - np.abs(scaled), blue], -1) - 1.0
    rows, columns = (np.arange(side) * n // side for n in matrix.shape)
    return image[rows[:, None], columns[None, :]]


def matrices() -> Images:
    """Returns the Toeplitz matrix of a 1-D kernel, and the one of blocks of a 2-D kernel."""
    line = toeplitz_matrix(jnp.array([1.0, 2.0, -1.0, -2.0]), (16,))
    blocks = toeplitz_matrix(jnp.asarray(KERNELS["Sobel across"], jnp.float32), (6, 6))
    pictures = [matrix_picture(np.asarray(matrix), 320) for matrix in (line, blocks)]
    words = "matrix of [1, 2, -1, -2] for 16 inputs; matrix of a Sobel filter for 6x6 inputs"
    return Images(np.stack(pictures), 2, f"{words}; red is positive, blue negative, white 0")


def sliding(image: Float32[np.ndarray, "height width"], config: Config) -> Animation:
    """Returns a film of the window over a small picture, and of the output that it fills."""
    small = np.asarray(
        jax.image.resize(jnp.asarray(image), (config.film_side, config.film_side), "linear")
    )
    kernel = jnp.asarray(KERNELS["Sobel across"], jnp.float32)
    output = np.asarray(correlate_sum(jnp.asarray(small), kernel, "valid"))
    output = output / max(float(np.abs(output).max()), 1e-6)
    frames = []
    for place in range(output.size):
        row, column = divmod(place, output.shape[1])
        left = drawn_cells(small, config.cell)
        outline(left, slice(row, row + 3), slice(column, column + 3), config.cell)
        right = drawn_cells(output, config.cell)
        done = np.arange(output.size).reshape(output.shape) <= place
        is_waiting = np.kron(~done, np.ones((config.cell, config.cell))) > 0.0
        right[is_waiting] = WAITING
        outline(right, slice(row, row + 1), slice(column, column + 1), config.cell)
        height = left.shape[0] - right.shape[0]
        right = np.pad(
            right, ((height // 2, height - height // 2), (0, 0), (0, 0)), constant_values=1.0
        )
        gap = np.ones((left.shape[0], config.cell, 3), np.float32)
        frames.append(np.concatenate([left, gap, right], 1))
    return Animation(np.stack(frames), 0.15, "a Sobel filter slides over a small picture")


def drawn_cells(values: np.ndarray, cell: int) -> Float32[np.ndarray, "height width 3"]:
    """Returns a small gray picture with each pixel drawn as a square."""
    large = np.kron(values, np.ones((cell, cell))).astype(np.float32)
    return np.repeat(large[..., None], 3, -1)


def outline(image: np.ndarray, rows: slice, columns: slice, cell: int) -> None:
    """Draws the outline of some cells into a picture of `drawn_cells`."""
    top, bottom, left, right = (
        *(rows.start * cell, rows.stop * cell),
        *(columns.start * cell, columns.stop * cell),
    )
    for area in (
        (slice(top, top + 2), slice(left, right)),
        (slice(bottom - 2, bottom), slice(left, right)),
        (slice(top, bottom), slice(left, left + 2)),
        (slice(top, bottom), slice(right - 2, right)),
    ):
        image[area] = OUTLINE


def make_evaluate(config: Config, image: Float32[np.ndarray, "height width"]):
    def evaluate(state, key) -> Evaluation:
        generator = np.random.default_rng(config.seed)
        checks = [
            *definition_checks(generator, config),
            *gradient_checks(generator),
            *layer_checks(generator),
        ]
        worst = max(check.difference for check in checks)
        shares = {
            name: float(separate(jnp.asarray(kernel, jnp.float32)).share)
            for name, kernel in KERNELS.items()
        }
        emboss = jnp.asarray(KERNELS["emboss"], jnp.float32)
        gap = jnp.abs(
            convolve_sum(jnp.asarray(image), emboss, "valid")
            - correlate_sum(jnp.asarray(image), emboss, "valid")
        )
        lines = [f"{check.thing:58} {check.difference:.1e}" for check in checks]
        lines += [
            f"integral by sums of step {step:g}: error {error:.1e}"
            for step, error in continuous_errors()
        ]
        return {
            "largest_difference": worst,
            "convolution_from_correlation": float(gap.mean()),
            "filters": filtered(image),
            "matrices": matrices(),
            "sliding_window": sliding(image, config),
            "checks": DataTable(
                ("computation", "largest relative difference"),
                tuple((check.thing, check.difference) for check in checks),
                "two computations of one thing",
            ),
            "separable": DataTable(
                ("kernel", "share of its squares in one column times one row"),
                tuple(shares.items()),
                "1 is a separable kernel",
            ),
            "agreement": "\n".join(lines),
            "alarm_agreement": (
                "" if worst <= TOLERANCE else f"two ways differ by {worst:.1e} of the largest value"
            ),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    pixels = library.picture(config.images[0], config.size).pixels
    if min(pixels.shape[:2]) < 4:
        raise DataError(f"{config.images[0]} is smaller than 4 pixels at --size={config.size}")
    image = (pixels.mean(-1) / 127.5 - 1.0).astype(np.float32)
    return analysis_experiment(make_evaluate(config, image))
