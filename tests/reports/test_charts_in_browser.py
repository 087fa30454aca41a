"""Charts, players and tables in a real browser: what a reader sees of a run and of a sweep."""

import json
import math
import wave

import numpy as np
import pytest

from lecture_models.reports import run_page, seeds_page
from lecture_models.reports.html import alike, cells, with_spread
from lecture_models.reports.index import read_index, write_index
from lecture_models.sweeps.page import write_report
from lecture_models.tables.formats import FORMATS
from tests.past import write_past_run
from tests.reports.test_numbers import COLUMNS
from tests.reports.test_seeds_page import summary
from tests.sweeps.test_page import results
from tests.tables.test_formats import TABLE

EXTREMES = {
    "zero": [0.0, 0.0],
    "constant": [5.0] * 3,
    "tiny": [1e-320, 0.0],
    "huge": [1e299, -1e299],
    "overflowing": [1e308, -1e308],
    "no number": ["NaN", "Infinity"],
    "nearly constant": [1.0, 1.0 + 1e-15],
    "broken": [1.0, 2.0, "NaN", 3.0, "Infinity", 4.0],
}


def write_run(folder, metrics):
    write_past_run(folder)
    lines = [
        json.dumps({"step": step, "train": {name: value}})
        for name, values in metrics.items()
        for step, value in enumerate(values)
    ]
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    return run_page.write_report(folder).as_uri()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("extremes") / "run", EXTREMES)


@pytest.fixture
def opened(browser, page):
    browser.open(page)
    yield browser
    assert not browser.complaints


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (69.97888, 69.98082, ["69.9790", "69.9795", "69.9800", "69.9805"]),
        (0.0, 2e-4, ["0", "0.00005", "0.00010", "0.00015", "0.00020"]),
        (0.0, 2e-5, ["0", "5e-6", "1.0e-5", "1.5e-5", "2.0e-5"]),
        (0, 20_000, ["0", "5k", "10k", "15k", "20k"]),
        (-1.0, 1.0, ["-1.0", "-0.5", "0", "0.5", "1.0"]),
        (32.2611, 32.2614, ["32.2611", "32.2612", "32.2613", "32.2614"]),
        (1_000_000, 1_000_004, ["1.000000M", "1.000001M", "1.000002M", "1.000003M", "1.000004M"]),
        (500, 2_500, ["500", "1,000", "1,500", "2,000", "2,500"]),
    ],
)
def test_labels_have_the_digits_that_tell_them_apart(opened, low, high, labels):
    call = f"linearMarks({low}, {high}, 4).map(([, label]) => label)"
    assert opened.evaluate(call) == labels


def test_no_two_labels_of_an_axis_are_equal(opened):
    ranges = [
        (base, base + 10.0**power) for base in (0, 1, 70, 12_345, 1e6) for power in range(-6, 7)
    ]
    calls = (
        f"{json.dumps(ranges)}.map(([low, high]) => [linearMarks, logMarks].map(marks => "
        "marks(Math.max(low, 1e-7), high, 5).map(([, label]) => label)))"
    )
    for (low, high), both in zip(ranges, opened.evaluate(calls), strict=True):
        for labels in both:
            assert len(labels) >= 2, (low, high)
            assert len(labels) == len(set(labels)), (low, high, labels)


def test_a_script_formats_numbers_as_python_does(opened):
    columns = [
        [0, 3, 20_000, 0.69314718, 223.4149, 12_345.67, 2e-4, 1e-5, 1.5e6 + 0.7, -7.25],
        *(list(column) for column in COLUMNS if all(map(math.isfinite, column))),
    ]
    text = f"{json.dumps(columns)}.map(column => column.map(value => formatNumber(value, "
    assert opened.evaluate(text + "decimalsApart(column))))") == [alike(each) for each in columns]
    settings = [3e-4, 1e-5, 1e-8, 1000.0, 0.5, 64, 1 / 3, "adam", 5e22]
    assert opened.evaluate(f"{json.dumps(settings)}.map(one => formatCell(one))") == cells(settings)
    spreads = [(32.26125, 0.00012), (1.5, 0.25), (3.0, 0.0), (0.0, 0.5), (1e-5, 2e-6), (1e9, 1.0)]
    call = f"{json.dumps(spreads)}.map(pair => formatSpread(...pair))"
    assert opened.evaluate(call) == [list(with_spread(*pair)) for pair in spreads]


def test_any_values_are_drawn_with_finite_numbers(opened):
    plots = opened.evaluate(
        "[...document.querySelectorAll('.plot')].map(plot => [plot.innerHTML, plot.innerText])"
    )
    assert len(plots) == len(EXTREMES)
    assert not any("NaN" in html or "Infinity" in html for html, _ in plots)
    assert sum("<svg" in html for html, _ in plots) == len(EXTREMES) - 2
    assert [text for html, text in plots if "<svg" not in html] == ["no finite value"] * 2


def test_a_value_that_is_not_finite_breaks_the_line(opened):
    line = "document.querySelector('[aria-label^=\"train/broken\"] .line').getAttribute('d')"
    assert opened.evaluate(line).count("M") == 3


