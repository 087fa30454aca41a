"""Computes linear autoencoders, whose squared error needs only the data's mean and covariance."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Key

from lecture_models.linear.pca import Codes, Vectors


class LinearAutoencoder(NamedTuple):
    """Holds the weights of an autoencoder without nonlinearity, whose weights are not tied.

    z = A^T (x - mean), y = B z + mean

    The biases are the best ones for any A and B: they center the data. Bourlard and Kamp, 1988.

    Attributes:
        encoder: the matrix A.
        decoder: the matrix B.
    """

    encoder: Float[Array, "dim code"]
    decoder: Float[Array, "dim code"]


def init_linear_autoencoder(key: Key[Array, ""], dim: int, code_dim: int) -> LinearAutoencoder:
    """Draws normal weights of standard deviation 1 / sqrt(dim).

    A unit vector then keeps its length on average. Both matrices have this scale at the optimum
    too, up to how encoder and decoder share it.

    Args:
        key: a random key.
        dim: the number of dimensions of the data.
        code_dim: the number of code units.

    Returns:
        The initial weights.
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
    """Returns the mean squared error of the reconstructions of all data with a given covariance.

    E |y - x|^2 = tr(E C E^T), E = I - B A^T

    It is computed as tr C - 2 tr(B^T C A) + tr(B^T B A^T C A): a full batch at the cost of one
    product of C with the encoder, without a matrix of the size of E.

    Args:
        params: the weights A and B.
        covariance: the covariance C of the data, divided by n.

    Returns:
        The squared error per example, summed over dimensions; lower is better. It is tr C for
        weights of 0. The minimum is the sum of all but the `code` largest eigenvalues of C,
        where B spans the eigenvectors of those; there is no other local minimum. Baldi and
        Hornik, 1989, facts 1 to 4.
    """
    encoder, decoder = params
    covariance_encoder = covariance @ encoder
    overlap = jnp.sum(decoder * covariance_encoder)
    energy = jnp.sum((decoder.T @ decoder) * (encoder.T @ covariance_encoder))
    return jnp.trace(covariance) - 2.0 * overlap + energy


def encode(
    params: LinearAutoencoder, mean: Float[Array | np.ndarray, " dim"], vectors: Vectors
) -> Codes:
    """Returns the codes of vectors.

    z = A^T (x - mean)

    Args:
        params: the weights A and B.
        mean: the mean of the data.
        vectors: the vectors x, one per row.

    Returns:
        One code per row.
    """
    return (vectors - mean[None, :]) @ params.encoder


def reconstruct(
    params: LinearAutoencoder, mean: Float[Array | np.ndarray, " dim"], vectors: Vectors
) -> Vectors:
    """Returns the reconstructions of vectors.

    y = B A^T (x - mean) + mean

    Args:
        params: the weights A and B.
        mean: the mean of the data.
        vectors: the vectors x, one per row.

    Returns:
        One reconstruction per row.
    """
    return encode(params, mean, vectors) @ params.decoder.T + mean[None, :]


def principal_axes(
    params: LinearAutoencoder, covariance: Float64[np.ndarray, "dim dim"]
) -> Float64[np.ndarray, "dim code"]:
    """Returns the principal components of the reconstructions.

    Codes are determined only up to an invertible matrix M, because B A^T = (B M)(A M^-T)^T. The
    principal components are unique up to their signs; at the optimum they are the leading
    eigenvectors of the covariance.

    Args:
        params: the weights A and B.
        covariance: the covariance of the data.

    Returns:
        Orthonormal columns, in order of decreasing variance.
    """
    encoder, decoder = (np.asarray(matrix, np.float64) for matrix in params)
    q, r = np.linalg.qr(decoder)
    _, rotation = np.linalg.eigh(r @ (encoder.T @ covariance @ encoder) @ r.T)
    return q @ rotation[:, ::-1]
