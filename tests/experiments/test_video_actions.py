import jax
import numpy as np
import pytest

from experiments import video_actions as experiment
from lecture_models.data.lookup import Library
from lecture_models.tasks.film_folds import accuracies, make_judge
from lecture_models.tasks.film_windows import Windows


def made_windows():
    """Returns twelve windows of three people and two classes; the frames tell nothing."""
    people = np.repeat(np.arange(3), 4).astype(np.int32)
    labels = np.tile([0, 0, 1, 1], 3).astype(np.int32)
    frames = np.zeros((12, 4, 8, 8), np.uint8)
    films = (np.arange(12) // 2).astype(np.int32)
    return Windows(frames, np.full(12, 4, np.int32), labels, people, films)


def test_the_part_of_a_person_holds_windows_of_all_others():
    windows = made_windows()
    config = experiment.Config(**experiment.SMOKE | {"batch_size": 4})
    batches = experiment.fold_batches(windows, config, 3)
    assert batches.sizes == (4, 4, 4)
    seen = [set(), set(), set()]
    for step in range(6):
        for person, part in enumerate(np.split(batches.indices(step), 3)):
            seen[person] |= {int(windows.people[index]) for index in part}
    assert seen == [{1, 2}, {0, 2}, {0, 1}]


def test_each_window_is_judged_by_the_fold_that_never_saw_its_person():
    windows = made_windows()
    networks = experiment.make_networks(experiment.Config(**experiment.SMOKE), 2)
    single = networks[-1]
    frames = jax.numpy.zeros((1, 4, 8, 8, 1))
    mask = jax.numpy.ones((1, 4), bool)
    keys = jax.random.split(jax.random.key(0), 3)
    params = jax.vmap(lambda key: single.module.init(key, frames, mask))(keys)["params"]
    params = jax.tree.map(jax.numpy.zeros_like, params)
    # The fold of person 1 alone answers class 1, the others class 0.
    head = params["Dense_1"]["bias"].at[:, 0].set(5.0).at[1].set(jax.numpy.array([0.0, 5.0]))
    params["Dense_1"]["bias"] = head
    judged = make_judge(single, windows, 3)(params, jax.random.key(1))
    assert judged.in_order.argmax(axis=1).tolist() == [0] * 4 + [1] * 4 + [0] * 4
    np.testing.assert_allclose(np.exp(judged.in_order).sum(axis=1), 1.0, rtol=1e-5)


def test_accuracies_count_windows_and_films():
    windows = made_windows()
    logs = np.log(np.full((12, 2), 0.5, np.float32))
    logs[:, 0] += 0.1  # All say class 0: half of windows and films.
    logs[2] = [-5.0, -0.01]  # But one window of the second film is sure of class 1.
    of_windows, of_films, voted = accuracies(logs, windows)
    assert of_windows == pytest.approx(100.0 * 7 / 12)
    assert of_films == pytest.approx(100.0 * 4 / 6)
    assert voted == {0: 0, 1: 1, 2: 0, 3: 0, 4: 0, 5: 0}


def test_sides_that_do_not_divide_the_frames_are_refused():
    with pytest.raises(ValueError, match="--side is 30; it must be 8, 16, 32 or 64"):
        experiment.Config(side=30)
    with pytest.raises(ValueError, match="--window is 1; it must be at least 2"):
        experiment.Config(window=1)


def test_the_step_lowers_the_loss_of_every_network():
    config = experiment.Config(**experiment.SMOKE | {"batch_size": 8, "learning_rate": 1e-2})
    built = experiment.build(config, Library(None, print))
    state = built.init(jax.random.key(0))
    step = jax.jit(built.step)
    batch = next(built.batches(0))
    losses = []
    for number in range(40):
        state, metrics = step(state, batch, jax.random.key(number))
        losses.append({name: float(value) for name, value in metrics.items()})
    for name in losses[0]:
        if name in ("loss_lstm", "loss_mean"):  # The others see other frames at each step.
            assert losses[-1][name] < losses[0][name], name
