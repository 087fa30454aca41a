"""Tests the PNG and GIF files of a run: equal after a resume, with the command that made them."""

import signal

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from lecture_models.experiment import Images
from tests.training.sessions import Config, run_session, signals_at
from tests.training.toy import toy_experiment


def run(path, *more):
    """Runs an experiment that draws its weights at every evaluation."""

    def evaluate(state, key):
        shown = jnp.tanh(state.weights / 5.0).reshape(1, 1, 5, 1)
        return {"weights": Images(shown, 1, "five weights: ω")}

    experiment = toy_experiment()._replace(evaluate=evaluate)
    arguments = ["--experiment=toy", "--title=two words", *more]
    return run_session(path, Config(checkpoint_every=8), experiment, arguments)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder) == 0
    return folder


def text_of(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.text


def test_a_run_that_was_stopped_and_resumed_leaves_the_same_film(whole, tmp_path):
    with signals_at(4, signal.SIGTERM):
        assert run(tmp_path) == 128 + signal.SIGTERM
    assert not list(tmp_path.rglob("*.gif"))
    assert run(tmp_path, f"--workdir={tmp_path}") == 0
    names = [
        sorted(path.name for path in (folder / "images").iterdir()) for folder in (whole, tmp_path)
    ]
    assert names[0] == names[1]
    assert "weights.gif" in names[0]
    gifs = [(folder / "images" / "weights.gif").read_bytes() for folder in (whole, tmp_path)]
    assert gifs[0] == gifs[1]
    # Every picture is made again by the first command, whichever session drew it.
    texts = [text_of(tmp_path / "images" / f"weights_{step:08d}.png") for step in (2, 8)]
    assert texts[0] == texts[1] | {"Step": "2"}


def test_a_finished_run_is_not_filmed_again(whole):
    path = whole / "images" / "weights.gif"
    before = path.stat().st_mtime_ns
    assert run(whole) == 0
    assert path.stat().st_mtime_ns == before


def test_every_picture_says_what_made_it_and_nothing_of_the_time(whole):
    text = text_of(whole / "images" / "weights_00000004.png")
    assert text["Software"] == "lecture-models"
    assert text["Command"] == "python launch.py --experiment=toy '--title=two words'"
    assert (text["Step"], text["Seed"], text["Experiment"]) == ("4", "3", "toy")
    assert text["Caption"] == "five weights: ω"
    assert text["Commit"]
    assert set(text) == {
        "Software", "Command", "Commit", "Step", "Seed", "Experiment", "Caption"
    }  # fmt: skip


def test_a_picture_of_weights_has_their_levels(whole):
    with Image.open(whole / "images" / "weights_00000008.png") as picture:
        levels = np.asarray(picture)[0]
    assert levels.shape == (5,)
    assert (np.diff(levels.astype(int)) > 0).all()  # The weights go to 1, 2, 3, 4, 5.
