"""CycleGAN: translates pictures between two domains that have no pairs, there and back.

    python launch.py --experiment=cyclegan
    python launch.py --experiment=cyclegan --dataset=digits_colored
    python launch.py --experiment=cyclegan --domain_a=horses --domain_b=zebras   # your own folders

Paper: Zhu et al., 2017, Unpaired image-to-image translation using cycle-consistent adversarial
  networks
Data: paintings by Monet and photos, or else digits and colored digits (announced and recorded)
Cost: not measured: no official run has been made
Expected: not known yet; see results/cyclegan.md
"""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Key, UInt8

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence, Experiment
from lecture_models.models.cyclegan import PatchDiscriminator, TranslationGenerator
from lecture_models.steps.cyclegan import CycleGAN, cycle_step, init_cycle
from lecture_models.tasks.codes import (
    LabeledPictures,
    describe_codes,
    feature_codes,
    input_side,
    make_layer_reader,
)
from lecture_models.tasks.picture_domains import Domain, Domains, Pictures, read_domains
from lecture_models.tasks.picture_translation import make_evaluate
from lecture_models.weights.pretrained import Weights


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback. Digits
    # that are inverted, colored, turned or thickened have partners that are known.
    dataset: str = "monet2photo,digits_colored"
    domain_a: str = ""  # Folder of your own pictures in place of --dataset; needs --domain_b.
    domain_b: str = ""  # Folder of the other domain.
    seed: int = 0
    side: int = 64  # Of pictures, in pixels, a multiple of 8; digits have 28.
    margin: int = 6  # Pictures are read so much larger, and cut at random; 0 for no cut.
    flip: bool = True  # Mirrors half of the training pictures; never digits.
    batch_size: int = 1  # Pictures of each domain.
    num_steps: int = 4_000
    width: int = 16  # Channels of the generators' first layer; 64 in the paper.
    blocks: int = 3  # Residual blocks; 9 in the paper.
    judge_width: int = 16  # Channels of the discriminators' first layer; 64 in the paper.
    judge_strided: int = 2  # Their strided layers; 3 in the paper, for patches of 70x70.
    cycle_weight: float = 10.0  # Of the error of a picture that was translated there and back.
    identity_weight: float = 5.0  # Of the change of a picture of the target domain; 0 for none.
    pool_size: int = 50  # Translated pictures that the discriminators see again; 0 for none.
    learning_rate: float = 2e-4  # Constant for half of the steps, then falls to 0.
    adam_b1: float = 0.5
    extractor: str = (
        "squeezenet1_1_caffe,untrained"  # Network in whose features domains are compared.
    )
    num_evaluated: int = 200  # Test pictures of each domain, at most.
    log_every: int = 100
    eval_every: int = 2_000
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "width", "judge_width", "judge_strided")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 2, "num_evaluated")
        require_at_least(self, 0, "seed", "margin", "blocks", "pool_size", "learning_rate")
        require_at_least(self, 0, "cycle_weight", "identity_weight")
        require_between(self, 0.0, 0.999, "adam_b1")
        if self.side < 24 or self.side % 8:
            raise ValueError(f"--side is {self.side}; it must be a multiple of 8, at least 24")


PAPER = {
    "side": 256,
    "margin": 30,
    "num_steps": 240_000,  # 200 epochs of about 1,200 pictures.
    "width": 64,
    "blocks": 9,
    "judge_width": 64,
    "judge_strided": 3,
    "log_every": 200,
    "eval_every": 24_000,
    "checkpoint_every": 2_400,
}

PAPER_SOURCES = {
    "side": "section 4, training details: crops of 256",
    "margin": "the authors' code: resized to 286",
    "flip": "the authors' code",
    "batch_size": "section 4: 1",
    "width": "appendix 7.2",
    "blocks": "section 4: 9 for images of 256 pixels",
    "judge_width": "appendix 7.2",
    "judge_strided": "section 4: patches of 70x70",
    "cycle_weight": "section 4: lambda = 10",
    "identity_weight": "section 5.2: 0.5 lambda",
    "pool_size": "section 4: 50 images",
    "learning_rate": "section 4: 100 epochs, then 100 more in which it falls to 0",
    "adam_b1": "the authors' code",
}
PAPER_DEPARTURES = (
    ("generators move before the discriminators", "the discriminators move first"),
    ("200 epochs of each collection", "240,000 steps, whatever its size"),
)

