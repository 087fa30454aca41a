"""Writes folders of small pictures for tests, and reads them."""

from pathlib import Path

import numpy as np
from PIL import Image

from lecture_models.data import folder
from lecture_models.data.dataset import split_checksum
from lecture_models.data.folder import PictureOptions

SMALL = PictureOptions(image_size=8)
SKIPPING = PictureOptions(image_size=8, skip_bad_images=True)


def write_pictures(path: Path, count: int, mode: str = "L", first: int = 0) -> None:
    """Writes different pictures of 12x10, numbered from `first`, the same with every Pillow."""
    path.mkdir(parents=True, exist_ok=True)
    shape = (10, 12, 3) if mode == "RGB" else (10, 12)
    for number in range(first, first + count):
        pixels = np.random.default_rng(number).integers(0, 256, shape, np.uint8)
        Image.fromarray(pixels).save(path / f"{number:04d}.bmp")


def read(path, options=SMALL):
    return folder.read(path, options, lambda line: None)


def everything(dataset):
    return np.concatenate([split.images for split in dataset[:3]])


def hashes(dataset):
    return [split_checksum(split) for split in dataset[:3]]


def alone(tmp_path, picture, name="picture.png", **save):
    """Returns a picture as it is read at 8x8: the image that ten others in the folder are not."""
    write_pictures(tmp_path, 10)
    before = everything(read(tmp_path))
    picture.save(tmp_path / name, **save)
    images = everything(read(tmp_path))
    known = {image.tobytes() for image in np.broadcast_to(before, (10, 8, 8, images.shape[-1]))}
    (new,) = [image for image in images if np.ascontiguousarray(image).tobytes() not in known]
    return np.rint((new + 1.0) * 127.5).astype(np.uint8)


def members(path):
    return {image.tobytes() for image in everything(read(path))}
