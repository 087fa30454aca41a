"""Instance segmentation: which pixels belong to which nucleus, by a U-Net and a watershed.

    python launch.py --experiment=instance_nuclei
    python launch.py --experiment=instance_nuclei --dataset=made_nuclei
    python launch.py --experiment=instance_nuclei --images=my_cells.png

Paper: Ronneberger et al., 2015, U-Net; the Data Science Bowl of 2018, Caicedo et al., 2019
Data: 220 fluorescence pictures with 6,253 nuclei, 40 of them for the test; else made ellipses
Cost: 3 to 5 minutes on two cores
Expected: no run is published yet; the scores stand beside those of thresholds
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.config import require_at_least
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset
from lecture_models.data.joint_views import random_views, resized
from lecture_models.data.lookup import Library
from lecture_models.experiment import Best, DataTable, Evaluation, Experiment
from lecture_models.losses.segmentation import dice_loss, pixel_cross_entropy
from lecture_models.tasks.dense_config import SMOKE_DENSE, DenseConfig
from lecture_models.tasks.dense_prediction import (
    DenseNetwork,
    dense_experiment,
    held_out_pictures,
    judged_pictures,
    make_network,
    own_pictures,
)
from lecture_models.tasks.instances import (
    InstanceResults,
    drawn_instances,
    edge_distances,
    judge_instances,
    otsu_instances,
    separated,
    stretched,
)
from lecture_models.tasks.segmentation import require_masks

FOLD = 4  # Pixels of a side of the squares that the U-Net folds.
PEAKS = (0.3, 0.4, 0.5, 0.6, 0.7)  # Distances from which a seed begins, chosen on validation.

Separate = Callable[[float], list[np.ndarray]]  # Maps the distance of a seed to instances.


@dataclasses.dataclass(frozen=True)
class Config(DenseConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "dsb2018_nuclei,made_nuclei"
    batch_size: int = 4
    num_steps: int = 600
    views: int = 8
    side: int = 256
    widths: tuple[int, ...] = (24, 32, 48, 64)
    distance_weight: float = 4.0  # Of the squared error of distances from the edge.
    learning_rate: float = 3e-3
    eval_every: int = 600

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 0.0, "distance_weight")


SMOKE = SMOKE_DENSE | {"dataset": "made_nuclei", "batch_size": 20, "views": 1, "side": 32}


def make_losses(config: Config):
    """Returns the losses of the two maps: log-odds of the inside, and distance from the edge."""

    def losses(maps, batch):
        logits, distances = maps[..., 0], jax.nn.sigmoid(maps[..., 1])
        truth = batch["distances"].astype(jnp.float32)
        inside = (truth > 0.0).astype(jnp.float32)
        squares = ((distances - truth) ** 2).mean(axis=(1, 2))
        return {
            "nats": pixel_cross_entropy(logits, inside),
            "dice_loss": dice_loss(logits, inside),
            "distance": config.distance_weight * squares,
        }

    return losses


def row(name: str, results: InstanceResults) -> tuple:
    return (name, *(100.0 * value for value in results[:3]), *results[3:])


def compare(dataset: Dataset, separate: Separate, peak: float) -> Evaluation:
    """Returns the scores of the test pictures' instances, beside those of thresholds."""
    test, truth = dataset.test["pixels"], dataset.test["masks"]
    masks = separate(peak)
    rows = {
        "this network, watershed": masks,
        "this network, connected parts": separate(-1.0),
        "Otsu's threshold, watershed": otsu_instances(test, split=True),
        "Otsu's threshold, connected parts": otsu_instances(test, split=False),
    }
    results = {name: judge_instances(one, truth) for name, one in rows.items()}
    ours = results["this network, watershed"]
    columns = ("objects", "score at 0.5, %", "at 0.75, %", "mean of 0.5 to 0.95, %")
    columns += ("error of the count", "missed", "merged", "split")
    caption = f"{len(truth)} test pictures with {sum(int(one.max()) for one in truth)} objects"
    table = tuple(row(name, one) for name, one in results.items())
    return {
        "test_score_50": ours.half,
        "test_score_75": ours.three_quarters,
        "test_bowl_score": ours.bowl,
        "test_count_error": ours.count_error,
        "otsu_score_50": max(one.half for name, one in results.items() if "Otsu" in name),
        "peak": peak,
        "comparison": DataTable(columns, table, caption),
        **show_test(test, masks, truth),
    }


def show_test(test: np.ndarray, masks: list[np.ndarray], truth: np.ndarray) -> Evaluation:
    """Returns the first test pictures, and those with the least score."""
    scores = [
        judge_instances([one], other[None]).bowl for one, other in zip(masks, truth, strict=True)
    ]
    shown = {
        "hits": ("test pictures", np.arange(min(6, len(test)))),
        "misses": (
            "test pictures with the least score",
            np.argsort(scores, kind="stable")[:6],
        ),
    }
    return {
        name: drawn_instances(test, masks, truth, f"{words}; each truth, then ours", order)
        for name, (words, order) in shown.items()
    }


def make_evaluate(
    config: Config, network: DenseNetwork, dataset: Dataset, own: np.ndarray
) -> Callable[..., Evaluation]:
    judged = judged_pictures(network, held_out_pictures(dataset, own), stretched)

    def found(state, name: str) -> Separate:
        maps = judged.maps(state, name)
        distances = 1.0 / (1.0 + np.exp(-maps[..., 1]))
        pairs = list(zip(maps[..., 0], distances, strict=True))
        return lambda peak: [separated(inside, far, peak) for inside, far in pairs]

    def evaluate(state, key):
        separate, truth = found(state, "validation"), dataset.validation["masks"]
        scores = {peak: judge_instances(separate(peak), truth) for peak in PEAKS}
        best = max(PEAKS, key=lambda peak: scores[peak].bowl)
        results: Evaluation = {
            "validation_score_50": scores[best].half,
            "validation_bowl_score": scores[best].bowl,
        }
        if len(own):
            objects = found(state, "own")(best)
            counts = ", ".join(str(int(one.max())) for one in objects)
            caption = f"your pictures: {counts} objects"
            order = np.arange(len(own))
            results["own_pictures"] = drawn_instances(own, objects, None, caption, order)
        if int(state.step) < config.num_steps:
            return results
        return results | compare(dataset, found(state, "test"), best)

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the data.
    dataset = library.load(config.dataset)
    require_masks(dataset.train, config.dataset)
    network = make_network(config, 2, FOLD)
    own = own_pictures(library, config.images, dataset.train["pixels"].shape[1])
    generator = np.random.default_rng(config.seed)
    least = config.least_part
    arrays = dict(dataset.train.arrays) | {"pixels": stretched(dataset.train["pixels"])}
    views = random_views(arrays, config.views, generator, least, upend=True)
    size = (config.side, config.side)
    distances = [resized(distance, size) for distance in edge_distances(views["masks"])]
    arrays = network.inputs(views["pixels"]) | {"distances": np.array(distances, np.float16)}
    return dense_experiment(
        config,
        network,
        ArrayBatches(arrays, config.batch_size, config.seed),
        make_losses(config),
        make_evaluate(config, network, dataset, own),
        Best("validation_bowl_score"),
    )
