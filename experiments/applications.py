"""One photo, everything at once: classes, box, mask, depth, what decides, colors of another photo.

    python launch.py --experiment=applications
    python launch.py --experiment=applications --images=my_photo.jpg
    python launch.py --experiment=applications --images=a.jpg,b.jpg --style=my_painting.jpg

Paper: the lecture's slide of applications; Eigen and Fergus, 2015, one network for several maps
Data: photos of horses with masks and photos of rooms with depths, for one U-Net with two maps;
  else made pictures and rooms. Its classes are those of the pretrained network
Cost: 3 to 5 minutes on two cores; a trained run answers for other photos:
  --evaluate=RUN --images=...
Expected: the scores of the U-Net on test pictures beside the sheet; no run is published yet
"""

import dataclasses
from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np

from lecture_models.config import require_at_least
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError
from lecture_models.data.joint_views import random_views, resized
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images, LabeledBox
from lecture_models.image_space.colors import match_colors
from lecture_models.losses.depth import scale_invariant_error
from lecture_models.losses.segmentation import dice_loss, pixel_cross_entropy
from lecture_models.metrics.depth import depth_scores
from lecture_models.metrics.segmentation import mask_scores
from lecture_models.plots.figure import shorten
from lecture_models.plots.heat import heat_colors
from lecture_models.plots.overlay import draw_overlay
from lecture_models.tasks.activation_maps import Seen, seen_by
from lecture_models.tasks.dense_config import SMOKE_FEATURES, FeatureConfig
from lecture_models.tasks.dense_prediction import (
    DenseNetwork,
    dense_experiment,
    judged_pictures,
    make_feature_network,
)
from lecture_models.tasks.depth import mean_depths
from lecture_models.tasks.localization import heat_box
from lecture_models.tasks.segmentation import require_masks
from lecture_models.weights.pretrained import Weights

SIDE = 224  # Pixels of a panel.
PANELS = "class and box, mask, depth (dark is near), what decides the class, colors of --style"
SHOWN = 2  # Test pictures of each data set, where no photo is named.
CLASSES = 5  # The most probable ones are listed.
FARTHEST = 8.0  # Meters; the color of what is farther is the same.


@dataclasses.dataclass(frozen=True)
class Config(FeatureConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "weizmann_horses,made_objects"  # Pictures with masks.
    rooms: str = "nyu_depth,made_rooms"  # Pictures with depths; likewise.
    style: str = "flower"  # The picture whose colors the last panel has: a file or a sample.
    num_steps: int = 600
    views: int = 2
    eval_every: int = 600

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "batch_size")
        if self.scratch:
            raise ValueError("--scratch has no classes; this experiment needs a pretrained --model")


SMOKE = SMOKE_FEATURES | {"dataset": "made_objects", "rooms": "made_rooms", "views": 1}


@dataclasses.dataclass(frozen=True, eq=False)
class HalfAndHalf:
    """Joins batches of pictures with masks and of as many with depths, masks first."""

    masked: ArrayBatches
    deep: ArrayBatches

    def __call__(self, first_step: int) -> Iterator[dict[str, np.ndarray]]:
        for one, other in zip(self.masked(first_step), self.deep(first_step), strict=False):
            shared = {
                name: np.concatenate([one[name], other[name]]) for name in ("images", "features")
            }
            yield shared | {"masks": one["masks"], "depths": other["depths"]}


def make_losses(base: np.ndarray):
    """Returns the losses of masks in the first half of a batch, and of depths in the second."""

    def losses(maps, batch):
        half = len(batch["masks"])
        logits, masks = maps[:half, ..., 0], batch["masks"].astype(maps.dtype)
        truth = jnp.log(batch["depths"].astype(jnp.float32))
        return {
            "nats": pixel_cross_entropy(logits, masks),
            "dice_loss": dice_loss(logits, masks),
            "depth": scale_invariant_error(maps[half:, ..., 1] + base, truth),
        }

    return losses


