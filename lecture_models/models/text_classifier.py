"""Defines networks that map a text of any length to the logits of its class: many to one."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from lecture_models.nn.recurrent import length_mask
from lecture_models.nn.recurrent_cells import Cell, lstm
from lecture_models.nn.recurrent_stack import RecurrentStack

Tokens = Int[Array, "batch time"]
Lengths = Int[Array, " batch"]
Embedded = Float[Array, "batch time embedding"]
Mask = Bool[Array, "batch time"]
Features = Float[Array, "batch feature"]
Logits = Float[Array, "batch class"]


class RecurrentEncoder(nn.Module):
    """Reads a text with recurrent layers, and takes each feature's maximum over the words.

    Attributes:
        features: the number of features of each layer.
        bidirectional: whether further layers read the text backward.
        mean: takes the mean over the words in place of the maximum.
        dropout: the share of inputs of each layer but the first that are dropped while training.
        cell: the cell of all layers.
    """

    features: tuple[int, ...] = (128,)
    bidirectional: bool = False
    mean: bool = False
    dropout: float = 0.0
    cell: Cell = lstm()

    @nn.compact
    def __call__(self, embedded: Embedded, mask: Mask, training: bool = False) -> Features:
        stack = RecurrentStack(self.features, self.cell, self.bidirectional, self.dropout)
        _, outputs = stack(embedded, mask=mask, training=training)
        if self.mean:  # The outputs at the padding are 0.
            return outputs.sum(axis=1) / mask.sum(axis=1)[:, None]
        return jnp.where(mask[..., None], outputs, -jnp.inf).max(axis=1)


class ConvolutionEncoder(nn.Module):
    """Finds phrases: filters over w neighboring words, each with its maximum over the text.

    c_t = relu(sum over k < w of W_k e_(t + k) + b), and the maximum of c_t over all windows that
    hold at least one word; outside the text e is 0. Kim, 2014, Convolutional neural networks for
    sentence classification, Eq. 2 to 4.

    Attributes:
        widths: the numbers of words w.
        filters: the number of filters of each width.
    """

    widths: tuple[int, ...] = (3, 4, 5)
    filters: int = 100

    @nn.compact
    def __call__(self, embedded: Embedded, mask: Mask, training: bool = False) -> Features:
        words = jnp.where(mask[..., None], embedded, 0.0)
        return jnp.concatenate([self._maxima(words, mask, width) for width in self.widths], axis=1)

    def _maxima(self, words: Embedded, mask: Mask, width: int) -> Features:
        shape = (width, words.shape[-1], self.filters)
        init = nn.initializers.lecun_normal(in_axis=(0, 1), out_axis=2)
        kernel = self.param(f"kernel_{width}", init, shape)
        bias = self.param(f"bias_{width}", nn.initializers.zeros, (self.filters,))
        # One product for all words and offsets, then sums of shifted rows: the gradient of a
        # convolution is slow inside compiled loops and conditions of a CPU.
        products = jnp.einsum("btd,wdf->wbtf", words, kernel)
        windows = words.shape[1] + width - 1
        sums = sum(jnp.pad(products[k], ((0, 0), (width - 1 - k, k), (0, 0))) for k in range(width))
        begins = jnp.pad(mask, ((0, 0), (0, width - 1)))
        # Window t ends at word t, and holds a word if one of the words t - w + 1 to t exists.
        valid = begins
        for k in range(1, width):
            valid = valid | jnp.pad(begins, ((0, 0), (k, 0)))[:, :windows]
        maps = nn.relu(sums + bias[None, None])
        return jnp.where(valid[..., None], maps, 0.0).max(axis=1)


class TextClassifier(nn.Module):
    """Maps the numbers of a text's words to the logits of its class.

    `model.apply(variables, tokens, lengths, training)` does so. `method="embed"` gives the words'
    vectors and `method="classify"` continues from them, for gradients with respect to words.

    Attributes:
        vocabulary: the number of words; word 0 is the unknown word.
        classes: the number of classes.
        encoder: maps embedded words and their mask to features.
        embedding: the number of elements of a word's vector.
        dropout: the share of the features that is dropped while training; the key is `dropout`.
        embedding_dropout: likewise, the share of the words' vectors.
        word_dropout: the share of words that become unknown while training.
        scale: the standard deviation of the initial elements of a word's vector.
    """

    vocabulary: int
    classes: int
    encoder: nn.Module
    embedding: int = 100
    dropout: float = 0.5
    embedding_dropout: float = 0.5
    word_dropout: float = 0.0
    scale: float = 0.1

    def setup(self):
        init = nn.initializers.normal(self.scale)
        self.words = nn.Embed(self.vocabulary, self.embedding, embedding_init=init)
        self.drop_embedded = nn.Dropout(self.embedding_dropout)
        self.drop = nn.Dropout(self.dropout)
        self.head = nn.Dense(self.classes)

    def __call__(self, tokens: Tokens, lengths: Lengths, training: bool = False) -> Logits:
        """Returns the logits of texts that are padded behind their `lengths`."""
        return self.classify(self.embed(tokens, training), lengths, training)

    def embed(self, tokens: Tokens, training: bool = False) -> Embedded:
        """Returns the vectors of words."""
        if training and self.word_dropout:
            dropped = jax.random.bernoulli(
                self.make_rng("dropout"), self.word_dropout, tokens.shape
            )
            tokens = jnp.where(dropped, 0, tokens)
        return self.words(tokens)

    def classify(self, embedded: Embedded, lengths: Lengths, training: bool = False) -> Logits:
        """Returns the logits of texts whose words are vectors."""
        mask = length_mask(lengths, embedded.shape[1])
        embedded = self.drop_embedded(embedded, deterministic=not training)
        features = self.encoder(embedded, mask, training)
        return self.head(self.drop(features, deterministic=not training))
