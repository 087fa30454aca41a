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


class ExampleVAE(nn.Module):
    """The networks of github.com/pytorch/examples, vae/main.py."""

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
    """The example's step, on pixels in [0, 1]; `binary` draws new bits for every batch.

    With `logits` it is the example made faster: no sigmoid before the cross-entropy, and the loss
    is not fetched at every step.
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
            misfit = functional.binary_cross_entropy_with_logits(output, x, reduction="sum")
        else:
            misfit = functional.binary_cross_entropy(torch.sigmoid(output), x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        loss = misfit + divergence
        loss.backward()
        if not logits:
            total += loss.item()
        optimizer.step()

    return step
