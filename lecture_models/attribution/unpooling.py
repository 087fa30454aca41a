"""Defines max pooling that remembers the positions of its maxima, and the unpooling that uses them.

Zeiler and Fergus, 2014, Visualizing and understanding convolutional networks, section 2.1.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Maps = Float[Array, "batch height width channel"]
Pooled = Float[Array, "batch pooled_height pooled_width channel"]
Switches = Int[Array, "batch pooled_height pooled_width channel"]


def pool_with_switches(maps: Maps, window: int, stride: int) -> tuple[Pooled, Switches]:
    """Returns the maxima of square windows and their positions, the switches.

    Args:
        maps: feature maps, (batch, height, width, channel).
        window: side of a window.
        stride: distance between neighboring windows.

    Returns:
        The maxima, and the index row * width + column of each; of equal maxima the first counts.

    Raises:
        ValueError: if `window` or `stride` is below 1, or no window fits.
    """
    _, height, width, _ = maps.shape
    if window < 1 or stride < 1 or window > min(height, width):
        raise ValueError(
            f"window {window} at stride {stride} on maps of {height}x{width}: both must be at "
            "least 1, and the window must fit"
        )
    rows = jnp.arange(0, height - window + 1, stride)
    columns = jnp.arange(0, width - window + 1, stride)
    offsets = [(i, j) for i in range(window) for j in range(window)]
    seen = jnp.stack([maps[:, rows + i][:, :, columns + j] for i, j in offsets])
    places = jnp.stack([(rows + i)[:, None] * width + (columns + j)[None] for i, j in offsets])
    best = seen.argmax(axis=0)
    everywhere = jnp.broadcast_to(places[:, None, :, :, None], seen.shape)
    return seen.max(axis=0), jnp.take_along_axis(everywhere, best[None], axis=0)[0]


def unpool(signal: Pooled, switches: Switches, height: int, width: int) -> Maps:
    """Returns maps with each value at the position of its maximum, and zeros elsewhere.

    Where windows overlap, values at the same position are added. This is the gradient of
    `nn.pooling.max_pool`, except that there, equal maxima share the gradient.

    Args:
        signal: one value per window, (batch, pooled height, pooled width, channel).
        switches: the positions of the maxima, as `pool_with_switches` returns them.
        height: height of the maps.
        width: width of the maps.

    Returns:
        The maps, (batch, height, width, channel).
    """
    batch, _, _, channels = signal.shape
    flat = jnp.zeros((batch, height * width, channels), signal.dtype)
    index = switches.reshape(batch, -1, channels)
    examples = jnp.arange(batch).reshape(-1, 1, 1)
    channel = jnp.arange(channels).reshape(1, 1, -1)
    flat = flat.at[examples, index, channel].add(signal.reshape(batch, -1, channels))
    return flat.reshape(batch, height, width, channels)
