"""What a user reads where pretrained weights cannot be had."""

from lecture_models.data.dataset import DataError


class WeightsError(DataError):
    """Weights that cannot be had as asked: the message is one line for the user."""


class WeightsAbsentError(WeightsError):
    """Nothing of the network is there, so the next of a list may be tried.

    A file that is there but damaged is a plain WeightsError: it is never replaced silently.
    """
