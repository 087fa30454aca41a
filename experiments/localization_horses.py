"""Classification and localization: one box around the object of each picture.

    python launch.py --experiment=localization_horses
    python launch.py --experiment=localization_horses --scratch         # no pretrained network
    python launch.py --experiment=localization_horses --dataset=made_objects   # three classes
    python launch.py --experiment=localization_horses --images=my_horse.jpg

Paper: Sermanet et al., 2014, OverFeat: a regression of the box beside the classifier
Data: 327 photos of horses, 49 of them for the test; else made pictures of shapes
Cost: 4 minutes on two cores beside other work
Expected: mean IoU 0.880 +- 0.002 with the boxes of 49 test photos, 3 seeds (mean box: 0.775);
  see results/localization_horses.md
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Best, Cadence, DataTable, Evaluation, Experiment
from lecture_models.models.localizer import Localizer
from lecture_models.nn.boxes import decode, encode, generalized_iou
from lecture_models.steps.descent import TrainState, descend, init_train_state, warmup_cosine
from lecture_models.tasks.activation_maps import seen_by
from lecture_models.tasks.codes import (
    feature_grids,
    input_side,
    make_layer_reader,
    resizing_network,
)
from lecture_models.tasks.layers import cam_layer, layer_shapes
from lecture_models.tasks.localization import (
    BoxedPictures,
    augmented,
    boxed,
    drawn,
    heat_box,
    overlaps,
    small_images,
)
from lecture_models.weights.network import Pretrained
from lecture_models.weights.pretrained import Weights

CENTERED = np.array([0.25, 0.25, 0.75, 0.75], np.float32)
THRESHOLDS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5)  # Of the class activation map, chosen on validation.
LEAST_ROWS = 14  # Of the maps that tell where an edge is; chosen on validation.
SCRATCH = (32, 48, 64, 96)  # Channels of the convolutions of a network from scratch.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "weizmann_horses,made_objects"
    model: str = "googlenet_bvlc,untrained"  # The network whose features are read; likewise.
    layer: str = ""  # Of that network; empty for its last one with 14 rows or more.
    scratch: bool = False  # Convolutions of its own, in place of the features of `model`.
    images: tuple[str, ...] = ()  # Your own pictures, in which a box is drawn.
    seed: int = 0
    batch_size: int = 32
    num_steps: int = 1_200
    views: int = 6  # Of each training picture: as it is, mirrored, and crops.
    side: int = 96  # Pixels of the input of a network from scratch.
    reduced: int = 32  # Channels to which those of the features are reduced.
    hidden: int = 256  # Features before the heads.
    dropout: float = 0.2
    overlap_weight: float = 1.0  # Of 1 - GIoU, beside the distance of the codes.
    learning_rate: float = 1e-3  # Adam's peak: a warmup, then a cosine to 0.
    weight_decay: float = 1e-3
    feature_batch: int = 16  # Pictures at once in the network whose features are read.
    log_every: int = 100
    eval_every: int = 600
    checkpoint_every: int = 600

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "views", "reduced", "hidden", "feature_batch")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 16, "side")
        require_at_least(self, 0, "seed", "overlap_weight", "learning_rate", "weight_decay")
        require_between(self, 0.0, 0.95, "dropout")


SMOKE = {
    "dataset": "made_objects",
    "model": "untrained",
    "batch_size": 50,
    "num_steps": 6,
    "views": 3,
    "reduced": 4,
    "hidden": 8,
    "feature_batch": 60,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}


class Prepared(NamedTuple):
    """Holds the pictures of all splits, and what the localizer reads of them.

    Attributes:
        train: the training pictures, with their views.
        validation: those on which the threshold of the baseline is chosen.
        test: those that are looked at once, at the end.
        own: the user's.
        inputs: returns feature maps or small images of pictures.
        classes: the names of the classes.
    """

    train: BoxedPictures
    validation: BoxedPictures
    test: BoxedPictures
    own: BoxedPictures
    inputs: Callable[[np.ndarray], np.ndarray]
    classes: tuple[str, ...]


class Standard(NamedTuple):
    """Holds mean and deviation of the codes of the training boxes; a network predicts multiples."""

    mean: Float32[np.ndarray, "4"]
    deviation: Float32[np.ndarray, "4"]

    def boxes(self, standardized: Float[Array, "batch 4"]) -> Float[Array, "batch 4"]:
        return decode(standardized * self.deviation[None] + self.mean[None])


def prepare(config: Config, library: Library, network: Pretrained | None) -> Prepared:
    dataset = library.load(config.dataset)
    if "boxes" not in dataset.train.arrays:
        raise DataError(f"--dataset={config.dataset} has no pictures with one box each")
    side = dataset.train["pixels"].shape[1]
    own = library.pictures(config.images, side) if config.images else []
    own_pixels = np.array([file.pixels for file in own], np.uint8).reshape(-1, side, side, 3)
    no_boxes = np.zeros((len(own), 4), np.float32)
    train = augmented(boxed(dataset.train), config.views, np.random.default_rng(config.seed))
    splits = (train, boxed(dataset.validation), boxed(dataset.test))
    own_pictures = BoxedPictures(own_pixels, no_boxes, np.zeros(len(own), np.int32))
    if network is None:
        return Prepared(
            *splits, own_pictures, lambda pixels: small_images(pixels, config.side), dataset.classes
        )
    reader = make_layer_reader(network, fine_maps(config, network), input_side(network, 0))

    def inputs(pixels: np.ndarray) -> np.ndarray:
        if not len(pixels):
            return np.zeros((0, *reader.shape), np.float16)
        grids = feature_grids(network, reader, pixels, config.feature_batch)
        return grids.reshape(-1, *reader.shape)

    return Prepared(*splits, own_pictures, inputs, dataset.classes)


def fine_maps(config: Config, network: Pretrained) -> str:
    """Returns the layer that was named, or the last one that is not too coarse for a box."""
    side = input_side(network, 0)
    shapes = layer_shapes(resizing_network(network, side), network, (side, side))
    fine = [name for name, shape in shapes.items() if len(shape) == 4 and shape[1] >= LEAST_ROWS]
    return config.layer or (fine[-1] if fine else cam_layer(shapes, ""))


def make_step(config: Config, model: Localizer, standard: Standard, optimizer):
    def step(state: TrainState, batch, key):
        maps = batch["maps"].astype(jnp.float32)
        codes = (encode(batch["boxes"]) - standard.mean[None]) / standard.deviation[None]

        def loss(params):
            logits, predicted = model.apply({"params": params}, maps, True, rngs={"dropout": key})
            distance = optax.huber_loss(predicted, codes).sum(axis=1).mean()
            overlap = generalized_iou(standard.boxes(predicted), batch["boxes"]).mean()
            labels = batch["labels"]
            nats = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
            total = nats + distance + config.overlap_weight * (1.0 - overlap)
            return total, {"nats": nats, "distance": distance, "giou": overlap}

        return descend(optimizer, state, loss)

    return step


def cam_row(network: Pretrained | None, prepared: Prepared):
    """Returns the boxes of Grad-CAM, a detector without training; None without class scores."""
    if network is None or not network.classes:
        return None
    splits = {"validation": prepared.validation, "test": prepared.test}
    heats = {name: seen_by(network, split.pixels).heats for name, split in splits.items()}

    def boxes(name: str, threshold: float) -> np.ndarray:
        return np.stack([heat_box(heat, threshold) for heat in heats[name]])

    best = max(
        THRESHOLDS,
        key=lambda threshold: (
            overlaps(boxes("validation", threshold), prepared.validation.boxes).mean
        ),
    )
    return boxes("test", best)


def names_of(labels: np.ndarray, classes: tuple[str, ...]) -> list[str]:
    return [classes[label] for label in labels]


def test_results(
    prepared: Prepared,
    network: Pretrained | None,
    mean_box: np.ndarray,
    labels: np.ndarray,
    boxes: np.ndarray,
) -> Evaluation:
    """Returns what is said about the test pictures, after the last step alone."""
    test, truth = prepared.test, prepared.test.boxes
    rows = {"this network": boxes}
    if (activation := cam_row(network, prepared)) is not None:
        rows["Grad-CAM of the most probable class, not trained"] = activation
    rows["mean box of the training pictures"] = np.tile(mean_box, (len(truth), 1))
    rows["middle half"] = np.tile(CENTERED, (len(truth), 1))
    scores = {name: overlaps(found, truth) for name, found in rows.items()}
    shown = (test.pixels, boxes, names_of(labels, prepared.classes), truth)
    return {
        "test_iou": scores["this network"].mean,
        "test_found_percent": scores["this network"].found,
        "test_class_percent": 100.0 * float((labels == test.labels).mean()),
        "mean_box_iou": scores["mean box of the training pictures"].mean,
        "comparison": DataTable(
            ("box", "mean IoU", "IoU above 0.5, %"),
            tuple((name, score.mean, score.found) for name, score in scores.items()),
            f"{len(truth)} test pictures",
        ),
        "hits": drawn(*shown, "test pictures; the number is the IoU with the truth"),
        "misses": drawn(*shown, "the test pictures with the least IoU", np.argsort),
    }


def make_evaluate(
    config: Config,
    model: Localizer,
    prepared: Prepared,
    standard: Standard,
    network: Pretrained | None,
) -> Callable[[TrainState, Key[Array, ""]], Evaluation]:
    predict = jax.jit(lambda params, maps: model.apply({"params": params}, maps))
    maps = {
        name: prepared.inputs(getattr(prepared, name).pixels).astype(np.float32)
        for name in ("validation", "test", "own")
    }
    mean_box = np.asarray(standard.boxes(jnp.zeros((1, 4))))[0]

    def found(params, name: str) -> tuple[np.ndarray, np.ndarray]:
        logits, codes = predict(params, jnp.asarray(maps[name]))
        return np.asarray(logits).argmax(axis=1), np.clip(np.asarray(standard.boxes(codes)), 0, 1)

    def evaluate(state, key):
        labels, boxes = found(state.params, "validation")
        results: Evaluation = {
            "validation_iou": overlaps(boxes, prepared.validation.boxes).mean,
            "validation_class_percent": 100.0
            * float((labels == prepared.validation.labels).mean()),
            "alarm_network": "" if network is None else network.alarm,
        }
        if len(prepared.own.pixels):
            labels, boxes = found(state.params, "own")
            names = names_of(labels, prepared.classes)
            results["own_pictures"] = drawn(
                prepared.own.pixels, boxes, names, None, "your pictures, squeezed"
            )
        _, (adam, *_) = state.optimizer_state
        if int(adam.count) < config.num_steps:  # Adam counts its steps.
            return results
        found_in_test = found(state.params, "test")
        return results | test_results(prepared, network, mean_box, *found_in_test)

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the weights.
    network = None if config.scratch else weights.load(config.model)
    prepared = prepare(config, library, network)
    codes = np.asarray(encode(jnp.asarray(prepared.train.boxes)))
    standard = Standard(codes.mean(axis=0), codes.std(axis=0) + np.float32(1e-6))
    model = Localizer(
        len(prepared.classes),
        SCRATCH if config.scratch else (),
        config.reduced,
        config.hidden,
        config.dropout,
    )
    schedule = warmup_cosine(config.learning_rate, config.num_steps)
    clip = optax.clip_by_global_norm(1.0)
    optimizer = optax.chain(clip, optax.adamw(schedule, weight_decay=config.weight_decay))
    arrays = {
        "maps": prepared.inputs(prepared.train.pixels),
        "boxes": prepared.train.boxes,
        "labels": prepared.train.labels,
    }

    def init(key):
        variables = model.init(key, jnp.zeros((1, *arrays["maps"].shape[1:])))
        return init_train_state(optimizer, variables["params"])

    return Experiment(
        init,
        make_step(config, model, standard, optimizer),
        make_evaluate(config, model, prepared, standard, network),
        ArrayBatches(arrays, config.batch_size, config.seed),
        Best("validation_iou"),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
