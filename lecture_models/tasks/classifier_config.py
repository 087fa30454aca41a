"""How a classifier is trained: the fields that all Configs have, and what follows from them."""

import dataclasses

import optax

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError, Dataset, Split
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence
from lecture_models.steps.weight_decay import l2_penalty

DTYPES = ("float32", "bfloat16")
MOMENTUM = 0.9


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What the Configs of all classifiers have; each restates what it has otherwise."""

    dataset: str = "cifar10,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 64
    num_steps: int = 2_500
    train_images: int = 0  # The first so many; 0 for all.
    train_on_validation: bool = False  # All training images, once nothing is left to choose.
    learning_rate: float = 0.05
    decay_at: tuple[float, ...] = ()  # Fractions of the steps where the rate is divided by 10.
    warmup_steps: int = 100
    weight_decay: float = 1e-4  # Of kernels, as a penalty.
    dtype: str = "float32"  # Or bfloat16, for an accelerator; parameters stay float32.
    log_every: int = 50
    eval_every: int = 1_250
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", *Cadence._fields)
        require_at_least(self, 0, "seed", "train_images", "warmup_steps")
        require_at_least(self, 0.0, "learning_rate", "weight_decay")
        if self.dtype not in DTYPES:
            raise ValueError(f"--dtype is {self.dtype!r}; allowed: {' or '.join(DTYPES)}")
        falls = self.decay_at
        if list(falls) != sorted(set(falls)) or not all(0.0 < fall < 1.0 for fall in falls):
            given = ",".join(map(str, falls))
            raise ValueError(
                f"--decay_at is {given}; it must be fractions of the training between 0 and 1, "
                "rising"
            )


# For tests: what every classifier's smoke run has.
SMOKE_RECIPE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "warmup_steps": 2,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def schedule(recipe: Recipe) -> optax.Schedule:
    """A linear rise; then a tenth at each of `decay_at`, else a cosine."""
    rate, rise_steps = recipe.learning_rate, recipe.warmup_steps
    if recipe.decay_at:
        steps = [round(fall * recipe.num_steps) - rise_steps for fall in recipe.decay_at]
        main = optax.piecewise_constant_schedule(rate, {max(1, step): 0.1 for step in steps})
    else:
        main = optax.cosine_decay_schedule(rate, max(1, recipe.num_steps - rise_steps))
    if not rise_steps:
        return main
    rise = optax.linear_schedule(0.0, rate, rise_steps)
    return optax.join_schedules([rise, main], [rise_steps])


def momentum_sgd(
    recipe: Recipe,
    momentum: float = MOMENTUM,
    nesterov: bool = False,
    kernels_only: bool = False,
) -> optax.GradientTransformation:
    """The papers' optimizer: the penalty is part of the gradient that momentum gathers."""
    return optax.chain(
        l2_penalty(recipe.weight_decay, kernels_only),
        optax.sgd(schedule(recipe), momentum, nesterov),
    )


def adam(recipe: Recipe) -> optax.GradientTransformation:
    """With the penalty in the gradient, of kernels alone."""
    return optax.chain(
        l2_penalty(recipe.weight_decay, kernels_only=True), optax.adam(schedule(recipe))
    )


def load(recipe: Recipe, library: Library) -> Dataset:
    """The recipe's data, with no more than its number of training images, the first ones.

    Raises DataError where there are fewer.
    """
    dataset, count = library.load(recipe.dataset), recipe.train_images
    found = len(dataset.train.labels)
    if not count:
        return dataset
    if count > found:
        raise DataError(f"--train_images is {count}; {dataset.provenance.dataset} has {found}")
    images, labels = dataset.train
    return dataset._replace(train=Split(images[:count], labels[:count]))
