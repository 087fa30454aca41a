"""Scores attribution maps: deletion and insertion, the pointing game, and the sanity check."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.attribution.pointing import composite, hit, quadrants
from lecture_models.attribution.randomization import order_of_use, randomized, rank_correlation
from lecture_models.attribution.replacement import area, blurred, replacement_curve
from lecture_models.experiment import Evaluation
from lecture_models.tasks.attribution.functions import (
    AttributionFunctions,
    AttributionInputs,
    class_probability,
)
from lecture_models.tasks.attribution.methods import (
    GRAY,
    METHODS,
    MethodSettings,
    attribution_maps,
)

Maps = dict[str, Float[np.ndarray, "image height width"]]
Scores = dict[str, list[float]]  # By method or baseline, one value per image.

BASELINES = ("random", "center")
BLUR = 16  # Insertion begins with the image reduced so many times and enlarged again.


class ScoreSettings(NamedTuple):
    """Holds the settings of the scores.

    Attributes:
        replacement_steps: number of steps of deletion and insertion.
        randomized_shares: shares of the network's parameter arrays that the sanity check shuffles,
            counted from the logits down.
        seed: seed of the random baseline, the composites and the shuffling.
    """

    replacement_steps: int
    randomized_shares: tuple[float, ...]
    seed: int


def score_maps(
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    maps: Maps,
    pointing_inputs: AttributionInputs,
    method_settings: MethodSettings,
    settings: ScoreSettings,
    key: Key[Array, ""],
) -> Evaluation:
    """Returns all scores of maps, as scalars and as a table.

    Args:
        functions: the functions of the network.
        inputs: variables, images and targets that the maps were computed for.
        maps: by method, the map of each image.
        pointing_inputs: the images of the pointing game, each once, and the class that the network
            sees in each.
        method_settings: the settings with which composites are explained.
        settings: the settings of the scores.
        key: random key of SmoothGrad on composites.

    Returns:
        The text `numbers` with the table, and the mean of each score.
    """
    random = np.random.default_rng(settings.seed)
    batch_size = method_settings.batch_size
    deletion, insertion = replacement_areas(
        functions, inputs, with_baselines(maps, random), settings.replacement_steps, batch_size
    )
    pointing = pointing_hits(tuple(maps), functions, pointing_inputs, method_settings, random, key)
    correlations = rank_correlations(
        functions, inputs, maps, settings.randomized_shares, method_settings, random
    )
    columns = {"deletion": deletion, "insertion": insertion, "pointing": pointing}
    columns |= {f"shuffled {share:g}": scores for share, scores in correlations.items()}
    words = (
        f"{len(inputs.images)} maps of a method, "
        f"{len(pointing.get('random', []))} composites of four; "
        "mean ± standard deviation\n"
        "deletion, insertion: area under the probability; less and more are better\n"
        "pointing: share of composites where the maximum lies on the picture asked for\n"
        "shuffled: rank correlation with the maps of a network whose last share of layers is"
    )
    return {"numbers": f"{words}\n\n{scores_table(columns)}"} | mean_scores(columns)


def with_baselines(maps: Maps, random: np.random.Generator) -> Maps:
    """Returns the maps with two baselines that know nothing of the network.

    Args:
        maps: by method, the map of each image.
        random: generator of the noise.

    Returns:
        The maps, and `random`, uniform noise, and `center`, nearness to the center of the image,
        where photographers put their subject.
    """
    count, height, width = next(iter(maps.values())).shape
    rows = np.linspace(-1.0, 1.0, height).reshape(-1, 1)
    columns = np.linspace(-1.0, 1.0, width).reshape(1, -1)
    center = -np.broadcast_to(rows**2 + columns**2, (count, height, width))
    return maps | {"random": random.uniform(size=center.shape), "center": center}


def replacement_areas(
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    maps: Maps,
    steps: int,
    batch_size: int,
) -> tuple[Scores, Scores]:
    """Returns the areas under the probability of the target while pixels are replaced.

    Args:
        functions: the functions of the network.
        inputs: variables, images and targets.
        maps: by method or baseline, the map of each image.
        steps: number of steps.
        batch_size: number of images per pass.

    Returns:
        The areas of deletion, from the image to gray, where lower is better; and of insertion,
        from the blurred image to the image, where higher is better.
    """
    deletion: Scores = {name: [] for name in maps}
    insertion: Scores = {name: [] for name in maps}
    for index, image in enumerate(inputs.images):
        score = class_probability(functions, inputs.variables, inputs.targets[index])
        gray, blurry = np.full_like(image, GRAY), np.asarray(blurred(image, BLUR))
        for name, image_maps in maps.items():
            for start, end, areas in ((image, gray, deletion), (blurry, image, insertion)):
                curve = replacement_curve(score, start, end, image_maps[index], steps, batch_size)
                areas[name].append(area(curve))
    return deletion, insertion


def pointing_hits(
    names: tuple[str, ...],
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    settings: MethodSettings,
    random: np.random.Generator,
    key: Key[Array, ""],
) -> Scores:
    """Returns the hits of the pointing game on composites of 2x2 images.

    Each image is put into one quadrant, which changes in turn, beside three images of other
    classes. If fewer than three are available, they are repeated; an image without any is skipped.

    Args:
        names: the methods.
        functions: the functions of the network.
        inputs: variables, images, and the class that the network sees in each.
        settings: the settings with which composites are explained.
        random: generator that chooses the other images.
        key: random key of SmoothGrad.

    Returns:
        The share of each map's maxima that lie on the image asked for, usually 1 or 0; higher is
        better. The baseline `random` has the mean of guessing, and `center` the hits of the central
        pixel. Empty if all images are of one class.
    """
    grids, boxes, asked = [], [], []
    _, height, width, _ = inputs.images.shape
    for index, target in enumerate(inputs.targets):
        others = np.flatnonzero(inputs.targets != target)
        if len(others) == 0:
            continue
        chosen = list(random.choice(others, 3, replace=len(others) < 3))
        quadrant = len(grids) % 4
        chosen.insert(quadrant, index)
        grids.append(composite(inputs.images[chosen]))
        boxes.append(quadrants(height, width)[quadrant])
        asked.append(target)
    if not grids:
        return {}
    composites = inputs._replace(images=np.stack(grids), targets=np.array(asked))
    maps = attribution_maps(names, functions, composites, settings, key).maps
    hits = {
        name: [hit(map_, box) for map_, box in zip(method_maps, boxes, strict=True)]
        for name, method_maps in maps.items()
    }
    areas = [(box.bottom - box.top) * (box.right - box.left) / (height * width) for box in boxes]
    # The central pixel lies in the lower right quadrant.
    center = [float(box == quadrants(height, width)[3]) for box in boxes]
    return hits | {"random": areas, "center": center}


def rank_correlations(
    functions: AttributionFunctions,
    inputs: AttributionInputs,
    maps: Maps,
    shares: tuple[float, ...],
    settings: MethodSettings,
    random: np.random.Generator,
) -> dict[float, Scores]:
    """Returns how much maps resemble those of a network with shuffled parameters.

    Args:
        functions: the functions of the network.
        inputs: variables, images and targets that the maps were computed for.
        maps: by method, the map of each image; only methods of one pass are checked.
        shares: shares of the parameter arrays to shuffle, counted from the logits down.
        settings: the settings of the methods.
        random: generator of the permutations.

    Returns:
        By share, the rank correlation of each map before and after; near 0 for a method that
        depends on what the network learned.
    """
    names = tuple(name for name in maps if METHODS[name].is_one_pass)
    order = order_of_use(functions.probabilities, inputs.variables, jnp.asarray(inputs.images[:1]))
    correlations = {}
    for share in shares:
        shuffled = inputs._replace(variables=randomized(inputs.variables, order, share, random))
        # Methods of one pass draw nothing, so any key will do.
        changed = attribution_maps(names, functions, shuffled, settings, jax.random.key(0)).maps
        correlations[share] = {
            name: [
                rank_correlation(before, after)
                for before, after in zip(maps[name], changed[name], strict=True)
            ]
            for name in names
        }
    return correlations


def scores_table(columns: dict[str, Scores]) -> str:
    """Returns a table with a row for each method: mean and standard deviation over images."""
    titles = {name: method.title for name, method in METHODS.items()}
    titles |= {name: name for name in BASELINES}
    rows = {
        name: title
        for name, title in titles.items()
        if any(name in scores for scores in columns.values())
    }
    width = max(map(len, rows.values()))
    lines = [" " * width + "".join(f"  {title:>13}" for title in columns)]
    for name, label in rows.items():
        cells = [_cell(scores.get(name, [])) for scores in columns.values()]
        lines.append(f"{label:<{width}}" + "".join(f"  {cell:>13}" for cell in cells))
    return "\n".join(lines)


def mean_scores(columns: dict[str, Scores]) -> dict[str, float]:
    """Returns the mean over images of each score, by the names of its column and method."""
    return {
        f"{title.replace(' ', '_')}_{name}": float(np.mean(values))
        for title, scores in columns.items()
        for name, values in scores.items()
    }


def _cell(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3f}" if values else ""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"
