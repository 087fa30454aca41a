"""The index of runs in a real browser: what a reader does with it, and how long it takes."""

import json
import os
import resource
import subprocess
import sys
import urllib.parse

import numpy as np
import pytest
from PIL import Image

from lecture_models.reports.index import read_index, write_index
from tests.launch.launched import run
from tests.past import write_past_run

BAD = "x<script>document.title='bad'<&#47;script><img src=x onerror=\"document.title='bad'\">"
LOSSES = {"a": 10.0, "b": 9.0, "c": "NaN", "d": 0.5}
FRAME = (
    "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
)
NAMES = (
    "[...document.querySelectorAll('#table tbody td:nth-child(2)')].map(cell => cell.textContent)"
)
LINES = "document.querySelectorAll('[aria-label^=\"train/loss over\"] .line').length"
CHARTS = "[...document.querySelectorAll('#charts .name')].map(each => each.textContent)"
HEADS = "[...document.querySelectorAll('#table th button')].map(each => each.dataset.key)"
SORTED = "document.querySelector('th[aria-sort] button').dataset.key"
COUNT = "document.getElementById('count').textContent"


def write_run(folder, loss, seed, **record):
    write_past_run(folder, {"eval/loss": loss}, config={"seed": seed}, **record)
    steps = [{"step": at, "train": {"loss": 5.0 / at + seed}} for at in range(1, 9)]
    steps.append({"step": 8, "eval": {"loss": loss, "error": 0.25}})
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, steps)))
    (folder / "images").mkdir()
    for step in (4, 8):
        pixels = np.full((step, 12, 3), 30 * seed, np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"samples_{step:08d}.png")
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    for seed, (name, loss) in enumerate(LOSSES.items()):
        write_run(root / "gan #1" / name, loss, seed, experiment="gan_mnist")
    write_run(root / BAD, 3.0, 5, started="2025-01-01T00:00:00+00:00")
    assert run(f"--report={root}") == 0
    return (root / "index.html").as_uri()


@pytest.fixture
def opened(browser, page):
    """A page in its first state; whatever is done with it, the console stays silent."""
    browser.open(page)
    yield browser
    assert not browser.complaints
    assert all(each.startswith("file:///") for each in browser.requests)


def head(key):
    return f"#table thead button[data-key='{key}']"


def short(names):
    return [name.removeprefix("gan #1/")[0] for name in names]


def test_sorting_by_a_metric_reorders_and_what_is_no_number_comes_last(opened):
    opened.click(head("eval/loss"))
    assert short(opened.evaluate(NAMES)) == ["d", "x", "b", "a", "c"]
    opened.click(head("eval/loss"))
    assert short(opened.evaluate(NAMES)) == ["a", "b", "x", "d", "c"]
    assert opened.evaluate(SORTED) == "eval/loss"


def test_the_keyboard_alone_sorts_and_keeps_its_place(opened):
    opened.evaluate(f'document.querySelector("{head("run")}").focus()')
    opened.press("Enter", 13)
    assert short(opened.evaluate(NAMES)) == ["a", "b", "c", "d", "x"]
    opened.press("Enter", 13)
    assert short(opened.evaluate(NAMES)) == ["x", "d", "c", "b", "a"]
    opened.press("Tab", 9)
    assert opened.evaluate("document.activeElement.dataset.key") == "experiment"


def test_every_control_has_a_name(opened):
    unnamed = (
        "[...document.querySelectorAll('input, select, button, a')].filter(each => "
        "!each.labels?.length && !each.ariaLabel && !each.textContent.trim() && "
        "!each.querySelector('img[alt]')).length"
    )
    assert opened.evaluate(unnamed) == 0


def test_a_filter_hides_the_runs_without_its_words(opened):
    opened.click("#filter")
    opened.type("GAN #1/b")
    assert short(opened.evaluate(NAMES)) == ["b"]
    assert opened.evaluate(COUNT).startswith("1 of 5 runs")


def test_as_many_curves_are_drawn_as_runs_are_selected(opened):
    assert opened.evaluate(LINES) == 4  # The newest run's experiment.
    opened.click("#none")
    assert opened.evaluate(LINES) == 0
    for name in ("a", "c"):
        opened.click(f"#table input[aria-label='show gan #1/{name}']")
    assert opened.evaluate(LINES) == 2
    opened.click("#legend button")
    assert opened.evaluate(LINES) == 1
    assert opened.evaluate("document.activeElement.ariaLabel") == "remove gan #1/c"


