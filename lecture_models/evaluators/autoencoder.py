"""What an autoencoder is judged by and shown with, beside the PCA of as many components."""

import functools
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Array, Float

from lecture_models.data.dataset import Dataset
from lecture_models.experiment import Evaluation, Images
from lecture_models.linear import pca
from lecture_models.losses.reconstruction import squared_error
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.reconstruction import originals_above
from lecture_models.models.filters import filter_pictures
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.scatter import scatter_picture
from lecture_models.steps.autoencoder import Autoencoder
from lecture_models.steps.descent import Params

Pictures = Float[np.ndarray, "image height width channel"]

MAX_COVARIANCE_DIM = 4_096  # 134 MB in float64; beyond, PCA is of so few images instead.
MANY_DIM_IMAGES = 1_000
SHOWN = 10  # Pictures in a row.
PLOTTED = 3_000  # Points in a scatter plot.


def fit_reference(dataset: Dataset, code_dim: int) -> pca.PCA:
    """The PCA of training and validation images, as the published error: nothing is chosen here.

    Of fewer components than the code has units where the images are too few or too small.
    """
    splits = (dataset.train, dataset.validation)
    vectors = np.concatenate([flatten_to_unit_range(split.images) for split in splits])
    if vectors.shape[1] > MAX_COVARIANCE_DIM:
        vectors = vectors[:MANY_DIM_IMAGES]
    return pca.fit_pca(vectors, min(code_dim, *vectors.shape))


def make_evaluate(
    autoencoder: Autoencoder, dataset: Dataset, code_dim: int
) -> Callable[[Params], Evaluation]:
    """Mean squared errors of the splits, on pixels in [0, 1], and pictures of the test images.

    `train_squared_error` is over as many training images as there are test images.
    """
    reference = functools.cache(lambda: fit_reference(dataset, code_dim))

    @jax.jit
    def apply(params, images):
        codes = autoencoder.encode(params, images)
        reconstructions = autoencoder.pixels(autoencoder.decode(params, codes))
        return codes, reconstructions, squared_error(reconstructions, images)

    def over(images, params):
        return batched_apply(
            functools.partial(apply, params), images, batch_size=min(1_000, len(images))
        )

    @functools.cache
    def by_pca():
        test = dataset.test.images
        vectors = flatten_to_unit_range(test)
        rows = pca.reconstruct(reference(), pca.project(reference(), vectors))
        error = float(((rows - vectors) ** 2).sum(1).mean())
        return 2.0 * rows[:SHOWN].reshape(-1, *test.shape[1:]) - 1.0, error

    def evaluate(params):
        test = dataset.test.images
        codes, reconstructions, errors = over(test, params)
        pca_pictures, pca_error = by_pca()
        kinds = test[:SHOWN], reconstructions[:SHOWN], pca_pictures
        return {
            "squared_error": float(errors.mean()),
            "validation_squared_error": float(over(dataset.validation.images, params)[2].mean()),
            "train_squared_error": float(over(dataset.train.images[: len(test)], params)[2].mean()),
            "pca_squared_error": pca_error,
            "reconstructions": Images(
                originals_above(*kinds, columns=SHOWN),
                SHOWN,
                "test images; below, the autoencoder's reconstructions, then those of PCA with "
                f"{reference().components.shape[1]} components",
            ),
            "codes": Images(
                code_picture(codes[:PLOTTED], dataset)[None],
                1,
                "codes of test images along their two principal components, by class",
            ),
        }

    return evaluate


def code_picture(
    codes: Float[np.ndarray, "image code"], dataset: Dataset
) -> Float[np.ndarray, "side side 3"]:
    """The plane in which codes vary most. A code of one unit is drawn along the horizontal."""
    plane = np.zeros((len(codes), 2), np.float32)
    components = pca.fit_pca(codes, min(2, *codes.shape))
    points = pca.project(components, codes)
    plane[:, : points.shape[1]] = points
    return scatter_picture(plane, dataset.test.labels[: len(codes)], dataset.classes)


def filter_image(
    kernel: Float[Array, "*window unit"], image_shape: tuple[int, int, int], caption: str
) -> Images:
    """The weights from the pixels, or from a convolution's window, to the first 100 units."""
    shape = image_shape if kernel.ndim == 2 else kernel.shape[:-1]
    rows = kernel.reshape(-1, kernel.shape[-1])[:, :100]
    return Images(filter_pictures(rows, shape), SHOWN, caption)
