"""A sequence of frames in one style."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import launch
from experiments.style_transfer import SMOKE
from lecture_models.data.dataset import DataError
from lecture_models.experiment import Result
from lecture_models.tasks.style.video import LEAD, agreement, frame_of
from tests.tasks.style.styling import built, configured, draw_pictures


@pytest.fixture
def pictures(tmp_path):
    return draw_pictures(tmp_path)


@pytest.fixture
def frames(pictures):
    folder = pictures / "frames"
    folder.mkdir()
    for number in range(3):
        frame = Image.open(pictures / "content.png").copy()
        frame.paste((255, 255, 255), (6 * number, 4, 6 * number + 6, 14))
        frame.save(folder / f"frame_{number}.png")
    return pictures


def frames_config(frames, **changes):
    wanted = {"content": "frames", "eval_every": 4, "num_steps": 4 * (LEAD + 2)}
    return configured(frames, **wanted | changes)


def test_every_frame_is_shown_once_it_is_finished(frames):
    config = frames_config(frames)
    experiment = built(config)
    state, step = experiment.init(jax.random.key(0)), jax.jit(experiment.step)
    shown, losses = [], []
    for number, batch in enumerate(experiment.batches(0), start=1):
        state, metrics = step(state, batch, jax.random.key(number))
        losses.append(metrics)
        if number % config.eval_every == 0:
            shown.append(experiment.evaluate(state, jax.random.key(0)))
    assert number == config.num_steps
    assert [bool(each) for each in shown] == [False] * (LEAD - 1) + [True] * 3
    names = [each["frame"].file_name for each in shown if each]
    assert names == ["frame_0", "frame_1", "frame_2"]
    assert experiment.result == Result("frame", 0.1)
    assert experiment.cadence_decides["eval_every"] == "the steps of each frame"
    assert all(each["temporal"] == 0.0 for each in losses[: LEAD * 4])
    assert losses[LEAD * 4 + 3]["temporal"] > 0.0
    pixels = [each["frame"].pixels for each in shown[LEAD - 1 :]]
    assert np.abs(pixels[1] - pixels[0]).max() > 1e-3


def test_cold_frames_all_begin_with_the_same_noise(frames):
    config = frames_config(frames, warm_start=False, white_noise=True)
    experiment = built(config)
    state, step = experiment.init(jax.random.key(0)), jax.jit(experiment.step)
    first = np.asarray(state.image.params)
    for number, batch in enumerate(experiment.batches(0)):
        if batch["fresh"]:
            seen, _ = step(state, batch, jax.random.key(100 + number))
            np.testing.assert_array_equal(seen.image.optimizer.point, first.ravel())
        state, _ = step(state, batch, jax.random.key(number))
    assert int(state.step) == config.num_steps


@pytest.mark.parametrize("warm", [True, False])
def test_what_moves_begins_where_it_is_and_what_stays_with_the_result_before(frames, warm):
    experiment = built(frames_config(frames, warm_start=warm))
    state, step = experiment.init(jax.random.key(0)), jax.jit(experiment.step)
    for number, batch in enumerate(experiment.batches(0)):
        if batch["fresh"]:
            break
        state, _ = step(state, batch, jax.random.key(number))
    begun, _ = step(state, batch, jax.random.key(number))
    begin = begun.image.optimizer.point.reshape(batch["content"].shape)[0]
    before = begun.previous[0]
    assert np.abs(before - batch["content"][0]).max() > 0.1
    moves, stays = batch["agreement"] < 1e-3, batch["agreement"] > 0.999
    assert moves.sum() > 40
    np.testing.assert_allclose(begin[moves], batch["content"][0][moves], atol=0.01)
    kept = before if warm else batch["content"][0]
    np.testing.assert_allclose(begin[stays], kept[stays], atol=0.01)


def test_batches_from_the_middle_are_those_of_the_whole(frames):
    experiment = built(frames_config(frames))
    whole = list(experiment.batches(0))
    later = list(experiment.batches(9))
    assert len(later) == len(whole) - 9
    for a, b in zip(jax.tree.leaves(whole[9]), jax.tree.leaves(later[0]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_steps_belong_to_frames_and_the_first_has_more():
    assert [frame_of(step, 2) for step in range(2 * LEAD, 2 * LEAD + 4)] == [1, 1, 2, 2]
    assert {frame_of(step, 2) for step in range(2 * LEAD)} == {0}


def test_frames_agree_with_themselves_and_not_with_their_negative():
    frame = jnp.full((1, 2, 2, 3), 0.8)
    np.testing.assert_array_equal(agreement(frame, frame), np.ones((2, 2)))
    assert agreement(frame, -frame).max() < 1e-6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"num_steps": 10},
            "--num_steps is 10; 3 frames of --eval_every=4 steps, .* need --num_steps=24",
        ),
        (
            {"size": 32, "coarse_sizes": (16,)},
            "--coarse_sizes does not work with frames; give --coarse_sizes=",
        ),
    ],
)
def test_frames_whose_run_does_not_fit_are_refused(frames, changes, message):
    with pytest.raises(DataError, match=message):
        built(frames_config(frames, **changes))


def test_frames_of_two_sizes_are_refused(frames):
    Image.new("RGB", (20, 20)).save(frames / "frames" / "frame_1.png")
    with pytest.raises(
        DataError, match="the frame frame_1 of .* has 24x24 pixels at --size=24; it must have 24x18"
    ):
        built(frames_config(frames))


@pytest.mark.slow
def test_a_smoke_run_of_frames_leaves_a_picture_of_each(frames, tmp_path):
    folder = tmp_path / "run"
    flags = {
        "content": frames / "frames",
        "style": frames / "style.png",
        "size": 24,
        "coarse_sizes": "",
        "eval_every": 1,
        "num_steps": LEAD + 2,
        "output": tmp_path / "film.gif",
    }
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    launched = functools.partial(
        launch.main,
        [
            *("launch.py", "--experiment=style_transfer", "--preset=smoke", "--wandb=disabled"),
            *(f"--workdir={folder}", *arguments),
        ],
    )
    assert launched() == 0
    names = sorted(path.name for path in (folder / "images").iterdir())
    assert names == ["frame.gif", "frame_0.png", "frame_1.png", "frame_2.png"]
    with Image.open(tmp_path / "film.gif") as film:
        assert (film.n_frames, film.size, film.info["duration"]) == (3, (24, 18), 100)
    assert "untrained" in SMOKE.values()
