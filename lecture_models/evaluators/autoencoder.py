"""Scores and shows an autoencoder, beside a PCA with as many components."""

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
from lecture_models.plots.scatter import scatter_plot
from lecture_models.steps.autoencoder import Autoencoder
from lecture_models.steps.descent import Params

MAX_COVARIANCE_DIM = 4_096  # A covariance of 134 MB in float64; above, fewer images are used.
MANY_DIM_IMAGES = 1_000  # Images that PCA is fitted to in that case.
SHOWN = 10  # Images in a row.
PLOTTED = 3_000  # Points in a scatter plot.


def fit_reference(dataset: Dataset, code_dim: int) -> pca.PCA:
    """Fits PCA to the training and validation images, as for the published error.

    The validation images are included because nothing is chosen here.

    Args:
        dataset: the data.
        code_dim: the number of code units, which is the number of components; fewer where there
            are fewer images or pixels.

    Returns:
        The PCA of vectors of pixels in [0, 1].
    """
    splits = (dataset.train, dataset.validation)
    vectors = np.concatenate([flatten_to_unit_range(split.images) for split in splits])
    if vectors.shape[1] > MAX_COVARIANCE_DIM:
        vectors = vectors[:MANY_DIM_IMAGES]
    return pca.fit_pca(vectors, min(code_dim, *vectors.shape))


def make_evaluate(
    autoencoder: Autoencoder, dataset: Dataset, code_dim: int
) -> Callable[[Params], Evaluation]:
    """Returns a function that scores and shows an autoencoder.

    Args:
        autoencoder: the encoder and the decoder.
        dataset: the data.
        code_dim: the number of code units, for the PCA beside it.

    Returns:
        A function of the parameters. It returns mean squared errors per image on pixels in [0, 1],
        lower is better: of the test images (`squared_error`), of the validation images, of as many
        training images as there are test images, and of the test images by PCA; and pictures of
        reconstructions and codes.
    """
    reference = functools.cache(lambda: fit_reference(dataset, code_dim))

    @jax.jit
    def apply(params, images):
        codes = autoencoder.encode(params, images)
        reconstructions = autoencoder.pixels(autoencoder.decode(params, codes))
        return codes, reconstructions, squared_error(reconstructions, images)

    def apply_to_all(images, params):
        return batched_apply(
            functools.partial(apply, params), images, batch_size=min(1_000, len(images))
        )

    @functools.cache
    def pca_of_test_images():
        return reconstruct_by_pca(reference(), dataset.test.images)

    def evaluate(params):
        test = dataset.test.images
        codes, reconstructions, errors = apply_to_all(test, params)
        validation_errors = apply_to_all(dataset.validation.images, params)[2]
        train_errors = apply_to_all(dataset.train.images[: len(test)], params)[2]
        pca_reconstructions, pca_error = pca_of_test_images()
        kinds = test[:SHOWN], reconstructions[:SHOWN], pca_reconstructions
        return {
            "squared_error": float(errors.mean()),
            "validation_squared_error": float(validation_errors.mean()),
            "train_squared_error": float(train_errors.mean()),
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


def reconstruct_by_pca(
    reference: pca.PCA, images: Float[np.ndarray, "image height width channel"]
) -> tuple[Float[np.ndarray, "shown height width channel"], float]:
    """Reconstructs images from their principal components.

    Args:
        reference: the components, of pixels in [0, 1].
        images: the images, in [-1, 1].

    Returns:
        The first reconstructions, in [-1, 1] where PCA stays in its range; and the mean squared
        error per image of all of them, on pixels in [0, 1].
    """
    vectors = flatten_to_unit_range(images)
    reconstructions = pca.reconstruct(reference, pca.project(reference, vectors))
    error = float(((reconstructions - vectors) ** 2).sum(1).mean())
    return 2.0 * reconstructions[:SHOWN].reshape(-1, *images.shape[1:]) - 1.0, error


def code_picture(
    codes: Float[np.ndarray, "image code"], dataset: Dataset
) -> Float[np.ndarray, "side side 3"]:
    """Plots codes in the plane in which they vary most, colored by class.

    Args:
        codes: the codes of the first test images. Codes of one unit lie on the horizontal axis.
        dataset: the data, for the labels and classes.

    Returns:
        An image in [-1, 1].
    """
    plane = np.zeros((len(codes), 2), np.float32)
    components = pca.fit_pca(codes, min(2, *codes.shape))
    points = pca.project(components, codes)
    plane[:, : points.shape[1]] = points
    return scatter_plot(
        plane,
        dataset.test.labels[: len(codes)],
        dataset.classes,
        axis_names=("first principal component", "second principal component"),
    )


def filter_image(
    kernel: Float[Array, "*window unit"], image_shape: tuple[int, int, int], caption: str
) -> Images:
    """Shows the weights of the first 100 units of a layer that sees the pixels.

    Args:
        kernel: the weights of a dense layer, (pixel, unit), or of a convolution.
        image_shape: the shape of an image, used for a dense layer.
        caption: the caption of the picture.

    Returns:
        One picture of weights per unit.
    """
    shape = image_shape if kernel.ndim == 2 else kernel.shape[:-1]
    rows = kernel.reshape(-1, kernel.shape[-1])[:, :100]
    return Images(filter_pictures(rows, shape), SHOWN, caption)
