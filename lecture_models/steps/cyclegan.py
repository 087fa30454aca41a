"""Takes one step of CycleGAN: two discriminators, then two generators that undo each other."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from lecture_models.losses.gan import least_squares_critic_loss
from lecture_models.steps.descent import Metrics, Params
from lecture_models.steps.image_pool import ImagePool, empty_pool, exchange
from lecture_models.steps.players import Players, Turn, init_player, play

Images = Float[Array, "batch height width channel"]

TO_B, TO_A = "to_b", "to_a"  # The generators, by the domain that they translate to.
JUDGE_A, JUDGE_B = "judge_a", "judge_b"


class CycleGAN(NamedTuple):
    """Describes the game.

    Attributes:
        generate: `generate(params, images)` returns translated images.
        judge: `judge(params, images)` returns the logits of an image's patches.
        optimizer: of all four networks, each with a state of its own.
        cycle_weight: lambda, the weight of the mean absolute error of a picture that was translated
            there and back.
        identity_weight: the weight of the mean absolute change of a picture that already is of the
            domain; 0 for none.
    """

    generate: Callable[[Params, Images], Images]
    judge: Callable[[Params, Images], Float[Array, "batch row column"]]
    optimizer: optax.GradientTransformation
    cycle_weight: float
    identity_weight: float


class CycleState(NamedTuple):
    """Holds the four networks, and the pools of translated images of both domains."""

    players: Players
    pool_a: ImagePool
    pool_b: ImagePool


def init_cycle(
    game: CycleGAN,
    generators: tuple[Params, Params],
    judges: tuple[Params, Params],
    pool_size: int,
    image_shape: tuple[int, int, int],
) -> CycleState:
    """Returns the state before the first step.

    Args:
        game: the game.
        generators: the parameters of the generators to B and to A.
        judges: the parameters of the discriminators of A and B.
        pool_size: the number of images that each pool holds.
        image_shape: height, width and channels of an image.

    Returns:
        The state, with empty pools.
    """
    params = dict(zip((TO_B, TO_A, JUDGE_A, JUDGE_B), (*generators, *judges), strict=True))
    players = {
        name: init_player(game.optimizer, {"params": value}) for name, value in params.items()
    }
    return CycleState(
        players, empty_pool(pool_size, image_shape), empty_pool(pool_size, image_shape)
    )


def cycle_step(
    game: CycleGAN, state: CycleState, a: Images, b: Images, key: Key[Array, ""]
) -> tuple[CycleState, Metrics]:
    """Updates both discriminators, then both generators. Zhu et al., 2017, Eq. 3.

    Args:
        game: the game.
        state: the state before the step.
        a: images of the first domain.
        b: images of the second one, as many.
        key: the key of the exchange with the pools.

    Returns:
        The state after the step, and metrics from before each update: `discriminator_loss`, the
        mean over both; `generator_loss`, likewise, without the other terms; `cycle_error` and
        `identity_error`, mean absolute differences of values in [-1, 1].
    """
    key_a, key_b = jax.random.split(key)
    fake_a = game.generate(state.players[TO_A].params, b)
    fake_b = game.generate(state.players[TO_B].params, a)
    pool_a, shown_a = exchange(state.pool_a, fake_a, key_a)
    pool_b, shown_b = exchange(state.pool_b, fake_b, key_b)

    def tell_apart(players: Players):
        def logits(name: str, images: Images):
            return game.judge(players[name].params, images).reshape(-1)

        losses = [
            least_squares_critic_loss(logits(name, real), logits(name, fake)).mean()
            for name, real, fake in ((JUDGE_A, a, shown_a), (JUDGE_B, b, shown_b))
        ]
        return sum(losses), ({}, {"discriminator_loss": 0.5 * sum(losses)})

    turns = [
        Turn((JUDGE_A, JUDGE_B), tell_apart),
        Turn((TO_B, TO_A), lambda players: _translate(game, players, a, b)),
    ]
    optimizers = dict.fromkeys(state.players, game.optimizer)
    players, metrics = play(optimizers, state.players, turns)
    return CycleState(players, pool_a, pool_b), metrics


def _translate(game: CycleGAN, players: Players, a: Images, b: Images):
    """Returns the generators' loss and its parts."""

    def there_and_back(images: Images, there: str, back: str, judge: str):
        fakes = game.generate(players[there].params, images)
        deceived = jnp.square(game.judge(players[judge].params, fakes) - 1.0).mean()
        returned = game.generate(players[back].params, fakes)
        return deceived, jnp.abs(returned - images).mean()

    parts = [there_and_back(a, TO_B, TO_A, JUDGE_B), there_and_back(b, TO_A, TO_B, JUDGE_A)]
    deceived, cycle = (sum(part) for part in zip(*parts, strict=True))
    identity = jnp.zeros(())
    if game.identity_weight:
        for name, images in ((TO_B, b), (TO_A, a)):
            unchanged = game.generate(players[name].params, images)
            identity += jnp.abs(unchanged - images).mean()
    loss = deceived + game.cycle_weight * cycle + game.identity_weight * identity
    metrics = {
        "generator_loss": 0.5 * deceived,
        "cycle_error": 0.5 * cycle,
        "identity_error": 0.5 * identity,
    }
    return loss, ({}, metrics)
