import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from PIL import Image

import launch
from experiments._style_frames import LEAD, agreement, frame_of
from experiments._style_pictures import shares
from experiments._style_terms import Weighting, content_terms
from experiments.style_transfer import SMOKE, Config, build, stage_steps
from lecture_models.data.dataset import DataError, Provenance
from lecture_models.data.lookup import Library
from lecture_models.nn.pooling import max_pool
from lecture_models.weights.error import WeightsError
from lecture_models.weights.preprocessing import Preprocessing
from lecture_models.weights.pretrained import Pretrained

RGB = Preprocessing((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 2.0, bgr=False, size=0)
TINY = {
    "size": 24,
    "coarse_sizes": (),
    "content_layers": ("relu2",),
    "style_layers": ("relu1", "relu2"),
    "memory": 3,
    "num_steps": 6,
    "style_weight": 1e3,
    "balance_layers": False,
}


class TwoLayers(nn.Module):
    """Matrices in place of convolutions: they compile in no time."""

    num_classes: int = 0
    pool: object = max_pool

    @nn.compact
    def __call__(self, images, training=False):
        first = nn.relu(nn.Dense(6, name="one")(images))
        second = nn.relu(nn.Dense(6, name="two")(self.pool(first, 2, 2)))
        return jnp.zeros((len(images), 0)), {"relu1": first, "relu2": second}


class OneNetwork:
    """In place of the weights."""

    def __init__(self):
        random = np.random.default_rng(0)
        layers = {"one": 3, "two": 6}
        params = {
            name: {
                "kernel": random.normal(size=(fan_in, 6)).astype(np.float32) / 2.0,
                "bias": np.full(6, 0.1, np.float32),
            }
            for name, fan_in in layers.items()
        }
        provenance = Provenance("weights two", "by hand", ())
        self.network = Pretrained("two", TwoLayers(), {"params": params}, RGB, (), provenance)

    def load(self, names):
        return self.network


def stripes(size, first, second, turned=False):
    width, height = size
    bands = np.indices((height, width))[int(turned)] // 2 % 2
    colours = np.array([first, second], np.uint8)
    return Image.fromarray(colours[bands])


@pytest.fixture
def pictures(tmp_path):
    stripes((24, 18), (200, 40, 40), (30, 60, 200)).save(tmp_path / "content.png")
    stripes((20, 20), (240, 220, 20), (20, 90, 40), turned=True).save(tmp_path / "style.png")
    stripes((20, 20), (10, 10, 10), (240, 240, 240)).save(tmp_path / "second.png")
    half = np.zeros((40, 50), np.uint8)
    half[:, :25] = 255
    Image.fromarray(half).save(tmp_path / "half.png")
    Image.fromarray(255 - half).save(tmp_path / "other_half.png")
    Image.fromarray(0 * half).save(tmp_path / "black.png")
    return tmp_path


def configured(pictures, **changes):
    given = {"content": "content.png", "style": ("style.png",)} | TINY | changes
    for name in ("content", "init"):
        if given.get(name):
            given[name] = str(pictures / given[name])
    for name in ("style", "content_mask", "style_mask"):
        given[name] = tuple(str(pictures / each) for each in given.get(name, ()))
    return Config(**given)


def built(config, weights=None):
    return build(config, Library(None, print), weights or OneNetwork())


def run(config, weights=None):
    """The last picture and the metrics of every step."""
    experiment = built(config, weights)
    state, found = experiment.init(jax.random.key(0)), []
    batches = experiment.batches(0)
    firsts = {phase.first_step: phase for phase in experiment.phases}
    for step in range(config.num_steps):
        if step in firsts:
            phase = firsts[step]
            state = phase.enter(state) if step else state
            advance = jax.jit(phase.step)
        state, metrics = advance(state, next(batches), jax.random.key(step))
        found.append(metrics)
    return experiment.evaluate(state, jax.random.key(0)), found


def test_the_loss_is_alpha_content_plus_beta_style_as_printed(pictures):
    config = configured(
        pictures, num_steps=3, per_pixel=False, variation_weight=0.0, content_weight=0.5
    )
    _, found = run(config)
    for metrics in found:
        style = (metrics["style_relu1"] + metrics["style_relu2"]) / 2.0
        expected = 0.5 * metrics["content"] + 1e3 * style
        np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


def test_the_content_is_where_it_begins_and_the_style_comes_nearer(pictures):
    evaluation, found = run(configured(pictures))
    assert found[0]["content"] == 0.0
    assert found[-1]["loss"] < 0.9 * found[0]["loss"]
    assert evaluation["image"].pixels.shape == (1, 18, 24, 3)
    assert evaluation["alarm_network"] == ""


def test_noise_begins_far_from_the_content(pictures):
    _, found = run(configured(pictures, white_noise=True, num_steps=2))
    assert found[0]["content"] > 1.0


def test_another_beginning_is_brought_to_the_size_of_the_content(pictures):
    _, found = run(configured(pictures, init="second.png", num_steps=1))
    assert found[0]["content"] > 1.0


def test_stages_grow_to_the_size_and_share_the_steps(pictures):
    config = configured(pictures, size=32, coarse_sizes=(16, 24), num_steps=7)
    assert stage_steps(config) == (2, 2, 3)
    evaluation, found = run(config)
    assert evaluation["image"].pixels.shape == (1, 24, 32, 3)
    assert found[-1]["loss"] < found[0]["loss"]


def test_kept_colours_are_those_of_the_content(pictures):
    config = configured(pictures, keep_colours=True)
    evaluation, found = run(config)
    read = Library(None, print).picture(config.content, 24).pixels
    content = np.asarray(read, np.float32) / 127.5 - 1.0
    pixels = np.asarray(evaluation["image"].pixels[0])
    inside = (np.abs(pixels) < 1.0).all(-1)
    assert inside.mean() > 0.3
    for other in (1, 2):
        difference = (pixels[..., 0] - pixels[..., other])[inside]
        expected = (content[..., 0] - content[..., other])[inside]
        np.testing.assert_allclose(difference, expected, atol=1e-5)
    assert found[-1]["loss"] < found[0]["loss"]


def test_matched_colours_bring_the_style_nearer_at_once(pictures):
    _, (plain,) = run(configured(pictures, num_steps=1))
    _, (matched,) = run(configured(pictures, num_steps=1, match_colours=True))
    assert matched["style_relu1"] < plain["style_relu1"]


def test_two_styles_have_terms_of_their_own_and_their_shares(pictures):
    config = configured(
        pictures,
        style=("style.png", "second.png"),
        style_mix=(1.0, 3.0),
        variation_weight=0.0,
        num_steps=1,
    )
    _, (metrics,) = run(config)
    parts = [
        share * (metrics[f"style{number}_relu1"] + metrics[f"style{number}_relu2"]) / 2.0
        for number, share in ((1, 0.25), (2, 0.75))
    ]
    np.testing.assert_allclose(metrics["loss"], 1e3 * sum(parts), rtol=1e-5)


def test_a_style_stays_within_its_mask(pictures):
    config = configured(
        pictures, content_mask=("half.png",), style_mask=("other_half.png",), variation_weight=0.0
    )
    evaluation, found = run(config)
    content = Library(None, print).picture(config.content, 24).pixels
    changed = np.abs(evaluation["image"].pixels[0] - (np.asarray(content) / 127.5 - 1.0)).max(-1)
    assert found[-1]["loss"] < found[0]["loss"]
    assert changed[:, :10].max() > 1e-3
    assert changed[:, 16:].max() < 1e-6


def test_the_per_pixel_weight_is_the_printed_one_at_256_by_256():
    shape = jnp.zeros((1, 4, 4, 2))
    weighting = Weighting(2.0, 1.0, {}, ("relu",), 0.0, per_pixel=True)
    assert content_terms([shape], weighting, 256, 256)[0].weight == 2.0
    assert content_terms([shape], weighting, 512, 512)[0].weight == 0.5
    printed = weighting._replace(per_pixel=False)
    assert content_terms([shape], printed, 512, 512)[0].weight == 2.0


def test_balanced_losses_do_not_change_with_the_scale_of_a_layer(pictures):
    """The second layer is twice as large, and its losses 4 and 16 times: the sum is as it was."""
    config = configured(pictures, balance_layers=True, num_steps=4, variation_weight=0.0)
    _, plain = run(config)
    scaled = OneNetwork()
    params = scaled.network.variables["params"]
    params["two"] = jax.tree.map(lambda leaf: 2.0 * leaf, params["two"])
    _, larger = run(config, scaled)
    for before, after in zip(plain, larger, strict=True):
        np.testing.assert_allclose(after["loss"], before["loss"], rtol=1e-3)
    np.testing.assert_allclose(larger[0]["style_relu2"], 16 * plain[0]["style_relu2"], rtol=1e-4)


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
            "3 frames of --eval_every=4 steps each, .* need --num_steps=24, not 10",
        ),
        ({"size": 32, "coarse_sizes": (16,)}, "frames have one size: give --coarse_sizes="),
    ],
)
def test_frames_whose_run_does_not_fit_are_refused(frames, changes, message):
    with pytest.raises(DataError, match=message):
        built(frames_config(frames, **changes))


