"""Smallest ConvNet of the lecture on Fashion-MNIST: INPUT - CONV - RELU - POOL - FC.

    python launch.py --experiment=convnet_fashion_mnist

Paper: none; the layers are the lecture's, with 32 filters of 5x5; data of Xiao et al., 2017
Data: Fashion-MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 6 minutes on one core (one run)
Expected: see results/convnet_fashion_mnist.md; the lecture prints no number
"""

import dataclasses

import jax.numpy as jnp

from lecture_models.config import require_at_least
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment
from lecture_models.models.cifar_convnet import CifarConvNet
from lecture_models.tasks.classification import crop_and_flip, make_experiment
from lecture_models.tasks.classifier_config import SMOKE_CLASSIFIER, ClassifierConfig, adam, load

CROP_PADDING = 2  # In pixels.


@dataclasses.dataclass(frozen=True)
class Config(ClassifierConfig):
    dataset: str = "fashion_mnist,digits"
    batch_size: int = 128
    num_steps: int = 4_000  # 10 epochs of 50,000 images.
    features: int = 32  # Number of filters; 12 in the lecture.
    window: int = 5  # Height and width of the filters, odd; 3 in the lecture.
    augment: bool = False  # Trains on crops of images padded by 2 pixels, and mirror images.
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    log_every: int = 100
    eval_every: int = 1_000
    checkpoint_every: int = 1_000

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "features", "window")
        if self.window % 2 == 0:
            raise ValueError(f"--window is {self.window}; it must be odd")


SMOKE = SMOKE_CLASSIFIER | {"features": 4}


def build(config: Config, library: Library) -> Experiment:
    dataset = load(config, library)
    net = CifarConvNet(
        len(dataset.classes), config.features, config.window, dtype=jnp.dtype(config.dtype)
    )
    return make_experiment(
        dataset,
        net,
        adam(config),
        config,
        augment=crop_and_flip(CROP_PADDING) if config.augment else None,
    )
