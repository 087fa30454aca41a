"""Tests the display of progress on terminals of several widths, and in a log file."""

import io
import os
import re
import time

import numpy as np
import pytest

from lecture_models.training.progress import open_progress
from lecture_models.training.progress_line import fitting

GAN = {
    "discriminator_loss": 1.469,
    "fake_probability": 0.5485,
    "generator_loss": 1.326,
    "real_probability": 0.4515,
}
STEP, BAR, LEFT = r"4000/10000", r"[━╸╺]+", r"(\d+:\d\d:\d\d|-:--:--)"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def screen():
    return io.StringIO()


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


def shown_at(width, metrics, terminal, monkeypatch, num_steps=10_000, step=4_000):
    """Returns the last line of progress on a terminal of `width` columns; None is unknown."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if width is not None:
        monkeypatch.setenv("COLUMNS", str(width))
    progress = open_progress(num_steps, terminal)
    progress.begin(0)
    progress.update(step, metrics)
    progress.close()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    return [line for line in re.split(r"[\r\n]+", plain) if line.strip()][-1].rstrip()


@pytest.mark.parametrize(
    ("width", "num_metrics"), [(40, 0), (60, 1), (80, 2), (132, 4), (200, 4), (None, 2)]
)
def test_step_bar_and_time_left_are_seen_at_every_width(width, num_metrics, terminal, monkeypatch):
    line = shown_at(width, GAN, terminal, monkeypatch)
    losses_first = ["discriminator_loss 1.469", "generator_loss 1.326"]
    rest = ["fake_probability 0.5485", "real_probability 0.4515"]
    metrics = "  ".join((losses_first + rest)[:num_metrics])
    assert re.fullmatch(f" *{STEP} {BAR} {LEFT} ?{re.escape(metrics)}", line), line
    assert len(line) <= (width or 80)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_long_name_never_hides_the_step(width, terminal, monkeypatch):
    metrics = {"squared_distance_of_the_codes_" * 6: 1.0, "loss": 0.25}
    line = shown_at(width, metrics, terminal, monkeypatch)
    assert re.match(f" *{STEP} {BAR} {LEFT} loss 0.25$", line), line


def test_the_narrowest_terminal_keeps_the_step(terminal, monkeypatch):
    assert shown_at(12, GAN, terminal, monkeypatch).strip() == "4000/10000"


def test_a_terminal_of_size_zero_counts_as_80_columns(terminal, monkeypatch):
    monkeypatch.setattr("os.get_terminal_size", lambda *descriptor: os.terminal_size((0, 0)))
    line = shown_at(None, GAN, terminal, monkeypatch)
    assert "generator_loss 1.326" in line
    assert len(line) <= 80


def test_without_metrics_the_bar_is_40_wide(terminal, monkeypatch):
    assert len(re.search(BAR, shown_at(200, {}, terminal, monkeypatch))[0]) == 40


def test_the_bar_is_seen_before_the_first_metrics(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    progress = open_progress(1_000, terminal)
    progress.begin(200)
    progress.close()
    assert re.search(f"200/1000.*{BAR}.*-:--:--", terminal.getvalue())


def test_an_experiment_of_no_steps_has_no_bar(terminal):
    progress = open_progress(0, terminal)
    progress.begin(0)
    progress.close()
    assert "0/0" not in terminal.getvalue()


def test_metrics_are_dropped_from_the_end_and_never_cut():
    metrics = ["loss 0.25", "accuracy 0.5", "rate 1"]
    assert [fitting(metrics, width) for width in (8, 9, 22, 23, 30, 31)] == [
        "",
        "loss 0.25",
        "loss 0.25",
        "loss 0.25  accuracy 0.5",
        "loss 0.25  accuracy 0.5",
        "loss 0.25  accuracy 0.5  rate 1",
    ]


def test_a_line_that_stays_is_never_broken(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    line = "python launch.py --experiment=gan_mnist --workdir=runs/first [not markup]"
    progress = open_progress(10, terminal)
    progress.announce(line)
    progress.close()
    assert line in terminal.getvalue()


def test_a_terminal_that_cannot_write_over_a_line_gets_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert shown_at(80, {"loss": 1.0}, terminal, monkeypatch, step=10_000).startswith(
        "step 10000/10000, 0.0 s left: loss 1"
    )
    assert "\x1b" not in terminal.getvalue()


def test_away_from_a_terminal_lines_come_at_intervals_and_at_the_end(screen):
    progress = open_progress(1000, screen)
    progress.begin(0)
    for step in range(1, 1001):
        progress.update(step, {"loss": 1.0})
    progress.close()
    assert screen.getvalue().splitlines() == ["step 1000/1000, 0.0 s left: loss 1"]


def test_a_log_file_has_every_metric(screen):
    progress = open_progress(10, screen)
    progress.update(10, GAN)
    shown = screen.getvalue()
    assert shown.startswith("step 10/10, 0.0 s left: discriminator_loss 1.469 generator_loss 1.326")
    assert all(name in shown for name in GAN)


@pytest.mark.parametrize(("seconds", "said"), [(60.0, False), (6000.0, True)])
def test_a_long_run_says_so_once_at_its_second_log_point(screen, monkeypatch, seconds, said):
    clock = iter(np.linspace(0.0, seconds, 12))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    progress = open_progress(10, screen)
    for step in (1, 2, 3):
        progress.update(step, {"loss": 1.0})
    assert ("this will take about" in screen.getvalue()) == said
    assert screen.getvalue().count("this will take about") == said


def test_the_time_left_is_not_shown_before_it_is_known(screen, monkeypatch):
    progress = open_progress(100, screen)
    for step, seconds in ((10, 20.0), (20, 35.0)):
        now = time.monotonic() + seconds
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        progress.update(step, {"loss": 1.0})
        monkeypatch.undo()
    first, second = screen.getvalue().splitlines()
    assert first == "step 10/100: loss 1"
    assert re.fullmatch(r"step 20/100, 2 min( \d+ s)? left: loss 1", second), second
