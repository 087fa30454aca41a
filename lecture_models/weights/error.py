"""Defines the errors of pretrained weights that cannot be loaded."""

from lecture_models.data.dataset import DataError


class WeightsError(DataError):
    """Tells the user, in one line, why weights cannot be loaded as requested."""


class WeightsAbsentError(WeightsError):
    """Says that the file of a network does not exist, so the next name of a list may be tried.

    A file that exists but is damaged is a plain WeightsError: it is never replaced silently.
    """
