"""Defines the training step of a DCGAN in plain PyTorch, with the networks of this project's."""

import itertools
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from experiments.dcgan_mnist import Config

Step = Callable[[torch.Tensor], None]


def networks(config: Config, shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
    """Builds the generator and the discriminator of images of a height, a width and channels."""
    height, width, channels = shape
    factor = 2 ** len(config.widths)
    seed = (config.widths[0], height // factor, width // factor)
    size = seed[0] * seed[1] * seed[2]
    layers = []
    for before, after in itertools.pairwise((config.latent_dim, *config.hidden)):
        layers += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU(True)]
    last = (config.latent_dim, *config.hidden)[-1]
    layers += [nn.Linear(last, size, bias=False), nn.Unflatten(1, seed)]
    for before, after in itertools.pairwise((*config.widths, channels)):
        layers += [nn.BatchNorm2d(before), nn.ReLU(True)]
        layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    generator = nn.Sequential(*layers, nn.Tanh())
    layers = []
    for before, after in itertools.pairwise((channels, *config.widths[::-1])):
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=not config.batch_norm)]
        layers += [nn.BatchNorm2d(after)] if config.batch_norm and before != channels else []
        layers += [nn.LeakyReLU(0.2, True)]
    layers += [nn.Flatten()]
    for before, after in itertools.pairwise((size, *config.hidden[::-1])):
        layers += [nn.Linear(before, after, bias=not config.batch_norm)]
        layers += [nn.BatchNorm1d(after)] if config.batch_norm else []
        layers += [nn.LeakyReLU(0.2, True)]
    last = (size, *config.hidden[::-1])[-1]
    discriminator = nn.Sequential(
        *layers, nn.Linear(last, 1, bias=not config.batch_norm), nn.Flatten(0)
    )
    for network in (generator, discriminator):
        network.apply(_initialize)
    return generator, discriminator


def _initialize(layer: nn.Module) -> None:
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)


def training_step(config: Config, shape: tuple[int, int, int]) -> Step:
    """Returns the step of dcgan_mnist: Adam on both networks, R1 penalty, averaged generator."""
    generator, discriminator = networks(config, shape)
    averaged = [parameter.detach().clone() for parameter in generator.parameters()]
    betas = (config.adam_b1, 0.999)
    generator_optimizer = torch.optim.Adam(generator.parameters(), config.learning_rate, betas)
    discriminator_optimizer = torch.optim.Adam(
        discriminator.parameters(),
        config.discriminator_rate_ratio * config.learning_rate,
        betas,
    )

    def step(batch: torch.Tensor) -> None:
        with torch.no_grad():
            fake = generator(torch.randn(len(batch), config.latent_dim))
        loss = functional.softplus(-discriminator(batch)) + functional.softplus(discriminator(fake))
        loss = loss.mean()
        if config.gradient_penalty > 0:
            part = batch[: config.penalized_images or len(batch)].clone().requires_grad_()
            (gradient,) = torch.autograd.grad(discriminator(part).sum(), part, create_graph=True)
            loss = loss + 0.5 * config.gradient_penalty * gradient.square().sum((1, 2, 3)).mean()
        discriminator_optimizer.zero_grad()
        loss.backward()
        discriminator_optimizer.step()

        fresh = generator(torch.randn(len(batch), config.latent_dim))
        for parameter in discriminator.parameters():
            parameter.requires_grad_(False)
        loss = functional.softplus(-discriminator(fresh)).mean()
        generator_optimizer.zero_grad()
        loss.backward()
        generator_optimizer.step()
        for parameter in discriminator.parameters():
            parameter.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(averaged, list(generator.parameters()), 1 - config.average_decay)

    return step
