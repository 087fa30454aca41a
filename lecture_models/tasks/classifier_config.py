"""Defines the Config fields that all classifiers share, and the optimizers that use them."""

import dataclasses

import optax

from lecture_models.config import as_typed, require_at_least
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence
from lecture_models.steps.weight_decay import l2_penalty

DTYPES = ("float32", "bfloat16")
MOMENTUM = 0.9


@dataclasses.dataclass(frozen=True)
class ClassifierConfig:
    """Holds the fields of every classifier's Config; a Config overrides defaults that differ.

    Raises:
        ValueError: a field is outside of its range.
    """

    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "cifar10,digits"
    seed: int = 0
    batch_size: int = 64
    num_steps: int = 2_500
    train_images: int = 0  # Number of training images, the first ones; 0 for all.
    train_on_validation: bool = False  # For a last run with chosen hyperparameters.
    learning_rate: float = 0.05
    decay_at: tuple[float, ...] = ()  # Fractions of the steps at which the rate is divided by 10.
    warmup_steps: int = 100
    weight_decay: float = 1e-4  # Weight of the L2 penalty.
    dtype: str = "float32"  # Or bfloat16, for an accelerator; parameters are float32.
    log_every: int = 50
    eval_every: int = 1_250
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", *Cadence._fields)
        require_at_least(self, 0, "seed", "train_images", "warmup_steps")
        require_at_least(self, 0.0, "learning_rate", "weight_decay")
        if self.dtype not in DTYPES:
            raise ValueError(f"--dtype is {self.dtype!r}; allowed: {' or '.join(DTYPES)}")
        fractions = list(self.decay_at)
        ordered = fractions == sorted(set(fractions))
        if not ordered or not all(0.0 < fraction < 1.0 for fraction in fractions):
            raise ValueError(
                f"--decay_at is {as_typed(self.decay_at)}; it must be fractions between 0 and 1, "
                "in ascending order"
            )


# Overrides of every classifier's smoke preset.
SMOKE_CLASSIFIER = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "train_images": 64,
    "warmup_steps": 2,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def schedule(config: ClassifierConfig) -> optax.Schedule:
    """Returns the learning rate by step.

    It rises linearly from 0 in `warmup_steps`. Then it is divided by 10 at each of `decay_at`, or
    decays to 0 as a cosine if there are none.
    """
    rate, warmup_steps = config.learning_rate, config.warmup_steps
    if config.decay_at:
        steps = [round(share * config.num_steps) - warmup_steps for share in config.decay_at]
        main = optax.piecewise_constant_schedule(rate, {max(1, step): 0.1 for step in steps})
    else:
        main = optax.cosine_decay_schedule(rate, max(1, config.num_steps - warmup_steps))
    if not warmup_steps:
        return main
    warmup = optax.linear_schedule(0.0, rate, warmup_steps)
    return optax.join_schedules([warmup, main], [warmup_steps])


def momentum_sgd(
    config: ClassifierConfig,
    momentum: float = MOMENTUM,
    nesterov: bool = False,
    kernels_only: bool = False,
) -> optax.GradientTransformation:
    """Returns the optimizer of most papers, whose momentum includes the gradient of the penalty.

    Args:
        config: learning rate, its schedule and the weight of the L2 penalty.
        momentum: the share of the last step that is added to the next.
        nesterov: uses Nesterov's momentum.
        kernels_only: penalizes kernels; False penalizes all parameters.
    """
    return optax.chain(
        l2_penalty(config.weight_decay, kernels_only),
        optax.sgd(schedule(config), momentum, nesterov),
    )


def adam(config: ClassifierConfig) -> optax.GradientTransformation:
    """Returns Adam, with the gradient of the L2 penalty on the kernels added to the gradient."""
    return optax.chain(
        l2_penalty(config.weight_decay, kernels_only=True), optax.adam(schedule(config))
    )


def load(config: ClassifierConfig, library: Library) -> Dataset:
    """Returns the data set, with the first `train_images` training images.

    Raises:
        DataError: there are fewer, or the data set cannot be read.
    """
    dataset, count = library.load(config.dataset), config.train_images
    if not count:
        return dataset
    if count > len(dataset.train):
        raise DataError(
            f"--train_images is {count}; {dataset.provenance.dataset} has {len(dataset.train)}"
        )
    return dataset._replace(train=dataset.train.select(slice(count)))
