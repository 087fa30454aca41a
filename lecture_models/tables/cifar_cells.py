"""Defines the networks that tables of CIFAR and SVHN print, as cells that runs can fill."""

from collections.abc import Callable
from typing import Any

from lecture_models.tables.table import PublishedValue
from lecture_models.tables.trained_cells import TrainedCell

TEST_ERROR = "test_error_percent"
PLAIN, AUGMENTED = (("augment", False),), (("augment", True),)
# Huang et al., 2016: 500 epochs of 45,000 images; the rate decays after epochs 250 and 375.
STOCHASTIC_DEPTH = (
    ("depth", 110),
    ("nesterov", True),
    ("num_steps", 175_500),
    ("decay_at", (0.5, 0.75)),
)
NO_DROP_PATH = (("local_drop", 0.0), ("global_ratio", 0.0))
# Their runs belong to cells of their own.
OTHER_DATASETS = ("cifar100", "svhn", "svhn_extra")


def cell(
    label: str,
    published: PublishedValue | None,
    experiment: str,
    config: tuple[tuple[str, Any], ...],
    recipe: tuple[tuple[str, Any], ...] = (),
) -> TrainedCell:
    """Returns the cell of a network's test error on CIFAR-10, in percent."""
    return TrainedCell(
        label,
        published,
        experiment,
        TEST_ERROR,
        "less",
        "cifar10",
        config,
        recipe=recipe,
        reads=lambda dataset: dataset not in OTHER_DATASETS,
    )


def on_dataset(network: TrainedCell, dataset: str) -> TrainedCell:
    """Returns the cell of the same network on CIFAR-100, or on SVHN with its extra images.

    The recipes of SVHN differ from those of CIFAR and are not stated here, so runs have a row of
    their own beside the empty cell.
    """
    recipe = (*(network.recipe or ()), ("dataset", dataset))
    return network._replace(
        dataset=dataset,
        recipe=recipe if dataset == "cifar100" else None,
        reads=lambda name: name == dataset,
    )


def made_on(make: Callable[..., TrainedCell], dataset: str) -> Callable[..., TrainedCell]:
    """Returns what makes the cell of (label, published) on a data set; "" for CIFAR-10."""
    if not dataset:
        return make
    return lambda label, published: on_dataset(make(label, published), dataset)


def resnet(
    label: str, published: PublishedValue | None, depth: int, residual: bool = True
) -> TrainedCell:
    """Returns a residual network of He et al., 2015, section 4.2, or the same without shortcuts."""
    config = (("depth", depth), ("residual", residual), ("final_survival", 1.0), *AUGMENTED)
    return cell(label, published, "resnet_cifar10", (*config, ("preactivation", False)))


def constant_depth(label: str, published: PublishedValue, augment: bool = True) -> TrainedCell:
    """Returns the baseline of Huang et al.: constant depth, otherwise the same training."""
    config = (("residual", True), ("preactivation", False), ("final_survival", 1.0))
    augmented = AUGMENTED if augment else PLAIN
    return cell(label, published, "resnet_cifar10", (*config, *augmented), STOCHASTIC_DEPTH)


def stochastic_depth(label: str, published: PublishedValue, augment: bool = True) -> TrainedCell:
    """Returns a cell for runs with any final survival below 1; the paper's is 0.5."""
    config = (("residual", True), ("preactivation", False))
    recipe = (*STOCHASTIC_DEPTH, ("final_survival", 0.5))
    augmented = AUGMENTED if augment else PLAIN
    network = cell(label, published, "resnet_cifar10", (*config, *augmented), recipe)
    return network._replace(accepts=lambda config: config.get("final_survival", 1.0) < 1.0)


def fractalnet(label: str, published: PublishedValue, augment: bool) -> TrainedCell:
    """Returns FractalNet without drop-path and dropout."""
    config = (*(AUGMENTED if augment else PLAIN), *NO_DROP_PATH)
    recipe = (("dropout", (0.0,) * 5),)
    return cell(label, published, "fractalnet_cifar10", config, recipe)


def drop_path(
    label: str, published: PublishedValue, augment: bool, deepest: bool = False
) -> TrainedCell:
    """Returns FractalNet with dropout and local or global drop-path.

    The test error is that of the whole network, or of its deepest column alone.
    """
    config = AUGMENTED if augment else PLAIN
    network = cell(label, published, "fractalnet_cifar10", config)
    metric = f"{TEST_ERROR}_deepest" if deepest else TEST_ERROR
    return network._replace(
        metric=metric,
        accepts=lambda config: any(config.get(name) for name, _ in NO_DROP_PATH),
    )
