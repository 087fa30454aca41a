"""Defines the Config fields that experiments with a U-Net share, and their optimizer."""

import dataclasses

import optax

from lecture_models.config import require_at_least, require_between
from lecture_models.experiment import Cadence
from lecture_models.steps.descent import warmup_cosine


@dataclasses.dataclass(frozen=True)
class DenseConfig:
    """Holds the fields of every experiment with a U-Net; a Config overrides defaults that differ.

    Raises:
        ValueError: a field is outside of its range.
    """

    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = ""
    images: tuple[str, ...] = ()  # Your own pictures.
    seed: int = 0
    batch_size: int = 8
    num_steps: int = 500
    views: int = 4  # Of each training picture: as it is, and random parts in changed colors.
    least_part: float = 0.7  # Share of the sides that such a part has at least.
    side: int = 112  # Pixels of a side of the U-Net's input.
    widths: tuple[int, ...] = (16, 32, 48, 64)  # Channels of its levels.
    learning_rate: float = 4e-3  # Adam's peak: a warmup, then a cosine to 0.
    weight_decay: float = 1e-3
    log_every: int = 50
    eval_every: int = 250
    checkpoint_every: int = 250

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "views", "widths", *Cadence._fields)
        require_at_least(self, 16, "side")
        require_at_least(self, 0, "seed", "learning_rate", "weight_decay")
        require_between(self, 0.1, 1.0, "least_part")
        if not 1 <= len(self.widths) <= 6:
            raise ValueError(f"--widths has {len(self.widths)} values; it must have 1 to 6")


@dataclasses.dataclass(frozen=True)
class FeatureConfig(DenseConfig):
    """Adds the fields of a U-Net that reads features of a pretrained network, too."""

    # Comma-separated names; the first available one is used. A single name has no fallback.
    model: str = "squeezenet1_1_rgb,untrained"  # The network whose features are read.
    scratch: bool = False  # Reads pixels alone, no features of `model`.
    reduced: int = 32  # Channels to which those of the features are reduced.
    dropout: float = 0.2  # Of the features.
    feature_batch: int = 16  # Pictures at once in the network whose features are read.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "reduced", "feature_batch")
        require_between(self, 0.0, 0.95, "dropout")


# Overrides of the smoke presets of experiments with a U-Net, without and with features.
SMOKE_DENSE = {
    "batch_size": 4,
    "num_steps": 6,
    "views": 2,
    "side": 16,
    "widths": (4, 6),
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}
SMOKE_FEATURES = SMOKE_DENSE | {"model": "untrained", "reduced": 4, "feature_batch": 60}


def adamw(config: DenseConfig) -> optax.GradientTransformation:
    """Returns Adam with a warmup, a cosine and weight decay, on gradients of norm 1 at most."""
    schedule = warmup_cosine(config.learning_rate, config.num_steps)
    clip = optax.clip_by_global_norm(1.0)
    return optax.chain(clip, optax.adamw(schedule, weight_decay=config.weight_decay))