def sheet(
    pixels: np.ndarray, masks: np.ndarray, depths: np.ndarray, seen: Seen, names: list[str], style
) -> Images:
    """Returns one row of panels for each photo."""
    rows = []
    painted = np.asarray(match_colors(jnp.asarray(images_from_uint8(pixels)), style))
    for number, picture in enumerate(images_from_uint8(pixels)):
        mask, heat = masks[number], seen.heats[number]
        found = mask.astype(np.float32) if mask.any() else heat  # A box of what there is.
        edges = [float(edge) * SIDE for edge in heat_box(found, 0.5 if mask.any() else 0.3)]
        score = float(seen.probabilities[number].max())
        box = (LabeledBox(*edges, names[number], score),)
        share = heat / max(float(heat.max()), 1e-6)
        rows += [
            draw_overlay(picture[None], (box,))[0],
            draw_overlay(picture[None], masks=mask[None].astype(np.int32))[0],
            heat_colors(depths[number], 0.0, FARTHEST),
            0.5 * picture + 0.5 * heat_colors(share, 0.0, 1.0, "inferno"),
            painted[number].clip(-1.0, 1.0),
        ]
    return Images(np.stack(rows).astype(np.float32), 5, f"each photo: {PANELS}")


def class_table(seen: Seen, classes: tuple[str, ...]) -> DataTable:
    rows = []
    for number, row in enumerate(seen.probabilities, 1):
        best = np.argsort(-row, kind="stable")[:CLASSES]
        rows += [(number, shorten(classes[label], 30), 100.0 * float(row[label])) for label in best]
    return DataTable(("photo", "class", "probability, %"), tuple(rows), "most probable classes")


def make_evaluate(
    config: Config, network: DenseNetwork, dataset, rooms, base_map, own: np.ndarray, style
) -> Callable[..., Evaluation]:
    pixels = {"masked": dataset.test["pixels"], "deep": rooms.test["pixels"], "own": own}
    judged = judged_pictures(network, pixels)
    seen = seen_by(network.source, own)
    classes = network.source.classes
    names = [shorten(classes[row.argmax()], 18) for row in seen.probabilities]

    def maps_of(state, name: str) -> tuple[np.ndarray, np.ndarray]:
        maps = judged.maps(state, name)
        base = np.log(resized(base_map, maps.shape[1:3]))[None]
        depths = np.exp(maps[..., 1] + base)
        return (maps[..., 0] > 0.0).astype(np.uint8), depths

    def evaluate(state, key):
        results: Evaluation = {
            "photos": sheet(own, *maps_of(state, "own"), seen, names, style),
            "classes": class_table(seen, classes),
            "alarm_network": network.source.alarm,
        }
        if int(state.step) < config.num_steps:
            return results
        masks, _ = maps_of(state, "masked")
        _, depths = maps_of(state, "deep")
        scores = depth_scores(depths, rooms.test["depths"])
        return results | {
            "test_iou": mask_scores(masks, dataset.test["masks"]).object_iou,
            "test_abs_rel": scores.abs_rel,
            "test_delta_1": scores.delta_1,
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures((*config.images, config.style))  # Cheap: before the weights are read.
    network = make_feature_network(config, 2, weights)
    if not network.source.classes:
        raise DataError(f"--model={config.model} has no classes; choose a classifier")
    dataset, rooms = library.load(config.dataset), library.load(config.rooms)
    require_masks(dataset.train, config.dataset)
    if "depths" not in rooms.train.arrays:
        raise DataError(f"--rooms={config.rooms} has no pictures with depths")
    if config.images:
        own = np.stack([file.pixels for file in library.pictures(config.images, SIDE)])
    else:
        tests = [picture for split in (dataset, rooms) for picture in split.test["pixels"][:SHOWN]]
        own = np.stack([resized(picture, (SIDE, SIDE)) for picture in tests])
    style = jnp.asarray(images_from_uint8(library.picture(config.style, SIDE).pixels[None]))
    generator, size = np.random.default_rng(config.seed), (config.side, config.side)
    views = [
        random_views(split.arrays, config.views, generator, config.least_part)
        for split in (dataset.train, rooms.train)
    ]
    mean = mean_depths(rooms.train["depths"]).map
    masks = np.stack([resized(255 * mask, size) >= 128 for mask in views[0]["masks"]])
    depths = np.stack([resized(depth, size) for depth in views[1]["depths"]])
    half = config.batch_size // 2
    arrays = (
        network.inputs(views[0]["pixels"]) | {"masks": masks.astype(np.uint8)},
        network.inputs(views[1]["pixels"]) | {"depths": depths.astype(np.float16)},
    )
    batches = HalfAndHalf(*(ArrayBatches(part, half, config.seed) for part in arrays))
    losses = make_losses(np.log(resized(mean, size))[None])
    evaluate = make_evaluate(config, network, dataset, rooms, mean, own, style)
    return dense_experiment(config, network, batches, losses, evaluate)
