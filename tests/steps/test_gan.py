import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.losses import gan as losses
from lecture_models.steps.gan import GAN, averaged_generator, gan_step, init_state


def key():
    return jax.random.key(0)


def linear_players(
    learning_rates=(0.0, 0.0), discriminator_loss=losses.discriminator_loss, **fields
):
    """Pictures of one pixel: G(z) = a z + b, D(x) = sigmoid(w x + c)."""
    generator_rate, discriminator_rate = learning_rates
    players = GAN(
        generate=lambda params, z: (params["a"] * z + params["b"])[:, :, None, None],
        discriminate=lambda params, x, _: params["w"] * x[:, 0, 0, 0] + params["c"],
        sample_latents=lambda noise_key, count: jax.random.normal(noise_key, (count, 1)),
        generator_optimizer=optax.sgd(generator_rate),
        discriminator_optimizer=optax.sgd(discriminator_rate),
        generator_loss=losses.non_saturating_generator_loss,
        discriminator_loss=discriminator_loss,
        **{"gradient_penalty": 0.0, "average_decay": 0.9} | fields,
    )
    state = init_state(
        players, {"a": jnp.ones(()), "b": jnp.zeros(())}, {"w": jnp.ones(()), "c": jnp.zeros(())}
    )
    return players, state


def images(*values):
    return jnp.array(values, jnp.float32).reshape(-1, 1, 1, 1)


def test_an_undecided_discriminator_gives_the_known_losses():
    players, state = linear_players()
    state = state._replace(discriminator={"w": jnp.zeros(()), "c": jnp.zeros(())})
    _, metrics = gan_step(players, state, images(1.0, 2.0), key())
    assert float(metrics["discriminator_loss"]) == pytest.approx(2 * np.log(2), rel=1e-6)
    assert float(metrics["generator_loss"]) == pytest.approx(np.log(2), rel=1e-6)
    assert float(metrics["real_probability"]) == float(metrics["fake_probability"]) == 0.5


def test_each_player_moves_its_own_parameters_alone():
    for rates, moved in (((0.1, 0.0), "generator"), ((0.0, 0.1), "discriminator")):
        players, state = linear_players(rates)
        after, _ = gan_step(players, state, images(5.0, 6.0), key())
        for name in ("generator", "discriminator"):
            before, now = getattr(state, name), getattr(after, name)
            changed = any((before[leaf] != now[leaf]).item() for leaf in before)
            assert changed == (name == moved)


def test_the_generator_answers_to_the_updated_discriminator():
    players, state = linear_players((1.0, 1.0))
    after, _ = gan_step(players, state, images(5.0, 6.0), key())
    frozen, _ = linear_players((1.0, 0.0))
    against_the_old, _ = gan_step(frozen, state, images(5.0, 6.0), key())
    assert after.generator["b"] != against_the_old.generator["b"]
    updated = state._replace(discriminator=after.discriminator)
    against_the_new, _ = gan_step(frozen, updated, images(5.0, 6.0), key())
    np.testing.assert_allclose(after.generator["b"], against_the_new.generator["b"], rtol=1e-6)


def test_the_penalty_is_half_gamma_times_the_squared_input_gradient():
    """D(x) = w x has gradient w, so descent on the penalty alone shrinks w by rate x gamma x w."""
    players, state = linear_players(
        (0.0, 0.1),
        discriminator_loss=lambda real, fake: jnp.zeros_like(real),
        gradient_penalty=3.0,
    )
    after, _ = gan_step(players, state, images(1.0, 2.0, 3.0), key())
    assert float(after.discriminator["w"]) == pytest.approx(1.0 - 0.1 * 3.0)
    assert float(after.discriminator["c"]) == 0.0


def test_the_average_weighs_the_generators_by_its_decay_and_not_the_start():
    players, state = linear_players((0.5, 0.0))
    first, _ = gan_step(players, state, images(1.0, 2.0), key())
    second, _ = gan_step(players, first, images(1.0, 2.0), jax.random.key(1))
    assert float(averaged_generator(players, first)["b"]) == pytest.approx(
        float(first.generator["b"])
    )
    expected = (0.9 * first.generator["b"] + second.generator["b"]) / 1.9
    found = averaged_generator(players, second)["b"]
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_the_same_key_gives_the_same_step_and_another_key_another():
    players, state = linear_players((0.1, 0.1))
    first, again, other = (
        gan_step(players, state, images(1.0, 2.0), jax.random.key(seed))[0].generator["b"]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_the_game_moves_the_samples_onto_the_data():
    """Data N(3, 1/4); with a zero-centered penalty the linear game converges to its mean."""
    players, state = linear_players((0.05, 0.05), gradient_penalty=1.0, average_decay=0.99)
    step = jax.jit(lambda state, step_key: gan_step(players, state, data, step_key)[0])
    data = 3.0 + 0.5 * jax.random.normal(key(), (64, 1, 1, 1))
    for index in range(1500):
        state = step(state, jax.random.fold_in(jax.random.key(1), index))
    assert float(averaged_generator(players, state)["b"]) == pytest.approx(3.0, abs=0.15)
