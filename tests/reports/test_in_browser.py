"""The index of runs in a real browser: what a reader does with it, and how long it takes."""

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

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
LINES = "document.querySelectorAll('#chart .line').length"
SORTED = "document.querySelector('th[aria-sort]').textContent"
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
    legend = "[...document.querySelectorAll('#legend li')].map(each => each.innerText)"
    assert [each.split()[:3] for each in opened.evaluate(legend)] == [
        ["gan", "#1/a", "0.6250"],
        ["gan", "#1/c", "2.625"],
    ]
    opened.click("#legend button")
    assert opened.evaluate(LINES) == 1
    assert opened.evaluate("document.activeElement.ariaLabel") == "remove gan #1/c"


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
        "&column=config/seed&column=train/loss&log=1&run=gone"
    )
    assert short(browser.evaluate(NAMES)) == ["a", "b", "c", "d"]
    assert browser.evaluate(SORTED) == "eval/error"
    assert browser.evaluate("document.getElementById('metric').value") == "eval/error"
    assert browser.evaluate(LINES) == 1
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
