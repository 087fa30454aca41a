"""Depth from one photo: the distance of each pixel, by a U-Net.

    python launch.py --experiment=depth_rooms
    python launch.py --experiment=depth_rooms --scratch        # no pretrained network
    python launch.py --experiment=depth_rooms --dataset=made_rooms
    python launch.py --experiment=depth_rooms --images=my_room.jpg

Paper: Eigen et al., 2014, Depth map prediction from a single image using a multi-scale deep network
Data: 386 photos of rooms with depths (NYU Depth V2, a part), split by rooms, 64 of them for the
  test; else made rooms with exact depths
Cost: 2 to 3 minutes on two cores
Expected: mean relative error 0.264 +- 0.012 on 64 test photos, 3 seeds (mean depth of each place:
  0.382); see results/depth_rooms.md
"""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from lecture_models.config import require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.joint_views import random_views, resized
from lecture_models.data.lookup import Library
from lecture_models.experiment import Best, Evaluation, Experiment
from lecture_models.losses.depth import scale_invariant_error
from lecture_models.metrics.depth import depth_scores
from lecture_models.tasks.dense_config import SMOKE_FEATURES, FeatureConfig
from lecture_models.tasks.dense_prediction import (
    DenseNetwork,
    dense_experiment,
    held_out_pictures,
    judged_pictures,
    make_feature_network,
    own_pictures,
)
from lecture_models.tasks.depth import (
    MeanDepths,
    compared,
    depth_table,
    mean_depths,
    parallax,
    picture_errors,
)
from lecture_models.weights.pretrained import Weights

OWN_SIDE = 160  # Pixels.

Depths = Float32[np.ndarray, "picture height width"]  # In meters.


@dataclasses.dataclass(frozen=True)
class Config(FeatureConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "nyu_depth,made_rooms"
    scale_weight: float = 0.5  # Share of the common offset of log depths that costs nothing.

    def __post_init__(self):
        super().__post_init__()
        require_between(self, 0.0, 1.0, "scale_weight")


SMOKE = SMOKE_FEATURES | {"dataset": "made_rooms", "batch_size": 50, "views": 1}


def make_losses(config: Config, mean: MeanDepths):
    """Returns the loss of the U-Net's map, which is added to the logarithm of the mean map."""
    base = log_map(mean, config.side)

    def losses(maps, batch):
        predicted = maps[..., 0] + base
        truth = jnp.log(batch["depths"].astype(jnp.float32))
        return {"error": scale_invariant_error(predicted, truth, config.scale_weight)}

    return losses


def log_map(mean: MeanDepths, side: int) -> np.ndarray:
    return np.log(resized(mean.map, (side, side)))[None]


def compare(dataset: Dataset, mean: MeanDepths, found: Depths) -> Evaluation:
    """Returns the scores of depths of the test pictures, beside those of mean depths."""
    truth = dataset.test["depths"]
    rows = {
        "this network": found,
        "mean depth of each place": np.broadcast_to(mean.map, truth.shape),
        "mean depth": np.full(truth.shape, mean.number, np.float32),
    }
    scores = {name: depth_scores(depths, truth) for name, depths in rows.items()}
    own, places = scores["this network"], scores["mean depth of each place"]
    real = "nyu" in dataset.provenance.dataset
    return {
        **{f"test_{name}": value for name, value in own._asdict().items() if name != "known"},
        "mean_map_abs_rel": places.abs_rel,
        "mean_map_delta_1": places.delta_1,
        "comparison": depth_table(scores, f"{len(truth)} test pictures", real),
    }


def show_test(dataset: Dataset, found: Depths) -> Evaluation:
    """Returns the test pictures that fit best, in the middle and least, and one in motion."""
    photos, truth = dataset.test["pixels"], dataset.test["depths"]
    order, middle = np.argsort(picture_errors(found, truth)), len(truth) // 2
    shown = {
        "hits": ("the test pictures that fit best", order[:5]),
        "typical": ("test pictures of middle error", order[middle - 2 :][:5]),
        "misses": ("those that fit least", order[::-1][:5]),
    }
    first = order[0]
    words = "the test photo that fits best, seen from a point that swings left and right"
    return {
        **{name: compared(photos, found, truth, *chosen) for name, chosen in shown.items()},
        "parallax": parallax(photos[first], found[first], words),
    }


def make_evaluate(
    config: Config, network: DenseNetwork, dataset: Dataset, mean: MeanDepths, own: np.ndarray
) -> Callable[..., Evaluation]:
    judged = judged_pictures(network, held_out_pictures(dataset, own))

    def depths_of(state, name: str) -> Depths:
        base = np.log(resized(mean.map, judged.pixels[name].shape[1:3]))[None]
        return np.exp(judged.maps(state, name)[..., 0] + base)

    def evaluate(state, key):
        scores = depth_scores(depths_of(state, "validation"), dataset.validation["depths"])
        results: Evaluation = {
            "validation_abs_rel": scores.abs_rel,
            "validation_delta_1": scores.delta_1,
            "alarm_network": "" if network.source is None else network.source.alarm,
        }
        if len(own):
            depths = depths_of(state, "own")
            results["own_pictures"] = compared(
                own, depths, depths, "your photos; no truth, so no error", range(len(own))
            )
            results["own_parallax"] = parallax(own[0], depths[0], "your first photo, by its depth")
        if int(state.step) < config.num_steps:
            return results
        found = depths_of(state, "test")
        return results | compare(dataset, mean, found) | show_test(dataset, found)

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the weights.
    network = make_feature_network(config, 1, weights)
    dataset = library.load(config.dataset)
    if "depths" not in dataset.train.arrays:
        raise DataError(f"--dataset={config.dataset} has no pictures with depths")
    own = own_pictures(library, config.images, OWN_SIDE)
    generator = np.random.default_rng(config.seed)
    views = random_views(dataset.train.arrays, config.views, generator, config.least_part)
    mean = mean_depths(dataset.train["depths"])
    size = (config.side, config.side)
    depths = np.stack([resized(depth, size) for depth in views["depths"]])
    arrays = network.inputs(views["pixels"]) | {"depths": depths.astype(np.float16)}
    return dense_experiment(
        config,
        network,
        ArrayBatches(arrays, config.batch_size, config.seed),
        make_losses(config, mean),
        make_evaluate(config, network, dataset, mean, own),
        Best("validation_abs_rel", -1.0),
    )