def test_frames_of_two_sizes_are_refused(frames):
    Image.new("RGB", (20, 20)).save(frames / "frames" / "frame_1.png")
    with pytest.raises(DataError, match="frame_1.png is 24x24 at this --size, the first 24x18"):
        built(frames_config(frames))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "--size is 0; it must be at least 1"),
        ({"style_scale": 0.0}, "--style_scale is 0.0; it must be above 0"),
        ({"style": ("a", "b"), "style_mix": (1.0,)}, "--style_mix has 1 parts; --style has 2"),
        ({"style": ("a", "b"), "content_mask": ("m",)}, "--content_mask has 1 parts"),
        ({"style_mix": (0.0,)}, "--style_mix adds up to 0"),
        ({"style_layer_weights": (1.0,)}, "has 1 parts; --style_layers has 5"),
        ({"coarse_sizes": (400,)}, r"the sizes \(400, 320\) must rise"),
        ({"coarse_steps": (300,)}, "leave no step of --num_steps=200"),
        ({"keep_colours": True, "match_colours": True}, "are two ways"),
        ({"white_noise": True, "init": "a"}, "are two beginnings"),
        ({"content_weight": -1.0}, "--content_weight is -1.0; it must be at least 0"),
    ],
)
def test_flags_that_contradict_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"content": "absent.png"}, DataError, "there is no picture .*absent.png"),
        ({"style": ("absent.png",)}, DataError, "there is no picture .*absent.png"),
        ({"style_layers": ("relu9",)}, WeightsError, "has no layer 'relu9'.*relu1, relu2"),
        ({"content_mask": ("black.png",)}, DataError, "black.png is black all over at 24x18"),
        ({"style_mask": ("black.png",)}, DataError, "black.png is black all over at 24x24"),
        ({"size": 200}, DataError, "content.png"),
    ],
)
def test_pictures_that_will_not_do_are_refused_before_the_first_step(
    pictures, changes, error, message
):
    with pytest.raises(error, match=message):
        built(configured(pictures, **changes))


