"""Tests how a process hears requests to stop."""

import signal
import threading

import pytest

from lecture_models.training import interrupt
from lecture_models.training.interrupt import (
    StoppedAtOnce,
    late_stop,
    stop_requests,
    stopping_at_once,
)


@pytest.fixture
def clock(monkeypatch):
    """Replaces the clock by a list, whose last entry is the time."""
    times = [100.0]
    monkeypatch.setattr(interrupt.time, "monotonic", lambda: times[-1])
    return times


@pytest.mark.parametrize("number", interrupt.STOP_SIGNALS)
def test_a_request_is_heard_and_the_old_handler_comes_back(number):
    before = signal.getsignal(number)
    with stop_requests() as stop_signal:
        assert stop_signal() == 0
        signal.raise_signal(number)
        assert stop_signal() == number
    assert signal.getsignal(number) == before


def test_a_request_that_came_too_late_to_end_a_block_is_told_once():
    with stop_requests():
        signal.raise_signal(signal.SIGTERM)
    assert late_stop() == signal.SIGTERM
    assert late_stop() == 0
    with stop_requests():
        signal.raise_signal(signal.SIGTERM)
    with stop_requests():
        pass
    assert late_stop() == 0


def test_repeated_signals_of_any_kind_leave_the_first_request(clock):
    with stop_requests() as stop_signal:
        for seconds, number in enumerate([signal.SIGHUP, signal.SIGTERM, signal.SIGTERM] * 3):
            clock.append(100.0 + 5.0 * seconds)
            signal.raise_signal(number)
        assert stop_signal() == signal.SIGHUP


def test_only_the_third_press_of_ctrl_c_stops_without_saving(clock, capfd):
    with stop_requests() as stop_signal:
        # A terminal and a launcher may both pass on one press.
        for seconds in (0.0, 0.1, 0.2, 2.0, 2.1):
            clock.append(100.0 + seconds)
            signal.raise_signal(signal.SIGINT)
        assert stop_signal() == signal.SIGINT
        clock.append(104.0)
        with pytest.raises(StoppedAtOnce):
            signal.raise_signal(signal.SIGINT)
    said = capfd.readouterr().err.splitlines()
    assert said == [
        "SIGINT: the run is saved, then it stops",
        "SIGINT: the run is still being saved; Ctrl-C once more stops it unsaved",
    ]


def test_ctrl_c_after_another_signal_says_how_often_it_must_be_pressed(clock, capfd):
    with stop_requests() as stop_signal:
        for seconds, number in ((0.0, signal.SIGTERM), (2.0, signal.SIGINT)):
            clock.append(100.0 + seconds)
            signal.raise_signal(number)
        assert stop_signal() == signal.SIGTERM
    assert capfd.readouterr().err.endswith("; Ctrl-C twice more stops it unsaved\n")


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requests() as stop_signal:
            signal.raise_signal(signal.SIGHUP)
            assert stop_signal() == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_where_nothing_can_be_saved_the_first_signal_stops_at_once():
    with stopping_at_once(), pytest.raises(StoppedAtOnce) as stop:
        signal.raise_signal(signal.SIGUSR1)
    assert interrupt.stop_signal_of(stop.value) == signal.SIGUSR1
    assert interrupt.stop_signal_of(KeyboardInterrupt()) == signal.SIGINT


def test_a_thread_that_cannot_hear_signals_trains_all_the_same():
    heard = []

    def listen():
        with stop_requests() as stop_signal:
            heard.append(stop_signal())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert heard == [0]
