import contextlib
import http.server
import io
import socket
import threading
from pathlib import Path

import pytest

from lecture_models.data import download, mnist, network, tfds
from lecture_models.data.dataset import DataAbsentError, split_checksum
from lecture_models.data.lookup import Library
from tests.data.test_mnist import SPLITS

FILES = tuple(f"{name}.gz" for name in mnist.FILES)


@contextlib.contextmanager
def _proxy(answer):
    """Runs a proxy on this machine that answers each GET with `answer(handler, file name)`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(ConnectionError):
                answer(self, Path(self.path).name)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _send(handler, content, promised=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(promised or len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()


@pytest.fixture
def through(monkeypatch, tmp_path):
    """Sends plain HTTP through a proxy, and has no prepared data sets."""
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return lambda address: monkeypatch.setenv("http_proxy", address)


@pytest.mark.slow
@pytest.mark.real_data
def test_fashion_mnist_is_downloaded_through_tfds_and_read_without_tensorflow(
    real_data, tmp_path, through, capfd
):
    folders = (real_data / name for name in mnist.FASHION_MNIST.folders)
    source = next((folder for folder in folders if (folder / FILES[0]).is_file()), None)
    if source is None:
        pytest.skip("the packed files of fashion_mnist are absent")
    asked, lines = [], []

    def answer(handler, file):
        asked.append(handler.path)
        _send(handler, (source / file).read_bytes())

    data_dir = tmp_path / "not" / "yet"
    with _proxy(answer) as address:
        through(address)
        dataset = Library(data_dir, lines.append).load("fashion_mnist")
    assert sorted(asked) == sorted(tfds.URLS["fashion_mnist"] + file for file in FILES)
    assert tuple(split_checksum(split) for split in dataset[:3]) == SPLITS["fashion_mnist"]
    assert dataset.provenance.source == "downloaded through TFDS just now"
    assert [path.name for path in data_dir.iterdir()] == ["fashion-mnist"]
    assert sorted(path.name for path in (data_dir / "fashion-mnist").iterdir()) == sorted(FILES)
    assert len(lines) == 1
    assert lines[0].startswith("downloading fashion_mnist through TensorFlow Datasets into ")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""  # No progress bar, no log of another library.


@pytest.mark.slow
def test_wrong_bytes_from_the_server_leave_nothing_behind(tmp_path, through):
    with _proxy(lambda handler, file: _send(handler, b"a page of a hotel's network")) as address:
        through(address)
        with pytest.raises(DataAbsentError, match="it cannot be downloaded: ") as caught:
            download.download("fashion_mnist", FILES, tmp_path / "data" / "fashion", print)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "data").iterdir()) == []


def test_a_download_that_stands_still_is_ended(tmp_path, through, monkeypatch):
    monkeypatch.setattr(download, "STALL_SECONDS", 2.0)
    release = threading.Event()

    def answer(handler, file):
        _send(handler, b"\x1f\x8b", promised=1_000_000)
        release.wait(60)

    with _proxy(answer) as address:
        through(address)
        try:
            with pytest.raises(DataAbsentError, match="no byte arrived for 2 s"):
                download.download("fashion_mnist", FILES, tmp_path / "data" / "fashion", print)
        finally:
            release.set()
    assert list((tmp_path / "data").iterdir()) == []


def test_files_are_placed_beside_what_the_folder_holds(tmp_path):
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "images.gz").write_bytes(b"new")
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    download._place(tmp_path / "ready", tmp_path / "mnist")
    assert sorted(path.name for path in (tmp_path / "mnist").iterdir()) == ["3.0.1", "images.gz"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, through):
    (tmp_path / "data").write_text("a file where the folder should be")
    with _proxy(lambda handler, file: None) as address:
        through(address)
        with pytest.raises(DataAbsentError, match=r"it cannot be downloaded into .*data/mnist: "):
            download.download("fashion_mnist", FILES, tmp_path / "data" / "mnist", print)


@pytest.fixture
def direct(monkeypatch):
    for scheme in ("http", "https", "all"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)


def test_a_server_that_listens_is_reachable(direct):
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert network.unreachable(f"http://127.0.0.1:{server.getsockname()[1]}/file") == ""


def test_a_port_where_nobody_listens_is_named(direct):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    reason = network.unreachable(f"http://127.0.0.1:{port}/file")
    assert reason.startswith(f"no connection to 127.0.0.1:{port} (")


def test_a_name_lookup_that_hangs_is_left_behind(direct, monkeypatch):
    release = threading.Event()

    def hang(*arguments, **options):
        release.wait(60)
        raise socket.gaierror("released")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        reason = network.unreachable("https://example.org/file", seconds=0.2)
    finally:
        release.set()
    assert reason == "no answer from example.org within 0.2 s"


@pytest.mark.parametrize(
    ("variables", "hop"),
    [
        ({}, ("example.org", 443)),
        ({"https_proxy": "http://proxy.local:3128"}, ("proxy.local", 3128)),
        ({"https_proxy": "proxy.local:3128"}, ("proxy.local", 3128)),
        ({"all_proxy": "socks5h://proxy.local:1080"}, ("proxy.local", 1080)),
        ({"http_proxy": "http://proxy.local:3128"}, ("example.org", 443)),
        (
            {"https_proxy": "http://proxy.local:3128", "no_proxy": "example.org"},
            ("example.org", 443),
        ),
    ],
)
def test_the_probe_goes_where_the_download_would_go(direct, monkeypatch, variables, hop):
    asked = []

    def connect(address, timeout):
        asked.append(address)
        return io.BytesIO()

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert network.unreachable("https://example.org/file") == ""
    assert asked == [hop]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.org:port/file", "the address of the server or its proxy is wrong"),
        (f"https://{'a' * 70}.org/file", "no connection to aaaa"),
    ],
)
def test_an_impossible_address_is_a_reason_and_no_crash(direct, url, message):
    assert network.unreachable(url).startswith(message)
