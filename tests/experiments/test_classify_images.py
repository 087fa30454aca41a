import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from PIL import Image

import launch
from experiments import classify_images
from experiments.classify_images import Config, build, make_classify, top_lines
from lecture_models.data.dataset import DataError, Provenance
from lecture_models.data.lookup import Library
from lecture_models.tasks.class_judge import caption
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import Preprocessing
from lecture_models.weights.pretrained import Pretrained

CLASSES = ("red, scarlet", "green", "blue", "dark", "light", "gray")
SQUARES = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=8, shorter_side=16)


class MeanColor(nn.Module):
    """Logits are ten times the mean red, green and blue, then three of nothing."""

    num_classes: int = 6

    @nn.compact
    def __call__(self, images, training=False):
        return jnp.pad(10.0 * images.mean((1, 2)), ((0, 0), (0, 3))), {}


class OneNetwork:
    """In place of the weights: the same network under every name."""

    def __init__(self, classes=CLASSES):
        provenance = Provenance("weights color", "by hand", ())
        self._network = Pretrained("color", MeanColor(), {}, SQUARES, classes, provenance)

    def load(self, name):
        return self._network


@pytest.fixture
def pictures(tmp_path):
    """A wide red one and a high blue one, in a folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (40, 20), (255, 0, 0)).save(folder / "a.png")
    Image.new("RGB", (20, 30), (0, 0, 255)).save(folder / "b.jpg")
    return folder


def evaluated(config):
    library = Library(None, print)
    experiment = build(config, library, OneNetwork())
    return experiment.evaluate({}, jax.random.key(0)), library


def test_each_picture_has_its_five_most_probable_classes(pictures):
    found, _ = evaluated(Config(images=(str(pictures),), batch_size=1))
    red, blue = (found[f"picture_000{number}_top5"].split("\n") for number in (1, 2))
    assert red[0] == str(pictures / "a.png")
    assert red[1] == " 99.99%  ████████████████████  red, scarlet"
    assert blue[1].endswith("  blue")
    assert len(red) == len(blue) == 6
    assert found["pictures"] == 2.0
    assert found["picture_0001"].pixels.shape == (1, 16, 16, 3)
    assert found["picture_0002"].caption.startswith("b.jpg: blue 100.0%, ")
    assert found["alarm_weights"] == ""


def test_the_record_names_every_picture(pictures):
    _, library = evaluated(Config(images=(str(pictures / "b.jpg"), str(pictures))))
    (provenance,) = library.provenance
    assert [file.path.name for file in provenance.files] == ["b.jpg", "a.png", "b.jpg"]
    assert provenance.source == "3 pictures, central squares"


def test_without_names_the_photos_of_scikit_learn_are_shown():
    found, library = evaluated(Config())
    assert found["picture_0001_top5"].split("\n")[0].endswith("china.jpg")
    assert library.provenance[0].note.startswith("the photos that scikit-learn ships")


def test_only_the_first_pictures_enter_the_report(pictures):
    found, _ = evaluated(Config(images=(str(pictures),), shown_pictures=1))
    assert "picture_0001" in found
    assert "picture_0002" not in found
    assert "picture_0002_top5" in found


def test_ten_crops_of_an_even_picture_say_what_one_says():
    pixels = np.full((2, 16, 16, 3), 90, np.uint8)
    pixels[1, ..., 0] = 130
    network = OneNetwork().load("color")
    one, ten = (make_classify(network, crops)(pixels) for crops in (False, True))
    np.testing.assert_allclose(ten, one, rtol=1e-5)


def test_probabilities_are_ordered_and_drawn():
    probabilities = np.array([0.05, 0.5, 0.05, 0.3, 0.1, 0.0], np.float32)
    lines = top_lines(probabilities, CLASSES)
    assert lines[0] == " 50.00%  ██████████            green"
    assert [line.split("  ")[-1].strip() for line in lines[1:3]] == ["dark", "light"]
    assert caption(probabilities, CLASSES).startswith("green 50.0%, dark 30.0%, light 10.0%, red ")


def test_a_network_without_classes_is_refused():
    with pytest.raises(WeightsError, match="color has no class scores; name another --model"):
        build(Config(model="color"), Library(None, print), OneNetwork(classes=()))


def test_training_is_refused():
    with pytest.raises(ValueError, match="--num_steps is 5; it must be 0"):
        Config(num_steps=5)


def test_a_picture_that_is_none_is_a_one_line_error(pictures):
    (pictures / "c.png").write_text("<html>")
    with pytest.raises(DataError, match="c.png cannot be read: not a picture"):
        build(Config(images=(str(pictures),)), Library(None, print), OneNetwork())


def test_absent_weights_are_a_one_line_error_of_the_launcher(tmp_path, capsys):
    arguments = ["--experiment=classify_images", f"--weights_dir={tmp_path}", "--wandb=disabled"]
    arguments.append("--model=googlenet_bvlc")
    assert launch.main(["launch.py", *arguments, f"--workdir={tmp_path / 'run'}"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: googlenet_bvlc: ")
    assert "googlenet_bvlc.safetensors" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_smoke_run_names_itself_noise(tmp_path, capsys):
    arguments = ["--experiment=classify_images", "--preset=smoke", "--wandb=disabled"]
    assert launch.main(["launch.py", *arguments, f"--workdir={tmp_path / 'run'}"]) == 0
    printed = capsys.readouterr()
    assert "UNTRAINED" in printed.err
    assert "ALARM: weights" in printed.err
    assert printed.out.count("%") == 2 * classify_images.TOP
