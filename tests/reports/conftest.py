import pytest

from tests.reports.chromium import Chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A browser without a window, or the test is skipped."""
    chromium = Chromium(tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()
