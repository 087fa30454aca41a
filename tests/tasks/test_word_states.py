import numpy as np

from lecture_models.tasks.word_states import SpeechFrames, fit_words, recognize


def made_frames(random, count=40):
    """Returns two words of two states each: 0 then 5, and 5 then 0, of random durations."""
    values, lengths, labels = [], [], []
    for number in range(count):
        first, second = random.integers(3, 8, 2)
        label = number % 2
        levels = np.repeat([0.0, 5.0] if label == 0 else [5.0, 0.0], [first, second])
        frames = np.zeros((16, 2))
        frames[: len(levels)] = levels[:, None] + random.normal(0.0, 0.5, (len(levels), 2))
        values.append(frames)
        lengths.append(first + second)
        labels.append(label)
    return SpeechFrames(np.array(values, np.float32), np.array(lengths), np.array(labels))


def test_the_states_find_where_the_sound_changes_and_name_the_word():
    sounds = made_frames(np.random.default_rng(0))
    models, paths = fit_words(sounds, words=2, states=2, components=1, rounds=3, seed=0)
    for sound in range(len(sounds.labels)):
        length, label = sounds.lengths[sound], sounds.labels[sound]
        level = sounds.values[sound, :length, 0]
        expected = (level > 2.5) if label == 0 else (level <= 2.5)
        np.testing.assert_array_equal(paths[sound, :length], expected.astype(int))
        assert (paths[sound, length:] == -1).all()
    means = [[mixture.means_[0, 0] for mixture in word] for word in models.mixtures]
    np.testing.assert_allclose(means, [[0.0, 5.0], [5.0, 0.0]], atol=0.3)
    others = made_frames(np.random.default_rng(1))
    scores, alignments = recognize(others, lambda word: models.emissions(others, word), models.stay)
    np.testing.assert_array_equal(scores.argmax(axis=1), others.labels)
    assert len(alignments) == 2
