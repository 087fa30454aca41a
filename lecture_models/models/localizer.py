"""Defines a network that names the object of a picture and draws a box around it."""

import flax.linen as nn
from jaxtyping import Array, Float

Maps = Float[Array, "batch height width channel"]


class Localizer(nn.Module):
    """Maps the features of a picture, or its pixels, to class scores and the code of one box.

    Overfeat's and AlexNet's way to localize: two heads, of which one classifies and one is a
    regression (Sermanet et al., 2014, section 4). `model.apply(variables, maps, training)` returns
    the logits and the code, see `nn.boxes.encode`.

    Attributes:
        classes: the number of classes.
        convolutions: the channels of convolutions of stride 2 that read pixels; () for the feature
            maps of another network, whose channels are reduced place by place.
        reduced: the channels to which those of a feature map are reduced.
        hidden: the features before the heads.
        dropout: the share of features that is dropped while training; the key is `dropout`.
    """

    classes: int
    convolutions: tuple[int, ...] = ()
    reduced: int = 64
    hidden: int = 256
    dropout: float = 0.5

    @nn.compact
    def __call__(
        self, maps: Maps, training: bool = False
    ) -> tuple[Float[Array, "batch class"], Float[Array, "batch 4"]]:
        """Returns the logits and the code of the box."""
        drop = nn.Dropout(self.dropout, deterministic=not training)
        for channels in self.convolutions:
            maps = nn.relu(nn.Conv(channels, (3, 3), strides=2)(maps))
        if not self.convolutions:
            maps = nn.relu(nn.Dense(self.reduced, name="reduce")(drop(maps)))
        features = nn.relu(nn.Dense(self.hidden, name="hidden")(drop(maps.reshape(len(maps), -1))))
        features = drop(features)
        return nn.Dense(self.classes, name="head")(features), nn.Dense(4, name="box")(features)
