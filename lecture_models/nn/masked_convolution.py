"""Convolves maps so that a pixel never sees itself or a later pixel, in raster order.

Van den Oord et al., "Pixel recurrent neural networks", 2016, section 3.4 and Figure 2, and
"Conditional image generation with PixelCNN decoders", 2016, section 2.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float, Float32, Int

Maps = Float[Array, "batch height width channel"]
NewMaps = Float[Array, "batch _ _ feature"]  # Height and width 1 for one pixel.
MASKS = ("A", "B", "rows A", "rows B")


def channel_groups(channels: int, num_groups: int) -> Int[np.ndarray, " channel"]:
    """Returns the image channel to which each map belongs.

    Args:
        channels: the number of maps.
        num_groups: the number of image channels, such as 3 for red, green, blue.

    Returns:
        For each map an index from 0 to num_groups - 1: the first third is red, and so on.

    Raises:
        ValueError: there are fewer maps than image channels.
    """
    if channels < num_groups:
        raise ValueError(
            f"there are {channels} maps for {num_groups} image channels; there must be at least "
            "one for each"
        )
    return np.arange(channels) * num_groups // channels


def kernel_mask(
    size: tuple[int, int], inputs: int, outputs: int, mask: str, num_groups: int = 1
) -> Float32[np.ndarray, "above width inputs outputs"]:
    """Returns the mask of a kernel without its lower rows, which all masks would set to 0.

    Raster order is row by row, left to right, and channel by channel within a pixel.
    "A": pixels before the own one; of the own pixel the image channels before the own one.
    "B": also the own pixel and image channel, for every layer but the first.
    "rows A": all pixels of the rows above. "rows B": also the own row: for the vertical stack of
    the gated network.

    Args:
        size: height and width of the whole kernel, odd.
        inputs: the number of input maps.
        outputs: the number of output maps.
        mask: which pixels an output sees.
        num_groups: the number of image channels among which the maps are divided.

    Returns:
        1 where a weight acts and 0 elsewhere, (size[0] // 2 + 1, size[1], inputs, outputs).

    Raises:
        ValueError: a side is even or below 1, the mask is unknown, or there are too few maps.
    """
    height, width = size
    if height % 2 == 0 or width % 2 == 0 or min(size) < 1:
        raise ValueError(
            f"a masked filter of {height}x{width} has no middle; both sides must be odd"
        )
    if mask not in MASKS:
        raise ValueError(f"mask is {mask!r}; it must be one of {', '.join(map(repr, MASKS))}")
    acts = np.ones((height // 2 + 1, width, inputs, outputs), np.float32)
    if mask == "rows A":
        acts[-1] = 0.0
    if mask in ("A", "B"):
        of_input = channel_groups(inputs, num_groups)[:, None]
        of_output = channel_groups(outputs, num_groups)[None, :]
        acts[-1, width // 2 :] = 0.0
        acts[-1, width // 2] = of_input < of_output if mask == "A" else of_input <= of_output
    return acts


class Position(NamedTuple):
    """Holds the place whose outputs are computed from caches.

    Attributes:
        row: the index of the row.
        column: the index of the column; None for the whole row.
    """

    row: Int[Array, ""] | int
    column: Int[Array, ""] | int | None = None


class MaskedConvolution(nn.Module):
    """Convolves maps with a masked kernel; the size of the maps does not change.

    Rows of the kernel below the own pixel, which never act, are not stored. Weights that the mask
    sets to 0 start at 0 and stay there, so that `acting_parameters` can tell them apart.

    Attributes:
        features: the number of output maps.
        size: height and width of the whole kernel, odd.
        mask: which pixels an output sees; see `kernel_mask`.
        num_groups: the number of image channels among which the maps are divided.
        gain: the variance of an output at the start, where the inputs have variance 1.
    """

    features: int
    size: tuple[int, int]
    mask: str
    num_groups: int = 1
    gain: float = 1.0

    @nn.compact
    def __call__(self, x: Maps, position: Position | None = None) -> NewMaps:
        """Returns the convolved maps, or those of one place.

        Outputs of one place are computed from the inputs of earlier calls, which are kept in the
        collection "cache". A call without a position makes an empty cache, where it is mutable.

        Args:
            x: whole maps; with a position either whole maps, whose later pixels have no effect, or
                the maps of that pixel or row alone.
            position: the place; None for all of them.

        Returns:
            Maps with `features` channels: whole ones, or (batch, 1, 1 or width, features).
        """
        above, across = self.size[0] // 2, self.size[1] // 2
        acts = kernel_mask(self.size, x.shape[-1], self.features, self.mask, self.num_groups)
        initializer = masked_initializer(acts, self.gain)
        if self.size == (1, 1) and acts.all():
            # A matrix product, whose gradient is faster than that of a 1x1 convolution on a CPU.
            flat = nn.initializers.variance_scaling(self.gain, "fan_in", "truncated_normal")
            return nn.Dense(self.features, kernel_init=flat, name="convolution")(x)
        borders = ((0, 0), (above, 0), (across, across), (0, 0))
        padding = borders[1:3]
        if position is not None:
            x, padding = self._seen_from(x, borders, position), "VALID"
        elif self.is_mutable_collection("cache") and not self.is_initializing():
            batch, height, width, inputs = x.shape
            empty = (batch, height + above, width + 2 * across, inputs)
            self.variable("cache", "maps", jnp.zeros, empty, x.dtype)
        return nn.Conv(
            self.features,
            acts.shape[:2],
            padding=padding,
            mask=acts,
            kernel_init=initializer,
            name="convolution",
        )(x)

    def _seen_from(
        self, x: Maps, borders: tuple[tuple[int, int], ...], position: Position
    ) -> Float[Array, "batch above seen channel"]:
        """Returns the part of the bordered maps that the outputs of a place see."""
        above, across = borders[1][0], borders[2][0]
        row, column = position
        start = 0 if column is None else column
        if x.shape[1] > 1:
            maps = jnp.pad(x, borders)
        else:
            cache = self.variable("cache", "maps", _refuse_missing_cache)
            cache.value = lax.dynamic_update_slice(
                cache.value, x, (0, row + above, start + across, 0)
            )
            maps = cache.value
        seen = maps.shape[2] if column is None else self.size[1]
        shape = (maps.shape[0], above + 1, seen, maps.shape[3])
        return lax.dynamic_slice(maps, (0, row, start, 0), shape)


def masked_initializer(
    acts: Float32[np.ndarray, "above width inputs outputs"], gain: float = 1.0
) -> nn.initializers.Initializer:
    """Returns an initializer of a masked kernel, normal with variance gain / acting inputs.

    Args:
        acts: the mask.
        gain: the variance of an output, where the inputs have variance 1.

    Returns:
        A function of (key, shape, dtype) with 0 where the mask is 0. Without the mask in the
        count, the outputs of a network of masked layers would fade with its depth.
    """
    inputs = np.maximum(acts.sum(axis=(0, 1, 2), keepdims=True), 1.0)
    scale = acts * np.sqrt(gain / inputs)

    def initialize(key, shape, dtype=jnp.float32):
        return scale.astype(dtype) * jax.random.normal(key, shape, dtype)

    return initialize


def acting_parameters(params: Any) -> int:
    """Counts the parameters that have an effect: all biases, and the weights that are not masked.

    Args:
        params: the parameters of a network of masked convolutions, at any step.

    Returns:
        The number of all entries but the kernels' entries that are exactly 0.
    """
    counts = (
        jnp.count_nonzero(leaf) if "kernel" in jax.tree_util.keystr(path) else leaf.size
        for path, leaf in jax.tree_util.tree_leaves_with_path(params)
    )
    return int(sum(counts))


def _refuse_missing_cache():
    raise ValueError("there is no cache; a call with a position needs the caches of a call without")
