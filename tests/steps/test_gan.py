import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from lecture_models.losses import gan as losses
from lecture_models.steps.gan import GAN, averaged_generator, clip_weights, gan_step, init_gan
from lecture_models.steps.players import training_apply


def key():
    return jax.random.key(0)


def linear_players(
    learning_rates=(0.0, 0.0), discriminator_loss=losses.discriminator_loss, **fields
):
    """Returns a game of images of one pixel: G(z) = a z + b, D(x) = sigmoid(w x + c)."""
    generator_rate, discriminator_rate = learning_rates
    players = GAN(
        generate=lambda params, _, z: ((params["a"] * z + params["b"])[:, :, None, None], {}),
        discriminate=lambda params, _, x, key: (params["w"] * x[:, 0, 0, 0] + params["c"], {}),
        sample_latents=lambda noise_key, count: jax.random.normal(noise_key, (count, 1)),
        generator_optimizer=optax.sgd(generator_rate),
        discriminator_optimizer=optax.sgd(discriminator_rate),
        generator_loss=losses.non_saturating_generator_loss,
        discriminator_loss=discriminator_loss,
        **{"gradient_penalty": 0.0, "average_decay": 0.9} | fields,
    )
    state = init_gan(
        players,
        {"params": {"a": jnp.ones(()), "b": jnp.zeros(())}},
        {"params": {"w": jnp.ones(()), "c": jnp.zeros(())}},
    )
    return players, state


def images(*values):
    return jnp.array(values, jnp.float32).reshape(-1, 1, 1, 1)


@pytest.mark.slow
def test_an_undecided_discriminator_gives_the_known_losses():
    players, state = linear_players()
    undecided = {"w": jnp.zeros(()), "c": jnp.zeros(())}
    state = state._replace(discriminator=state.discriminator._replace(params=undecided))
    _, metrics = gan_step(players, state, images(1.0, 2.0), key())
    assert float(metrics["discriminator_loss"]) == pytest.approx(2 * np.log(2), rel=1e-6)
    assert float(metrics["generator_loss"]) == pytest.approx(np.log(2), rel=1e-6)
    assert float(metrics["real_probability"]) == float(metrics["fake_probability"]) == 0.5


def test_each_player_moves_only_its_own_parameters():
    for rates, moved in (((0.1, 0.0), "generator"), ((0.0, 0.1), "discriminator")):
        players, state = linear_players(rates)
        after, _ = gan_step(players, state, images(5.0, 6.0), key())
        for name in ("generator", "discriminator"):
            before, now = getattr(state, name).params, getattr(after, name).params
            changed = any((before[leaf] != now[leaf]).item() for leaf in before)
            assert changed == (name == moved)


def test_the_generator_answers_to_the_updated_discriminator():
    players, state = linear_players((1.0, 1.0))
    after, _ = gan_step(players, state, images(5.0, 6.0), key())
    frozen, _ = linear_players((1.0, 0.0))
    against_the_old, _ = gan_step(frozen, state, images(5.0, 6.0), key())
    assert after.generator.params["b"] != against_the_old.generator.params["b"]
    updated = state._replace(discriminator=after.discriminator)
    against_the_new, _ = gan_step(frozen, updated, images(5.0, 6.0), key())
    np.testing.assert_allclose(
        after.generator.params["b"], against_the_new.generator.params["b"], rtol=1e-6
    )


@pytest.mark.slow
def test_the_penalty_is_half_gamma_times_the_squared_input_gradient():
    """Descends the penalty alone: D(x) = w x has gradient w, so w shrinks by rate x gamma x w."""
    players, state = linear_players(
        (0.0, 0.1),
        discriminator_loss=lambda real, fake: jnp.zeros_like(real),
        gradient_penalty=3.0,
    )
    after, _ = gan_step(players, state, images(1.0, 2.0, 3.0), key())
    assert float(after.discriminator.params["w"]) == pytest.approx(1.0 - 0.1 * 3.0)
    assert float(after.discriminator.params["c"]) == 0.0


@pytest.mark.slow
def test_the_penalty_of_a_part_of_the_images_is_its_mean_over_that_part():
    """Has D(x) = w x^2 / 2, whose slope is w x, so the penalty is w^2 times the mean of x^2."""
    found = {}
    for count in (0, 1, 2):
        players, state = linear_players(
            (0.0, 0.1),
            discriminator_loss=lambda real, fake: jnp.zeros_like(real),
            gradient_penalty=1.0,
            penalized_images=count,
        )
        players = players._replace(
            discriminate=lambda params, _, x, key: (0.5 * params["w"] * x[:, 0, 0, 0] ** 2, {})
        )
        after, _ = gan_step(players, state, images(1.0, 2.0, 3.0), key())
        found[count] = 1.0 - float(after.discriminator.params["w"])
    assert found[0] == pytest.approx(0.1 * 14.0 / 3.0, rel=1e-5)
    assert found[1] == pytest.approx(0.1 * 1.0, rel=1e-5)
    assert found[2] == pytest.approx(0.1 * 5.0 / 2.0, rel=1e-5)


