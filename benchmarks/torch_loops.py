"""The same networks in plain PyTorch, data in memory: what the loop here is measured against.

Each function gives a `step(batch)` of its own state; a batch is a float tensor of images.
"""

import itertools
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from experiments.gan_mnist import Config

Step = Callable[[torch.Tensor], None]


def mlp(sizes: tuple[int, ...], activation: Callable[[], nn.Module]) -> nn.Sequential:
    """Linear layers of these sizes with the activation between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])


def gan(config: Config) -> Step:
    """gan_mnist's step: both players' Adam updates, R1 penalty, averaged generator."""
    generator = nn.Sequential(
        mlp((config.latent_dim, *config.generator_hidden, 784), nn.ReLU), nn.Tanh()
    )
    averaged = [parameter.detach().clone() for parameter in generator.parameters()]
    judge = mlp((784, *config.discriminator_hidden, 1), lambda: nn.LeakyReLU(0.2))
    betas = (config.adam_b1, 0.999)
    generator_optimizer = torch.optim.Adam(generator.parameters(), config.learning_rate, betas)
    judge_optimizer = torch.optim.Adam(judge.parameters(), config.learning_rate, betas)

    def step(batch: torch.Tensor) -> None:
        real = batch.reshape(len(batch), -1).requires_grad_(config.gradient_penalty > 0)
        with torch.no_grad():
            fake = generator(torch.randn(len(real), config.latent_dim))
        real_logits = judge(real)
        loss = (functional.softplus(-real_logits) + functional.softplus(judge(fake))).mean()
        if config.gradient_penalty > 0:
            (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
            loss = loss + 0.5 * config.gradient_penalty * gradient.square().sum(1).mean()
        judge_optimizer.zero_grad()
        loss.backward()
        judge_optimizer.step()

        fresh = generator(torch.randn(len(real), config.latent_dim))
        loss = functional.softplus(-judge(fresh)).mean()
        generator_optimizer.zero_grad()
        loss.backward()
        generator_optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averaged, list(generator.parameters()), 1 - config.average_decay)

    return step


def vae(hidden: int, latent_dim: int, learning_rate: float) -> Step:
    """784-hidden-latent-hidden-784 with a Bernoulli likelihood and Adam."""
    encode, to_latent = nn.Linear(784, hidden), nn.Linear(hidden, 2 * latent_dim)
    decode = mlp((latent_dim, hidden, 784), nn.ReLU)
    parameters = [*encode.parameters(), *to_latent.parameters(), *decode.parameters()]
    optimizer = torch.optim.Adam(parameters, learning_rate)

    def step(batch: torch.Tensor) -> None:
        x = (batch.reshape(len(batch), -1) + 1.0) / 2.0
        mean, log_variance = to_latent(functional.relu(encode(x))).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        misfit = functional.binary_cross_entropy_with_logits(decode(z), x, reduction="none").sum(1)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1)
        loss = (misfit + divergence).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step
