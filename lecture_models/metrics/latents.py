"""What the codes of a data set are like, and how far they are from N(0, I)."""

import math

import numpy as np
from jaxtyping import Array, Bool, Float, Float64

Codes = Float[Array | np.ndarray, "example code"]


def active_units(
    means: Float[Array | np.ndarray, "example code"], threshold: float = 0.01
) -> Bool[np.ndarray, " code"]:
    """Which code units the data move: those whose posterior mean varies by more than `threshold`.

    Var_x(E_q(z|x)[z]) > 0.01: what a collapsed unit, whose posterior is the prior, does not pass.

    Raises ValueError for fewer than 2 examples or means that are not finite. Burda et al.,
    "Importance weighted autoencoders", 2016, section 5.
    """
    return _checked(means, "posterior means").var(axis=0) > threshold


def gaussian_divergence(codes: Codes) -> float:
    """KL(N(m, S) || N(0, I)) in nats, with the codes' mean m and covariance S (over n - 1).

    (tr S + m.m - d - log det S) / 2: 0 for codes of mean 0 and covariance I, and never above the
    divergence of the distribution itself, as of all with this mean and covariance the Gaussian
    is the nearest. Infinite where S is singular to rounding: a unit that is constant, units that
    determine one another, no more examples than units. The estimate of a Gaussian's is too high
    by d (d + 3) / 4n.

    Raises ValueError for fewer than 2 examples or codes that are not finite.
    """
    values = _checked(codes, "codes")
    count, dimensions = values.shape
    mean = values.mean(axis=0)
    # Singular values of the centered codes: squaring them first would lose half the digits.
    spreads = np.linalg.svd(values - mean[None, :], compute_uv=False) / math.sqrt(count - 1)
    # The codes are float32 by origin.
    rounding = dimensions * np.finfo(np.float32).eps * np.abs(values).max()
    if len(spreads) < dimensions or spreads.min() <= rounding:
        return math.inf
    log_determinant = 2.0 * np.log(spreads).sum()
    return 0.5 * float((spreads**2).sum() + mean @ mean - dimensions - log_determinant)


def neighbor_divergence(codes: Codes, k: int = 5) -> float:
    """KL(q || N(0, I)) in nats, where q is what the codes are drawn from, of any form.

    -H(q) - E_q[log N(z; 0, I)]: the entropy by Kozachenko and Leonenko,
    psi(n) - psi(k) + log V_d + (d / n) sum_i log r_i, where r_i is the distance from code i to its
    k-th neighbor and V_d the unit ball's volume; the rest is a mean over the codes.

    For 10,000 draws of N(0, I) it gives -0.02 to 0.07 in up to ten dimensions, but -0.4 in 16 and
    -0.8 in 20: beyond ten, compare only figures of the same n and d. Infinite where one code is
    there more than k times: an atom has no density.

    Raises ValueError for codes that are not finite, k below 1, or no more than k examples.
    Kraskov et al., "Estimating mutual information", 2004, equation 20.
    """
    from scipy import spatial, special  # Takes 0.3 s, which a run that measures nothing saves.

    values = _checked(codes, "codes")
    count, dimensions = values.shape
    if not 1 <= k < count:
        raise ValueError(f"k is {k}; with {count} codes it must be from 1 to {count - 1}")
    # The nearest of all is the code itself.
    distances = spatial.cKDTree(values).query(values, k=[k + 1])[0]
    if distances.min() == 0.0:
        return math.inf
    log_ball = 0.5 * dimensions * math.log(math.pi) - special.gammaln(0.5 * dimensions + 1.0)
    entropy = (
        special.digamma(count)
        - special.digamma(k)
        + log_ball
        + dimensions * np.log(distances).mean()
    )
    cross_entropy = 0.5 * (dimensions * math.log(2.0 * math.pi) + (values**2).sum(axis=1).mean())
    return float(cross_entropy - entropy)


def _checked(codes: Codes, name: str) -> Float64[np.ndarray, "example code"]:
    values = np.asarray(codes, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"there must be at least 2 {name}; there are {len(values)}")
    broken = int((~np.isfinite(values)).any(axis=1).sum())
    if broken:
        raise ValueError(f"{name} must be finite; {broken} of {len(values)} are not")
    return values
