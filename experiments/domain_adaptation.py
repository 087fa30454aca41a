"""Domain adaptation: a classifier of digits for a domain whose labels nobody gave.

    python launch.py --experiment=domain_adaptation
    python launch.py --experiment=domain_adaptation --source=mnist --target=usps
    python launch.py --experiment=domain_adaptation --source=usps --target=mnist

Paper: Ganin et al., 2016, Domain-adversarial training of neural networks (DANN); Tzeng et al.,
  2017, Adversarial discriminative domain adaptation (ADDA)
Data: MNIST, digits blended with photos (MNIST-M, built here) and USPS; without MNIST or photos,
  the digits that scikit-learn ships and photos that packages ship (announced and recorded)
Cost: 9 to 17 minutes on a busy machine
Expected: MNIST-M, one seed: source only 53.5%, DANN 62.8%, ADDA 79.2%, trained on it 96.5%; to USPS
  both adaptations do harm; see results/domain_adaptation.md
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, UInt8

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.digit_domains import DOMAINS, SIDE, Domain, read_domains
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence, Experiment, Phase
from lecture_models.models.domain_network import DomainJudge, DomainNetwork
from lecture_models.steps.adaptation import (
    ADDA,
    NETWORKS,
    Adaptation,
    Labeled,
    adda_step,
    adversarial_step,
    begin_adda,
    init_adaptation,
)
from lecture_models.tasks.adaptation_results import Named, Shown, make_evaluate


@dataclasses.dataclass(frozen=True)
class Config:
    source: str = "mnist"  # Domain whose labels are learned: mnist, mnist_m, usps or digits.
    target: str = "mnist_m"  # Domain to recognize; only the upper bound sees its labels.
    seed: int = 0
    batch_size: int = 64  # Images of each domain.
    num_steps: int = 2_600
    adda_steps: int = 600  # The last steps, in which ADDA adapts the network of the source.
    filters: tuple[int, ...] = (32, 48)  # Of each convolution.
    hidden: int = 100  # Width of both heads.
    judge_hidden: int = 500  # Width of ADDA's network for the domain.
    learning_rate: float = 0.01  # Of the first step; it falls as 1 / (1 + 10 p)^0.75.
    momentum: float = 0.9
    adda_rate: float = 2e-4  # Adam's, of ADDA.
    distance_images: int = 1_000  # Images of each domain for the distance and for t-SNE.
    iterations: int = 500  # Of t-SNE, whose perplexity is 30 or a third of the images.
    log_every: int = 100
    eval_every: int = 1_300
    checkpoint_every: int = 650

    def __post_init__(self):
        for flag, name in (("--source", self.source), ("--target", self.target)):
            if name not in DOMAINS:
                raise ValueError(f"{flag} is {name!r}; allowed: {', '.join(DOMAINS)}")
        if self.source == self.target:
            raise ValueError(f"--source and --target are both {self.source}; they must differ")
        require_at_least(self, 1, "batch_size", "filters", "hidden", "judge_hidden")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate", "adda_rate")
        require_at_least(self, 20, "distance_images")
        require_at_least(self, 300, "iterations")
        require_between(self, 0.0, 0.999, "momentum")
        require_between(self, 0, self.num_steps - 1, "adda_steps")
        if not self.filters:
            raise ValueError("--filters is empty; it must have one number or more")

    @property
    def first_steps(self) -> int:
        """Returns the number of steps in which all networks but ADDA's learn."""
        return self.num_steps - self.adda_steps


# The papers do not state how long they train, but for ADDA's second part.
PAPER = {
    "num_steps": 30_000,
    "adda_steps": 10_000,
    "log_every": 500,
    "eval_every": 10_000,
    "checkpoint_every": 1_000,
}

PAPER_SOURCES = {
    "source": "DANN, section 5.2.4: MNIST to MNIST-M",
    "target": "DANN, section 5.2.4: MNIST to MNIST-M",
    "batch_size": "DANN, section 5.2.2: batches of 128, half of each domain",
    "adda_steps": "the code of ADDA's authors: 10,000",
    "filters": "DANN, figure 4a: 32 and 48",
    "hidden": "DANN, figure 4a: 100",
    "judge_hidden": "ADDA, section 5.1: 500",
    "learning_rate": "DANN, section 5.2.2: 0.01",
    "momentum": "DANN, section 5.2.2: 0.9",
    "adda_rate": "the code of ADDA's authors: 0.0002",
}
PAPER_DEPARTURES = (
    ("digits blended with photos of BSDS500", "with the centers of 60 of these photos"),
    ("59,001 and 9,001 digits of MNIST-M", "50,000 and 10,000"),
    ("ADDA: the LeNet of Caffe, Adam, batches of 128", "DANN's network and batches, SGD before"),
)

