"""The networks for CIFAR-10 that several tables print, as cells."""

from typing import Any

from lecture_models.tables.table import Published
from lecture_models.tables.trained_cells import Cell

TEST_ERROR = "test_error_percent"
PLAIN, AUGMENTED = (("augment", False),), (("augment", True),)
# Huang et al., 2016: 500 epochs of 45,000 images, the rate falls at 250 and 375.
STOCHASTIC_DEPTH = (
    ("depth", 110),
    ("nesterov", True),
    ("num_steps", 175_500),
    ("decay_at", (0.5, 0.75)),
)
NO_DROP_PATH = (("local_drop", 0.0), ("global_ratio", 0.0))


def cell(
    what: str,
    published: Published | None,
    experiment: str,
    config: tuple[tuple[str, Any], ...],
    recipe: tuple[tuple[str, Any], ...] = (),
) -> Cell:
    """Of the test error on CIFAR-10, in percent."""
    return Cell(what, published, experiment, TEST_ERROR, "less", "cifar10", config, recipe=recipe)


def resnet(what: str, published: Published | None, depth: int, residual: bool = True) -> Cell:
    """He et al., 2015, section 4.2: of one depth, or its plain twin."""
    config = (("depth", depth), ("residual", residual), ("final_survival", 1.0), *AUGMENTED)
    return cell(what, published, "resnet_cifar10", (*config, ("preactivation", False)))


def constant_depth(what: str, published: Published, augment: bool = True) -> Cell:
    """The residual network that Huang et al. hold theirs against, with the same recipe."""
    config = (("residual", True), ("preactivation", False), ("final_survival", 1.0))
    augmented = AUGMENTED if augment else PLAIN
    return cell(what, published, "resnet_cifar10", (*config, *augmented), STOCHASTIC_DEPTH)


def stochastic_depth(what: str, published: Published, augment: bool = True) -> Cell:
    """Runs of any final survival below 1 belong to it; the paper's is 0.5."""
    config = (("residual", True), ("preactivation", False))
    recipe = (*STOCHASTIC_DEPTH, ("final_survival", 0.5))
    augmented = AUGMENTED if augment else PLAIN
    found = cell(what, published, "resnet_cifar10", (*config, *augmented), recipe)
    return found._replace(accepts=lambda config: config.get("final_survival", 1.0) < 1.0)


def fractalnet(what: str, published: Published, augment: bool) -> Cell:
    """Without drop-path and dropout."""
    config = (*(AUGMENTED if augment else PLAIN), *NO_DROP_PATH)
    recipe = (("dropout", (0.0,) * 5),)
    return cell(what, published, "fractalnet_cifar10", config, recipe)


def drop_path(what: str, published: Published, augment: bool, deepest: bool = False) -> Cell:
    """With dropout and drop-path, whichever was drawn; whole, or its deepest column alone."""
    config = AUGMENTED if augment else PLAIN
    found = cell(what, published, "fractalnet_cifar10", config)
    metric = f"{TEST_ERROR}_deepest" if deepest else TEST_ERROR
    return found._replace(
        metric=metric,
        accepts=lambda config: any(config.get(name) for name, _ in NO_DROP_PATH),
    )
