"""Finds sparse codes: few atoms of a dictionary whose sum is near a vector."""

import numpy as np
from jaxtyping import Array, Float, Float64

Vectors = Float[Array | np.ndarray, "example dim"]
Atoms = Float[Array | np.ndarray, "atom dim"]


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
