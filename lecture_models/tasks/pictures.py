"""Reads pictures as images in [-1, 1] that can be optimized."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from lecture_models.data.lookup import Library
from lecture_models.data.picture import PictureFile
from lecture_models.data.pixels import images_from_uint8

Picture = Float[Array, "1 height width 3"]
Opacity = Float[Array, "height width"]


def as_images(pixels: UInt8[np.ndarray, "height width 3"]) -> Picture:
    """Returns a picture as a batch of one image in [-1, 1]."""
    return jnp.asarray(images_from_uint8(pixels[None]))


def opacity_of(file: PictureFile) -> Opacity | None:
    """Returns a picture's opacity, from 0 to 1; None if the whole picture is opaque."""
    return None if file.alpha is None else jnp.asarray(file.alpha, jnp.float32) / 255.0


def read_picture(library: Library, name: str, longer_side: int, flag: str = "--size") -> Picture:
    """Reads a picture by path or sample name; its longer side becomes `longer_side` pixels.

    Errors name `flag` as the place where that was given.
    """
    return as_images(library.picture(name, longer_side, flag=flag).pixels)


def read_with_opacity(
    library: Library, name: str, longer_side: int
) -> tuple[Picture, Opacity | None]:
    """Reads a picture and its opacity, from 0 to 1; None if the whole picture is opaque."""
    file = library.picture(name, longer_side)
    return as_images(file.pixels), opacity_of(file)
