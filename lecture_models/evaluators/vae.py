"""What a variational autoencoder is judged by and shown with, whatever its networks."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.data.dataset import Dataset
from lecture_models.evaluators.samples import sample_judge
from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.latents import active_units, gaussian_divergence
from lecture_models.metrics.likelihood import importance_bounds
from lecture_models.metrics.reconstruction import originals_above
from lecture_models.metrics.samples import above_nearest
from lecture_models.models.autoencoder import pixels
from lecture_models.models.latent import interpolate, manifold_grid, traverse
from lecture_models.nn import gaussian
from lecture_models.nn.binarize import binarize
from lecture_models.plots.scatter import scatter_picture
from lecture_models.steps.descent import Params
from lecture_models.steps.vae import VAE, elbo_terms, log_weights

Pictures = Float[np.ndarray, "image height width channel"]

MIN_DIVERGENCE = 0.5  # Nats an image; below, the code says next to nothing of the image.
SAMPLES_PER_CALL = 250
BINARIZATION_SEED = 0
BITS = "bits drawn once from the gray values"
GRAY = "gray values read as probabilities: no likelihood, not to be compared with one"


class Protocol(NamedTuple):
    """How much is spent on judging, and on what: `observed` says what the decoder models.

    `sizes` are the k of the bounds L_k that are reported.
    """

    observed: str
    likelihood_images: int
    likelihood_samples: int
    sizes: tuple[int, ...]
    num_samples: int
    extractor_steps: int


class Codes(NamedTuple):
    """q(z | x) of every test image, and each latent unit's mean divergence from the prior."""

    mean: Float[np.ndarray, "image latent"]
    log_variance: Float[np.ndarray, "image latent"]
    divergence: Float[np.ndarray, " latent"]

    @property
    def most_used(self) -> list[int]:
        """The latent units, those with the largest divergence first."""
        return np.argsort(-self.divergence).tolist()


def binarized(images: Pictures) -> Pictures:
    """The same bits at every call: a test set, or static binarization. Not Larochelle's file."""
    key = jax.random.key(BINARIZATION_SEED)
    return np.asarray(jax.jit(binarize)(key, images))


def evenly_spaced(images: Pictures, count: int) -> Pictures:
    """`count` images from the whole length: MNIST's first half was written more neatly."""
    return images[np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)]


def make_evaluate(
    vae: VAE, dataset: Dataset, test: Pictures, validation: Pictures, protocol: Protocol
) -> Callable[[Params, Key[Array, ""]], Evaluation]:
    """Judges parameters on test and validation images as the decoder models them (bits or gray)."""
    judge = functools.cache(lambda: sample_judge(dataset, protocol.extractor_steps))
    encode, weights = (
        jax.jit(vae.encode),
        jax.jit(
            lambda params, images, key: log_weights(vae, params, images, key, SAMPLES_PER_CALL)
        ),
    )
    decode = jax.jit(lambda params, latents: pixels(vae.decode(params, latents)))

    @jax.jit
    def negative_bound(params, images, key):
        reconstruction, divergence = elbo_terms(vae, params, images, key)
        return reconstruction.mean() + divergence.sum(-1).mean()

    def evaluate(params, key):
        test_key, validation_key, weights_key, sample_key, code_key = jax.random.split(key, 5)
        mean, log_variance = batched_apply(
            lambda images: encode(params, images), test, batch_size=min(1_000, len(test))
        )
        given = jnp.asarray(mean), jnp.asarray(log_variance)
        codes = Codes(mean, log_variance, np.asarray(gaussian.divergence(*given)).mean(0))
        drawn = gaussian.reparameterize(code_key, *given)
        latents = jax.random.normal(sample_key, (protocol.num_samples, mean.shape[1]))
        samples = np.asarray(decode(params, latents))
        judgment = judge()(samples)
        return {
            "negative_bound": negative_bound(params, test, test_key),
            "validation_negative_bound": negative_bound(params, validation, validation_key),
            **likelihoods(
                lambda images, key: weights(params, images, key), test, weights_key, protocol
            ),
            **describe_codes(codes),
            "aggregate_divergence": gaussian_divergence(np.asarray(drawn)),
            **judgment.scalars,
            **judgment.protocols,
            **show(functools.partial(decode, params), codes, dataset, test),
            "samples": Images(samples[:100], 10, "the same 100 latents at every evaluation"),
            "nearest": Images(
                above_nearest(samples[:10], dataset.train.images),
                10,
                "samples above, the nearest training images below",
            ),
        }

    return evaluate


def likelihoods(weights, test: Pictures, key: Key[Array, ""], protocol: Protocol) -> Evaluation:
    """Minus L_k for the protocol's k, and minus log p(x), in nats, with its standard error."""
    chosen = evenly_spaced(test, protocol.likelihood_images)
    sizes = tuple(size for size in protocol.sizes if size < protocol.likelihood_samples)
    bounds = importance_bounds(
        weights, chosen, key, protocol.likelihood_samples, (*sizes, protocol.likelihood_samples)
    )
    estimates = bounds[protocol.likelihood_samples]
    return {
        **{f"negative_bound_{size}": -float(bounds[size].mean()) for size in sizes},
        "negative_log_likelihood": -float(estimates.mean()),
        "likelihood_standard_error": float(estimates.std() / np.sqrt(len(estimates))),
        "likelihood": f"{protocol.likelihood_samples} importance samples from q(z | x) for each of "
        f"{len(chosen)} of {len(test)} test images, evenly spaced; nats, of {protocol.observed}",
    }


def describe_codes(codes: Codes) -> Evaluation:
    """The divergence from the prior, unit by unit, and an alarm where it is next to nothing."""
    total, active = float(codes.divergence.sum()), int(active_units(codes.mean).sum())
    by_unit = " ".join(f"{codes.divergence[unit]:.2f}" for unit in codes.most_used)
    collapsed = total < MIN_DIVERGENCE
    return {
        "divergence": total,
        "active_units": float(active),
        "divergence_by_unit": f"{by_unit} nats, the most used unit first",
        "alarm_posterior_collapse": (
            f"{active} of {len(codes.divergence)} latent units active, divergence {total:.3f} nats"
            if collapsed
            else ""
        ),
    }


def show(decode, codes: Codes, dataset: Dataset, test: Pictures) -> Evaluation:
    """Reconstructions, walks and maps of the latent space. Units are the most used ones."""
    mean = jnp.asarray(codes.mean)
    order, latent_dim = codes.most_used, codes.mean.shape[1]
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
            scatter_picture(codes.mean[:, order[:2]], dataset.test.labels, dataset.classes)[None],
            1,
            f"means of the test images' codes, units {order[0]} and {order[1]}",
        ),
    }
