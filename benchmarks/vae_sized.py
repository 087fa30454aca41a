"""The 784-400-20 variational autoencoder of pytorch/examples, as an experiment of the loop."""

import jax
import numpy as np
import optax

from lecture_models.data.batches import ArrayBatches
from lecture_models.experiment import Experiment
from lecture_models.models.autoencoder import DenseDecoder, Pair
from lecture_models.models.vae import GaussianEncoder
from lecture_models.nn.binarize import binarize
from lecture_models.steps.descent import init_train_state
from lecture_models.steps.vae import VAE, vae_step

HIDDEN, LATENT_DIM, LEARNING_RATE = 400, 20, 1e-3


def build(images: np.ndarray, batch_size: int, binary: bool) -> Experiment:
    """The shipped modules and step; `binary` draws new bits for every batch."""
    encoder = GaussianEncoder((HIDDEN,), LATENT_DIM)
    decoder = DenseDecoder((HIDDEN,), images.shape[1:])
    networks = Pair(encoder, decoder, LATENT_DIM, images.shape[1:])
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