def test_below_the_charts_stand_the_last_lowest_and_highest_values(opened):
    rows = "[...document.querySelectorAll('#legend tr')].map(row => row.innerText.split('\\t'))"
    names, heads, *lines = opened.evaluate(rows)
    assert [name.strip() for name in names if name.strip()] == opened.evaluate(CHARTS)
    assert [head.strip() for head in heads[1:4]] == ["last", "lowest", "highest"]
    at = 1 + 3 * opened.evaluate(CHARTS).index("train/loss")
    assert [line[at : at + 3] for line in lines] == [
        *(["0.6250", "0.6250", "5"], ["1.625", "1.625", "6"], ["2.625", "2.625", "7"]),
        ["3.625", "3.625", "8"],
    ]


def test_images_of_the_selected_runs_stand_side_by_side(opened):
    images = (
        "Promise.all([...document.images].map(image => (image.loading = 'eager', image.decode()"
        ".then(() => [image.alt, image.naturalHeight]))))"
    )
    found = opened.evaluate(images)
    assert sorted(found) == [[f"samples of gan #1/{name}, step 8", 8] for name in "abcd"]


def test_the_address_holds_the_view(browser, page):
    browser.open(
        f"{page}#filter=gan&sort=eval/error&down=0&metric=eval/error&run=gan+%231/a"
        "&metric=train/loss&column=train/loss&log=1&run=gone&value=max&smooth=0.5"
    )
    assert short(browser.evaluate(NAMES)) == ["a", "b", "c", "d"]
    assert browser.evaluate(SORTED) == "eval/error"
    assert browser.evaluate(CHARTS) == ["eval/error", "train/loss"]
    assert browser.evaluate("document.getElementById('value').value") == "max"
    assert browser.evaluate("document.getElementById('smooth').value") == "0.5"
    assert browser.evaluate(LINES) == 2  # The smoothed line, and the faint one as it was logged.
    browser.click(head("seed"))
    browser.click(head("seed"))
    address = browser.evaluate("location.href")
    browser.open(address)
    assert short(browser.evaluate(NAMES)) == ["d", "c", "b", "a"]
    assert browser.evaluate("document.getElementById('log').checked")
    assert not browser.complaints


def test_no_script_of_a_run_is_executed(opened):
    assert BAD in opened.evaluate(NAMES)
    assert opened.evaluate("document.title").startswith("Runs below")
    assert opened.evaluate("document.querySelectorAll('script').length") == 3


def test_even_a_script_that_escaped_would_not_run(browser, page):
    browser.open(page)
    browser.evaluate(
        "document.body.append(document.createRange().createContextualFragment("
        "'<script>document.title = \"bad\"</' + 'script>'))"
    )
    assert browser.evaluate("document.title") != "bad"
    assert "Content Security Policy" in str(browser.complaints)


LONG = "a-rather-long-folder-for-a-first-attempt-at-generative-adversarial-networks"