def test_a_picture_too_small_for_a_layer_is_refused(pictures):
    stripes((40, 1), (0, 0, 0), (9, 9, 9)).save(pictures / "line.png")
    with pytest.raises(DataError):
        built(configured(pictures, content="line.png"))


def test_a_transparent_style_is_laid_over_white(pictures):
    drawing = stripes((20, 20), (240, 220, 20), (20, 90, 40), turned=True).convert("RGBA")
    drawing.putalpha(128)
    drawing.save(pictures / "alpha.png")
    white = Image.new("RGBA", (20, 20), "white")
    Image.alpha_composite(white, drawing).convert("RGB").save(pictures / "flat.png")
    found = [
        run(configured(pictures, style=(name,), num_steps=1))[1][0]["loss"]
        for name in ("alpha.png", "flat.png")
    ]
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_shares_add_up_to_one():
    assert shares((1.0, 3.0), 2) == (0.25, 0.75)
    assert shares((), 4) == (0.25,) * 4


def test_a_smoke_run_of_frames_leaves_a_picture_of_each(frames, tmp_path):
    folder = tmp_path / "run"
    flags = {
        "content": frames / "frames",
        "style": frames / "style.png",
        "size": 24,
        "coarse_sizes": "",
        "eval_every": 1,
        "num_steps": LEAD + 2,
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
    names = sorted(path.name for path in (folder / "images").glob("frame_*.png"))
    assert names == [f"frame_{LEAD + index:08d}.png" for index in range(3)]
    assert "untrained" in SMOKE.values()
