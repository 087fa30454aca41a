import contextlib
import hashlib
import http.server
import threading

import numpy as np
import pytest

from lecture_models.weights import download as downloads
from lecture_models.weights.download import download
from lecture_models.weights.error import WeightsError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def hub(answer):
    """Runs a server on this machine: `answer(handler, number of the request, first byte)`."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            asked.append(first)
            with contextlib.suppress(ConnectionError):
                answer(self, len(asked), first)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # Closing the server waits for them.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/model.safetensors", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler, content, first, last=None):
    """Sends the part from `first` on, but only up to `last`, though it promises all."""
    handler.send_response(206 if first else 200)
    handler.send_header("Content-Length", str(len(content) - first))
    if first:
        handler.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
    handler.end_headers()
    handler.wfile.write(content[first:last])


def honest(handler, number, first):
    send(handler, CONTENT, first)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "not" / "yet" / "model.safetensors"


def part_of(target):
    return target.with_name(f".{target.name}.part")


def test_a_file_arrives_whole_and_nothing_else_is_left(target):
    lines = []
    with hub(honest) as (url, asked):
        download(url, target, SHA256, lines.append)
    assert target.read_bytes() == CONTENT
    assert asked == [0]
    assert list(target.parent.iterdir()) == [target]
    assert lines == [f"downloading {url} into {target.parent}"]


def test_a_cut_connection_is_taken_up_where_it_broke_off(target):
    def cut(handler, number, first):
        send(handler, CONTENT, first, last=1_000_000 * number)

    with hub(cut) as (url, asked):
        download(url, target, SHA256, lambda line: None)
    assert target.read_bytes() == CONTENT
    assert asked == [0, 1_000_000, 2_000_000]


def test_an_earlier_attempt_is_resumed(target):
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT[:2_500_000])
    with hub(honest) as (url, asked):
        download(url, target, SHA256, lambda line: None)
    assert target.read_bytes() == CONTENT
    assert asked == [2_500_000]


def test_a_server_that_knows_no_ranges_sends_all_again(target):
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT[:1000])
    with hub(lambda handler, number, first: send(handler, CONTENT, 0)) as (url, asked):
        download(url, target, SHA256, lambda line: None)
    assert target.read_bytes() == CONTENT
    assert asked == [1000]


def test_what_was_complete_but_never_put_in_place_is_not_fetched_again(target):
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(CONTENT)

    def nothing_left(handler, number, first):
        handler.send_error(416)

    with hub(nothing_left) as (url, asked):
        download(url, target, SHA256, lambda line: None)
    assert target.read_bytes() == CONTENT
    assert asked == [len(CONTENT)]


@pytest.mark.parametrize("kept", [b"x" * 1000, b"x" * 4_000_000], ids=["altered", "too long"])
def test_a_part_that_does_not_fit_is_thrown_away_and_all_is_fetched(target, kept):
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(kept)

    def answer(handler, number, first):
        if first >= len(CONTENT):
            handler.send_error(416)
        else:
            honest(handler, number, first)

    lines = []
    with hub(answer) as (url, asked):
        download(url, target, SHA256, lines.append)
    assert target.read_bytes() == CONTENT
    assert asked == [len(kept), 0]
    assert "does not fit; downloading it again" in lines[-1]


def test_another_content_is_refused_and_never_put_in_place(target):
    with hub(honest) as (url, _), pytest.raises(WeightsError) as caught:
        download(url, target, "0" * 64, lambda line: None)
    assert str(caught.value).endswith(f"has SHA-256 {SHA256}; it must be {'0' * 64}")
    assert not list(target.parent.iterdir())


def test_a_page_that_is_not_there_is_a_one_line_error(target):
    absent = hub(lambda handler, number, first: handler.send_error(404))
    with absent as (url, asked), pytest.raises(WeightsError) as caught:
        download(url, target, SHA256, lambda line: None)
    assert "HTTP 404" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert asked == [0]


def test_a_download_that_stands_still_ends_and_keeps_what_came(target, monkeypatch):
    monkeypatch.setattr(downloads, "STALL_SECONDS", 0.2)
    done = threading.Event()

    def stall(handler, number, first):
        send(handler, CONTENT, first, last=1_000_000)
        handler.wfile.flush()
        done.wait(10)

    with hub(stall) as (url, _):
        try:
            with pytest.raises(WeightsError, match="nothing arrived for 0.2 s; 1.0 MB are kept"):
                download(url, target, SHA256, lambda line: None)
        finally:
            done.set()
    assert part_of(target).stat().st_size == 1_000_000
    assert not target.exists()


def test_no_network_is_a_one_line_error(target):
    with pytest.raises(WeightsError, match="no connection to 127.0.0.1:9") as caught:
        download("http://127.0.0.1:9/model.safetensors", target, SHA256, lambda line: None)
    assert "\n" not in str(caught.value)
    assert not target.parent.exists()


def test_two_processes_do_not_write_one_file(target):
    target.parent.mkdir(parents=True)
    with part_of(target).open("a+b") as file, hub(honest) as (url, _):
        downloads._lock(file, target)
        with pytest.raises(WeightsError, match="another process is downloading model.safetensors"):
            download(url, target, SHA256, lambda line: None)