def test_the_average_weighs_the_generators_by_its_decay_without_its_initial_zeros():
    players, state = linear_players((0.5, 0.0))
    first, _ = gan_step(players, state, images(1.0, 2.0), key())
    second, _ = gan_step(players, first, images(1.0, 2.0), jax.random.key(1))
    assert float(averaged_generator(players, first)["b"]) == pytest.approx(
        float(first.generator.params["b"])
    )
    expected = (0.9 * first.generator.params["b"] + second.generator.params["b"]) / 1.9
    found = averaged_generator(players, second)["b"]
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_the_same_key_gives_the_same_step_and_another_key_another():
    players, state = linear_players((0.1, 0.1))
    first, again, other = (
        gan_step(players, state, images(1.0, 2.0), jax.random.key(seed))[0].generator.params["b"]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.slow
def test_the_game_moves_the_samples_onto_the_data():
    """Plays for data of N(3, 1/4); with R1's penalty the linear game converges to their mean."""
    players, state = linear_players((0.05, 0.05), gradient_penalty=1.0, average_decay=0.99)
    step = jax.jit(lambda state, step_key: gan_step(players, state, data, step_key)[0])
    data = 3.0 + 0.5 * jax.random.normal(key(), (64, 1, 1, 1))
    for index in range(1500):
        state = step(state, jax.random.fold_in(jax.random.key(1), index))
    assert float(averaged_generator(players, state)["b"]) == pytest.approx(3.0, abs=0.15)


class Generator(nn.Module):
    """Maps latents to images of 2x2 pixels, through batch norm."""

    @nn.compact
    def __call__(self, latents):
        x = nn.BatchNorm(use_running_average=False)(nn.Dense(4)(latents))
        return nn.tanh(x).reshape(-1, 2, 2, 1)


class Discriminator(nn.Module):
    """Maps images of 2x2 pixels to logits, through batch norm."""

    @nn.compact
    def __call__(self, images):
        x = nn.BatchNorm(use_running_average=False)(nn.Dense(3)(images.reshape(len(images), -1)))
        return nn.Dense(1)(nn.leaky_relu(x))[:, 0]


@pytest.fixture(scope="module")
def normalized_game():
    """Returns a game of two networks with batch norm, its initial state, real images, a step."""
    discriminate = training_apply(Discriminator())
    gan = GAN(
        generate=training_apply(Generator()),
        discriminate=lambda params, variables, x, key: discriminate(params, variables, x),
        sample_latents=lambda noise_key, count: jax.random.normal(noise_key, (count, 3)),
        generator_optimizer=optax.adam(1e-2),
        discriminator_optimizer=optax.adam(1e-2),
        generator_loss=losses.non_saturating_generator_loss,
        discriminator_loss=losses.discriminator_loss,
        gradient_penalty=0.5,
        average_decay=0.9,
    )
    real = 2.0 + jax.random.normal(key(), (8, 2, 2, 1))
    state = init_gan(
        gan,
        Generator().init(jax.random.key(1), jnp.zeros((1, 3))),
        Discriminator().init(jax.random.key(2), real),
    )
    return gan, state, real, jax.jit(lambda *args: gan_step(gan, *args)[0])


@pytest.mark.slow
def test_real_and_fake_batches_update_the_running_moments_one_after_the_other(normalized_game):
    gan, state, real, step = normalized_game
    after = step(state, real, key())
    fakes, _ = gan.generate(
        state.generator.params,
        state.generator.variables,
        gan.sample_latents(jax.random.split(key(), 5)[0], len(real)),
    )
    dense = state.discriminator.params["Dense_0"]
    expected = jnp.zeros(3)
    for batch in (real, fakes):
        hidden = batch.reshape(len(batch), -1) @ dense["kernel"]  # The initial bias is 0.
        expected = 0.99 * expected + 0.01 * hidden.mean(0)
    found = after.discriminator.variables["batch_stats"]["BatchNorm_0"]["mean"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_generators_moments_come_from_its_own_turn(normalized_game):
    gan, state, real, step = normalized_game
    after = step(state, real, key())
    latents = gan.sample_latents(jax.random.split(key(), 5)[1], len(real))
    _, expected = gan.generate(state.generator.params, state.generator.variables, latents)
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7),
        after.generator.variables,
        expected,
    )


