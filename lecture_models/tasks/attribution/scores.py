"""What can be measured of maps: deletion and insertion, the pointing game, the sanity check."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from lecture_models.attribution.pointing import composite, hit, quadrants
from lecture_models.attribution.randomization import order_of_use, randomized, rank_correlation
from lecture_models.attribution.replacement import area, blurred, replacement_curve
from lecture_models.tasks.attribution.methods import (
    GRAY,
    METHODS,
    ONE_PASS,
    AttributionFunctions,
    Effort,
    attributions,
    class_probability,
    one_pass_attributions,
)

Images = Float[np.ndarray, "image height width 3"]
Targets = Int[np.ndarray, " target"]
Maps = dict[str, Float[np.ndarray, "image height width"]]
Found = dict[str, list[float]]  # One value for each picture, by name.

BASELINES = ("random", "center")
BLUR = 16  # Times the picture is reduced for insertion's start.


def with_baselines(maps: Maps, random: np.random.Generator) -> Maps:
    """Beside the methods: noise, and nearness to the center, which knows how photos are taken."""
    count, height, width = next(iter(maps.values())).shape
    rows = np.linspace(-1.0, 1.0, height).reshape(-1, 1)
    columns = np.linspace(-1.0, 1.0, width).reshape(1, -1)
    center = -np.broadcast_to(rows**2 + columns**2, (count, height, width))
    return maps | {"random": random.uniform(size=center.shape), "center": center}


def replacement_areas(
    probes: AttributionFunctions,
    variables: Any,
    images: Images,
    targets: Targets,
    maps: Maps,
    steps: int,
    batch_size: int,
) -> tuple[Found, Found]:
    """Areas under deletion, less is better, and insertion, more is better."""
    deletion: Found = {name: [] for name in maps}
    insertion: Found = {name: [] for name in maps}
    for number, image in enumerate(images):
        score = class_probability(probes, variables, targets[number])
        gray, vague = np.full_like(image, GRAY), np.asarray(blurred(image, BLUR))
        for name, each in maps.items():
            for start, end, areas in ((image, gray, deletion), (vague, image, insertion)):
                curve = replacement_curve(score, start, end, each[number], steps, batch_size)
                areas[name].append(area(curve))
    return deletion, insertion


def pointing_hits(
    probes: AttributionFunctions,
    variables: Any,
    images: Images,
    targets: Targets,
    effort: Effort,
    random: np.random.Generator,
    key: Key[Array, ""],
) -> Found:
    """Each picture in a quadrant of its own of a 2x2 grid, beside three of other classes.

    A picture without others of another class is left out; where there are fewer than three, they
    come again. Empty where no picture has others.
    """
    grids, boxes, asked = [], [], []
    _, height, width, _ = images.shape
    for number, target in enumerate(targets):
        others = np.flatnonzero(targets != target)
        if len(others) == 0:
            continue
        chosen = list(random.choice(others, 3, replace=len(others) < 3))
        place = len(grids) % 4
        chosen.insert(place, number)
        grids.append(composite(images[chosen]))
        boxes.append(quadrants(height, width)[place])
        asked.append(target)
    if not grids:
        return {}
    maps = attributions(probes, variables, np.stack(grids), np.array(asked), effort, key).maps
    found = {
        name: [hit(each, box) for each, box in zip(maps[name], boxes, strict=True)]
        for name in METHODS
    }
    # What guessing hits in the mean, and the middle, which lies in the fourth quadrant.
    areas = [(box.bottom - box.top) * (box.right - box.left) / (height * width) for box in boxes]
    middle = [float(box == quadrants(height, width)[3]) for box in boxes]
    return found | {"random": areas, "center": middle}


def rank_correlations(
    probes: AttributionFunctions,
    variables: Any,
    images: Images,
    targets: Targets,
    maps: Maps,
    shares: tuple[float, ...],
    batch_size: int,
    random: np.random.Generator,
) -> dict[float, Found]:
    """Of the maps with those of a network that has lost its last `share` of layers, by share."""
    few = jnp.asarray(images[:1])
    order = order_of_use(probes.probabilities, variables, few)
    found = {}
    for share in shares:
        forgetful = randomized(variables, order, share, random)
        changed = one_pass_attributions(probes, forgetful, images, targets, batch_size).maps
        found[share] = {
            name: [
                rank_correlation(before, after)
                for before, after in zip(maps[name], changed[name], strict=True)
            ]
            for name in ONE_PASS
        }
    return found


def table(columns: dict[str, Found]) -> str:
    """A row for each method: mean and standard deviation over pictures."""
    rows = METHODS | {name: name for name in BASELINES}
    width = max(map(len, rows.values()))
    lines = [" " * width + "".join(f"  {title:>13}" for title in columns)]
    for name, shown in rows.items():
        cells = [_cell(found.get(name, [])) for found in columns.values()]
        lines.append(f"{shown:<{width}}" + "".join(f"  {cell:>13}" for cell in cells))
    return "\n".join(lines)


def means(columns: dict[str, Found]) -> dict[str, float]:
    """By column and method, as scalars."""
    return {
        f"{title.replace(' ', '_')}_{name}": float(np.mean(values))
        for title, found in columns.items()
        for name, values in found.items()
    }


def _cell(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3f}" if values else ""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"
