"""GAN of multilayer perceptrons on MNIST.

    python launch.py --experiment=gan_mnist

Paper: Goodfellow et al., 2014, Generative Adversarial Nets, section 5 and Table 1
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: TODO minutes on two cores
Expected: Parzen log-likelihood TODO nats (paper: 225 +- 2), 10 of 10 digits; see
  results/gan_mnist.md
"""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from lecture_models.data.batches import ArrayBatches
from lecture_models.data.library import Library
from lecture_models.losses import gan as losses
from lecture_models.models import gan as models
from lecture_models.runtime.experiment import Best, Experiment
from lecture_models.steps import gan as steps


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 20_000
    latent_dim: int = 32
    generator_hidden: tuple[int, ...] = (512, 512)
    discriminator_hidden: tuple[int, ...] = (512, 256)
    maxout_pieces: int = 1  # 5 in the paper's code; 1 is a leaky rectifier, a fifth of the cost.
    input_dropout: float = 0.0  # Of the discriminator: 0.2 in the paper's code.
    hidden_dropout: float = 0.0  # Of the discriminator: 0.5 in the paper's code.
    instance_noise: float = 0.3  # Gaussian, on what the discriminator sees, in units of [-1, 1].
    non_saturating: bool = True  # Section 3: stronger gradients early; false is the minimax game.
    generator_learning_rate: float = 2e-4
    discriminator_learning_rate: float = 2e-4
    adam_b1: float = 0.5  # Not Adam's 0.9, with which G and D oscillate: Radford et al., 2016, 4.
    average_decay: float = 0.999  # Samples come from the mean of the last 1,000 generators or so.
    num_samples: int = 10_000  # For every metric; Goodfellow et al., section 5.
    log_every: int = 100
    eval_every: int = 5_000
    checkpoint_every: int = 1_000
