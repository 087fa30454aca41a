"""Mirrors and crops pictures together with all that is known about them: boxes, masks, depths.

A box is (top, left, bottom, right) as shares of the sides. A mask or a map of labels is moved
without mixing its values. A part that is enlarged looks nearer: its depths shrink with it (Eigen et
al., 2014, section 3.4).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8
from PIL import Image

from lecture_models.data.dataset import DataError

Window = Float[np.ndarray, "4"]

WHOLE = (0.0, 0.0, 1.0, 1.0)
LEAST_VISIBLE = 0.5  # Share of a box's area below which it is left out of a part.
COLOR_GAIN = 0.15  # Largest change of a channel's gain, and of the brightness of all.


class Scene(NamedTuple):
    """Holds one picture and what is known about it; None for what is not known.

    Attributes:
        pixels: RGB, or gray with one channel.
        boxes: the boxes of its objects.
        labels: the class of each box.
        masks: 0 for background, other numbers for classes or instances.
        depths: the distance of each pixel, in meters; 0 where it is not known.
    """

    pixels: UInt8[np.ndarray, "height width channel"]
    boxes: Float32[np.ndarray, "box 4"] | None = None
    labels: Int[np.ndarray, " box"] | None = None
    masks: UInt8[np.ndarray, "height width"] | None = None
    depths: Float32[np.ndarray, "height width"] | None = None


def mirrored(scene: Scene) -> Scene:
    """Returns a scene with left and right exchanged."""
    return _flipped(scene, 1)


def upended(scene: Scene) -> Scene:
    """Returns a scene with top and bottom exchanged."""
    return _flipped(scene, 0)


def _flipped(scene: Scene, axis: int) -> Scene:
    maps = {
        name: None if (array := getattr(scene, name)) is None else np.flip(array, axis)
        for name in ("pixels", "masks", "depths")
    }
    boxes = scene.boxes
    if boxes is not None:
        boxes = boxes.copy()
        boxes[:, axis], boxes[:, axis + 2] = 1.0 - scene.boxes[:, axis + 2], 1.0 - boxes[:, axis]
    return Scene(maps["pixels"], boxes, scene.labels, maps["masks"], maps["depths"])


def part_of(scene: Scene, window: Window, least_visible: float = LEAST_VISIBLE) -> Scene:
    """Returns a part of a scene at the size of the whole.

    Args:
        scene: the scene.
        window: the part, as a box.
        least_visible: boxes of which a smaller share of the area is in the part are left out.
    """
    pixels = resized(scene.pixels, scene.pixels.shape[:2], window)
    masks, depths, boxes, labels = scene.masks, scene.depths, scene.boxes, scene.labels
    if masks is not None:
        masks = resized(masks, masks.shape, window, Image.Resampling.NEAREST)
    if depths is not None:
        zoom = np.float32(np.sqrt(np.prod(window[2:] - window[:2])))
        depths = resized(depths, depths.shape, window, Image.Resampling.NEAREST) * zoom
    if boxes is not None:
        shown = seen_in(window, boxes)
        scale = np.prod(window[2:] - window[:2])
        kept = scale * _areas(shown) >= least_visible * _areas(boxes) - 1e-9
        boxes, labels = shown[kept], None if labels is None else labels[kept]
    return Scene(pixels, boxes, labels, masks, depths)


def seen_in(
    window: Window, boxes: Float[np.ndarray, "*box 4"]
) -> Float32[np.ndarray, "*same_box 4"]:
    """Returns where boxes are in a part of a picture, as shares of the sides of that part."""
    start, size = np.tile(window[:2], 2), np.tile(window[2:] - window[:2], 2)
    return np.clip((boxes - start) / size, 0.0, 1.0).astype(np.float32)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)


def resized(
    array: np.ndarray,
    shape: tuple[int, ...],
    window: Window | tuple[float, ...] = WHOLE,
    resampling: Image.Resampling = Image.Resampling.BILINEAR,
) -> np.ndarray:
    """Returns a part of a picture or map at another size.

    Args:
        array: a picture (height, width, 1 or 3) or a map (height, width).
        shape: the new height and width.
        window: the part, as a box.
        resampling: how values are mixed; `NEAREST` keeps the values of labels.
    """
    height, width = array.shape[:2]
    top, left, bottom, right = (float(edge) for edge in window)
    edges = (left * width, top * height, right * width, bottom * height)
    single = array.ndim == 3 and array.shape[2] == 1
    picture = Image.fromarray(np.ascontiguousarray(array[..., 0] if single else array))
    view = np.asarray(picture.resize((shape[1], shape[0]), resampling, box=edges))
    return view[..., None] if single else view


def random_window(generator: np.random.Generator, least: float) -> Window:
    """Returns a random part of at least `least` of both sides, of the picture's own shape."""
    size = generator.uniform(least, 1.0)
    start = generator.uniform(0.0, 1.0 - size, 2)
    return np.concatenate([start, start + size])


def recolored(
    pixels: UInt8[np.ndarray, "height width channel"], generator: np.random.Generator
) -> UInt8[np.ndarray, "height width channel"]:
    """Returns a picture whose channels and brightness are changed a little."""
    gains = generator.uniform(1.0 - COLOR_GAIN, 1.0 + COLOR_GAIN, (1, 1, pixels.shape[2]))
    gains = gains * generator.uniform(1.0 - COLOR_GAIN, 1.0 + COLOR_GAIN)
    return np.clip(pixels * gains, 0, 255).astype(np.uint8)


def random_view(
    scene: Scene,
    generator: np.random.Generator,
    least: float,
    upend: bool = False,
    mirror: bool = True,
) -> Scene:
    """Returns a random part of a scene in changed colors, mirrored half of the time.

    Args:
        scene: the scene.
        generator: draws the changes.
        least: share of the sides that the part has at least.
        upend: also exchanges top and bottom half of the time, where a picture has no up.
        mirror: False where left and right differ, as in digits.
    """
    view = part_of(scene, random_window(generator, least))
    view = mirrored(view) if mirror and generator.random() < 0.5 else view
    view = upended(view) if upend and generator.random() < 0.5 else view
    return view._replace(pixels=recolored(view.pixels, generator))


def random_views(
    arrays: Mapping[str, np.ndarray],
    views: int,
    generator: np.random.Generator,
    least: float,
    upend: bool = False,
) -> dict[str, np.ndarray]:
    """Returns pictures with their masks or depths as they are, and as random views.

    Args:
        arrays: `pixels`, and `masks` or `depths` or both; other arrays are left out.
        views: how many of each picture; 1 for the pictures alone.
        generator: draws the changes.
        least: see `random_view`.
        upend: see `random_view`.

    Raises:
        DataError: maps and pictures have different sizes.
    """
    names = [name for name in ("pixels", "masks", "depths") if name in arrays]
    shapes = {name: arrays[name].shape[1:3] for name in names}
    if len(set(shapes.values())) != 1:
        raise DataError(f"pictures and their maps must have one size; they have {shapes}")
    parts = [{name: arrays[name] for name in names}]
    for _ in range(1, views):
        scenes = [
            random_view(Scene(**dict(zip(names, values, strict=True))), generator, least, upend)
            for values in zip(*(arrays[name] for name in names), strict=True)
        ]
        parts.append({name: np.stack([getattr(scene, name) for scene in scenes]) for name in names})
    return {name: np.concatenate([part[name] for part in parts]) for name in names}
