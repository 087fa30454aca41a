"""Converts the colors of pictures from the color profiles in their files to sRGB."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

# (a picture in one of Pillow's modes of 8 bits) -> the same picture in mode RGB, in sRGB's colors.
ColorConversion = Callable[[Image.Image], Image.Image]

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # By the color space of a profile.
_GRAY = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B", "I;16N")


def to_srgb(image: Image.Image) -> ColorConversion | None:
    """Returns the conversion of a picture's colors from the profile in its file to sRGB.

    Returns None, for no conversion, if the file has no profile, if the profile is damaged or does
    not suit the picture's channels, or if it moves no color by more than one level of 255: such
    profiles are sRGB under other names.
    """
    content = image.info.get("icc_profile")
    if not content:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        mode = _MODES.get(profile.profile.xcolor_space, "")
        if mode != _channels(image.mode):
            return None
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode != "CMYK" and _largest_change(transform, mode) <= 1:
        return None
    return lambda image: ImageCms.applyTransform(image.convert(mode), transform)


def _channels(mode: str) -> str:
    """Returns the mode to which `mode` is converted before a profile applies."""
    return "L" if mode in _GRAY else "CMYK" if mode == "CMYK" else "RGB"


def _largest_change(transform: ImageCms.ImageCmsTransform, mode: str) -> int:
    """Returns the largest change of a channel, over gray levels or a grid of colors."""
    if mode == "L":
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    else:
        steps = np.linspace(0, 255, 9).astype(np.uint8)
        levels = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3)
    before = Image.fromarray(levels)
    after = np.asarray(ImageCms.applyTransform(before, transform), np.int32)
    return int(np.abs(after - np.asarray(before.convert("RGB"), np.int32)).max())