@pytest.fixture(scope="module")
def sweep_page(tmp_path_factory):
    """A sweep over two learning rates and two seeds, whose losses differ in the sixth digit."""
    root = tmp_path_factory.mktemp("sweep")
    for index, (rate, seed) in enumerate([(0.001, 0), (0.001, 1), (0.003, 0), (0.003, 1)]):
        folder = root / LONG / "trials" / f"{index:04d}"
        final = 32.2610 + index / 1e4
        config = {"seed": seed, "learning_rate": rate}
        best = {"metric": "eval/loss", "goal": "minimize"}
        write_past_run(folder, {"eval/loss": final}, config=config, best=best)
        values = [final + 3, final - 1e-4, final]
        lines = [{"step": 10 * at, "eval": {"loss": value}} for at, value in enumerate(values)]
        (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    spec = {
        "method": "grid",
        "metric": {"name": "eval/loss", "goal": "minimize"},
        "parameters": {"learning_rate": {"values": [0.001, 0.003]}, "code_dims": {"value": [2]}},
    }
    (root / LONG / "sweep.json").write_text(json.dumps({"spec": spec}))
    write_index(read_index(root), root / "index.html")
    return (root / "index.html").as_uri()


def column(key):
    """The texts of a column of the table of runs."""
    return (
        f"(at => [...document.querySelectorAll('#table tbody tr')].map(row => "
        f"row.cells[at + 1].innerText))({HEADS}.indexOf('{key}'))"
    )


def test_the_parameters_of_a_sweep_are_columns_and_close_values_look_different(browser, sweep_page):
    browser.open(sweep_page)
    heads = browser.evaluate(HEADS)
    assert "config/learning_rate" in heads
    assert "config/code_dims" not in heads
    browser.click(head("eval/loss"))
    assert browser.evaluate(column("eval/loss")) == ["32.2610", "32.2611", "32.2612", "32.2613"]
    assert browser.evaluate(column("config/learning_rate")) == ["0.001"] * 2 + ["0.003"] * 2
    best = "[...document.querySelectorAll('#table .best')].map(cell => cell.innerText)"
    assert browser.evaluate(best) == ["32.2610"]


def test_metrics_show_their_lowest_highest_or_best_value(browser, sweep_page):
    for value, shown in (("min", "32.2609"), ("max", "35.2610"), ("best", "32.2609")):
        browser.open(f"{sweep_page}#value={value}&sort=eval/loss")
        assert browser.evaluate(column("eval/loss"))[0] == shown


def test_a_filter_takes_conditions_and_quoted_words(browser, sweep_page):
    for words, count in (
        ("learning_rate<0.002", 2),
        ("learning_rate>=0.001 seed=1", 2),
        ("loss!=32.261", 3),
        ("status=finished", 4),
        ('"trials/0003"', 1),
        ("unknown=3", 0),
    ):
        browser.open(f"{sweep_page}#filter={urllib.parse.quote(words)}")
        assert browser.evaluate(COUNT).startswith(f"{count} of 4"), words


def test_the_crosshair_lists_the_values_of_all_runs(browser, sweep_page):
    browser.open(sweep_page)
    x, y = browser.evaluate(
        "(plot => (plot.scrollIntoView({block: 'center'}), (box => [box.x + 0.98 * box.width, "
        "box.y + 150])(plot.getBoundingClientRect())))(document.querySelector('#charts svg'))"
    )
    browser.evaluate(FRAME)  # Scrolling, which hides the note, has ended.
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    tip = "document.querySelector('.tip')"
    rows = f"[...{tip}.children].map(row => row.textContent)"
    first, *others = browser.evaluate(f"[{tip}.textContent, ...{rows}]")
    assert not browser.evaluate(f"{tip}.hidden")
    assert first.startswith("step 20")
    assert others == [f"{index:04d}32.261{index}" for index in (3, 2, 1, 0)]
    assert browser.evaluate("document.querySelectorAll('.cross').length") == 1


def test_seeds_of_the_same_config_become_a_mean_in_a_band(browser, sweep_page):
    browser.open(f"{sweep_page}#group=seed&metric=eval/loss")
    assert browser.evaluate("document.querySelectorAll('#charts .band').length") == 2
    rows = "[...document.querySelectorAll('#legend tbody tr')].map(row => row.innerText)"
    first, second = browser.evaluate(rows)
    assert "learning_rate=0.001 (2 runs)" in first
    assert "32.261050 ± 0.000071" in first
    assert "learning_rate=0.003 (2 runs)" in second


def test_a_mean_counts_each_curve_between_its_ends(browser, sweep_page):
    browser.open(sweep_page)
    curves = [[0, 1, 10, 3], [0, 3, 5, None, 10, 5, 20, 9]]
    found = browser.evaluate(f"averaged({json.dumps(curves)}, 'range')")
    assert found == {
        "points": [0, 2, 10, 4, 20, 9],
        "band": [0, 1, 3, 10, 3, 5, 20, 9, 9],
    }
    uneven = browser.evaluate("averaged([[0, 0, 10, 10], [5, 1]], 'std')")
    assert uneven["points"] == [0, 0, 5, 3, 10, 10]
    assert uneven["band"][3:6] == [5, 3 - 8**0.5, 3 + 8**0.5]


def test_smoothing_is_that_of_wandb(browser, sweep_page):
    browser.open(sweep_page)
    points, strength, expected = [[0, 0.0], [10, 1.0], [40, 4.0]], 0.9, []
    total = weight = before = 0.0
    for x, y in points:
        share = (strength**0.5) ** ((x - before) / 40 * 1_000)
        total, weight, before = total * share + y, weight * share + 1, x
        expected.append([x, pytest.approx(total / weight)])
    assert browser.evaluate(f"smoothed({points}, {strength}, 40)") == expected
    assert browser.evaluate(f"smoothed({points}, 0, 40)") == points
    assert browser.evaluate("smoothed([[0, 5], [1, null], [2, 5]], 0.99, 2)") == [
        *([0, 5], [1, None], [2, 5])
    ]


def test_a_long_name_is_cut_and_the_columns_scroll_beside_it(browser, sweep_page):
    size = {"height": 800, "deviceScaleFactor": 1, "mobile": False}
    cells = "[...document.querySelectorAll('#table tbody tr:first-child td')]"
    places = f"{cells}.map(cell => cell.getBoundingClientRect()).map(box => [box.left, box.right])"
    card = "document.querySelector('#table').parentElement"
    try:
        for width in (1_200, 400):
            browser.call("Emulation.setDeviceMetricsOverride", width=width, **size)
            browser.open(sweep_page)
            name = f"{cells}[1].querySelector('.run-name')"
            assert browser.evaluate(f"{name}.title") == f"{LONG}/trials/0000"
            assert browser.evaluate(f"{name}.clientWidth") < 0.35 * width
            assert browser.evaluate(f"{card}.classList.contains('more')")
            before = browser.evaluate(places)
            browser.evaluate(f"{card}.scrollLeft = 10000")
            after = browser.evaluate(places)
            assert after[:2] == before[:2]  # The check box and the name stay.
            assert after[-1][1] <= width < before[-1][1]
            root = "document.documentElement"
            assert browser.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")


def test_the_shadow_of_a_wide_table_vanishes_with_the_columns_that_did_not_fit(browser, sweep_page):
    size = {"width": 1_500, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    card = "document.querySelector('#table').parentElement"
    browser.call("Emulation.setDeviceMetricsOverride", **size)
    try:
        browser.open(sweep_page + "#" + "&".join(f"column={at:080}" for at in range(4)))
        assert browser.evaluate(f"{card}.classList.contains('more')")
        browser.click("#columns summary")
        browser.evaluate(FRAME)
        browser.click("#columns [data-all='0']")  # What is left fits.
        assert not browser.evaluate(f"{card}.classList.contains('more')")
    finally:
        browser.call("Emulation.clearDeviceMetricsOverride")


def test_the_runs_of_a_sweep_are_selected_by_its_link(browser, sweep_page):
    browser.open(f"{sweep_page}#run=&filter=nothing")
    assert browser.evaluate(COUNT) == "0 of 4 runs, 0 selected"
    browser.click("a.filter")
    assert browser.evaluate(COUNT) == "4 of 4 runs, 4 selected"
    assert browser.evaluate("document.querySelectorAll('#table .swatch').length") == 4


@pytest.mark.slow
def test_a_thousand_runs_are_written_and_open_within_three_seconds_each(browser, tmp_path, root):
    record = write_past_run(tmp_path / "run 0")
    lines = [
        json.dumps({"step": step, "train": {"loss": 1 / step, "accuracy": step / 5_000}})
        for step in range(50, 5_050, 50)
    ]
    lines += [json.dumps({"step": step, "eval": {"loss": 2 / step}}) for step in (2_500, 5_000)]
    (record / "metrics.jsonl").write_text("\n".join(lines))
    texts = {each.name: each.read_bytes() for each in record.iterdir()}
    for index in range(1, 1_000):
        folder = tmp_path / f"run {index}"
        folder.mkdir()
        for name, content in texts.items():
            (folder / name).write_bytes(content)
    command = [sys.executable, "launch.py", f"--report={tmp_path}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor: what else the machine does is not counted.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime <= 3.0
    browser.call("Performance.enable", timeDomain="threadTicks")
    browser.open((tmp_path / "index.html").as_uri())
    wall = browser.evaluate(FRAME)
    values = browser.call("Performance.getMetrics")["metrics"]
    spent = {each["name"]: each["value"] for each in values}["TaskDuration"]
    assert browser.evaluate(COUNT).startswith("1,000 of 1,000 runs")
    assert spent <= 3.0
    assert wall <= 3_000.0 * max(1.0, os.getloadavg()[0])
    assert len(browser.evaluate(NAMES)) == 200
    browser.click("#more")
    assert len(browser.evaluate(NAMES)) == 1_000
