"""Finds sparse codes, few atoms of a dictionary whose sum is near a vector, and learns atoms."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

Vectors = Float[Array | np.ndarray, "example dim"]
Atoms = Float[Array | np.ndarray, "atom dim"]


class Learned(NamedTuple):
    """Holds a dictionary and how its learning went.

    Attributes:
        atoms: rows of length 1.
        objectives: the lasso objective, averaged over the vectors, after each alternation.
    """

    atoms: Float64[np.ndarray, "atom dim"]
    objectives: Float64[np.ndarray, " alternation"]


def matching_pursuit(
    atoms: Atoms,
    vectors: Vectors,
    count: int,
    seen: Vectors | None = None,
    deviation: float = 0.0,
) -> Float64[np.ndarray, "example atom"]:
    """Returns the codes of orthogonal matching pursuit, for all vectors at once.

    Chooses the atom that is nearest in direction to what is left, fits all chosen atoms by least
    squares, and repeats.

    Args:
        atoms: rows of any length but 0.
        vectors: the vectors, one per row.
        count: how many atoms a vector gets at most.
        seen: 1 where a value counts and 0 where it is missing; None if all count.
        deviation: a vector gets no more atoms once the root mean square of what is left of its
            values that count is at most this.

    Returns:
        One code per row, with at most `count` values that are not 0. Pati et al., 1993.

    Raises:
        ValueError: `count` is not from 1 to the number of atoms.
    """
    if not 1 <= count <= len(atoms):
        raise ValueError(f"count is {count}; with {len(atoms)} atoms it must be 1 to {len(atoms)}")
    dictionary, targets = np.asarray(atoms, np.float64), np.asarray(vectors, np.float64)
    weights = np.ones(targets.shape) if seen is None else np.asarray(seen, np.float64)
    targets = targets * weights
    lengths = np.sqrt(np.maximum(weights @ (dictionary**2).T, 1e-12))
    enough = deviation**2 * weights.sum(axis=1)
    chosen = np.zeros((len(targets), 0), np.int64)
    codes = np.zeros((len(targets), len(dictionary)))
    rows, left = np.arange(len(targets)), targets.copy()
    for _ in range(count):
        active = (left**2).sum(axis=1) > np.maximum(enough, 1e-20)
        if not active.any():
            break
        scores = np.abs(left @ dictionary.T) / lengths
        np.put_along_axis(scores, chosen, -1.0, axis=1)
        chosen = np.concatenate([chosen, scores.argmax(axis=1)[:, None]], axis=1)
        picked = dictionary[chosen[active]] * weights[active][:, None, :]
        gram = picked @ picked.swapaxes(1, 2) + 1e-10 * np.eye(chosen.shape[1])
        values = np.linalg.solve(gram, picked @ targets[active][:, :, None])
        left[active] = targets[active] - (values.swapaxes(1, 2) @ picked)[:, 0]
        codes[active] = 0.0
        codes[rows[active][:, None], chosen[active]] = values[:, :, 0]
    return codes


def lasso_objective(
    atoms: Atoms, vectors: Vectors, codes: Float[Array | np.ndarray, "example atom"], penalty: float
) -> Float[Array, " example"]:
    """Returns 1/2 |x - A^T z|^2 + penalty sum_j |z_j| of each vector x and its code z.

    Args:
        atoms: the atoms A, one per row.
        vectors: the vectors x.
        codes: the code z of each.
        penalty: the weight of the codes' absolute values.

    Returns:
        The objective of the lasso for each vector; Tibshirani, 1996.
    """
    errors = vectors - codes @ atoms
    return 0.5 * (errors**2).sum(axis=1) + penalty * jnp.abs(codes).sum(axis=1)


def lasso(
    atoms: Atoms,
    vectors: Vectors,
    penalty: float,
    iterations: int,
    start: Float[Array | np.ndarray, "example atom"] | None = None,
) -> Float[Array, "example atom"]:
    """Returns the codes of the lasso by ISTA, for all vectors at once.

    z <- shrink(z + step A (x - A^T z), step penalty), with step 1 over the largest eigenvalue of
    A A^T; shrink moves each value toward 0 by its second argument. The objective never rises.

    Args:
        atoms: rows A of any length but 0.
        vectors: the vectors x, one per row.
        penalty: the weight of sum_j |z_j|, at least 0.
        iterations: the number of steps; 0 returns the start.
        start: the codes to begin with; None for 0.

    Returns:
        One code per row. Daubechies et al., 2004; Beck and Teboulle, 2009, section 1.

    Raises:
        ValueError: `penalty` or `iterations` is below 0.
    """
    if penalty < 0.0 or iterations < 0:
        raise ValueError(
            f"penalty is {penalty} and iterations {iterations}; both must be at least 0"
        )
    atoms, vectors = jnp.asarray(atoms), jnp.asarray(vectors)
    if start is None:
        start = jnp.zeros((len(vectors), len(atoms)), vectors.dtype)
    return _ista(atoms, vectors, penalty, iterations, jnp.asarray(start))


@jax.jit
def _ista(atoms, vectors, penalty, iterations, start):
    gram, products = atoms @ atoms.T, vectors @ atoms.T
    step = 1.0 / jnp.linalg.norm(gram, 2)

    def advance(_, codes):
        moved = codes + step * (products - codes @ gram)
        return jnp.sign(moved) * jnp.maximum(jnp.abs(moved) - step * penalty, 0.0)

    return jax.lax.fori_loop(0, iterations, advance, start)


def learn_dictionary(
    vectors: Vectors, count: int, penalty: float, alternations: int, seed: int
) -> Learned:
    """Learns atoms for the lasso by turns: codes for fixed atoms, then atoms for fixed codes.

    Codes take 20 steps of ISTA from those of the last turn. Atom after atom is then replaced by the
    best one of length 1, which is the direction of R^T z for its coefficients z and what the other
    atoms leave over, R. Neither part can raise the objective.

    Args:
        vectors: the vectors, one per row.
        count: number of atoms, at most the number of vectors.
        penalty: of the lasso.
        alternations: number of turns.
        seed: of the vectors that are the first atoms.

    Returns:
        The atoms and the objective after each turn. Mairal et al., 2009, section 3.

    Raises:
        ValueError: there are fewer vectors that are not 0 than atoms.
    """
    vectors = np.asarray(vectors, np.float32)
    usable = np.flatnonzero(np.linalg.norm(vectors, axis=1) > 1e-6)
    if not 1 <= count <= len(usable):
        raise ValueError(
            f"count is {count}; with {len(usable)} vectors that are not 0 it must be 1 to "
            f"{len(usable)}"
        )
    first = np.random.default_rng(seed).choice(usable, count, replace=False)
    atoms = vectors[first].astype(np.float64)
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    codes, objectives = None, []
    for _ in range(alternations):
        codes = lasso(atoms.astype(np.float32), vectors, penalty, 20, codes)
        atoms = _best_atoms(atoms, vectors, np.asarray(codes, np.float64))
        values = lasso_objective(atoms.astype(np.float32), vectors, codes, penalty)
        objectives.append(float(values.mean()))
    return Learned(atoms, np.array(objectives))


def _best_atoms(atoms: np.ndarray, vectors: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Returns the atoms after each was replaced once; one that no vector uses stays."""
    atoms = np.array(atoms)
    gram, products = codes.T @ codes, codes.T @ vectors
    for index in range(len(atoms)):
        direction = products[index] - gram[index] @ atoms + gram[index, index] * atoms[index]
        length = np.linalg.norm(direction)
        if gram[index, index] > 0.0 and length > 1e-12:
            atoms[index] = direction / length
    return atoms
