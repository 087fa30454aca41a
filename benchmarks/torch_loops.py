"""Defines training steps in plain PyTorch, with which this project's loop is compared.

Each function returns a `step(batch)` that keeps its own state; a batch is a float tensor of images
in memory.
"""

import itertools
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from experiments.gan_mnist import Config

Step = Callable[[torch.Tensor], None]


def mlp(sizes: tuple[int, ...], activation: Callable[[], nn.Module]) -> nn.Sequential:
    """Builds linear layers of these sizes, with the activation between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])


def gan(config: Config) -> Step:
    """Returns gan_mnist's step: Adam updates of both networks, R1 penalty, averaged generator."""
    generator = nn.Sequential(
        mlp((config.latent_dim, *config.generator_hidden, 784), nn.ReLU), nn.Tanh()
    )
    averaged = [parameter.detach().clone() for parameter in generator.parameters()]
    discriminator = mlp((784, *config.discriminator_hidden, 1), lambda: nn.LeakyReLU(0.2))
    betas = (config.adam_b1, 0.999)
    generator_optimizer = torch.optim.Adam(generator.parameters(), config.learning_rate, betas)
    discriminator_optimizer = torch.optim.Adam(
        discriminator.parameters(), config.learning_rate, betas
    )

    def step(batch: torch.Tensor) -> None:
        real = batch.reshape(len(batch), -1).requires_grad_(config.gradient_penalty > 0)
        with torch.no_grad():
            fake = generator(torch.randn(len(real), config.latent_dim))
        real_logits = discriminator(real)
        loss = (functional.softplus(-real_logits) + functional.softplus(discriminator(fake))).mean()
        if config.gradient_penalty > 0:
            (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
            loss = loss + 0.5 * config.gradient_penalty * gradient.square().sum(1).mean()
        discriminator_optimizer.zero_grad()
        loss.backward()
        discriminator_optimizer.step()

        fresh = generator(torch.randn(len(real), config.latent_dim))
        loss = functional.softplus(-discriminator(fresh)).mean()
        generator_optimizer.zero_grad()
        loss.backward()
        generator_optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averaged, list(generator.parameters()), 1 - config.average_decay)

    return step


class ExampleVAE(nn.Module):
    """Defines the networks of github.com/pytorch/examples, vae/main.py."""

    def __init__(self, hidden: int, latent_dim: int):
        super().__init__()
        self.encode = nn.Linear(784, hidden)
        self.mean, self.log_variance = nn.Linear(hidden, latent_dim), nn.Linear(hidden, latent_dim)
        self.decode, self.to_pixels = nn.Linear(latent_dim, hidden), nn.Linear(hidden, 784)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        hidden = functional.relu(self.encode(x))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        deviation = torch.exp(0.5 * log_variance)
        z = mean + deviation * torch.randn_like(deviation)
        return self.to_pixels(functional.relu(self.decode(z))), mean, log_variance


def vae(
    hidden: int, latent_dim: int, learning_rate: float, binary: bool = False, logits: bool = False
) -> Step:
    """Returns the step of PyTorch's example, on pixels in [0, 1].

    Args:
        hidden: the number of hidden units of the encoder, and of the decoder.
        latent_dim: the number of latents.
        learning_rate: Adam's learning rate.
        binary: whether each batch's pixels are replaced by newly drawn bits.
        logits: whether the example is made faster: the cross-entropy is computed from logits, and
            the loss is not fetched at every step.
    """
    model = ExampleVAE(hidden, latent_dim)
    optimizer = torch.optim.Adam(model.parameters(), learning_rate)
    total = 0.0

    def step(batch: torch.Tensor) -> None:
        nonlocal total
        x = batch.view(-1, 784)
        x = torch.bernoulli(x) if binary else x
        optimizer.zero_grad()
        output, mean, log_variance = model(x)
        if logits:
            bce = functional.binary_cross_entropy_with_logits(output, x, reduction="sum")
        else:
            bce = functional.binary_cross_entropy(torch.sigmoid(output), x, reduction="sum")
        kl_divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        loss = bce + kl_divergence
        loss.backward()
        if not logits:
            total += loss.item()
        optimizer.step()

    return step
