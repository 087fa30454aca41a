"""Checks that the page of data sets names all of them, and no other."""

import re

from lecture_models.data.dataset_library import SOURCES


def test_the_page_of_data_sets_names_each_of_them_once(root):
    page = (root / "docs" / "datasets.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(SOURCES)
