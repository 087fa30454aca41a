"""Defines a network that describes pictures, from the features of another network."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from lecture_models.models.attention_decoder import AttentionDecoder, Decoding, Target
from lecture_models.nn.recurrent_cells import Carry, lstm

Grids = Float[Array, "batch place channel"]


class Captioner(nn.Module):
    """Describes a picture by the feature maps of a network that was trained to classify.

    The decoder is an LSTM that looks at the places of the maps (Xu et al., 2015, Show, attend and
    tell, soft attention); without attention it starts from the mean of all places alone, in the way
    of Vinyals et al., 2015, Show and tell.

    Attributes:
        words: the size of the vocabulary.
        annotation_features: the features to which those of a place are reduced.
        embedding: see `AttentionDecoder`, as the following.
        features: of the LSTM.
        attention_features: 0 for no attention.
        readout: 0 for no layer between the decoder and the logits.
        dropout: also of the features of the places.
    """

    words: int
    annotation_features: int = 256
    embedding: int = 128
    features: int = 256
    attention_features: int = 128
    readout: int = 128
    dropout: float = 0.5

    def setup(self):
        self.reduce = nn.Dense(self.annotation_features)
        self.decoder = AttentionDecoder(
            self.words,
            self.embedding,
            self.features,
            lstm(),
            self.attention_features,
            self.readout,
            self.dropout,
        )
        self.drop = nn.Dropout(self.dropout)

    def read(self, grids: Grids, training: bool = False) -> Decoding:
        """Returns the decoder's memory before the first word.

        Args:
            grids: the features at each place of the maps.
            training: whether dropout acts; its key is `dropout`.
        """
        annotations = nn.relu(self.reduce(self.drop(grids, deterministic=not training)))
        mask = jnp.ones(grids.shape[:2], bool)
        return self.decoder.begin(annotations, mask, annotations.mean(axis=1))

    def __call__(
        self,
        grids: Grids,
        target: Target,
        training: bool = False,
        forced: Bool[Array, " time"] | None = None,
    ) -> tuple[Float[Array, "batch time word"], Float[Array, "batch time attended"]]:
        """Returns the logits after each word of captions, and the weights of the attention, if any.

        See `AttentionDecoder.teach`.
        """
        return self.decoder.teach(self.read(grids, training), target, training, forced)

    def step(
        self, decoding: Decoding, tokens: Int[Array, " batch"]
    ) -> tuple[Carry, Float[Array, "batch word"]]:
        """Returns the decoder's carry and the logits after one more word."""
        return self.decoder.step(decoding, tokens)
