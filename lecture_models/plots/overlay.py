"""Draws boxes and segmentation masks on images."""

import colorsys
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8
from PIL import Image, ImageColor, ImageDraw, ImageFont

from lecture_models.experiment import LabeledBox
from lecture_models.plots.class_colors import CLASS_COLORS
from lecture_models.plots.png import tile

READABLE_SIDE = 160  # Pixels; smaller images are enlarged, so that a label has room.
MASK_OPACITY = 0.5
SMALLEST_FONT = 11  # Pixels.
LONGEST_LABEL = 32  # Characters.
_GOLDEN_RATIO = 0.618034  # Steps of this size round the color circle never come back to a hue.

Color = tuple[int, int, int]


class _Style(NamedTuple):
    """Holds what the boxes of all images share: sizes in pixels of the drawing."""

    scale: int
    line: int
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    colors: dict[str, Color]


def draw_overlay(
    pixels: jax.typing.ArrayLike,
    boxes: tuple[tuple[LabeledBox, ...], ...] = (),
    masks: jax.typing.ArrayLike | None = None,
) -> Float32[np.ndarray, "image drawing_height drawing_width 3"]:
    """Draws boxes with their labels, and masks as transparent colors with an outline.

    Images whose longer side is below 160 pixels are enlarged by a whole factor. Boxes of one label
    have one color; the labels of all images, sorted, are numbered, and a label's number chooses its
    color. A mask's value chooses its color.

    Args:
        pixels: floats in [-1, 1], (image, height, width, 1 or 3).
        boxes: for each image a tuple of its boxes; () where no image has any.
        masks: integers of 0 or more, (image, height, width); 0 is background. None for no masks.

    Returns:
        RGB images in [-1, 1], identical for identical arguments.

    Raises:
        ValueError: the shapes of images, boxes and masks do not agree, the images are not floats,
            the masks are not integers or are negative, or a box is not finite or is reversed.
    """
    images, masks = np.asarray(pixels), None if masks is None else np.asarray(masks)
    _check(images, boxes, masks)
    longer = max(images.shape[1:3])
    scale = max(1, -(-READABLE_SIDE // longer))
    labels = sorted({box.label for image_boxes in boxes for box in image_boxes})
    style = _Style(
        scale=scale,
        line=max(2, round(scale * longer / 200)),
        font=ImageFont.load_default(max(SMALLEST_FONT, scale * longer // 32)),
        colors={label: overlay_color(index) for index, label in enumerate(labels)},
    )
    drawings = []
    for index, image in enumerate(images):
        drawing = np.broadcast_to(tile(image[None], 1), (*image.shape[:2], 3))
        drawing = drawing.repeat(scale, axis=0).repeat(scale, axis=1)
        if masks is not None:
            drawing = _with_mask(drawing, masks[index].repeat(scale, axis=0).repeat(scale, axis=1))
        if boxes:
            drawing = _with_boxes(drawing, boxes[index], style)
        drawings.append(drawing)
    return np.stack(drawings).astype(np.float32) / np.float32(127.5) - np.float32(1.0)


def overlay_color(index: int) -> Color:
    """Chooses a color that differs from those of other indices.

    Args:
        index: number of a label, from 0; the first twelve have the colors of the classes in plots.

    Returns:
        Red, green and blue, from 0 to 255.
    """
    if index < len(CLASS_COLORS):
        return ImageColor.getrgb(CLASS_COLORS[index])
    brightness = (1.0, 0.75, 0.55)[index % 3]
    red, green, blue = colorsys.hsv_to_rgb(index * _GOLDEN_RATIO % 1.0, 0.85, brightness)
    return round(255 * red), round(255 * green), round(255 * blue)


def _check(images: np.ndarray, boxes: tuple, masks: np.ndarray | None) -> None:
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            f"images have shape {images.shape}; it must be (image, height, width, 1 or 3), none 0"
        )
    if boxes and len(boxes) != len(images):
        raise ValueError(
            f"there are boxes for {len(boxes)} images, but {len(images)} images; give one tuple of "
            "boxes for each image"
        )
    for box in (box for image_boxes in boxes for box in image_boxes):
        if not np.isfinite([box.top, box.left, box.bottom, box.right]).all():
            raise ValueError(f"{box} is not finite")
        if box.bottom < box.top or box.right < box.left:
            raise ValueError(f"{box} is reversed; bottom and right must be at least top and left")
    if masks is None:
        return
    if masks.shape != images.shape[:3]:
        raise ValueError(f"masks have shape {masks.shape}; it must be {images.shape[:3]}")
    if not np.issubdtype(masks.dtype, np.integer):
        raise ValueError(f"masks are of type {masks.dtype}; they must be integers")
    if masks.min() < 0:
        raise ValueError(f"the smallest mask value is {masks.min()}; it must be at least 0")


def _with_mask(
    drawing: UInt8[np.ndarray, "height width 3"], mask: Int[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width 3"]:
    drawing, outline = drawing.copy(), _outline(mask)
    for value in np.unique(mask[mask > 0]).tolist():
        color, inside = np.array([overlay_color(value - 1)], np.float64), mask == value
        blended = (1.0 - MASK_OPACITY) * drawing[inside] + MASK_OPACITY * color
        drawing[inside] = np.rint(blended).astype(np.uint8)
        drawing[inside & outline] = color.astype(np.uint8)
    return drawing


def _outline(mask: Int[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Marks the pixels beside which the mask has another value."""
    outline = np.zeros(mask.shape, bool)
    below, beside = mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1]
    outline[1:] |= below
    outline[:-1] |= below
    outline[:, 1:] |= beside
    outline[:, :-1] |= beside
    return outline


def _with_boxes(
    drawing: UInt8[np.ndarray, "height width 3"], boxes: tuple[LabeledBox, ...], style: _Style
) -> UInt8[np.ndarray, "height width 3"]:
    canvas = Image.fromarray(np.ascontiguousarray(drawing))
    draw = ImageDraw.Draw(canvas)
    width, height = (side / style.scale for side in canvas.size)
    visible = [
        box
        for box in boxes
        if box.left < width and box.top < height and box.right > 0 and box.bottom > 0
    ]
    for box in visible:
        edges = (box.left, box.top, box.right, box.bottom)
        left, top, right, bottom = (round(style.scale * edge) for edge in edges)
        # Pillow's rectangle includes its last row and column.
        corners = (left, top, max(left, right - 1), max(top, bottom - 1))
        draw.rectangle(corners, outline=style.colors[box.label], width=style.line)
    for box in visible:  # After all rectangles, so that none crosses a label.
        _write_label(draw, canvas.size, box, style)
    return np.asarray(canvas)


def _write_label(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], box: LabeledBox, style: _Style
) -> None:
    """Writes label and score above the box, or inside it where there is no room above."""
    label = box.label[:LONGEST_LABEL]
    text = label if box.score is None else f"{label} {box.score:.2f}".strip()
    if not text:
        return
    _, _, right, bottom = draw.textbbox((0, 0), text, font=style.font)
    width, height = round(right) + 4, round(bottom) + 3
    left = max(0, min(round(style.scale * box.left), size[0] - width))
    top = round(style.scale * box.top)
    top = min(max(0, top - height if top >= height else top), size[1] - height)
    color = style.colors[box.label]
    draw.rectangle((left, top, left + width - 1, top + height - 1), fill=color)
    dark = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 140
    draw.text((left + 2, top + 1), text, fill="white" if dark else "black", font=style.font)
