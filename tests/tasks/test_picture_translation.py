import jax
import numpy as np
import optax
import pytest

from lecture_models.steps.cyclegan import CycleGAN, init_cycle
from lecture_models.tasks.picture_domains import Domain, Domains
from lecture_models.tasks.picture_translation import make_evaluate

GAME = CycleGAN(
    generate=lambda params, images: params * images,
    judge=lambda params, images: images.mean(-1),
    optimizer=optax.sgd(0.1),
    cycle_weight=10.0,
    identity_weight=0.0,
)


def state(to_b, to_a):
    return init_cycle(
        GAME, (np.float32(to_b), np.float32(to_a)), (np.float32(0),) * 2, 0, (8, 8, 3)
    )


@pytest.fixture(scope="module")
def pairs():
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (12, 8, 8, 3), np.uint8)
    digits = (np.arange(8, dtype=np.int32) % 4, np.arange(4, dtype=np.int32) % 4)
    pictures[8:] = pictures[:4]  # The test digits are known exactly.
    a = Domain("digits", pictures[:8], pictures[8:], digits)
    b = Domain("inverted digits", 255 - pictures[:8], 255 - pictures[8:], digits)
    return Domains(a, b, is_paired=True)


def test_the_true_map_reaches_the_partners_and_the_identity_does_not(pairs):
    evaluate = make_evaluate(GAME, pairs, None, "", num_shown=2)
    right = evaluate(state(-1.0, -1.0), jax.random.key(0))
    for way in ("a_to_b", "b_to_a"):
        assert right[f"{way}_partner_psnr"] > 60.0
        assert right[f"{way}_cycle_psnr"] > 60.0
        assert right[f"{way}_input_psnr"] < 12.0
        assert right[f"alarm_{way}"] == ""
        assert right[f"{way}_cycle_psnr_after_blur"] == pytest.approx(
            right[f"{way}_blurred_input_psnr"], abs=0.01
        )
    unchanged = evaluate(state(1.0, 1.0), jax.random.key(0))
    assert unchanged["a_to_b_partner_psnr"] == pytest.approx(unchanged["a_to_b_input_psnr"])
    assert right["a_to_b"].pixels.shape == (4 * 2, 8, 8, 3)


def test_digits_are_recognized_by_their_nearest_neighbors(pairs):
    known = pairs._replace(
        a=pairs.a._replace(digits=(np.repeat(7, 8).astype(np.int32), pairs.a.digits[1])),
        b=pairs.b._replace(digits=(np.repeat(7, 8).astype(np.int32), pairs.b.digits[1])),
    )
    results = make_evaluate(GAME, known, None, "")(state(-1.0, -1.0), jax.random.key(0))
    assert results["a_to_b_digit_accuracy"] == 0.0


def test_distances_compare_before_and_after_and_inversion_is_flagged(pairs):
    domains = pairs._replace(
        a=pairs.a._replace(digits=None), b=pairs.b._replace(digits=None), is_paired=False
    )

    def encode(pictures):
        return pictures.reshape(len(pictures), -1)[:, :3].astype(np.float64) / 255.0

    results = make_evaluate(GAME, domains, encode, "three pixels")(
        state(-1.0, -1.0), jax.random.key(0)
    )
    assert results["a_to_b_frechet_after"] < 1e-3 < results["a_to_b_frechet_before"]
    assert "three pixels" in results["comparison"].caption
    assert "bright and dark are exchanged" in results["alarm_a_to_b"]
    assert "a_to_b_partner_psnr" not in results
    flat = make_evaluate(GAME, domains, None, "")(state(0.0, 1.0), jax.random.key(0))
    assert "are of one color" in flat["alarm_a_to_b"]
