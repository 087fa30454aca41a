"""Defines a classifier of small images with a second head that tells their domain."""

import flax.linen as nn
from jaxtyping import Array, Float

from lecture_models.nn.gradient_reversal import reverse_gradient
from lecture_models.nn.pooling import max_pool

Images = Float[Array, "batch height width 3"]
Features = Float[Array, "batch feature"]
Logits = Float[Array, "batch class"]
DomainLogits = Float[Array, " batch"]


class DomainNetwork(nn.Module):
    """Computes features by two convolutions, from which two heads tell class and domain.

    Ganin et al., 2016, figure 4a: 32 and 48 filters of 5x5, each rectified and halved by max
    pooling; 100, 100 and 10 units for the class; 100 and 1 for the domain, behind the gradient
    reversal. With images of 28x28 and ten classes it has 205,891 parameters.

    Attributes:
        num_classes: the number of classes.
        filters: the number of filters of each convolution.
        hidden: the width of the hidden layers of both heads.
    """

    num_classes: int = 10
    filters: tuple[int, ...] = (32, 48)
    hidden: int = 100

    def setup(self):
        self.convolutions = [nn.Conv(count, (5, 5), padding="VALID") for count in self.filters]
        self.class_layers = [nn.Dense(self.hidden), nn.Dense(self.hidden)]
        self.class_output = nn.Dense(self.num_classes)
        self.domain_layer = nn.Dense(self.hidden)
        self.domain_output = nn.Dense(1)

    def features(self, images: Images) -> Features:
        """Returns the features that both heads read, rectified.

        Args:
            images: color images whose sides leave at least one pixel after all layers.

        Returns:
            The features; 768 of an image of 28x28.

        Raises:
            ValueError: the images are too small.
        """
        maps = images
        for convolution in self.convolutions:
            if min(maps.shape[1:3]) < 6:
                raise ValueError(
                    f"images are {images.shape[1]}x{images.shape[2]}; they are too small for "
                    f"{len(self.filters)} convolutions of 5x5 and poolings"
                )
            maps = max_pool(nn.relu(convolution(maps)), 2, 2)
        return maps.reshape(len(maps), -1)

    def classify(self, features: Features) -> Logits:
        """Returns the logits of the classes."""
        for layer in self.class_layers:
            features = nn.relu(layer(features))
        return self.class_output(features)

    def tell_domain(self, features: Features, strength: Float[Array, ""]) -> DomainLogits:
        """Returns the logit of the target domain, learned against the features.

        Args:
            features: what both heads read.
            strength: lambda, by which the gradient to the features is multiplied and turned.

        Returns:
            A logit for each image: positive for the target domain, negative for the source.
        """
        turned = reverse_gradient(features, strength)
        return self.domain_output(nn.relu(self.domain_layer(turned)))[:, 0]

    def __call__(
        self, images: Images, strength: Float[Array, ""]
    ) -> tuple[Logits, DomainLogits, Features]:
        """Returns the logits of classes and domain, and the features."""
        features = self.features(images)
        return self.classify(features), self.tell_domain(features, strength), features


class DomainJudge(nn.Module):
    """Tells the domain of features, in ADDA: two hidden layers and a logit.

    Tzeng et al., 2017, Adversarial discriminative domain adaptation, section 5.1.

    Attributes:
        hidden: the width of both hidden layers; 500 in the paper.
    """

    hidden: int = 500

    @nn.compact
    def __call__(self, features: Features) -> DomainLogits:
        for _ in range(2):
            features = nn.relu(nn.Dense(self.hidden)(features))
        return nn.Dense(1)(features)[:, 0]
