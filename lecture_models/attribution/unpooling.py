"""Maximum pooling that remembers where its maxima were, and its way back."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Maps = Float[Array, "batch height width channel"]
Pooled = Float[Array, "batch pooled_height pooled_width channel"]
Switches = Int[Array, "batch pooled_height pooled_width channel"]


def pool_with_switches(maps: Maps, window: int, stride: int) -> tuple[Pooled, Switches]:
    """Maxima of `window` x `window` squares, and the index row * width + column of each.

    Of equal maxima the first counts. Raises ValueError where no window fits.
    """
    _, height, width, _ = maps.shape
    if window < 1 or stride < 1 or window > min(height, width):
        raise ValueError(
            f"window {window} at stride {stride} on maps of {height}x{width}: both are at least "
            "1, and the window fits"
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
    """Puts each value back to where its maximum was; zero elsewhere.

    Where windows overlap, what meets in one place is added. This is the gradient of
    `nn.pooling.max_pool`, but that equal maxima share the gradient.

    Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014, section 2.1.
    """
    batch, _, _, channels = signal.shape
    flat = jnp.zeros((batch, height * width, channels), signal.dtype)
    index = switches.reshape(batch, -1, channels)
    examples = jnp.arange(batch).reshape(-1, 1, 1)
    channel = jnp.arange(channels).reshape(1, 1, -1)
    flat = flat.at[examples, index, channel].add(signal.reshape(batch, -1, channels))
    return flat.reshape(batch, height, width, channels)
