"""Defines the 784-400-20 variational autoencoder of pytorch/examples as an experiment."""

import jax
import numpy as np
import optax

from lecture_models.data.batches import ArrayBatches
from lecture_models.experiment import Experiment
from lecture_models.models.autoencoder import DenseDecoder, EncoderDecoder
from lecture_models.models.vae import GaussianEncoder
from lecture_models.nn.binarize import binarize
from lecture_models.steps.descent import init_train_state
from lecture_models.steps.vae import VAE, vae_step

HIDDEN, LATENT_DIM, LEARNING_RATE = 400, 20, 1e-3


def build(images: np.ndarray, batch_size: int, binary: bool) -> Experiment:
    """Builds the experiment from this project's modules and step.

    Args:
        images: the training images, in [-1, 1].
        batch_size: the number of images per batch.
        binary: whether each batch's pixels are replaced by newly drawn bits.
    """
    encoder = GaussianEncoder((HIDDEN,), LATENT_DIM)
    decoder = DenseDecoder((HIDDEN,), images.shape[1:])
    networks = EncoderDecoder(encoder, decoder, LATENT_DIM, images.shape[1:])
    vae = VAE(networks.encode, networks.decode)
    optimizer = optax.adam(LEARNING_RATE)

    def init(key):
        return init_train_state(optimizer, networks.init(key))

    def step(state, batch, key):
        bits_key, latent_key = jax.random.split(key)
        targets = binarize(bits_key, batch["images"]) if binary else batch["images"]
        return vae_step(vae, optimizer, state, targets, latent_key)

    batches = ArrayBatches({"images": images}, batch_size, seed=0)
    return Experiment(init, step, lambda state, key: {}, batches)
