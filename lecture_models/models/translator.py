"""Defines an encoder and decoder that translate sentences, with attention or without."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from lecture_models.nn.recurrent import RecurrentLayer
from lecture_models.nn.recurrent_cells import gru
from lecture_models.nn.recurrent_stack import RecurrentStack

Source = Int[Array, "batch source"]
Target = Int[Array, "batch time"]
Logits = Float[Array, "batch token"]


class Sentence(NamedTuple):
    """Holds what the decoder knows of a source sentence.

    Attributes:
        annotations: what the encoder says at each word; (batch, 0, feature) without attention.
        keys: what the attention compares with its query.
        mask: True at the words, False at the padding.
        context: the context of a decoder without attention; (batch, 0) with attention.
    """

    annotations: Float[Array, "batch source feature"]
    keys: Float[Array, "batch source key"]
    mask: Bool[Array, "batch source"]
    context: Float[Array, "batch summary"]


class Decoding(NamedTuple):
    """Holds the memory of the decoder: its state, and the source sentence."""

    state: Float[Array, "batch feature"]
    sentence: Sentence


class Attention(nn.Module):
    """Averages the annotations of the source, weighted by how well they answer the query.

    score_j = v . tanh(W_s s + W_h h_j + b), weights = softmax of the scores over the words.
    Bahdanau et al., 2015, section A.1.2. `attention(query, sentence)` returns context and weights;
    the weights of the padding are exactly 0.

    Attributes:
        features: the size of v.
    """

    features: int

    @nn.compact
    def __call__(
        self, query: Float[Array, "batch feature"], sentence: Sentence
    ) -> tuple[Float[Array, "batch context"], Float[Array, "batch attended"]]:
        asked = nn.Dense(self.features, use_bias=False, name="query")(query)
        answers = jnp.tanh(sentence.keys + asked[:, None])
        scores = nn.Dense(1, use_bias=False, name="score")(answers)[..., 0]
        weights = jax.nn.softmax(jnp.where(sentence.mask, scores, -jnp.inf), axis=1)
        return jnp.einsum("bs,bsf->bf", weights, sentence.annotations), weights


class DecoderStep(nn.Module):
    """Takes one step of the decoder, after the product of the words has been taken.

    Attributes:
        features: the number of features of the recurrent layer.
        attention_features: those of the attention; 0 for the context of the whole sentence.
    """

    features: int
    attention_features: int

    def setup(self):
        self.layer = RecurrentLayer(self.features, gru())
        if self.attention_features:
            self.attention = Attention(self.attention_features)

    def __call__(
        self,
        state: Float[Array, "batch feature"],
        word_product: Float[Array, "batch gate_feature"],
        sentence: Sentence,
    ) -> tuple[Float[Array, "batch feature"], tuple[Array, Array, Array]]:
        """Returns the state, and output, context and weights of the attention."""
        if self.attention_features:
            context, weights = self.attention(state, sentence)
        else:
            context, weights = sentence.context, jnp.zeros((len(state), 0))
        (state,), output = self.layer.step((state,), context, word_product)
        return state, (output, context, weights)


class Translator(nn.Module):
    """Reads a sentence in both directions and writes it in another language, word by word.

    The encoder is a bidirectional GRU (Cho et al., 2014); the decoder is a GRU whose context is a
    weighted mean of the encoder's outputs (Bahdanau et al., 2015), or the encoder's last carries
    alone, through which all that is said must pass: the lecture's bottleneck.

    Attributes:
        source_words: the size of the source's vocabulary.
        target_words: the size of the target's vocabulary.
        embedding: the number of elements of a word's vector.
        encoder_features: the number of features of the encoder in each direction.
        features: the number of features of the decoder.
        attention_features: the size of the attention's hidden layer; 0 for no attention.
        readout: features between the decoder and the logits; 0 for none. A small number makes the
            product with a large vocabulary cheap.
        dropout: the share of the words' vectors and of the readout that is dropped in training.
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
        vectors = nn.initializers.normal(0.1)
        self.source_vectors = nn.Embed(
            self.source_words, self.embedding, embedding_init=vectors, name="source_vectors"
        )
        self.target_vectors = nn.Embed(
            self.target_words, self.embedding, embedding_init=vectors, name="target_vectors"
        )
        self.encoder = RecurrentStack((self.encoder_features,), gru(), bidirectional=True)
        self.bridge = nn.Dense(self.features)
        if self.attention_features:
            self.keys = nn.Dense(self.attention_features)
        self.word_product = nn.Dense(3 * self.features, use_bias=False)
        self.decoder = DecoderStep(self.features, self.attention_features)
        if self.readout:
            self.hidden = nn.Dense(self.readout)
        self.head = nn.Dense(self.target_words)
        self.drop = nn.Dropout(self.dropout)

    def __call__(
        self,
        source: Source,
        source_mask: Bool[Array, "batch source"],
        target: Target,
        training: bool = False,
        forced: Bool[Array, " time"] | None = None,
    ) -> tuple[Float[Array, "batch time token"], Float[Array, "batch time attended"]]:
        """Returns the logits after each target word, and the weights of the attention, if any.

        Args:
            source: the words to translate.
            source_mask: True at the words, False at the padding.
            target: the words so far, of which the first is the start.
            training: whether dropout acts; its key is `dropout`.
            forced: True where the decoder reads the target's word, False where it reads its own
                most probable one; None for the target's words alone, which is faster.
        """
        decoding = self.read(source, source_mask, training)
        if forced is not None:
            return self._guess(decoding, target, training, forced)
        words = self.drop(self.target_vectors(target), deterministic=not training)

        def step(module, state, product):
            return module.decoder(state, product, decoding.sentence)

        _, (outputs, contexts, weights) = _scan(step, 1)(
            self, decoding.state, self.word_product(words)
        )
        return self._tell(outputs, contexts, words, training), weights

    def _guess(self, decoding: Decoding, target: Target, training: bool, forced):
        """Returns what a call does, where the decoder reads some of its own words."""

        def step(module, carry, inputs):
            state, guess = carry
            token = jnp.where(inputs[1], inputs[0], guess)
            word = module.drop(module.target_vectors(token), deterministic=not training)
            state, (output, context, weights) = module.decoder(
                state, module.word_product(word), decoding.sentence
            )
            logits = module._tell(output, context, word, training)
            return (state, logits.argmax(-1).astype(target.dtype)), (logits, weights)

        carry = (decoding.state, target[:, 0])
        _, (logits, weights) = _scan(step, 0)(self, carry, (target.T, forced.at[0].set(True)))
        return jnp.swapaxes(logits, 0, 1), jnp.swapaxes(weights, 0, 1)

    def _tell(self, outputs: Array, contexts: Array, words: Array, training: bool) -> Array:
        features = jnp.concatenate([outputs, contexts, words], axis=-1)
        if self.readout:
            features = jnp.tanh(self.hidden(features))
            features = self.drop(features, deterministic=not training)
        return self.head(features)

    def step(
        self, decoding: Decoding, tokens: Int[Array, " batch"]
    ) -> tuple[Float[Array, "batch feature"], Logits]:
        """Returns the decoder's state and the logits after one more word."""
        word = self.target_vectors(tokens)
        state, (output, context, _) = self.decoder(
            decoding.state, self.word_product(word), decoding.sentence
        )
        return state, self._tell(output, context, word, training=False)

    def read(
        self, source: Source, source_mask: Bool[Array, "batch source"], training: bool = False
    ) -> Decoding:
        """Returns the decoder's memory before the first word."""
        words = self.drop(self.source_vectors(source), deterministic=not training)
        carries, outputs = self.encoder(words, None, source_mask)
        summary = jnp.tanh(self.bridge(jnp.concatenate([carry for (carry,) in carries], axis=-1)))
        if self.attention_features:
            sentence = Sentence(outputs, self.keys(outputs), source_mask, summary[:, :0])
        else:
            sentence = Sentence(outputs[:, :0], outputs[:, :0], source_mask[:, :0], summary)
        return Decoding(summary, sentence)


def _scan(step, axis: int):
    """Scans a step of a module along an axis, with the same parameters at each."""
    return nn.scan(
        step,
        variable_broadcast="params",
        split_rngs={"params": False, "dropout": True},
        in_axes=axis,
        out_axes=axis,
    )
