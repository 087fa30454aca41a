"""The linear autoencoder, whose squared error needs only the mean and covariance of the data."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Key

from lecture_models.linear.pca import Codes, Vectors


class LinearAutoencoder(NamedTuple):
    """z = A^T (x - mean), y = B z + mean: A and B untied, without nonlinearity.

    The biases are those that are best for any A and B: they center the data. Bourlard and Kamp,
    1988.
    """

    encoder: Float[Array, "dim code"]
    decoder: Float[Array, "dim code"]


def init_linear_autoencoder(key: Key[Array, ""], dim: int, code_dim: int) -> LinearAutoencoder:
    """Normal weights of standard deviation 1 / sqrt(dim), so that a unit vector keeps its length.

    Both are of that size at the optimum too, up to how encoder and decoder share the scale.
    """
    encoder_key, decoder_key = jax.random.split(key)
    scale = dim**-0.5
    return LinearAutoencoder(
        scale * jax.random.normal(encoder_key, (dim, code_dim)),
        scale * jax.random.normal(decoder_key, (dim, code_dim)),
    )


def expected_squared_error(
    params: LinearAutoencoder, covariance: Float[Array, "dim dim"]
) -> Float[Array, ""]:
    """E |y - x|^2 = tr(E C E^T), E = I - B A^T, over all data of covariance C.

    As tr C - 2 tr(B^T C A) + tr(B^T B A^T C A): a full batch at the cost of one product of C with
    the encoder, without a matrix like E. tr C for weights of 0; at the least the sum of all but
    the `code` largest eigenvalues, where B spans their eigenvectors and nowhere else is there a
    local minimum. Baldi and Hornik, 1989, facts 1 to 4.
    """
    encoder, decoder = params
    covariance_encoder = covariance @ encoder
    overlap = jnp.sum(decoder * covariance_encoder)
    energy = jnp.sum((decoder.T @ decoder) * (encoder.T @ covariance_encoder))
    return jnp.trace(covariance) - 2.0 * overlap + energy


def encode(
    params: LinearAutoencoder, mean: Float[Array | np.ndarray, " dim"], vectors: Vectors
) -> Codes:
    """z = A^T (x - mean)."""
    return (vectors - mean[None, :]) @ params.encoder


def reconstruct(
    params: LinearAutoencoder, mean: Float[Array | np.ndarray, " dim"], vectors: Vectors
) -> Vectors:
    """y = B A^T (x - mean) + mean."""
    return encode(params, mean, vectors) @ params.decoder.T + mean[None, :]


def principal_axes(
    params: LinearAutoencoder, covariance: Float64[np.ndarray, "dim dim"]
) -> Float64[np.ndarray, "dim code"]:
    """The principal components of the reconstructions: orthonormal, by falling variance.

    Codes are determined only up to an invertible matrix, as B A^T = (B M)(A M^-T)^T. These axes
    are not, up to their signs, and at the optimum they are the eigenvectors of the covariance.
    """
    encoder, decoder = (np.asarray(each, np.float64) for each in params)
    q, r = np.linalg.qr(decoder)
    _, rotation = np.linalg.eigh(r @ (encoder.T @ covariance @ encoder) @ r.T)
    return q @ rotation[:, ::-1]
