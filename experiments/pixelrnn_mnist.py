"""PixelRNN on binarized MNIST: exact likelihoods by recurrent layers over rows or diagonals.

    python launch.py --experiment=pixelrnn_mnist

Paper: van den Oord et al., 2016, Pixel recurrent neural networks
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 2 to 8 minutes on a busy machine
Expected: 89.7 nats with the Row LSTM, mean of 3 seeds (paper: 79.20, diagonal layers and more
  training); see results/pixelrnn_mnist.md
"""

import dataclasses

import optax

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.evaluators.autoregressive import PixelSettings
from lecture_models.evaluators.vae import binarized
from lecture_models.experiment import Cadence, Experiment
from lecture_models.models.pixelrnn import LAYERS, PixelRNN
from lecture_models.steps.descent import warmup_cosine
from lecture_models.tasks.pixel_training import PixelTraining, pixel_experiment


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # Comma-separated names; the first available one is used.
    seed: int = 0
    batch_size: int = 16  # Small: in minutes the number of steps decides.
    num_steps: int = 2_000
    layer: str = "row_lstm"  # row_lstm or diagonal_bilstm.
    features: int = 16  # Units of a pixel in each layer, and in each direction; half the maps.
    num_layers: int = 2
    head_features: int = 32  # Maps before the logits.
    dynamic_binarization: bool = False  # Draws bits anew for each batch, not once for all epochs.
    train_on_validation: bool = False  # Trains on all 60,000 images, for a final run.
    learning_rate: float = 8e-3  # Adam's, or RMSProp's.
    rmsprop: bool = False  # RMSProp at a constant rate, not Adam with a cosine.
    num_samples: int = 1_000  # Drawn and scored.
    completed: int = 8  # Test images whose lower half is drawn anew.
    completions: int = 5  # Of each of them.
    temperatures: tuple[float, ...] = (0.5, 0.8, 1.0, 1.2)  # At which samples are shown.
    extractor_steps: int = 1_200  # Of the judging classifier, where none ships.
    log_every: int = 100
    eval_every: int = 2_000
    checkpoint_every: int = 500

    def __post_init__(self):
        if self.layer not in LAYERS:
            raise ValueError(f"--layer is {self.layer!r}; it must be one of {', '.join(LAYERS)}")
        require_at_least(self, 1, "batch_size", "features", "head_features", *Cadence._fields)
        require_at_least(self, 1, "num_layers", "num_samples", "completed", "completions")
        require_at_least(self, 1, "extractor_steps")
        require_at_least(self, 0, "seed", "learning_rate")
        require_at_least(self, 0.01, "temperatures")
        if not self.temperatures:
            raise ValueError("--temperatures is empty; it must have at least 1 value")


SMOKE = {
    "dataset": "digits",
    "batch_size": 4,
    "num_steps": 6,
    "features": 2,
    "num_layers": 1,
    "head_features": 4,
    "num_samples": 10,
    "completed": 2,
    "completions": 2,
    "temperatures": (1.0,),
    "extractor_steps": 5,
    "log_every": 1,
    "eval_every": 3,
    "checkpoint_every": 2,
}


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Returns Adam with a warmup and a cosine to 0, or RMSProp at a constant rate."""
    if config.rmsprop:
        return optax.rmsprop(config.learning_rate)
    return optax.adam(warmup_cosine(config.learning_rate, config.num_steps))


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    channels = dataset.train.images.shape[-1]
    if channels != 1:
        raise DataError(
            f"images of {dataset.provenance.dataset} have {channels} channels; PixelRNN takes gray "
            "images"
        )
    settings = PixelSettings(
        0,
        config.num_samples,
        config.completed,
        config.completions,
        config.temperatures,
        config.extractor_steps,
        "bits drawn once from the gray values",
    )
    training = PixelTraining(
        make_optimizer(config),
        config.batch_size,
        config.seed,
        config.dynamic_binarization,
        config.train_on_validation,
        {} if config.rmsprop else {"num_steps": "the schedule of learning_rate"},
    )
    return pixel_experiment(
        PixelRNN(config.features, config.num_layers, config.layer, config.head_features),
        2,
        dataset,
        binarized,
        training,
        settings,
        (None, "pixelcnn_mnist does it"),
    )
