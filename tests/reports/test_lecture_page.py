"""Tests the page of a lecture: its markup, and how it looks in a browser."""

from pathlib import Path

import pytest

from lecture_models.lectures.lecture import Lecture
from lecture_models.lectures.page import write_lecture
from lecture_models.lectures.sources import Sources
from lecture_models.lectures.values import Values
from lecture_models.tables.table import Table, TableRow, published
from tests.reports.markup import ATTACKS, Elements, assert_harmless

LONG = r"\mathcal{L} = " + " + ".join([r"\dfrac{1}{4 N^2} \sum_{i,j} (G_{ij} - A_{ij})^2"] * 4)
ROW = TableRow("a" * 60, published("24M", "b" * 80), 15_237_608, "c" * 90, erratum="d" * 80)


def page_of(folder: Path, text: str, formulas=("x^2",), failures=None) -> Path:
    """Writes a page on which every text from outside is `text`."""
    number = {"table": "t", "row": ROW.label, "what": text}
    item = {"shows": text, "formulas": formulas, "run": "--table=t", "expected": text}
    none = {"shows": text, "why_not": text, "errata": [text]}
    slides = [{"heading": text, "count": 2, "items": [item | {"numbers": [number]}, none]}]
    lecture = Lecture(number="9", title=text, by=text, about=text, slides=slides)
    table = Table((ROW._replace(label=text), ROW), (), "t", text, text)
    sources = Sources(
        values=Values(folder, lambda name: table),
        results=folder,
        errata_file=folder / "errata.md",
        program=text,
        preset="smoke",
        workdir=folder,
        commit=text,
        failures=failures or {},
    )
    write_lecture(lecture, sources, folder / "page.html")
    return folder / "page.html"


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_markup(tmp_path, attack):
    page = page_of(tmp_path, attack, failures={attack: attack}).read_text()
    assert_harmless(page, attack)
    assert not [tag for tag, attributes in Elements(page).found if "onerror" in attributes]


def test_the_page_holds_its_formulas_and_the_whole_table_once(tmp_path):
    page = page_of(tmp_path, "text").read_text()
    assert page.count("<svg ") == 1
    assert page.count("the whole table: 2 rows: 2 erratum") == 1
    assert "15,237,608" in page


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_is_wider_than_the_window(browser, tmp_path, width):
    page = page_of(tmp_path, "a text of many words " * 6, formulas=(LONG,))
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.call("Emulation.setDeviceMetricsOverride", **size)
    browser.open(page.as_uri())
    browser.evaluate("document.querySelector('details').open = true")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert not browser.complaints
    assert all(address.startswith("file:") for address in browser.requests)
    browser.call("Emulation.clearDeviceMetricsOverride")
