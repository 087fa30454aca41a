import jax
import numpy as np
import optax
import pytest

from lecture_models.data import made_speech
from lecture_models.data.dataset import DataError, Provenance
from lecture_models.data.sentence_sounds import SoundSentence, sentence_dataset
from lecture_models.losses.ctc import greedy_words
from lecture_models.models.sentence_recognizer import SentenceRecognizer
from lecture_models.nn.log_mel import Spectrum
from lecture_models.nn.sound_perturbation import Perturbation
from lecture_models.tasks.sentence_training import (
    divide,
    init_state,
    make_batches,
    make_hear,
    make_step,
)
from lecture_models.tasks.sound_inputs import spectral_inputs

SPECTRUM = Spectrum(bands=8)


def sentences(seconds, words=("a", "b", "a")):
    random = np.random.default_rng(0)
    return [
        SoundSentence(words, random.normal(0.0, 0.1, int(8_000 * seconds)).astype(np.float32))
        for _ in range(8)
    ]


def dataset(sounds):
    return sentence_dataset(sounds, Provenance("strings", "made here", ()))


def test_sentences_have_room_to_be_slowed_down():
    trained, judged = divide(dataset(sentences(0.5)), SPECTRUM, 1.2, validate=False)
    assert trained.samples.shape == (4, 4_800)
    assert len(judged.lengths) == 4
    assert trained.said(0).tolist() == [0, 1, 0]
    assert len(trained.sound(0)) == 4_000
    validated, held = divide(dataset(sentences(0.5)), SPECTRUM, 1.2, validate=True)
    assert (len(validated.lengths), len(held.lengths)) == (3, 1)


def test_a_sentence_that_is_too_short_for_its_words_is_refused():
    short = dataset(sentences(0.15, ("a", "a", "b")))
    message = "sentence 0 of strings has 3 words in 3 frames; it needs at least 4"
    with pytest.raises(DataError, match=message):
        divide(short, SPECTRUM, 1.0, validate=False)


def test_a_network_learns_the_order_of_words_in_few_sentences():
    times = np.arange(2_000) / 8_000

    def tone(hertz):
        return (0.5 * np.sin(2.0 * np.pi * hertz * times)).astype(np.float32)

    tones = {"low": tone(300.0), "high": tone(2_000.0)}
    quiet = np.zeros(800, np.float32)
    orders = [("low", "high"), ("high", "low"), ("low", "low"), ("high", "high")] * 4
    sounds = [
        SoundSentence(
            order, np.concatenate([quiet, tones[order[0]], quiet, tones[order[1]], quiet])
        )
        for order in orders
    ]
    trained, judged = divide(dataset(sounds), SPECTRUM, 1.0, validate=False)
    module, inputs = SentenceRecognizer(2, 8, (8,), 0.0), spectral_inputs(SPECTRUM)
    optimizer = optax.adam(2e-2)
    state = init_state(module, inputs, optimizer, trained, jax.random.key(0))
    step = jax.jit(make_step(module, inputs, optimizer, Perturbation()))
    losses = []
    for number, batch in zip(range(60), make_batches(trained, 8, 0)(0), strict=False):
        state, metrics = step(state, batch, jax.random.key(number))
        losses.append(float(metrics["nats_per_word"]))
    assert losses[-1] < 0.2 * losses[0]
    heard = make_hear(module, inputs, judged)(state.params)
    for sentence in range(len(judged.lengths)):
        np.testing.assert_array_equal(heard.words[sentence], judged.said(sentence))
        again = greedy_words(heard.logits[sentence], int(heard.moments[sentence]))
        np.testing.assert_array_equal(again, heard.words[sentence])


def test_other_data_are_refused():
    with pytest.raises(DataError, match="made_words has no sounds of sentences"):
        divide(made_speech.make(), SPECTRUM, 1.0, validate=False)
