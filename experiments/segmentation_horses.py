"""Segmentation: which pixels belong to the object, by a U-Net.

    python launch.py --experiment=segmentation_horses
    python launch.py --experiment=segmentation_horses --scratch        # no pretrained network
    python launch.py --experiment=segmentation_horses --dataset=made_objects
    python launch.py --experiment=segmentation_horses --images=my_horse.jpg

Paper: Ronneberger et al., 2015, U-Net
Data: 327 photos of horses with masks, 49 of them for the test; else made pictures of shapes
Cost: 2 minutes on two cores
Expected: IoU 0.869 +- 0.003 of the horse on 49 test photos, 3 seeds (mean mask: 0.541); see
  results/segmentation_horses.md
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset
from lecture_models.data.joint_views import random_views, resized
from lecture_models.data.lookup import Library
from lecture_models.experiment import Best, DataTable, Evaluation, Experiment
from lecture_models.losses.segmentation import dice_loss, pixel_cross_entropy
from lecture_models.metrics.segmentation import mask_scores
from lecture_models.tasks.dense_config import SMOKE_FEATURES, FeatureConfig
from lecture_models.tasks.dense_prediction import (
    DenseNetwork,
    dense_experiment,
    held_out_pictures,
    judged_pictures,
    make_feature_network,
    own_pictures,
)
from lecture_models.tasks.segmentation import drawn_masks, mask_baselines, require_masks
from lecture_models.weights.pretrained import Weights

COLORS = "blue: found and true; orange: found, not true; red: missed"


@dataclasses.dataclass(frozen=True)
class Config(FeatureConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "weizmann_horses,made_objects"


SMOKE = SMOKE_FEATURES | {"dataset": "made_objects", "batch_size": 50, "views": 1}


def losses(maps, batch):
    logits, masks = maps[..., 0], batch["masks"].astype(maps.dtype)
    return {"nats": pixel_cross_entropy(logits, masks), "dice_loss": dice_loss(logits, masks)}


def make_evaluate(
    config: Config, network: DenseNetwork, dataset: Dataset, own: np.ndarray
) -> Callable[..., Evaluation]:
    judged = judged_pictures(network, held_out_pictures(dataset, own))

    def found(state, name: str) -> np.ndarray:
        return (judged.maps(state, name)[..., 0] > 0.0).astype(np.uint8)

    def test_results(state) -> Evaluation:
        test = dataset.test
        baselines = mask_baselines(dataset.train, dataset.validation, test["pixels"])
        rows = {
            "this network": found(state, "test"),
            "brightness, Otsu's threshold": baselines.otsu,
            "color, share among training pixels": baselines.colors,
            "place, share of training masks": baselines.places,
        }
        scores = {name: mask_scores(masks, test["masks"]) for name, masks in rows.items()}
        own_scores, masks = scores["this network"], rows["this network"]
        shown = (test["pixels"], masks, test["masks"])
        table = tuple((name, *(100.0 * value for value in row)) for name, row in scores.items())
        columns = ("mask", "IoU, %", "mean IoU of object and background, %", "Dice, %", "right, %")
        return {
            "test_iou": own_scores.object_iou,
            "test_mean_iou": own_scores.mean_iou,
            "test_dice": own_scores.dice,
            "test_pixel_percent": 100.0 * own_scores.accuracy,
            "comparison": DataTable(columns, table, f"{len(test)} test pictures"),
            "hits": drawn_masks(*shown, f"test pictures; {COLORS}"),
            "misses": drawn_masks(*shown, f"test pictures with the least IoU; {COLORS}", True),
        }

    def evaluate(state, key):
        scores = mask_scores(found(state, "validation"), dataset.validation["masks"])
        results: Evaluation = {
            "validation_iou": scores.object_iou,
            "validation_mean_iou": scores.mean_iou,
            "alarm_network": "" if network.source is None else network.source.alarm,
        }
        if len(own):
            results["own_pictures"] = drawn_masks(own, found(state, "own"), None, "your pictures")
        if int(state.step) < config.num_steps:
            return results
        return results | test_results(state)

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the weights.
    network = make_feature_network(config, 1, weights)
    dataset = library.load(config.dataset)
    require_masks(dataset.train, config.dataset)
    own = own_pictures(library, config.images, dataset.train["pixels"].shape[1])
    generator = np.random.default_rng(config.seed)
    views = random_views(dataset.train.arrays, config.views, generator, config.least_part)
    size = (config.side, config.side)
    masks = np.stack([resized(255 * mask, size) >= 128 for mask in views["masks"]])
    arrays = network.inputs(views["pixels"]) | {"masks": masks.astype(np.uint8)}
    evaluate = make_evaluate(config, network, dataset, own)
    batches = ArrayBatches(arrays, config.batch_size, config.seed)
    return dense_experiment(config, network, batches, losses, evaluate, Best("validation_iou"))
