"""Defines a network that translates sentences, with attention or without."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from lecture_models.models.attention_decoder import AttentionDecoder, Decoding, Target
from lecture_models.nn.recurrent_cells import Carry, gru
from lecture_models.nn.recurrent_stack import RecurrentStack


class Translator(nn.Module):
    """Reads a sentence in both directions with a GRU; an `AttentionDecoder` writes its translation.

    Cho et al., 2014, without attention; Bahdanau et al., 2015, with it.

    Attributes:
        source_words: the size of the source's vocabulary.
        target_words: the size of the target's vocabulary.
        embedding: the number of elements of a word's vector, in both languages.
        encoder_features: the number of features of the encoder in each direction.
        features: see `AttentionDecoder`, as the following.
        attention_features: 0 for no attention.
        readout: 0 for no layer between the decoder and the logits.
        dropout: also of the source's vectors.
    """

    source_words: int
    target_words: int
    embedding: int = 128
    encoder_features: int = 128
    features: int = 256
    attention_features: int = 128
    readout: int = 128
    dropout: float = 0.3

    def setup(self):
        self.vectors = nn.Embed(
            self.source_words, self.embedding, embedding_init=nn.initializers.normal(0.1)
        )
        self.encoder = RecurrentStack((self.encoder_features,), gru(), bidirectional=True)
        self.decoder = AttentionDecoder(
            self.target_words,
            self.embedding,
            self.features,
            gru(),
            self.attention_features,
            self.readout,
            self.dropout,
        )
        self.drop = nn.Dropout(self.dropout)

    def read(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        training: bool = False,
    ) -> Decoding:
        """Returns the decoder's memory before the first word.

        Args:
            source: the words to translate.
            mask: True at the words, False at the padding.
            training: whether dropout acts; its key is `dropout`.
        """
        words = self.drop(self.vectors(source), deterministic=not training)
        carries, outputs = self.encoder(words, None, mask)
        summary = jnp.concatenate([carry for (carry,) in carries], axis=-1)
        return self.decoder.begin(outputs, mask, summary)

    def __call__(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        target: Target,
        training: bool = False,
        forced: Bool[Array, " time"] | None = None,
    ) -> tuple[Float[Array, "batch time word"], Float[Array, "batch time attended"]]:
        """Returns the logits after each target word, and the weights of the attention, if any.

        See `AttentionDecoder.teach`.
        """
        return self.decoder.teach(self.read(source, mask, training), target, training, forced)

    def step(
        self, decoding: Decoding, tokens: Int[Array, " batch"]
    ) -> tuple[Carry, Float[Array, "batch word"]]:
        """Returns the decoder's carry and the logits after one more word."""
        return self.decoder.step(decoding, tokens)
