"""Defines the CIFAR-10 networks that several tables print, as cells that runs can fill."""

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


def cell(
    label: str,
    published: PublishedValue | None,
    experiment: str,
    config: tuple[tuple[str, Any], ...],
    recipe: tuple[tuple[str, Any], ...] = (),
) -> TrainedCell:
    """Returns the cell of a network's test error on CIFAR-10, in percent."""
    return TrainedCell(
        label, published, experiment, TEST_ERROR, "less", "cifar10", config, recipe=recipe
    )


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
