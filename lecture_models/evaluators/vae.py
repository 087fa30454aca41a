"""Scores and shows a variational autoencoder, whatever its networks."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.data.dataset import Dataset
from lecture_models.evaluators.samples import sample_pictures, sample_scorer
from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.latents import active_units, gaussian_kl_divergence
from lecture_models.metrics.likelihood import LogWeights, importance_weighted_elbos
from lecture_models.metrics.reconstruction import originals_above
from lecture_models.models.autoencoder import pixels
from lecture_models.models.latent import interpolate, manifold_grid, traverse
from lecture_models.nn import gaussian
from lecture_models.nn.binarize import binarize
from lecture_models.plots.scatter import scatter_plot
from lecture_models.steps.descent import Params
from lecture_models.steps.vae import VAE, elbo_terms, log_weights

ImageArray = Float[np.ndarray, "image height width channel"]

MIN_KL_DIVERGENCE = 0.5  # Nats per image; below, the code says next to nothing about the image.
SAMPLES_PER_CALL = 250
BINARIZATION_SEED = 0
BITS = "bits drawn once from the gray values"
GRAY = "gray values read as probabilities: no likelihood, not to be compared with one"


class EvaluationSettings(NamedTuple):
    """Describes what is evaluated, and on how many images and samples.

    Attributes:
        observed: a phrase that says what the decoder models: `BITS` or `GRAY`.
        likelihood_images: the number of test images whose likelihood is estimated.
        likelihood_samples: the number of importance samples for each of them.
        sizes: the k of the importance-weighted ELBOs L_k that are reported.
        num_samples: the number of samples from the prior that are scored.
        extractor_steps: how many steps the judging classifier is trained, where none ships.
    """

    observed: str
    likelihood_images: int
    likelihood_samples: int
    sizes: tuple[int, ...]
    num_samples: int
    extractor_steps: int


class Posteriors(NamedTuple):
    """Holds q(z | x) of every test image.

    Attributes:
        mean: the mean of each image's posterior.
        log_variance: its log variance.
        kl_divergence: the mean KL divergence of each latent unit from the prior, in nats.
    """

    mean: Float[np.ndarray, "image latent"]
    log_variance: Float[np.ndarray, "image latent"]
    kl_divergence: Float[np.ndarray, " latent"]

    @property
    def most_used(self) -> list[int]:
        """Returns the indices of the latent units, the largest KL divergence first."""
        return np.argsort(-self.kl_divergence).tolist()


def binarized(images: ImageArray) -> ImageArray:
    """Draws bits from gray values, the same at every call.

    They serve as a test set and as static binarization. They are not those of Larochelle's file.

    Args:
        images: images in [-1, 1].

    Returns:
        Images of -1 and 1.
    """
    key = jax.random.key(BINARIZATION_SEED)
    return np.asarray(jax.jit(binarize)(key, images))


def evenly_spaced(images: ImageArray, count: int) -> ImageArray:
    """Selects images evenly from the first to the last.

    The first images of a set may not represent it: MNIST's first half was written more neatly.

    Args:
        images: the images.
        count: how many to select; no more than there are.

    Returns:
        The selected images.
    """
    return images[np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)]


def make_evaluate(
    vae: VAE,
    dataset: Dataset,
    test: ImageArray,
    validation: ImageArray,
    settings: EvaluationSettings,
) -> Callable[[Params, Key[Array, ""]], Evaluation]:
    """Returns a function that scores and shows a variational autoencoder.

    Args:
        vae: the encoder and the decoder.
        dataset: the data that samples from the prior are compared with.
        test: the test images as the decoder models them (bits or gray values), in [-1, 1].
        validation: the validation images likewise.
        settings: what is evaluated, and on how much.

    Returns:
        A function of (params, key). It returns the negative ELBO of test and validation images,
        the likelihood, statistics of the codes, the scores of samples from the prior, and
        pictures.
    """
    scorer = functools.cache(lambda: sample_scorer(dataset, settings.extractor_steps))
    encode, weights = (
        jax.jit(vae.encode),
        jax.jit(
            lambda params, images, key: log_weights(vae, params, images, key, SAMPLES_PER_CALL)
        ),
    )
    decode = jax.jit(lambda params, latents: pixels(vae.decode(params, latents)))

    @jax.jit
    def negative_elbo(params, images, key):
        reconstruction, kl_divergence = elbo_terms(vae, params, images, key)
        return reconstruction.mean() + kl_divergence.sum(-1).mean()

    def evaluate(params, key):
        test_key, validation_key, weights_key, sample_key, code_key = jax.random.split(key, 5)
        mean, log_variance = batched_apply(
            lambda images: encode(params, images), test, batch_size=min(1_000, len(test))
        )
        moments = jnp.asarray(mean), jnp.asarray(log_variance)
        kl_divergence = np.asarray(gaussian.kl_divergence(*moments)).mean(0)
        posteriors = Posteriors(mean, log_variance, kl_divergence)
        codes = np.asarray(gaussian.reparameterize(code_key, *moments))
        latents = jax.random.normal(sample_key, (settings.num_samples, mean.shape[1]))
        samples = np.asarray(decode(params, latents))
        scores = scorer()(samples)
        return {
            "negative_elbo": negative_elbo(params, test, test_key),
            "validation_negative_elbo": negative_elbo(params, validation, validation_key),
            **likelihoods(functools.partial(weights, params), test, weights_key, settings),
            **describe_posteriors(posteriors),
            "aggregate_kl_divergence": gaussian_kl_divergence(codes),
            **scores.scalars,
            **scores.descriptions,
            **show(functools.partial(decode, params), posteriors, dataset, test),
            **sample_pictures(samples, dataset.train.images),
        }

    return evaluate


def make_sample(
    vae: VAE, latent_dim: int
) -> Callable[[Params, Key[Array, ""], int], Float[Array, "image height width channel"]]:
    """Returns a function that draws images: what the decoder makes of draws from the prior.

    Args:
        vae: the encoder and the decoder.
        latent_dim: the number of latent units.

    Returns:
        A function of (params, key, count), which returns images in [-1, 1].
    """
    decode = jax.jit(lambda params, latents: pixels(vae.decode(params, latents)))
    return lambda params, key, count: decode(params, jax.random.normal(key, (count, latent_dim)))


def likelihoods(
    weights: LogWeights, test: ImageArray, key: Key[Array, ""], settings: EvaluationSettings
) -> Evaluation:
    """Estimates the likelihood of test images by importance sampling.

    Args:
        weights: maps (images, key) to the log importance weights in nats, jitted.
        test: the test images.
        key: the key of the samples.
        settings: how many images and samples are used, and which L_k are reported.

    Returns:
        `negative_importance_weighted_elbo_K` for each K of the settings, and
        `negative_log_likelihood` with its standard error over the images, in nats, lower is
        better; and a text that says how they were computed.
    """
    images = evenly_spaced(test, settings.likelihood_images)
    sizes = tuple(size for size in settings.sizes if size < settings.likelihood_samples)
    elbos = importance_weighted_elbos(
        weights, images, key, settings.likelihood_samples, (*sizes, settings.likelihood_samples)
    )
    log_likelihoods = elbos[settings.likelihood_samples]
    standard_error = log_likelihoods.std() / np.sqrt(len(log_likelihoods))
    return {
        **{
            f"negative_importance_weighted_elbo_{size}": -float(elbos[size].mean())
            for size in sizes
        },
        "negative_log_likelihood": -float(log_likelihoods.mean()),
        "likelihood_standard_error": float(standard_error),
        "likelihood": f"{settings.likelihood_samples} importance samples from q(z | x) for each of "
        f"{len(images)} of {len(test)} test images, evenly spaced; nats, of {settings.observed}",
    }


def describe_posteriors(posteriors: Posteriors) -> Evaluation:
    """Summarizes how much the latent units say about the images.

    Args:
        posteriors: the posteriors of the test images.

    Returns:
        `kl_divergence`, the mean over the images in nats; the number of active units; the KL
        divergence unit by unit; and an alarm, empty unless the posterior has collapsed.
    """
    kl_divergence = posteriors.kl_divergence
    total, active = float(kl_divergence.sum()), int(active_units(posteriors.mean).sum())
    by_unit = " ".join(f"{kl_divergence[unit]:.2f}" for unit in posteriors.most_used)
    collapsed = total < MIN_KL_DIVERGENCE
    return {
        "kl_divergence": total,
        "active_units": float(active),
        "kl_divergence_by_unit": f"{by_unit} nats, the most used unit first",
        "alarm_posterior_collapse": (
            f"{active} of {len(kl_divergence)} latent units active, KL divergence {total:.3f} nats"
            if collapsed
            else ""
        ),
    }


def show(
    decode: Callable[[Float[Array, "image latent"]], Float[Array, "image height width channel"]],
    posteriors: Posteriors,
    dataset: Dataset,
    test: ImageArray,
) -> dict[str, Images]:
    """Shows reconstructions, and walks and maps of the latent space along the most used units.

    Args:
        decode: maps latents to images in [-1, 1].
        posteriors: the posteriors of the test images.
        dataset: the data, for the test images' labels and classes.
        test: the test images.

    Returns:
        Pictures by name.
    """
    mean = jnp.asarray(posteriors.mean)
    order, latent_dim = posteriors.most_used, posteriors.mean.shape[1]
    shown = min(20, len(test))
    walks = min(8, len(test) // 2)
    factors = order[:10]
    return {
        "reconstructions": Images(
            originals_above(test[:shown], decode(mean[:shown]), columns=10),
            10,
            "test images above, decoded from the mean of their codes below",
        ),
        "interpolation": Images(
            decode(interpolate(mean[:walks], mean[walks : 2 * walks], 10)),
            10,
            "each row walks from the code of one test image to that of another",
        ),
        "traversal": Images(
            decode(traverse(mean[0], factors, np.linspace(-3.0, 3.0, 11))),
            11,
            "one latent unit a row, from -3 to 3, the others as for the first test image; the most "
            f"used units: {', '.join(map(str, factors))}",
        ),
        "manifold": Images(
            decode(manifold_grid(20, latent_dim, (order[0], order[1]))),
            20,
            f"quantiles of the prior over units {order[0]} (across) and {order[1]} (up)",
        ),
        "codes": Images(
            scatter_plot(
                posteriors.mean[:, order[:2]],
                dataset.test.labels,
                dataset.classes,
                axis_names=(f"latent unit {order[0]}", f"latent unit {order[1]}"),
            )[None],
            1,
            f"means of the test images' codes, units {order[0]} and {order[1]}",
        ),
    }
