"""Shows a model of pixels: samples, completions, temperatures, the order, the surprise."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from lecture_models.evaluators.causality import blind_spot
from lecture_models.evaluators.pixel_sampling import Labels, PixelModel, Variables
from lecture_models.experiment import Animation, Evaluation, Images
from lecture_models.losses.pixel_likelihood import pixel_nats
from lecture_models.plots.line_plot import Curve, line_plot

if TYPE_CHECKING:
    from lecture_models.evaluators.autoregressive import PixelSettings

ImageArray = Float[np.ndarray, "image height width channel"]

SHOWN = 100  # Samples in the picture.
COLUMNS = 10
FILMED = 16
FRAMES = 56  # Half a row of 28x28 each.
LAST_FRAMES = 12  # The whole images are shown for a second.
BRIGHTEST_NATS = 4.0
BINS = 60
SEEN, BLIND, OWN = (0.8, 0.8, 0.8), (0.6, -0.7, -0.7), (1.0, 0.8, -0.6)
BORDER = -0.37  # The gray between the images of a film.


class Shown(NamedTuple):
    """Holds what is shown.

    Attributes:
        test: the test images.
        labels: their classes; None without classes.
        samples: drawn images.
        num_classes: the number of classes; 0 for none.
    """

    test: ImageArray
    labels: Labels
    samples: ImageArray
    num_classes: int


def make_nats_by_pixel(
    model: PixelModel,
) -> Callable[..., Float[Array, "image height width"]]:
    """Returns a function that computes what each pixel costs.

    Args:
        model: the model.

    Returns:
        A function of (variables, images, labels), which returns the mean over channels in nats.
    """

    def nats(variables, images, labels):
        return pixel_nats(model.logits(variables, images, labels), images).mean(axis=-1)

    return jax.jit(nats)


def all_pictures(
    nats_by_pixel: Callable[..., Float[Array, "image height width"]],
    drawer: Callable[..., ImageArray],
    variables: Variables,
    key: Key[Array, ""],
    shown: Shown,
    settings: "PixelSettings",
) -> Evaluation:
    """Makes all pictures of a model of pixels.

    Args:
        nats_by_pixel: what `make_nats_by_pixel` returned.
        drawer: draws unknown pixels; see `autoregressive.make_drawer`.
        variables: the model's variables.
        key: the random key.
        shown: the images.
        settings: how many images are shown, and at which temperatures.

    Returns:
        Pictures by name, and the film `order`.
    """
    complete_key, temperature_key = jax.random.split(key)
    classes = ", one class a column" if shown.num_classes == COLUMNS else ""
    return {
        "samples": Images(shown.samples[:SHOWN], COLUMNS, f"samples{classes}"),
        "completions": complete(
            drawer, variables, complete_key, shown, settings.completed, settings.completions
        ),
        "temperatures": at_temperatures(
            drawer, variables, temperature_key, shown, settings.temperatures
        ),
        "surprise": surprise(nats_by_pixel, variables, shown),
        "order": order(shown.samples[:FILMED]),
    }


def complete(
    drawer: Callable[..., ImageArray],
    variables: Variables,
    key: Key[Array, ""],
    shown: Shown,
    count: int,
    completions: int,
) -> Images:
    """Draws the lower half of test images several times.

    Args:
        drawer: draws unknown pixels.
        variables: the model's variables.
        key: the random key.
        shown: the images.
        count: the number of test images.
        completions: the number of completions of each.

    Returns:
        One image a row: whole, its upper half, and the completions.
    """
    chosen = np.linspace(0, len(shown.test) - 1, count).astype(int)
    whole = shown.test[chosen]
    unknown = np.zeros(whole.shape[1:3], bool)
    unknown[whole.shape[1] // 2 :] = True
    half = np.where(unknown[None, :, :, None], np.float32(BORDER), whole)
    labels = None if shown.labels is None else np.repeat(shown.labels[chosen], completions)
    drawn = drawer(variables, key, np.repeat(half, completions, axis=0), labels, unknown, 1.0)
    drawn = drawn.reshape(count, completions, *whole.shape[1:])
    rows = np.concatenate([whole[:, None], half[:, None], drawn], axis=1)
    return Images(
        rows.reshape(-1, *whole.shape[1:]),
        completions + 2,
        "one test image a row: whole, its upper half, and drawn lower halves",
    )


def at_temperatures(
    drawer: Callable[..., ImageArray],
    variables: Variables,
    key: Key[Array, ""],
    shown: Shown,
    temperatures: tuple[float, ...],
) -> Images:
    """Draws samples at several temperatures, from the same random numbers.

    Args:
        drawer: draws unknown pixels.
        variables: the model's variables.
        key: the random key.
        shown: the images, for their shape.
        temperatures: the temperatures.

    Returns:
        One temperature a row.
    """
    blank = np.zeros((COLUMNS, *shown.test.shape[1:]), np.float32)
    unknown = np.ones(blank.shape[1:3], bool)
    labels = np.arange(COLUMNS) % shown.num_classes if shown.num_classes else None
    labels = None if labels is None else labels.astype(np.int32)
    rows = [drawer(variables, key, blank, labels, unknown, value) for value in temperatures]
    return Images(
        np.concatenate(rows), COLUMNS, f"temperatures by row: {', '.join(map(str, temperatures))}"
    )


def surprise(
    nats_by_pixel: Callable[..., Float[Array, "image height width"]],
    variables: Variables,
    shown: Shown,
) -> Images:
    """Shows which pixels of test images cost most.

    Args:
        nats_by_pixel: what `make_nats_by_pixel` returned.
        variables: the model's variables.
        shown: the images.

    Returns:
        Test images above, their nats by pixel below, from black to yellow.
    """
    from matplotlib import colormaps

    images = shown.test[:COLUMNS]
    labels = None if shown.labels is None else shown.labels[:COLUMNS]
    nats = np.asarray(nats_by_pixel(variables, images, labels))
    colors = colormaps["inferno"](np.clip(nats / BRIGHTEST_NATS, 0.0, 1.0))[..., :3]
    above = np.broadcast_to(images, (*images.shape[:3], 3))
    return Images(
        np.concatenate([above, 2.0 * colors.astype(np.float32) - 1.0]),
        COLUMNS,
        "test images above; below, the nats of each pixel, black 0 to yellow "
        f"{BRIGHTEST_NATS:.0f} and more",
    )


def fields(sees: dict[str, Bool[np.ndarray, "height width"]]) -> Evaluation:
    """Shows which pixels the middle pixel sees in networks side by side, and their blind spots.

    Args:
        sees: by the name of a network, what `causality.field_of` returned.

    Returns:
        The picture `receptive_field`, and a line with the number of unseen pixels.
    """
    pictures, counts = [], []
    for name, seen in sees.items():
        window, blind = blind_spot(seen)
        picture = np.full((*seen.shape, 3), -0.8, np.float32)
        for where, color in ((seen, SEEN), (blind, BLIND)):
            picture[where] = color
        picture[seen.shape[0] // 2, seen.shape[1] // 2] = OWN
        pictures.append(picture)
        counts.append(f"{name} {int(blind.sum())} of {int(window.sum())}")
    line = f"earlier pixels in reach that the middle pixel does not see: {', '.join(counts)}"
    caption = f"{' and '.join(sees)} at random weights: white is seen by the yellow pixel, red is "
    return {
        "receptive_field": Images(np.stack(pictures), len(pictures), f"{caption}its blind spot"),
        "blind_spot": line,
    }


def order(samples: ImageArray) -> Animation:
    """Shows how images come into being, pixel by pixel in raster order.

    Args:
        samples: whole images, whose pixels were drawn in raster order.

    Returns:
        A film; pixels that are not yet drawn are gray.
    """
    count, height, width, channels = samples.shape
    columns = int(np.ceil(np.sqrt(count)))
    padded = np.full((columns * columns, height, width, channels), BORDER, np.float32)
    padded[:count] = samples
    place = np.arange(height * width).reshape(height, width, 1)
    ends = np.linspace(0, height * width, FRAMES + 1).astype(int).tolist()
    ends += [ends[-1]] * LAST_FRAMES
    frames = [_grid(np.where(place < end, padded, np.float32(BORDER)), columns) for end in ends]
    return Animation(
        np.stack(frames),
        0.08,
        "samples are drawn row by row, from left to right; gray pixels are still to be drawn",
    )


def histogram(
    inside: Float[np.ndarray, " inside"], outside: Float[np.ndarray, " outside"], name: str
) -> Images:
    """Draws the distribution of nats of test images and of images of another kind.

    Args:
        inside: the nats of each test image.
        outside: the nats of each image of another kind.
        name: the name of their data set.

    Returns:
        The picture.
    """
    everything = np.concatenate([inside, outside])
    edges = np.linspace(everything.min(), everything.max() + 1e-3, BINS + 1)
    curves = [
        Curve(label, (edges[:-1] + edges[1:]) / 2.0, _shares(values, edges), color)
        for color, (label, values) in enumerate((("test images", inside), (name, outside)))
    ]
    plot = line_plot(curves, ("negative log-likelihood in nats", "share of the images"))
    return Images(plot[None], 1, f"exact likelihoods of test images and of {name}")


def _shares(values: np.ndarray, edges: np.ndarray) -> Float[np.ndarray, " bin"]:
    return np.histogram(values, edges)[0] / len(values)


def _grid(images: ImageArray, columns: int) -> Float[np.ndarray, "height width channel"]:
    """Joins images to one, with a gray line around each."""
    edged = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=BORDER)
    _, height, width, channels = edged.shape
    rows = edged.reshape(-1, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return rows.reshape(-1, columns * width, channels)
