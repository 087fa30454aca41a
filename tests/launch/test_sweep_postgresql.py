"""Tests a sweep of several machines on a real PostgreSQL server, one of which dies."""

import os
import pwd
import re
import shutil
import socket
import subprocess
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from lecture_models.sweeps.study import attempts_by_index
from tests.launch.sweeping import process, write
from tests.launch.test_sweep_killed import wait_for_lines

PASSWORD = "battery%40staple"  # Not asked for: the server trusts everybody.
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def server_user():
    """Returns a command prefix that changes the user, because PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return []
    known = {each.pw_name for each in pwd.getpwall()}
    user = "postgres" if "postgres" in known else "nobody"
    return ["setpriv", f"--reuid={user}", "--clear-groups"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Starts a server; yields the address of an empty database."""
    if not BINARIES:
        pytest.skip("PostgreSQL absent: apt-get install postgresql")
    pytest.importorskip("psycopg", reason="psycopg absent: pip install -e '.[postgresql]'")
    # Short, as the name of a socket must be, and open to the server's own user.
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/pg.XXXXXX"], text=True).strip())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    prefix, binaries = server_user(), BINARIES[-1].parent
    if prefix:
        user = prefix[1].partition("=")[2]
        shutil.chown(folder, user)
    data = folder / "data"
    initdb = [binaries / "initdb", "-D", data, "-U", "sweeps", "-A", "trust", "--no-sync"]
    subprocess.run([*prefix, *initdb], check=True, capture_output=True, cwd=folder)
    options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
    control = [*prefix, binaries / "pg_ctl", "-D", data, "-l", folder / "log", "-w"]
    subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=folder)
    yield f"postgresql://sweeps:{PASSWORD}@127.0.0.1:{port}/postgres"
    subprocess.run(
        [*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder
    )
    shutil.rmtree(folder)


@pytest.mark.slow
def test_four_machines_lose_no_trial_and_count_none_twice_when_one_dies(server, tmp_path):
    parameters = {"y": {"min": 0.0, "max": 1.0}, "seconds": {"value": 0.2}}
    path = write(tmp_path, parameters=parameters, run_cap=12)
    flags = (f"--storage={server}", "--heartbeat=1", "--num_steps=3")
    folders = [tmp_path / f"machine{number}" for number in range(4)]
    running = [process(path, *flags, workdir=folder) for folder in folders]
    try:
        wait_for_lines(folders[0], 2, running[0])
        running[0].kill()
        said = [each.communicate(timeout=120)[0] for each in running]
    finally:
        for each in running:
            each.kill()
            each.communicate()
    assert [each.returncode for each in running] == [-9, 0, 0, 0], said
    assert all(re.search(r"^12 trials: 12 finished$", each, re.MULTILINE) for each in said[1:])
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 50
    assert not [text for text in ("".join(said).encode(), *files) if b"staple" in text]
    url = server.replace("postgresql:", "postgresql+psycopg:")
    storage = optuna.storages.RDBStorage(url)
    name = optuna.study.get_all_study_names(storage)[0]
    found = attempts_by_index(optuna.load_study(study_name=name, storage=storage).get_trials())
    storage.engine.dispose()
    assert sorted(found) == list(range(12))
    done = [
        [t.state for t in entry.attempts].count(TrialState.COMPLETE) for entry in found.values()
    ]
    assert done == [1] * 12
    assert max(len(entry.attempts) for entry in found.values()) == 2


def test_a_database_that_cannot_be_reached_is_one_line(tmp_path):
    pytest.importorskip("psycopg", reason="psycopg absent: pip install -e '.[postgresql]'")
    running = process(write(tmp_path), "--storage=postgresql://me:secret@127.0.0.1:1/none")
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 2
    error = said.splitlines()[-1]
    assert "--storage=postgresql://me:***@127.0.0.1:1/none cannot be reached" in error
    assert "secret" not in said