SMOKE = {
    "source": "digits",
    "target": "digits_m",
    "batch_size": 8,
    "num_steps": 6,
    "adda_steps": 3,
    "filters": (2, 3),
    "hidden": 4,
    "judge_hidden": 4,
    "distance_images": 20,
    "iterations": 300,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 2,
}


def make_adaptation(config: Config, network: DomainNetwork, judge: DomainJudge) -> Adaptation:
    """Returns the methods; rates are those of Ganin et al., 2016, section 5.2.2."""

    def apply(method: Callable) -> Callable:
        return lambda params, *args: network.apply({"params": params}, *args, method=method)

    def rate(step):
        return config.learning_rate / (1.0 + 10.0 * step / config.first_steps) ** 0.75

    return Adaptation(
        features=apply(DomainNetwork.features),
        classify=apply(DomainNetwork.classify),
        tell_domain=apply(DomainNetwork.tell_domain),
        judge=lambda params, features: judge.apply({"params": params}, features),
        optimizer=optax.sgd(rate, config.momentum),
        adda_optimizer=optax.adam(config.adda_rate, b1=0.5),
        num_steps=config.first_steps,
    )


def make_prepare(domain: Domain) -> Callable[[Array], Array]:
    """Returns what maps bytes to images in [-1, 1] less the mean of the source's training images.

    Each domain would have a mean of its own; one for both keeps the target's brightness unknown.
    """
    mean = domain.train.pictures.mean((0, 1, 2), keepdims=True).astype(np.float32) / 127.5 - 1.0

    def prepare(
        pictures: UInt8[Array, "batch height width 3"],
    ) -> Float[Array, "batch height width 3"]:
        return pictures.astype(jnp.float32) / 127.5 - 1.0 - mean

    return prepare


def make_batches(config: Config, source: Domain, target: Domain) -> Callable:
    """Returns batches of both domains, each in an order of its own."""
    parts = [
        ArrayBatches(domain.train._asdict(), config.batch_size, config.seed + place)
        for place, domain in enumerate((source, target))
    ]

    def batches(first_step: int):
        for first, second in zip(*(part(first_step) for part in parts), strict=True):
            yield {"source": first, "target": second}

    return batches


def build(config: Config, library: Library) -> Experiment:
    source, target = read_domains(library, config.source, config.target)
    network = DomainNetwork(len(source.classes), config.filters, config.hidden)
    judge = DomainJudge(config.judge_hidden)
    adaptation = make_adaptation(config, network, judge)
    prepare = make_prepare(source)

    def init(key):
        network_key, judge_key = jax.random.split(key)
        images = jnp.zeros((1, SIDE, SIDE, 3))
        params = network.init(network_key, images, jnp.zeros(()))["params"]
        features = adaptation.features(params, images)
        return init_adaptation(adaptation, params, judge.init(judge_key, features)["params"])

    def with_images(step: Callable) -> Callable:
        def of_batch(state, batch, key):
            domains = [
                Labeled(prepare(batch[name]["pictures"]), batch[name]["labels"])
                for name in ("source", "target")
            ]
            return step(adaptation, state, *domains)

        return of_batch

    first = Phase(0, with_images(adversarial_step))
    last = Phase(
        config.first_steps, with_images(adda_step), functools.partial(begin_adda, adaptation)
    )
    return Experiment(
        init,
        (first, last) if config.adda_steps else (first,),
        make_evaluate(
            adaptation,
            prepare,
            Named(config.source, source),
            Named(config.target, target),
            tuple(name for name in NETWORKS if config.adda_steps or name != ADDA),
            config.num_steps,
            Shown(config.distance_images, config.iterations, config.seed),
        ),
        make_batches(config, source, target),
        cadence_decides={"num_steps": "the schedule of learning_rate and the adversary's strength"},
    )