SMOKE = {
    "dataset": "digits_colored",
    "num_steps": 4,
    "width": 2,
    "blocks": 1,
    "judge_width": 2,
    "judge_strided": 1,
    "pool_size": 2,
    "margin": 0,
    "extractor": "untrained",
    "num_evaluated": 6,
    "log_every": 1,
    "eval_every": 4,
    "checkpoint_every": 2,
}


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Returns Adam, whose rate falls to 0 in the second half of the steps."""
    half = config.num_steps // 2
    rate = optax.linear_schedule(
        config.learning_rate, 0.0, config.num_steps - half, transition_begin=half
    )
    return optax.adam(rate, b1=config.adam_b1)


def make_prepare(side: int, flip: bool) -> Callable:
    """Returns what cuts training pictures at random, and mirrors half of them."""

    def prepare(
        key: Key[Array, ""], pictures: UInt8[Array, "batch height width 3"]
    ) -> Float[Array, "batch side side 3"]:
        margin = pictures.shape[1] - side

        def of_one(key, picture):
            place_key, flip_key = jax.random.split(key)
            top, left = jax.random.randint(place_key, (2,), 0, margin + 1)
            cut = jax.lax.dynamic_slice(picture, (top, left, 0), (side, side, 3))
            is_mirrored = flip & jax.random.bernoulli(flip_key)
            return jnp.where(is_mirrored, cut[:, ::-1], cut)

        cuts = jax.vmap(of_one)(jax.random.split(key, len(pictures)), pictures)
        return cuts.astype(jnp.float32) / 127.5 - 1.0

    return prepare


def make_batches(config: Config, domains: Domains) -> Callable:
    """Returns batches of both domains, each in an order of its own: never pairs."""
    parts = [
        ArrayBatches({"pixels": domain.train}, config.batch_size, config.seed + place)
        for place, domain in enumerate((domains.a, domains.b))
    ]

    def batches(first_step: int):
        for a, b in zip(*(part(first_step) for part in parts), strict=True):
            yield {"a": a["pixels"], "b": b["pixels"]}

    return batches


def make_encode(config: Config, weights: Weights) -> tuple[Callable, str, str]:
    """Returns what maps pictures to features, what these are, and the network's alarm."""
    network = weights.load(config.extractor)
    side = input_side(network, 0)
    reader = make_layer_reader(network, "", side)

    def encode(pictures: Pictures) -> Float[np.ndarray, "picture feature"]:
        of_one_class = LabeledPictures(pictures, np.zeros(len(pictures), np.int32), ("",))
        return feature_codes(network, reader, of_one_class, batch_size=20)

    return encode, describe_codes(network, reader), network.alarm


def evaluated(domains: Domains, side: int, most: int) -> Domains:
    """Returns the domains with at most so many test pictures, cut to their middle."""

    def of_domain(domain: Domain) -> Domain:
        first = (domain.test.shape[1] - side) // 2
        test = domain.test[:most, first : first + side, first : first + side]
        digits = domain.digits and (domain.digits[0], domain.digits[1][:most])
        return domain._replace(test=test, digits=digits)

    return domains._replace(a=of_domain(domains.a), b=of_domain(domains.b))


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    domains = read_domains(
        library, config.dataset, (config.domain_a, config.domain_b), config.side + config.margin
    )
    side = domains.a.train.shape[1] if domains.is_paired else config.side
    factor = 2**config.judge_strided
    if side % factor or side < 3 * factor:
        raise DataError(
            f"pictures are {side}x{side}; with --judge_strided={config.judge_strided} their side "
            f"must be a multiple of {factor}, at least {3 * factor}"
        )
    if config.batch_size > min(len(domains.a.train), len(domains.b.train)):
        raise DataError(
            f"--batch_size is {config.batch_size}; the smaller domain has "
            f"{min(len(domains.a.train), len(domains.b.train))} training pictures"
        )
    generator = TranslationGenerator(config.width, config.blocks)
    judge = PatchDiscriminator(config.judge_width, config.judge_strided)
    game = CycleGAN(
        generate=lambda params, images: generator.apply({"params": params}, images),
        judge=lambda params, images: judge.apply({"params": params}, images),
        optimizer=make_optimizer(config),
        cycle_weight=config.cycle_weight,
        identity_weight=config.identity_weight,
    )
    encode, words, alarm = (None, "", "")
    if not domains.is_paired:
        encode, words, alarm = make_encode(config, weights)
    prepare = make_prepare(side, config.flip and not domains.is_paired)
    shape = (side, side, 3)

    def init(key):
        images = jnp.zeros((1, *shape))
        generators, judges = (
            tuple(
                module.init(jax.random.fold_in(key, first + place), images)["params"]
                for place in (0, 1)
            )
            for module, first in ((generator, 0), (judge, 2))
        )
        return init_cycle(game, generators, judges, config.pool_size, shape)

    def step(state, batch, key):
        key_a, key_b, pool_key = jax.random.split(key, 3)
        return cycle_step(
            game, state, prepare(key_a, batch["a"]), prepare(key_b, batch["b"]), pool_key
        )

    judged = make_evaluate(game, evaluated(domains, side, config.num_evaluated), encode, words)
    return Experiment(
        init,
        step,
        lambda state, key: judged(state, key) | {"alarm_extractor": alarm},
        make_batches(config, domains),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
