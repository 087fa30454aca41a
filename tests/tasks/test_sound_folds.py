import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.data import made_speech
from lecture_models.data.dataset import DataError, Dataset, Provenance, Split
from lecture_models.models.sound_classifier import SpectrogramConvolution
from lecture_models.nn.log_mel import Reading, Spectrum
from lecture_models.nn.sound_perturbation import Perturbation
from lecture_models.tasks.sound_folds import (
    TurnBatches,
    fold_accuracies,
    init_folds,
    make_folds,
    make_judge,
    make_step,
)
from lecture_models.tasks.sound_inputs import read_samples, sample_inputs, spectral_inputs


@pytest.fixture(scope="module")
def words():
    return made_speech.make()


def test_the_official_split_trains_on_all_but_the_test_takes(words):
    folds = make_folds(words, 0.2, leave_speakers_out=False, validate=False)
    (fold,) = folds.folds
    assert len(fold.train) == len(words.train) + len(words.validation)
    assert len(fold.judged) == len(words.test)
    assert not set(fold.train) & set(fold.judged)
    np.testing.assert_array_equal(folds.labels[fold.judged], words.test.labels)
    assert folds.samples.shape == (216, 1_600)
    assert folds.lengths.max() == 1_600


def test_test_sounds_are_unused_where_validation_sounds_are_judged(words):
    (fold,) = make_folds(words, 0.2, leave_speakers_out=False, validate=True).folds
    assert len(fold.judged) == len(words.validation)
    tested = set(range(len(words.train) + len(words.validation), 216))
    assert not tested & (set(fold.train) | set(fold.judged))


def test_no_network_hears_the_speaker_whom_it_judges(words):
    for validate in (False, True):
        folds = make_folds(words, 0.2, leave_speakers_out=True, validate=validate)
        for number, fold in enumerate(folds.folds):
            judged = {int(folds.speakers[sound]) for sound in fold.judged}
            trained = {int(folds.speakers[sound]) for sound in fold.train}
            assert judged == {(number + validate) % 3}
            assert trained == set(range(3)) - judged - ({number} if validate else set())
            assert fold.name == folds.speaker_names[judged.pop()]


def test_one_speaker_cannot_be_left_out(words):
    alone = Dataset(
        *(split.select(split["speakers"] == 0) for split in words[:3]),
        words.classes,
        words.provenance,
        {"speakers": ("high",)},
    )
    with pytest.raises(DataError, match="has 1 speakers; to leave one out there must be at least"):
        make_folds(alone, 0.2, leave_speakers_out=True, validate=False)


def test_other_data_are_refused():
    split = Split({"labels": np.zeros(1, np.int32)})
    other = Dataset(split, split, split, ("a",), Provenance("pictures", "made", ()))
    with pytest.raises(DataError, match="pictures has no sounds of words and speakers"):
        make_folds(other, 0.2, leave_speakers_out=False, validate=False)


def test_networks_take_turns_and_the_others_stay(words):
    folds = make_folds(words, 0.1, leave_speakers_out=True, validate=False)
    module, inputs = SpectrogramConvolution(4, (3,)), spectral_inputs(Spectrum(bands=8))
    optimizer = optax.adam(1e-2)
    state = init_folds(module, inputs, optimizer, folds, jax.random.key(0))
    step = jax.jit(make_step(module, inputs, optimizer, Perturbation(), 0.0))
    batches = TurnBatches(folds, 8, seed=0)
    for number, batch in zip(range(4), batches(0), strict=False):
        assert set(batch["fold"].tolist()) == {number % 3}
        before = state
        state, metrics = step(state, batch, jax.random.key(number))
        assert np.isfinite(metrics["loss"])
        for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(state), strict=True):
            changed = [not np.array_equal(old[k], new[k]) for k in range(3)]
            assert [k for k in range(3) if changed[k]] in ([number % 3], [])
    assert state.optimizer_state[0].count.tolist() == [2, 1, 1]
    np.testing.assert_array_equal(next(batches(3))["samples"], batch["samples"])
    judge = make_judge(module, inputs, folds)
    judged = judge(state.params)
    assert sorted(judged.sounds.tolist()) == list(range(216))
    np.testing.assert_array_equal(judged.labels, folds.labels[judged.sounds])
    own = jax.tree.map(lambda leaf: leaf[1], state.params)
    sound = folds.folds[1].judged[:1]
    expected = module.apply(
        {"params": own}, *inputs.clean(folds.samples[sound], jnp.asarray(folds.lengths[sound]))
    )
    np.testing.assert_allclose(judged.logits[72], expected[0], atol=1e-4)
    noisy = judge(state.params, 0.0)
    assert not np.allclose(noisy.logits, judged.logits)
    accuracies = fold_accuracies(judged, folds)
    assert tuple(accuracies) == folds.speaker_names
    assert np.mean(list(accuracies.values())) == pytest.approx(judged.accuracy)


def test_a_tape_at_twice_the_speed_has_every_second_sample():
    samples = jnp.arange(8.0)[None]
    lengths, reading = jnp.array([8]), Reading(jnp.array([2.0]), jnp.ones(1))
    read, mask = read_samples(samples, lengths, reading)
    assert read[0].tolist() == [0.0, 2.0, 4.0, 6.0, 0.0, 0.0, 0.0, 0.0]
    assert mask.sum() == 4
    inputs, mask = sample_inputs().clean(samples, lengths)
    assert float(inputs.std()) == pytest.approx(1.0, rel=1e-3)
    assert mask.all()


def test_slopes_follow_the_spectra():
    sounds = jnp.asarray(np.random.default_rng(0).normal(size=(1, 1_024)), jnp.float32)
    plain, _ = spectral_inputs(Spectrum(bands=8)).clean(sounds, jnp.array([1_024]))
    both, _ = spectral_inputs(Spectrum(bands=8), with_slopes=True).clean(sounds, jnp.array([1_024]))
    assert both.shape[-1] == 16
    np.testing.assert_array_equal(both[..., :8], plain)
