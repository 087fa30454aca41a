"""Defines a decoder that writes words about what an encoder read, with attention or without."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from lecture_models.nn.recurrent import RecurrentLayer
from lecture_models.nn.recurrent_cells import Carry, Cell, gru

Target = Int[Array, "batch time"]


class Source(NamedTuple):
    """Holds what the decoder knows of what it writes about.

    Attributes:
        annotations: what the encoder says at each place; without attention there are 0 places.
        keys: what the attention compares with its query.
        mask: True at the places, False at the padding.
        context: the context of a decoder without attention; with attention it has 0 features.
    """

    annotations: Float[Array, "batch place feature"]
    keys: Float[Array, "batch place key"]
    mask: Bool[Array, "batch place"]
    context: Float[Array, "batch summary"]


class Decoding(NamedTuple):
    """Holds the memory of the decoder: its carry, and the source."""

    carry: Carry
    source: Source


class Attention(nn.Module):
    """Averages the annotations, weighted by how well they answer the query.

    score_j = v . tanh(W_s s + W_h h_j + b), weights = softmax of the scores over the places.
    Bahdanau et al., 2015, section A.1.2; the soft attention of Xu et al., 2015, section 4.2.
    `attention(query, source)` returns context and weights; those of the padding are exactly 0.

    Attributes:
        features: the size of v.
    """

    features: int

    @nn.compact
    def __call__(
        self, query: Float[Array, "batch query_feature"], source: Source
    ) -> tuple[Float[Array, "batch context"], Float[Array, "batch attended"]]:
        asked = nn.Dense(self.features, use_bias=False, name="query")(query)
        answers = jnp.tanh(source.keys + asked[:, None])
        scores = nn.Dense(1, use_bias=False, name="score")(answers)[..., 0]
        weights = jax.nn.softmax(jnp.where(source.mask, scores, -jnp.inf), axis=1)
        return jnp.einsum("bs,bsf->bf", weights, source.annotations), weights


class AttentionDecoder(nn.Module):
    """Predicts each word from the words before it and from the source.

    A recurrent layer reads the last word and the context: a mean of the annotations whose weights
    its state chooses (Bahdanau et al., 2015), or the summary of the whole source, through which all
    that is said must pass (Cho et al., 2014): the lecture's bottleneck.

    Attributes:
        words: the size of the vocabulary.
        embedding: the number of elements of a word's vector.
        features: the number of features of the recurrent layer.
        cell: its cell.
        attention_features: the size of the attention's hidden layer; 0 for no attention.
        readout: features between the recurrent layer and the logits; 0 for none. A small number
            makes the product with a large vocabulary cheap.
        dropout: the share of the words' vectors and of the readout that is dropped in training; the
            key is `dropout`.
    """

    words: int
    embedding: int
    features: int
    cell: Cell = gru()
    attention_features: int = 128
    readout: int = 128
    dropout: float = 0.3

    def setup(self):
        self.vectors = nn.Embed(
            self.words, self.embedding, embedding_init=nn.initializers.normal(0.1)
        )
        self.bridges = [nn.Dense(self.features) for _ in range(self.cell.carries)]
        self.word_product = nn.Dense(self.cell.gates * self.features, use_bias=False)
        self.layer = RecurrentLayer(self.features, self.cell)
        if self.attention_features:
            self.keys = nn.Dense(self.attention_features)
            self.attention = Attention(self.attention_features)
        if self.readout:
            self.hidden = nn.Dense(self.readout)
        self.head = nn.Dense(self.words)
        self.drop = nn.Dropout(self.dropout)

    def begin(
        self,
        annotations: Float[Array, "batch place feature"],
        mask: Bool[Array, "batch place"],
        summary: Float[Array, "batch summary_feature"],
    ) -> Decoding:
        """Returns the memory before the first word.

        Args:
            annotations: what the encoder says at each place.
            mask: True at the places, False at the padding.
            summary: what the encoder says of the whole.
        """
        carry = tuple(jnp.tanh(bridge(summary)) for bridge in self.bridges)
        if self.attention_features:
            source = Source(annotations, self.keys(annotations), mask, summary[:, :0])
        else:
            source = Source(annotations[:, :0], annotations[:, :0], mask[:, :0], carry[0])
        return Decoding(carry, source)

    def teach(
        self,
        decoding: Decoding,
        target: Target,
        training: bool = False,
        forced: Bool[Array, " time"] | None = None,
    ) -> tuple[Float[Array, "batch time word"], Float[Array, "batch time attended"]]:
        """Returns the logits after each target word, and the weights of the attention, if any.

        Args:
            decoding: the memory before the first word.
            target: the words so far, of which the first is the start.
            training: whether dropout acts.
            forced: True where the decoder reads the target's word, False where it reads its own
                most probable one; None for the target's words alone, which is faster.
        """
        if forced is not None:
            return self._guess(decoding, target, training, forced)
        words = self.drop(self.vectors(target), deterministic=not training)

        def step(module, carry, product):
            return module._advance(carry, product, decoding.source)

        _, (outputs, contexts, weights) = _scan(step, 1)(
            self, decoding.carry, self.word_product(words)
        )
        return self._tell(outputs, contexts, words, training), weights

    def step(
        self, decoding: Decoding, tokens: Int[Array, " batch"]
    ) -> tuple[Carry, Float[Array, "batch word"]]:
        """Returns the carry and the logits after one more word."""
        word = self.vectors(tokens)
        carry, (output, context, _) = self._advance(
            decoding.carry, self.word_product(word), decoding.source
        )
        return carry, self._tell(output, context, word, training=False)

    def _advance(self, carry: Carry, word_product: Array, source: Source):
        """Returns the carry, and output, context and weights of the attention."""
        if self.attention_features:
            context, weights = self.attention(carry[0], source)
        else:
            context, weights = source.context, jnp.zeros((len(carry[0]), 0))
        carry, output = self.layer.step(carry, context, word_product)
        return carry, (output, context, weights)

    def _guess(self, decoding: Decoding, target: Target, training: bool, forced):
        """Returns what `teach` does, where the decoder reads some of its own words."""

        def step(module, memory, inputs):
            carry, guess = memory
            token = jnp.where(inputs[1], inputs[0], guess)
            word = module.drop(module.vectors(token), deterministic=not training)
            carry, (output, context, weights) = module._advance(
                carry, module.word_product(word), decoding.source
            )
            logits = module._tell(output, context, word, training)
            return (carry, logits.argmax(-1).astype(target.dtype)), (logits, weights)

        memory = (decoding.carry, target[:, 0])
        _, (logits, weights) = _scan(step, 0)(self, memory, (target.T, forced.at[0].set(True)))
        return jnp.swapaxes(logits, 0, 1), jnp.swapaxes(weights, 0, 1)

    def _tell(self, outputs: Array, contexts: Array, words: Array, training: bool) -> Array:
        features = jnp.concatenate([outputs, contexts, words], axis=-1)
        if self.readout:
            features = jnp.tanh(self.hidden(features))
            features = self.drop(features, deterministic=not training)
        return self.head(features)


def _scan(step, axis: int):
    """Scans a step of a module along an axis, with the same parameters at each."""
    return nn.scan(
        step,
        variable_broadcast="params",
        split_rngs={"params": False, "dropout": True},
        in_axes=axis,
        out_axes=axis,
    )
