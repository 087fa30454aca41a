"""Trains classifiers for a target domain whose labels are unknown, and the bounds on both sides."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from lecture_models.losses.domains import domain_loss, reversal_strength
from lecture_models.steps.classifier import mean_cross_entropy
from lecture_models.steps.descent import Metrics, Params, TrainState, descend, init_train_state

SOURCE_ONLY, DANN, ADDA, TARGET_TRAINED = "source_only", "dann", "adda", "target_trained"
NETWORKS = (SOURCE_ONLY, DANN, ADDA, TARGET_TRAINED)

Images = Float[Array, "batch height width channel"]
Labels = Int[Array, " batch"]


class Labeled(NamedTuple):
    """Holds images, prepared for the network, and their classes."""

    images: Images
    labels: Labels


class AdaptationState(NamedTuple):
    """Holds the networks of all methods.

    Attributes:
        networks: by the method's name, its parameters and optimizer.
        judge: the network that tells domains apart in ADDA.
        step: the number of steps so far.
    """

    networks: dict[str, TrainState]
    judge: TrainState
    step: Int[Array, ""]


class Adaptation(NamedTuple):
    """Describes the methods, which share one architecture.

    Attributes:
        features: `features(params, images)` returns what the heads read.
        classify: `classify(params, features)` returns the logits of the classes.
        tell_domain: `tell_domain(params, features, strength)` returns a logit of the target domain
            for each image; it turns the gradient to the features and multiplies it by the strength.
        judge: `judge(params, features)` returns such logits by ADDA's own network.
        optimizer: trains all but ADDA.
        adda_optimizer: trains ADDA's features and its judge, each with a state of its own.
        num_steps: the number of steps of all but ADDA, over which the reversal rises.
    """

    features: Callable[[Params, Images], Float[Array, "batch feature"]]
    classify: Callable[[Params, Float[Array, "batch feature"]], Float[Array, "batch class"]]
    tell_domain: Callable[..., Float[Array, " batch"]]
    judge: Callable[[Params, Float[Array, "batch feature"]], Float[Array, " batch"]]
    optimizer: optax.GradientTransformation
    adda_optimizer: optax.GradientTransformation
    num_steps: int


def init_adaptation(adaptation: Adaptation, params: Params, judge: Params) -> AdaptationState:
    """Returns the state before the first step.

    Args:
        adaptation: the methods.
        params: the parameters with which all networks begin.
        judge: those of ADDA's judge.

    Returns:
        The state. Each network has a copy of its own.
    """

    def begin(name: str) -> TrainState:
        optimizer = adaptation.adda_optimizer if name == ADDA else adaptation.optimizer
        return init_train_state(optimizer, jax.tree.map(jnp.copy, params))

    return AdaptationState(
        {name: begin(name) for name in NETWORKS},
        init_train_state(adaptation.adda_optimizer, judge),
        jnp.zeros((), jnp.int32),
    )


def adversarial_step(
    adaptation: Adaptation, state: AdaptationState, source: Labeled, target: Labeled
) -> tuple[AdaptationState, Metrics]:
    """Updates all networks but ADDA's once, each by its own loss.

    Source only: the cross-entropy of source images. DANN: the same, and the domain's cross-entropy
    through the gradient reversal; it sees target images without their classes. Trained on the
    target: the cross-entropy of target images, which is the upper bound. Ganin et al., 2016,
    Algorithm 1.

    Args:
        adaptation: the methods.
        state: the state before the step.
        source: images and classes of the source domain.
        target: images and classes of the target domain.

    Returns:
        The state after the step, and DANN's losses from before it, in nats: `class_loss`, of source
        images, and `domain_loss`, which is ln 2 where its features do not tell the domain.
    """
    strength = reversal_strength(state.step / adaptation.num_steps)

    def dann_loss(params: Params):
        features = [adaptation.features(params, part.images) for part in (source, target)]
        domains = [adaptation.tell_domain(params, each, strength) for each in features]
        logits = adaptation.classify(params, features[0])
        of_classes = mean_cross_entropy(logits, source.labels)
        of_domains = domain_loss(*domains)
        return of_classes + of_domains, {"class_loss": of_classes, "domain_loss": of_domains}

    networks = dict(state.networks)
    for name, part in ((SOURCE_ONLY, source), (TARGET_TRAINED, target)):
        loss = _class_loss(adaptation, part)
        networks[name], _ = descend(adaptation.optimizer, networks[name], loss)
    networks[DANN], metrics = descend(adaptation.optimizer, networks[DANN], dann_loss)
    return state._replace(networks=networks, step=state.step + 1), metrics


def begin_adda(adaptation: Adaptation, state: AdaptationState) -> AdaptationState:
    """Returns the state in which ADDA's network is the one that was trained on the source alone.

    Args:
        adaptation: the methods.
        state: the state after the last step of the others.

    Returns:
        The state before ADDA's first step.
    """
    params = jax.tree.map(jnp.copy, state.networks[SOURCE_ONLY].params)
    beginning = init_train_state(adaptation.adda_optimizer, params)
    return state._replace(networks=state.networks | {ADDA: beginning})


def adda_step(
    adaptation: Adaptation, state: AdaptationState, source: Labeled, target: Labeled
) -> tuple[AdaptationState, Metrics]:
    """Updates ADDA's judge and its features of target images once, each against the other.

    The judge learns to tell features of source images, by the network that was trained on them,
    from those of target images by ADDA's network. This one learns features that the judge takes
    for those of the source. Its class head is never changed. Tzeng et al., 2017, Eq. 9.

    Args:
        adaptation: the methods.
        state: the state before the step.
        source: images and classes of the source domain.
        target: images of the target domain; its classes are not used.

    Returns:
        The state after the step, and losses from before it, in nats: ADDA's `class_loss` of source
        images, and the judge's `domain_loss`.
    """
    fixed = adaptation.features(state.networks[SOURCE_ONLY].params, source.images)
    before = state.networks[ADDA].params

    def judge_loss(params: Params):
        moving = adaptation.features(before, target.images)
        value = domain_loss(adaptation.judge(params, fixed), adaptation.judge(params, moving))
        return value, {"domain_loss": value}

    judge, metrics = descend(adaptation.adda_optimizer, state.judge, judge_loss)

    def deceiving_loss(params: Params):
        logits = adaptation.judge(judge.params, adaptation.features(params, target.images))
        return optax.sigmoid_binary_cross_entropy(logits, jnp.zeros_like(logits)).mean(), {}

    adda, _ = descend(adaptation.adda_optimizer, state.networks[ADDA], deceiving_loss)
    _, of_classes = _class_loss(adaptation, source)(before)
    networks = state.networks | {ADDA: adda}
    return AdaptationState(networks, judge, state.step + 1), metrics | of_classes


def _class_loss(adaptation: Adaptation, labeled: Labeled):
    def loss(params: Params):
        features = adaptation.features(params, labeled.images)
        value = mean_cross_entropy(adaptation.classify(params, features), labeled.labels)
        return value, {"class_loss": value}

    return loss
