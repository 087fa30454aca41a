"""PixelCNN on binarized MNIST: exact likelihoods, samples and completions, pixel by pixel.

    python launch.py --experiment=pixelcnn_mnist

Paper: van den Oord et al., 2016, Pixel recurrent neural networks; and Conditional image generation
  with PixelCNN decoders
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 7 to 10 minutes on a busy machine
Expected: 87.2 nats, exact, of all test images; see results/pixelcnn_mnist.md
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.evaluators.autoregressive import PixelSettings
from lecture_models.evaluators.autoregressive_pictures import fields
from lecture_models.evaluators.causality import field_of
from lecture_models.evaluators.dispatch_memory import require_memory
from lecture_models.evaluators.pixel_sampling import pixel_model
from lecture_models.evaluators.vae import binarized
from lecture_models.experiment import Cadence, Evaluation, Experiment
from lecture_models.losses.pixel_likelihood import from_levels, to_levels
from lecture_models.models.pixelcnn import GatedPixelCNN, PixelCNN
from lecture_models.steps.descent import warmup_cosine
from lecture_models.tasks.pixel_training import PixelTraining, pixel_experiment

FIELD_FEATURES = 12  # A multiple of the image channels.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # Comma-separated names; the first available one is used.
    seed: int = 0
    batch_size: int = 8  # Small: in minutes the number of steps decides.
    num_steps: int = 10_000
    levels: int = 2  # Values of a pixel: 2 for bits, 256 for images of 8 bits.
    gated: bool = False  # Two stacks of gated layers without a blind spot, in place of residuals.
    features: int = 16  # Half the maps between residual blocks; of each stack, if gated.
    num_layers: int = 5  # Residual blocks, or gated layers.
    head_features: int = 32  # Maps before the logits.
    first_size: int = 15  # Side of the first filter; wide, to see much of a digit at once.
    filter_size: int = 5  # Side of the other filters; 3 learns more slowly per step.
    class_conditional: bool = False  # Gives each layer a bias for the class of the image.
    dynamic_binarization: bool = False  # Draws bits anew for each batch, not once for all epochs.
    train_on_validation: bool = False  # Trains on all 60,000 images, for a final run.
    learning_rate: float = 6e-3
    decay: float = 0.0  # Multiplies the rate after each step; 0 for a warmup and a cosine to 0.
    num_samples: int = 1_000  # Drawn and scored.
    completed: int = 8  # Test images whose lower half is drawn anew.
    completions: int = 5  # Of each of them.
    temperatures: tuple[float, ...] = (0.5, 0.8, 1.0, 1.2)  # At which samples are shown.
    outside: str = "fashion_mnist,digits"  # Images of another kind; "" for none.
    extractor_steps: int = 1_200  # Of the judging classifier, where none ships.
    log_every: int = 200
    eval_every: int = 10_000
    checkpoint_every: int = 2_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "features", "head_features", *Cadence._fields)
        require_at_least(self, 1, "num_layers", "num_samples", "completed", "completions")
        require_at_least(self, 1, "extractor_steps", "first_size", "filter_size")
        require_at_least(self, 0, "seed", "learning_rate")
        require_between(self, 2, 256, "levels")
        require_between(self, 0.0, 1.0, "decay")
        require_at_least(self, 0.01, "temperatures")
        for name in ("first_size", "filter_size"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"--{name} is {getattr(self, name)}; a masked filter must be odd")
        if not self.temperatures:
            raise ValueError("--temperatures is empty; it must have at least 1 value")
        if self.dynamic_binarization and self.levels != 2:
            raise ValueError(
                f"--dynamic_binarization draws bits, and --levels is {self.levels}; it must be 2"
            )


# A public repository's recipe (EugenHotaj/pytorch-generative), which reports 81.45 nats.
PAPER = {
    "batch_size": 256,
    "num_steps": 107_000,
    "num_layers": 15,
    "first_size": 7,
    "filter_size": 3,
    "dynamic_binarization": True,
    "train_on_validation": True,
    "learning_rate": 1e-3,
    "decay": 0.999977,
    "num_samples": 10_000,
    "eval_every": 11_700,
}

PAPER_SOURCES = {
    "batch_size": "pytorch-generative, pixel_cnn.py",
    "num_steps": "its 457 epochs of 60,000 images",
    "levels": "van den Oord et al., section 5.3: binary pixels",
    "features": "pytorch-generative, pixel_cnn.py",
    "num_layers": "pytorch-generative, pixel_cnn.py",
    "head_features": "pytorch-generative, pixel_cnn.py",
    "first_size": "pytorch-generative, pixel_cnn.py",
    "filter_size": "pytorch-generative, pixel_cnn.py",
    "dynamic_binarization": "pytorch-generative; the paper's bits are fixed",
    "train_on_validation": "pytorch-generative: the 60,000 training images",
    "learning_rate": "pytorch-generative, pixel_cnn.py",
    "decay": "pytorch-generative, pixel_cnn.py",
}
PAPER_DEPARTURES = (
    ("RMSProp", "Adam, as in pytorch-generative"),
    ("pixels in [0, 1], so that zeros around the image look black", "pixels in [-1, 1]"),
    ("fixed bits of Larochelle's file", "bits drawn from our seed; dynamic ones to train"),
)

SMOKE = {
    "dataset": "digits",
    "batch_size": 4,
    "num_steps": 6,
    "features": 4,
    "num_layers": 1,
    "head_features": 4,
    "first_size": 5,
    "filter_size": 3,
    "num_samples": 10,
    "completed": 2,
    "completions": 2,
    "temperatures": (0.5, 1.0),
    "outside": "digits",
    "extractor_steps": 5,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}


def make_network(config: Config, num_classes: int) -> PixelCNN | GatedPixelCNN:
    """Returns the network of a Config."""
    kind = GatedPixelCNN if config.gated else PixelCNN
    classes = num_classes if config.class_conditional else 0
    return kind(
        config.features,
        config.num_layers,
        config.head_features,
        config.levels,
        classes,
        config.first_size,
        config.filter_size,
    )


def make_schedule(config: Config) -> optax.Schedule:
    """Returns an exponential decay, or a warmup and a cosine to 0."""
    if config.decay:
        return optax.exponential_decay(config.learning_rate, 1, config.decay)
    return warmup_cosine(config.learning_rate, config.num_steps)


def observe(images: np.ndarray, levels: int) -> np.ndarray:
    """Returns images in the levels of the model: bits that are drawn once, or rounded values."""
    if levels == 2:
        return binarized(images)
    return np.asarray(from_levels(to_levels(jnp.asarray(images), levels), levels))


def load_outside(config: Config, library: Library, dataset: Dataset) -> tuple:
    """Returns images of another kind and their name; None and a reason, if there are none."""
    if not config.outside:
        return None, "--outside is empty"
    other = library.load(config.outside)
    name, shape = other.provenance.dataset, other.test.images.shape[1:]
    if shape != dataset.test.images.shape[1:]:
        return None, f"images of {name} have another shape"
    return observe(other.test.images, config.levels), name


def require_fitting_batch(config: Config, image_shape: tuple[int, int, int]) -> None:
    """Raises DataError if the maps of one training step exceed the memory of the device."""
    height, width, channels = image_shape
    maps_per_layer = (16 if config.gated else 10) * config.features
    outputs = channels * (1 if config.levels == 2 else config.levels)
    maps = config.num_layers * maps_per_layer + 3 * config.head_features + 3 * outputs
    require_memory(
        4 * config.batch_size * height * width * maps,
        f"the maps of a batch of {config.batch_size} images of {height}x{width}",
        "--batch_size",
    )


def show_fields(config: Config, image_shape: tuple[int, int, int]) -> Evaluation:
    """Shows the blind spot of the plain network beside the gated one, both as they start."""
    sees = {}
    for name, gated in (("plain", False), ("gated", True)):
        # A field has the size that the layers give it, whatever the number of maps.
        small = dataclasses.replace(config, gated=gated, features=FIELD_FEATURES, levels=2)
        network = make_network(dataclasses.replace(small, class_conditional=False), 0)
        variables = jax.jit(network.init)(jax.random.key(0), jnp.zeros((1, *image_shape)))
        sees[name] = field_of(pixel_model(network, 2), variables, None, image_shape)
    return fields(sees)


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    require_fitting_batch(config, image_shape)
    network = make_network(config, len(dataset.classes))
    if config.class_conditional and not dataset.classes:
        raise DataError(f"{dataset.provenance.dataset} has no classes for --class_conditional")
    settings = PixelSettings(
        network.num_classes,
        config.num_samples,
        config.completed,
        config.completions,
        config.temperatures,
        config.extractor_steps,
        "bits drawn once from the gray values" if config.levels == 2 else f"{config.levels} levels",
    )
    training = PixelTraining(
        optax.adam(make_schedule(config)),
        config.batch_size,
        config.seed,
        config.dynamic_binarization,
        config.train_on_validation,
        {} if config.decay else {"num_steps": "the schedule of learning_rate"},
    )
    return pixel_experiment(
        network,
        config.levels,
        dataset,
        lambda images: observe(images, config.levels),
        training,
        settings,
        load_outside(config, library, dataset),
        functools.cache(lambda: show_fields(config, image_shape)),
    )
