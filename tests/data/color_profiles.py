"""Makes color profiles for tests: sRGB's, with other primaries and another tone curve."""

import struct

from PIL import ImageCms

# The primaries adapted to D50, as X, Y, Z of red, green and blue.
DISPLAY_P3 = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def rgb_profile(primaries, gamma=None):
    """The bytes of a profile: sRGB's tone curve, or a power law."""
    content = bytearray(srgb_profile())
    (count,) = struct.unpack_from(">I", content, 128)
    for index in range(count):
        name, offset, _ = struct.unpack_from(">4sII", content, 132 + 12 * index)
        if name in (b"rXYZ", b"gXYZ", b"bXYZ"):
            values = primaries["rgb".index(chr(name[0]))]
            struct.pack_into(">3i", content, offset + 8, *(round(65536 * each) for each in values))
        if name == b"rTRC" and gamma is not None:  # Parametric; shared by the three channels.
            struct.pack_into(">H", content, offset + 8, 0)
            struct.pack_into(">i", content, offset + 12, round(65536 * gamma))
    return bytes(content)