def test_the_value_under_the_pointer_is_shown_with_all_digits(browser, tmp_path):
    browser.open(write_run(tmp_path / "run", {"loss": [1 / 3, 2 / 3, 1.0]}))
    x, y = browser.evaluate(
        "(box => [box.x + 0.6 * box.width, box.y + 20])"
        "(document.querySelector('.plot svg').getBoundingClientRect())"
    )
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    tip = "[document.querySelector('.tip').textContent, document.querySelector('.tip').hidden]"
    assert browser.evaluate(tip) == ["step 1: 0.666666667", False]
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    assert browser.evaluate(tip)[1]


def test_the_axis_of_close_values_has_different_labels(browser, tmp_path):
    browser.open(write_run(tmp_path / "run", {"loss": [32.2611, 32.2612, 32.2614]}))
    words = "[...document.querySelectorAll('.plot text')].map(text => text.textContent)"
    labels = [text for text in browser.evaluate(words) if text.startswith("32.")]
    assert len(labels) >= 3
    assert len(set(labels)) == len(labels)


def test_the_charts_of_a_run_are_smoothed_and_logarithmic_on_demand(browser, tmp_path):
    browser.open(write_run(tmp_path / "run", {"loss": [1.0, 100.0, 10.0]}))
    lines = "document.querySelectorAll('.plot .line').length"
    texts = "[...document.querySelectorAll('.plot text')].map(text => text.textContent)"
    assert browser.evaluate(lines) == 1
    browser.evaluate(
        "(slider => (slider.value = 0.9, slider.dispatchEvent(new Event('input', "
        "{bubbles: true}))))(document.querySelector('.chart-controls [type=range]'))"
    )
    assert browser.evaluate(lines) == 2  # The curve as it was logged stays, faint.
    assert not {"5", "20"} & set(browser.evaluate(texts))
    browser.click(".chart-controls [type=checkbox]")
    assert {"1", "5", "10", "20", "100"} <= set(browser.evaluate(texts))
    assert not browser.complaints


def test_dragging_enlarges_a_part_of_a_chart_and_a_double_click_shows_all(browser, tmp_path):
    browser.open(write_run(tmp_path / "run", {"loss": [float(step) for step in range(21)]}))
    dots = "document.querySelectorAll('.plot circle').length"
    x, y, width = browser.evaluate(
        "(box => [box.x, box.y + 60, box.width])"
        "(document.querySelector('.plot svg').getBoundingClientRect())"
    )
    assert browser.evaluate(dots) == 21
    mouse = {"y": y, "button": "left", "clickCount": 1}
    for kind, share in (("mousePressed", 0.5), ("mouseMoved", 0.7), ("mouseReleased", 0.8)):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x + share * width, **mouse)
    assert 4 <= browser.evaluate(dots) <= 9
    for kind in ("mousePressed", "mouseReleased"):
        for count in (1, 2):
            click = mouse | {"clickCount": count}
            browser.call("Input.dispatchMouseEvent", type=kind, x=x + 0.5 * width, **click)
    assert browser.evaluate(dots) >= 21
    assert not browser.complaints


@pytest.mark.parametrize("width", [1_200, 400])
def test_no_number_is_broken_into_two_lines(browser, tmp_path, width):
    folder = tmp_path / "run"
    write_past_run(folder)
    name = "a_metric_of_the_images_with_a_rather_long_name"
    lines = [{"step": 10_000 * at, "eval": {name: 1e5 + at / 3}} for at in range(1, 4)]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    size = {"height": 800, "deviceScaleFactor": 1, "mobile": False}
    broken = (
        "[...document.querySelectorAll('td.step, td.number, .last')].filter(cell => {"
        "const range = document.createRange(); range.selectNodeContents(cell);"
        "return new Set([...range.getClientRects()].map(box => box.top)).size > 1})"
        ".map(cell => cell.textContent)"
    )
    browser.call("Emulation.setDeviceMetricsOverride", width=width, **size)
    try:
        browser.open(run_page.write_report(folder).as_uri())
        assert browser.evaluate("document.querySelectorAll('td.step').length") >= 3
        assert browser.evaluate(broken) == []
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")


def test_every_chart_of_a_sweep_is_drawn(browser, tmp_path):
    page = write_report(results(tmp_path, "adam", (3.0, 1.0, 2.0)), "launch.py", "a command")
    browser.open(page.as_uri())
    counts = browser.evaluate(
        "[...document.querySelectorAll('.plot svg')].map(svg => [svg.getAttribute('aria-label'), "
        "svg.querySelectorAll('circle').length, svg.querySelectorAll('.line').length, "
        "svg.querySelectorAll('.bar').length])"
    )
    assert counts == [
        ["eval/loss over trials, and the best so far", 3, 1, 0],
        ["eval/loss over name", 3, 0, 0],
        ["eval/loss over rate", 3, 0, 0],
        ["eval/loss over bias", 3, 0, 0],
        ["parallel coordinates of 3 trials", 0, 3, 0],
        ["importance of 2 parameters for eval/loss", 0, 0, 2],
    ]
    best = "document.querySelector('[aria-label^=parallel] .line.eval').nextElementSibling"
    assert browser.evaluate(f"{best}.getAttribute('class')") == "axis"  # The last of the lines.
    assert not browser.complaints


