"""Detection: several objects of several classes, by a single-shot detector with anchors.

    python launch.py --experiment=detection_cells
    python launch.py --experiment=detection_cells --dataset=made_digit_scenes --nomirror
    python launch.py --experiment=detection_cells --images=my_smear.jpg

Paper: Liu et al., 2016, SSD: single shot multibox detector; Lin et al., 2017, Focal loss for dense
  object detection
Data: 364 photos of blood cells with 4,886 boxes of three classes, 72 of them for the test; else
  made scenes of handwritten digits
Cost: 4 to 5 minutes on two cores beside other work
Expected: mAP@.5 88.2 +- 0.4 % on 72 test photos, 3 seeds (sliding window: 62.1 %); see
  results/detection_cells.md
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset
from lecture_models.data.lookup import Library
from lecture_models.evaluators.coco import coco_average_precision, has_pycocotools
from lecture_models.experiment import Best, DataTable, Evaluation, Experiment, Images
from lecture_models.metrics.detection import (
    IOU_THRESHOLDS,
    Found,
    average_precision,
    count_errors,
    precision_recall,
)
from lecture_models.nn.anchors import covered_share
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.dense_config import SMOKE_DENSE, DenseConfig
from lecture_models.tasks.dense_prediction import (
    DenseNetwork,
    dense_experiment,
    held_out_pictures,
    judged_pictures,
    make_network,
    own_pictures,
)
from lecture_models.tasks.detection import (
    Detector,
    drawn_boxes,
    judged,
    make_detector,
    require_boxes,
    training_arrays,
    true_boxes,
)
from lecture_models.tasks.sliding_window import find_windows, fit_windows

FOLD = 4  # Pixels of a side of the places at which anchors are.
KINDS = ("right", "wrong", "missed")
SHARES = tuple(np.linspace(0.1, 0.9, 17).tolist())  # Least scores to choose from.


@dataclasses.dataclass(frozen=True)
class Config(DenseConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "bccd,made_digit_scenes"
    batch_size: int = 4
    num_steps: int = 1_500
    views: int = 12
    least_part: float = 0.85
    learning_rate: float = 3e-3
    side: int = 160
    widths: tuple[int, ...] = (32, 48, 64)
    anchors: int = 3  # Sizes at each place, the clusters of the training boxes' sizes.
    suppression: float = 0.5  # Overlap above which the worse of two boxes is left out.
    mirror: bool = True  # Mirrors both ways in training and test; --nomirror for digits.
    eval_every: int = 750

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "anchors")
        require_between(self, 0.0, 1.0, "suppression")


SMOKE = SMOKE_DENSE | {
    "dataset": "made_digit_scenes",
    "batch_size": 30,
    "views": 1,
    "side": 32,
    "anchors": 2,
}


def precision_curves(found: list[Found], truth: list[Found], classes: tuple[str, ...]) -> Images:
    curves = []
    for label, name in enumerate(classes):
        curve = precision_recall(found, truth, label)
        words = f"{name}: AP {curve.average:.3f}"
        curves.append(Curve(words, curve.recall, curve.precision, label))
    picture = line_plot(curves, ("recall", "precision"), limits=(0.0, 1.02))
    return Images(picture[None], 1, "precision and recall on the test pictures, IoU at least 0.5")


def best_score(found: list[Found], truth: list[Found], classes: int) -> float:
    """Returns the least score with which counts are nearest to the truth, over all classes."""

    def error(least: float) -> float:
        return sum(
            np.abs(count_errors(found, truth, label, least)).mean() for label in range(classes)
        )

    return min(SHARES, key=error)


def class_rows(
    found: list[Found], truth: list[Found], classes: tuple[str, ...], least: float
) -> DataTable:
    """Returns for each class the average precisions, and what is found at a score."""
    half = average_precision(found, truth, len(classes), (0.5,))
    mean = average_precision(found, truth, len(classes), IOU_THRESHOLDS)
    rows = []
    for label, name in enumerate(classes):
        curve = precision_recall(found, truth, label)
        kept = curve.scores >= least
        at = int(kept.sum()) - 1
        precision, recall = (curve.precision[at], curve.recall[at]) if at >= 0 else (0.0, 0.0)
        error = np.abs(count_errors(found, truth, label, least)).mean()
        total = sum(int((one.labels == label).sum()) for one in truth)
        percent = (100.0 * float(value) for value in (half[label], mean[label], recall, precision))
        rows.append((name, total, *percent, float(error)))
    columns = ("class", "true boxes", "AP@.5, %", "AP@[.5:.95], %", "recall, %", "precision, %")
    columns += ("error of the count per picture",)
    caption = f"test pictures; recall, precision and counts of boxes with a score of {least:.2f}"
    return DataTable(columns, tuple(rows), caption)


def make_test(
    config: Config, dataset: Dataset, detector: Detector
) -> Callable[[list[Found], float], Evaluation]:
    """Returns what tells about the test pictures, after the last step alone."""

    def results(found: list[Found], least: float) -> Evaluation:
        classes, test = dataset.classes, dataset.test
        truth, count = true_boxes(test), len(classes)
        model = fit_windows(dataset.train, count, np.random.default_rng(config.seed))
        windows = find_windows(model, test["pixels"])
        rows = [
            ("this network", *_means(found, truth, count)),
            ("sliding window, linear classifier", *_means(windows, truth, count)),
        ]
        if has_pycocotools():
            coco = coco_average_precision(found, truth, count)
            rows.insert(1, ("this network, by pycocotools", *map(_mean_percent, coco)))
        marked = judged(found, truth, least, count)
        wrong = np.array([(one.labels > 0).sum() for one in marked])
        counts = [int(sum((one.labels == kind).sum() for one in marked)) for kind in range(3)]
        shown = (test["pixels"], marked, KINDS, 0.0)
        boxes = dataset.test["boxes"].values
        return {
            "test_map_50": rows[0][1] / 100.0,
            "test_map": rows[0][2] / 100.0,
            "windows_map_50": rows[-1][1] / 100.0,
            "least_score": least,
            "test_right": float(counts[0]),
            "test_wrong": float(counts[1]),
            "test_missed": float(counts[2]),
            "anchors_cover_percent": 100.0 * covered_share(detector.anchors, boxes),
            "comparison": DataTable(
                ("detector", "mAP@.5, %", "mAP@[.5:.95], %"), tuple(rows), f"{len(test)} pictures"
            ),
            "classes": class_rows(found, truth, classes, least),
            "curves": precision_curves(found, truth, classes),
            "hits": drawn_boxes(
                *shown, "test pictures: right, wrong and missed boxes", np.arange(6)
            ),
            "misses": drawn_boxes(
                *shown,
                "test pictures with the most wrong and missed boxes",
                np.argsort(-wrong, kind="stable")[:6],
            ),
        }

    return results


def _means(found: list[Found], truth: list[Found], count: int) -> tuple[float, float]:
    half = average_precision(found, truth, count, (0.5,))
    return _mean_percent(half), _mean_percent(
        average_precision(found, truth, count, IOU_THRESHOLDS)
    )


def _mean_percent(values: np.ndarray) -> float:
    known = np.isfinite(values) & (values >= 0.0)  # A class without a true box does not count.
    return 100.0 * float(values[known].mean())


def make_evaluate(
    config: Config, network: DenseNetwork, detector: Detector, dataset: Dataset, own: np.ndarray
) -> Callable[..., Evaluation]:
    judged_by = judged_pictures(network, held_out_pictures(dataset, own))
    predict, inputs = judged_by.predict, judged_by.inputs
    places = config.side // FOLD
    test_results = make_test(config, dataset, detector)
    truth = true_boxes(dataset.validation)

    def found(state, name: str) -> list[Found]:
        maps = [predict(state, inputs[name], (places, places))]
        for axis in (1, 2) if config.mirror else ():  # The mean over mirrored pictures, too.
            images = np.ascontiguousarray(np.flip(inputs[name]["images"], axis))
            own = predict(state, inputs[name] | {"images": images}, (places, places))
            maps.append(detector.flipped(own, axis))
        return detector.found(np.mean(maps, axis=0), config.suppression)

    def evaluate(state, key):
        validation = found(state, "validation")
        half = average_precision(validation, truth, detector.classes, (0.5,))
        results: Evaluation = {"validation_map_50": float(np.nanmean(half))}
        results |= {
            f"validation_ap_50_{label}": float(value)
            for label, value in enumerate(half)
            if np.isfinite(value)
        }
        least = best_score(validation, truth, detector.classes)
        if len(own):
            order = np.arange(len(own))
            caption = f"your pictures: boxes with a score of at least {least:.2f}"
            results["own_pictures"] = drawn_boxes(
                own, found(state, "own"), dataset.classes, least, caption, order
            )
        if int(state.step) < config.num_steps:
            return results
        return results | test_results(found(state, "test"), least)

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    library.find_pictures(config.images)  # Cheap: a missing file is an error before the data.
    dataset = library.load(config.dataset)
    require_boxes(dataset.train, config.dataset)
    unit = FOLD * 2 ** (len(config.widths) - 1)
    if config.side % unit:
        raise ValueError(f"--side is {config.side}; it must be a multiple of {unit}")
    detector = make_detector(
        dataset.train, config.side // FOLD, config.anchors, len(dataset.classes)
    )
    network = make_network(config, detector.outputs, FOLD, unfolded=False)
    own = own_pictures(library, config.images, min(dataset.train["pixels"].shape[1:3]))
    arrays = training_arrays(
        dataset.train,
        config.views,
        np.random.default_rng(config.seed),
        config.least_part,
        config.side,
        config.mirror,
    )
    return dense_experiment(
        config,
        network,
        ArrayBatches(arrays, config.batch_size, config.seed),
        detector.losses,
        make_evaluate(config, network, detector, dataset, own),
        Best("validation_map_50"),
    )
