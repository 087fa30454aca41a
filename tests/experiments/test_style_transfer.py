import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from experiments.style_transfer import Config, coarse_sizes, stage_steps, weights_remark
from lecture_models.data.lookup import Library
from lecture_models.image_space.gram import gram_matrix
from lecture_models.image_space.objectives import gram_match
from lecture_models.image_space.terms import View
from lecture_models.tasks.style.images import shares
from lecture_models.tasks.style.terms import Weighting, content_terms
from tests.tasks.style.styling import OneNetwork, built, configured, draw_pictures, run, stripes


@pytest.fixture
def pictures(tmp_path):
    return draw_pictures(tmp_path)


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


def test_kept_colors_are_those_of_the_content(pictures):
    config = configured(pictures, keep_colors=True)
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


def test_matched_colors_bring_the_style_nearer_at_once(pictures):
    _, (plain,) = run(configured(pictures, num_steps=1))
    _, (matched,) = run(configured(pictures, num_steps=1, match_colors=True))
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


def test_neural_style_weights_weigh_mean_squares(pictures):
    """The losses of github.com/jcjohnson/neural-style, computed as it computes them."""
    random = np.random.default_rng(0)
    features, content, style = (
        jnp.asarray(random.normal(size=(1, 4, 5, 6)), jnp.float32) for _ in range(3)
    )
    weighting = Weighting(5.0, 100.0, {"a": 1.0}, ("a",), 0.0, False, mean_squares=True)
    view = View(jnp.zeros((1, 8, 8, 3)), jnp.zeros((1, 0)), {"a": features})
    (term,) = content_terms([content], weighting, 8, 8)
    found = term.weight * term.objective(view, term.target)
    np.testing.assert_allclose(found[0], 5.0 * jnp.square(features - content).mean(), rtol=1e-5)
    grams = [gram_matrix(each)[0] / each.size for each in (features, style)]
    target = {"gram": gram_matrix(style)[0], "places": jnp.asarray(20.0)}
    weight = weighting.style * weighting.style_scale(target["gram"])
    found = weight * gram_match("a")(view, target)
    np.testing.assert_allclose(found[0], 100.0 * jnp.square(grams[0] - grams[1]).mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "is_said"),
    [
        ({}, False),
        ({"content_weight": 100.0, "style_weight": 1000.0}, True),
        (
            {"content_weight": 5.0, "style_weight": 100.0, "neural_style_weights": True},
            False,
        ),
        ({"content_weight": 5.0, "style_weight": 100.0, "balance_layers": False}, False),
    ],
)
def test_weights_of_another_scale_are_remarked_on(changes, is_said):
    assert ("--neural_style_weights takes" in weights_remark(Config(**changes))) == is_said


def test_neural_style_weights_sum_over_layers_that_are_not_balanced(pictures):
    config = configured(
        pictures, neural_style_weights=True, num_steps=1, variation_weight=0.0, balance_layers=True
    )
    _, (metrics,) = run(config)
    expected = 1e3 * 4.0 / 6**2 * (metrics["style_relu1"] + metrics["style_relu2"])
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


@pytest.mark.parametrize(("size", "expected"), [(100, (100,)), (160, (160,)), (320, (160, 320))])
def test_a_small_size_has_no_earlier_sizes_unless_they_are_given(size, expected):
    config = Config(size=size)
    assert (*coarse_sizes(config), size) == expected
    assert sum(stage_steps(config)) == config.num_steps
    assert len(stage_steps(config)) == len(expected)


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


def test_the_result_is_transparent_where_the_content_is(pictures):
    content = Image.open(pictures / "content.png").convert("RGBA")
    content.paste((0, 0, 0, 0), (0, 0, 8, 18))
    content.save(pictures / "cut_out.png")
    evaluation, _ = run(configured(pictures, content="cut_out.png", num_steps=1))
    pixels = np.asarray(evaluation["image"].pixels)
    assert pixels.shape == (1, 18, 24, 4)
    assert (pixels[0, :, :8, 3] == -1.0).all()
    assert (pixels[0, :, 8:, 3] == 1.0).all()


def test_a_size_that_a_pooling_rounds_down_has_a_canvas_and_its_own_result(pictures):
    config = configured(pictures, size=23, num_steps=1, content_mask=("half.png",))
    evaluation, _ = run(config)
    assert evaluation["image"].pixels.shape == (1, 17, 23, 3)
    assert built(config).init(jax.random.key(0)).image.params.shape == (1, 18, 24, 3)


def test_shares_add_up_to_one():
    assert shares((1.0, 3.0), 2) == (0.25, 0.75)
    assert shares((), 4) == (0.25,) * 4