@pytest.mark.slow
def test_a_game_with_batch_norm_resumes_bit_for_bit_from_its_arrays(normalized_game):
    _, state, real, step = normalized_game
    for index in range(2):
        state = step(state, real, jax.random.key(index))
    leaves, structure = jax.tree.flatten(state)
    restored = jax.tree.unflatten(structure, [np.array(leaf) for leaf in leaves])
    for one, other in zip(
        jax.tree.leaves(step(state, real, key())),
        jax.tree.leaves(step(restored, real, key())),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_game_without_batch_norm_has_no_arrays_for_it():
    _, state = linear_players()
    assert state.generator.variables == state.discriminator.variables == {}


@pytest.mark.slow
def test_the_slope_penalty_moves_a_linear_critic_to_slope_one():
    """Descends the penalty alone: D(x) = w x, so w moves by rate x weight x 2 (w - 1)."""
    players, state = linear_players(
        (0.0, 0.1),
        discriminator_loss=lambda real, fake: jnp.zeros_like(real),
        slope_penalty=2.0,
    )
    params = {"w": jnp.float32(3.0), "c": jnp.zeros(())}
    state = state._replace(discriminator=state.discriminator._replace(params=params))
    after, _ = gan_step(players, state, images(1.0, 2.0, 3.0), key())
    assert float(after.discriminator.params["w"]) == pytest.approx(3.0 - 0.1 * 2.0 * 2.0 * 2.0)


def test_several_updates_of_the_critic_see_parts_of_the_images_one_after_the_other():
    """Compares two updates in a step with two steps, with a loss that needs no fake images."""
    fields = {"discriminator_loss": lambda real, fake: jnp.square(real - 1.0)}
    single, start = linear_players((0.0, 0.1), **fields)
    expected, _ = gan_step(single, start, images(1.0, 2.0), key())
    expected, _ = gan_step(single, expected, images(3.0, 4.0), key())
    double, start = linear_players((0.0, 0.1), critic_steps=2, **fields)
    found, _ = gan_step(double, start, images(1.0, 2.0, 3.0, 4.0), key())
    for leaf in ("w", "c"):
        assert float(found.discriminator.params[leaf]) == pytest.approx(
            float(expected.discriminator.params[leaf]), rel=1e-6
        )


@pytest.mark.slow
def test_each_update_of_the_critic_has_noise_of_its_own():
    fields = {"discriminator_loss": lambda real, fake: fake}
    for count, alike in ((1, True), (2, False)):
        players, state = linear_players((0.0, 1.0), critic_steps=count, **fields)
        after, _ = gan_step(players, state, images(*range(2 * count)), key())
        noise = players.sample_latents(jax.random.split(key(), 5)[0], 2)
        moved = 1.0 - float(after.discriminator.params["w"])
        assert (moved == pytest.approx(count * float(noise.mean()), rel=1e-5)) == alike


def test_images_that_cannot_be_divided_among_the_updates_are_refused():
    players, state = linear_players(critic_steps=2)
    with pytest.raises(ValueError, match="3 images cannot be divided into 2 equal batches"):
        gan_step(players, state, images(1.0, 2.0, 3.0), key())


def test_conditions_reach_both_players():
    """Tells each player a number per image, which is its whole result."""
    players, state = linear_players()
    told = []

    def generate(params, variables, latents, condition):
        return condition[:, None, None, None] + 0.0 * params["a"], {}

    def discriminate(params, variables, x, key, condition):
        told.append(bool((x[:, 0, 0, 0] == condition).all()))
        return condition + 0.0 * params["w"], {}

    players = players._replace(generate=generate, discriminate=discriminate)
    with jax.disable_jit():
        gan_step(players, state, images(5.0, 6.0), key(), jnp.array([5.0, 6.0]))
    assert told == [True] * 3


def test_clipped_weights_stay_within_the_bound():
    optimizer = optax.chain(optax.sgd(1.0), clip_weights(0.5))
    params = {"w": jnp.array([0.4, -0.4, 0.1])}
    gradients = {"w": jnp.array([-3.0, 3.0, 0.2])}
    updates, _ = optimizer.update(gradients, optimizer.init(params), params)
    found = optax.apply_updates(params, updates)["w"]
    np.testing.assert_allclose(found, [0.5, -0.5, -0.1], rtol=1e-6)