def test_no_page_is_wider_than_a_phone(browser, tmp_path):
    folder = tmp_path / "run"
    write_past_run(folder, config={"a_rather_long_name_of_a_field": "x" * 200})
    (folder / "data_tables").mkdir()
    (folder / "data_tables" / "wide_00000001.csv").write_text(",".join("abcdefgh" * 20))
    write_run(tmp_path / "other", {"loss" * 20: [1.0, 2.0]})
    (tmp_path / "sweep").mkdir()
    (tmp_path / "seeds").mkdir()
    write_index(read_index(tmp_path), tmp_path / "index.html")
    (tmp_path / "table.html").write_text(FORMATS[".html"](TABLE))
    pages = [
        run_page.write_report(folder),
        tmp_path / "other" / "report.html",
        write_report(results(tmp_path / "sweep"), "launch.py", "launch.py " + "--flag=x " * 40),
        seeds_page.write_report(tmp_path / "seeds", summary("a_metric_with_a_long_name" * 2)),
        tmp_path / "index.html",
        tmp_path / "table.html",
    ]
    size = {"height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.call("Emulation.setDeviceMetricsOverride", width=400, **size)
    try:
        for page in pages:
            browser.open(page.as_uri())
            root = "document.documentElement"
            assert browser.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), page
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")


def test_a_chart_is_drawn_again_when_the_page_gets_narrower(browser, page):
    size = {"height": 800, "deviceScaleFactor": 1, "mobile": False}
    width = "document.querySelector('.plot svg').clientWidth"
    try:
        browser.call("Emulation.setDeviceMetricsOverride", width=500, **size)
        browser.open(page)
        before = browser.evaluate(width)
        browser.call("Emulation.setDeviceMetricsOverride", width=360, **size)
        browser.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
        assert browser.evaluate(width) == before - 140
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")


def test_without_scripts_a_table_has_the_values(browser, tmp_path):
    url = write_run(tmp_path / "run", {"loss": [1 / 3, 2 / 3]})
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(url)
        document = browser.call("DOM.getDocument", depth=1)["root"]["nodeId"]
        chart = browser.call("DOM.querySelector", nodeId=document, selector=".chart td + td")
        html = browser.call("DOM.getOuterHTML", nodeId=chart["nodeId"])["outerHTML"]
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert html == "<td>0.333333333</td>"


def test_sounds_can_be_played_embedded_or_linked(browser, tmp_path):
    folder = write_past_run(tmp_path / "run")
    (folder / "sounds").mkdir()
    for name, seconds in (("long", 20), ("short", 2)):
        with wave.open(str(folder / "sounds" / f"{name}_00000005.wav"), "wb") as file:
            file.setparams((1, 2, 60_000, 0, "NONE", ""))
            samples = np.sin(np.arange(60_000 * seconds) * 2 * math.pi / 100) * 8_000
            file.writeframes(samples.astype("<i2").tobytes())
    browser.open(run_page.write_report(folder).as_uri())
    sounds = browser.evaluate(
        "Promise.all([...document.querySelectorAll('audio')].map(sound => new Promise(done => {"
        "const say = () => done([sound.getAttribute('src').slice(0, 20), sound.duration]);"
        "sound.readyState ? say() : sound.addEventListener('loadedmetadata', say);})))"
    )
    assert sounds == [["sounds/long_00000005", 20], ["data:audio/wav;base6", 2]]
    assert not browser.complaints


def test_an_axis_of_integers_has_marks_at_integers_only(opened):
    def labels(values, log):
        axis = json.dumps({"values": values, "log": log, "whole": True})
        return opened.evaluate(f"axisOf({axis}, 5).marks.map(([, label]) => label)")

    assert labels([0, 1, 0], log=False) == ["0", "1"]
    assert labels([0, 3], log=False) == ["0", "1", "2", "3"]
    assert labels([7, 7], log=False) == ["7", "8"]
    assert labels([6, 9], log=True) == ["6", "7", "8", "9"]
    assert labels([1, 64], log=True) == ["1", "2", "5", "10", "20", "50"]


def test_points_and_lines_of_trials_that_were_cut_short_are_marked(browser, tmp_path):
    made = results(tmp_path, values=(3.0, 1.0, 2.0))
    rows = [made.rows[0]._replace(state="pruned"), *made.rows[1:]]
    browser.open(write_report(made._replace(rows=rows), "launch.py", "go on").as_uri())
    for query, count in {"circle.cut": 3, ".cut circle": 1, "path.line.cut": 1}.items():
        assert browser.evaluate(f"document.querySelectorAll('.plot {query}').length") == count
    assert not browser.complaints
