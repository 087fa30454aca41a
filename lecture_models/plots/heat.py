"""Colors maps of numbers, such as depths."""

import numpy as np
from jaxtyping import Float, Float32


def heat_colors(
    values: Float[np.ndarray, "*shape"], low: float, high: float, colors: str = "viridis"
) -> Float32[np.ndarray, "*shape 3"]:
    """Returns a color for each number.

    Args:
        values: the numbers; those outside have the color of the nearest end.
        low: the number of the first color.
        high: the number of the last color.
        colors: one of matplotlib's color maps.

    Returns:
        RGB in [-1, 1].

    Raises:
        ValueError: `high` is not above `low`.
    """
    import matplotlib

    if not high > low:
        raise ValueError(f"high is {high}; it must be above low, which is {low}")
    shares = np.clip((values - low) / (high - low), 0.0, 1.0)
    rgb = matplotlib.colormaps[colors](shares)[..., :3]
    return (2.0 * rgb - 1.0).astype(np.float32)
