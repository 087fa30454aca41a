"""Makes pictures of empty rooms with boxes in them, and the depth of each pixel.

They stand in where no real photos with depths are; the truth is exact.
"""

import numpy as np

from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.depth_pairs import depth_split
from lecture_models.data.drawn_splits import draw_splits

HEIGHT, WIDTH = 48, 64
_SIZES = (240, 30, 40)  # Of the three splits.


def make(seed: int = 0) -> Dataset:
    """Returns 310 rooms of 64x48 pixels, the same for the same seed."""
    splits = draw_splits(seed, _SIZES, _draw, depth_split)
    note = f"{sum(_SIZES)} made pictures of rooms, with exact depths"
    return Dataset(*splits, (), Provenance("made_rooms", "made by a rule", (), note))


def _draw(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns a picture and its depths in meters, of a room seen by a camera that looks ahead.

    A pixel looks along (x, y, 1); each surface is hit at some depth, and the nearest is seen.
    """
    across = (np.arange(WIDTH) + 0.5 - WIDTH / 2)[None] / (0.8 * WIDTH)
    down = (np.arange(HEIGHT) + 0.5 - HEIGHT / 2)[:, None] / (0.8 * WIDTH)
    across, down = np.broadcast_arrays(across, down)
    left, right = generator.uniform(1.0, 3.5, 2)
    camera, ceiling = generator.uniform(1.0, 1.8), generator.uniform(0.8, 1.4)
    back = generator.uniform(3.0, 8.0)
    with np.errstate(divide="ignore"):
        walls = np.where(across < 0, -left / across, right / across)
        levels = np.where(down < 0, -ceiling / down, camera / down)
    surfaces = [np.full((HEIGHT, WIDTH), back), walls, np.where(down > 0, levels, np.inf)]
    surfaces.append(np.where(down < 0, levels, np.inf))
    for _ in range(generator.integers(1, 4)):
        depth = generator.uniform(1.2, back)
        width, height = generator.uniform(0.4, 1.2), generator.uniform(0.4, 1.5)
        center = generator.uniform(-left, right)
        seen = (abs(across * depth - center) < width / 2) & (down * depth < camera)
        surfaces.append(np.where(seen & (down * depth > camera - height), depth, np.inf))
    stacked = np.stack(surfaces)
    depths = stacked.min(axis=0)
    colors = generator.uniform(80.0, 240.0, (len(surfaces), 3))
    light = 1.0 / (1.0 + 0.08 * depths)
    noise = generator.normal(0.0, 6.0, (HEIGHT, WIDTH, 3))
    picture = colors[stacked.argmin(axis=0)] * light[..., None] + noise
    return np.clip(picture, 0, 255).astype(np.uint8), depths.astype(np.float32)
