import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from lecture_models.plots import png
from lecture_models.reports import run_images, run_page
from lecture_models.reports.embedding import PNG_SIGNATURE
from tests.reports.markup import ATTACKS, Elements, assert_harmless


def _config(**changes):
    return {
        "experiment": "gan_mnist",
        "preset": "default",
        "title": "GAN on MNIST (Goodfellow et al., 2014).",
        "config": {"seed": 0, "learning_rate": 2e-4, "hidden": [256, 512]},
        "command": "python launch.py --experiment=gan_mnist",
        "resume_command": "python launch.py --resume=runs/gan_mnist/1",
        "git": {"commit": "0123abcd", "dirty": True},
        "versions": {"python": "3.11.7", "jax": "0.10.2"},
        "device": {"platform": "cpu", "kind": "a processor", "count": 1},
        "data": [
            {
                "dataset": "mnist",
                "source": "original files",
                "files": [{"path": "/data/train-images", "sha256": "feed" * 16}],
                "note": "",
            }
        ],
        "started": "2026-01-02T03:04:05+00:00",
        "wandb": {"mode": "offline", "run_id": "r", "url": None},
        **changes,
    }


def _summary(**changes):
    return {
        "status": "finished",
        "step": 20_000,
        "num_steps": 20_000,
        "wall_time_s": 332.4,
        "steps_per_second": 60.2,
        "metrics": {"eval/parzen": 223.41, "train/loss": 0.6931},
        "alarms": [],
        "texts": {},
        "error": None,
        **changes,
    }


def _write(folder, config=None, summary=None, lines=(), tail=""):
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    if summary is not None:
        (folder / "summary.json").write_text(json.dumps(summary))
    if lines or tail:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "metrics.jsonl").write_text(text + tail)
    return run_page.write_report(folder).read_text("utf-8")


def _picture(folder, name, step, shape=(28, 28, 1), caption=""):
    pixels = np.random.default_rng(step).integers(0, 256, shape).astype(np.uint8)
    path = folder / "images" / f"{name}_{step:08d}.png"
    png.write_png(path, pixels, {"Caption": caption} if caption else {})


def _artifacts(folder, name, text, step=2):
    """Writes an artifact of each kind; returns what metrics.jsonl says of them."""
    contents = {
        "sounds/{}.wav": b"RIFF",
        "scores/{}.mid": b"MThd",
        "animations/{}.gif": b"GIF89a" + bytes([8, 0, 4, 0]),
        "data_tables/{}.csv": f'name,value\n"{text.replace(chr(34), chr(34) * 2)}",1.25\n'.encode(),
    }
    records = {}
    for pattern, content in contents.items():
        file = pattern.format(f"{name}_{step:08d}")
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        records[pattern] = {"file": file, "caption": text}
    return records


def test_a_finished_run_shows_its_sections_in_order(tmp_path):
    lines = [{"step": step, "train": {"loss": 1 / step}} for step in range(100, 1100, 100)]
    lines += [{"step": 1000, "eval": {"parzen": 223.41}, "texts": {"protocol": "sigma is 0.2"}}]
    _picture(tmp_path, "samples", 1000)
    config = _config(data=[{**_config()["data"][0], "note": "read from JPEG"}])
    page = _write(tmp_path, config, _summary(alarms=["modes_covered: 6 of 10"]), lines)
    words = re.sub("</?span>", "", page)  # Each word of a command has a span.
    marks = [
        "<h1>GAN on MNIST (Goodfellow et al., 2014)</h1>",
        'class="badge finished">finished',
        "modes_covered: 6 of 10",
        "mnist: read from JPEG",
        "Final metrics",
        "223.4",
        'class="plot"',
        "data:image/png;base64,",
        "learning_rate",
        "python launch.py --experiment=gan_mnist",
        "--resume=",
        "0123abcd (with uncommitted changes)",
        "jax 0.10.2",
        "a processor",
        "feed" * 16,
        "sigma is 0.2",
    ]
    places = [words.index(mark, words.index("<body>")) for mark in marks]
    first_mark_of_environment = marks.index("python launch.py --experiment=gan_mnist")
    assert places[:first_mark_of_environment] == sorted(places[:first_mark_of_environment])
    assert "5 min 32 s" in page
    assert Elements(page).open == []
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == []


def test_a_clean_run_shows_no_band(tmp_path):
    page = _write(tmp_path, _config(), _summary(), [{"step": 1, "train": {"loss": 1.0}}])
    assert 'class="band' not in page


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_from_outside_becomes_markup(tmp_path, attack):
    _picture(tmp_path, "samples", 1, caption=attack)
    config = _config(
        experiment=attack,
        title=attack,
        preset=attack,
        config={attack: attack, "list": [attack]},
        command=attack,
        resume_command=attack,
        git={"commit": attack},
        versions={attack: attack},
        device={"platform": attack, "kind": attack, "cores": attack},
        data=[
            {
                "dataset": attack,
                "source": attack,
                "note": attack,
                "files": [{"path": attack, "sha256": attack}],
            }
        ],
        started=attack,
        wandb={"mode": attack, "url": f"https://{attack}"},
    )
    summary = _summary(
        status=attack, alarms=[attack], error=attack, metrics={attack: attack}, texts={"a": attack}
    )
    artifacts = _artifacts(tmp_path, attack.replace("/", ""), attack)
    lines = [
        {"step": 1, "train": {attack: 1.0}, "texts": {attack: attack}},
        {"step": 2, "eval": {attack: 1.0}, "artifacts": artifacts},
        {"step": 3, "eval": {attack: 2.0}, "texts": {"lines": f"{attack}\n{attack}"}},
    ]
    page = _write(tmp_path, config, summary, lines)
    assert_harmless(page, attack)
    assert Elements(page).data[0]["series"][0]["name"] == f"eval/{attack}"


def test_a_link_is_made_of_web_addresses_only(tmp_path):
    page = _write(tmp_path, _config(wandb={"mode": "online", "url": "javascript:alert(1)"}))
    assert "javascript" not in page
    page = _write(tmp_path, _config(wandb={"mode": "online", "url": "https://wandb.ai/a/b"}))
    assert '<a href="https://wandb.ai/a/b"' in page


def test_the_page_fetches_nothing(tmp_path):
    _picture(tmp_path, "samples", 1)
    page = _write(tmp_path, _config(), _summary(), [{"step": 1, "train": {"loss": 1.0}}])
    assert not re.search(r"(?:src|href)=\"(?!data:)|url\(|@import", page)
    assert re.findall(r"https?://[^\"' ]+", page) == ["http://www.w3.org/2000/svg"]  # A name.
    assert "default-src 'none'" in page


def test_a_run_killed_before_its_first_step_has_a_report(tmp_path):
    assert "no summary: killed, or still running" in _write(tmp_path, _config())
    assert "no step recorded" in _write(tmp_path)


def test_a_damaged_last_line_is_skipped_and_counted(tmp_path):
    page = _write(tmp_path, _config(), None, [{"step": 7, "train": {"loss": 1.0}}], '{"step": 8, "')
    assert "step 7 · 1 line of metrics.jsonl could not be read" in page


@pytest.mark.parametrize("junk", ["", "[1, 2]", "{", "null", "\x00\xff"])
def test_damaged_files_do_not_stop_a_report(tmp_path, junk):
    for name in ("config.json", "summary.json", "metrics.jsonl"):
        (tmp_path / name).write_text(junk)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "samples_00000001.png").write_text(junk)
    (tmp_path / "images" / "cut_00000001.png").write_bytes(PNG_SIGNATURE + b"\0" * 40)
    assert "<h1>" in run_page.write_report(tmp_path).read_text("utf-8")


def test_fields_of_another_type_do_not_stop_a_report(tmp_path):
    config = dict.fromkeys(_config(), 3) | {"data": [None, {"files": ["x"]}]}
    summary = {name: [1] for name in _summary()} | {"alarms": "text", "wall_time_s": "soon"}
    page = _write(tmp_path, config, summary, [{"step": "1"}, {"step": 2, "train": [1]}])
    assert "<h1>3</h1>" in page


def test_a_value_that_is_not_finite_breaks_the_curve_and_is_counted(tmp_path):
    losses = [1.0, 2.0, math.nan, 3.0, "Infinity", 4.0]
    lines = [{"step": step, "train": {"loss": loss}} for step, loss in enumerate(losses)]
    page = _write(tmp_path, _config(), None, lines)
    (chart,) = Elements(page).data
    assert chart["series"][0]["points"] == [0, 1.0, 1, 2.0, 2, None, 3, 3.0, 4, None, 5, 4.0]
    assert "2 of 6 values are not finite" in page


def test_sounds_scores_animations_and_tables_are_shown_with_their_captions(tmp_path):
    earlier = _artifacts(tmp_path, "a b", "before", step=1)
    records = _artifacts(tmp_path, "a b", "trained on Bach")
    lines = [{"step": 1, "artifacts": earlier}, {"step": 2, "artifacts": records}]
    page = _write(tmp_path, _config(), None, lines)
    for mark in (
        '<audio controls preload="metadata" src="data:audio/wav;base64,UklGRg=="></audio>',
        '<a href="scores/a%20b_00000002.mid">a b_00000002.mid</a>',
        '<img src="data:image/gif;base64,R0lGODlhCAAEAA==" width="64" height="32"',
        '<td>trained on Bach</td><td class="number">1.250</td>',
        'earlier: <a href="sounds/a%20b_00000001.wav">step 1</a>',
    ):
        assert mark in page
    assert page.count("step 2 · trained on Bach") == 4
    assert "before" not in Elements(page).text


def test_a_large_sound_is_linked(tmp_path, monkeypatch):
    monkeypatch.setattr("lecture_models.reports.run_artifacts.MOST_EMBEDDED", 3)
    _artifacts(tmp_path, "a b", "")
    page = _write(tmp_path, _config())
    assert '<audio controls preload="metadata" src="sounds/a%20b_00000002.wav">' in page
    assert '<img src="animations/a%20b_00000002.gif"' in page


def test_the_first_rows_of_a_long_table_are_shown_and_the_rest_counted(tmp_path):
    (tmp_path / "data_tables").mkdir()
    rows = "".join(f"{row},x\n" for row in range(1_500))
    (tmp_path / "data_tables" / "loss_00000001.csv").write_text(f"step,name\n{rows}")
    (tmp_path / "data_tables" / "empty_00000001.csv").write_text("")
    (tmp_path / "data_tables" / "bytes_00000001.csv").write_bytes(b"\xff\x00")
    (tmp_path / "data_tables" / "ragged_00000001.csv").write_text("a,b\n1\n1,2,3\n")
    page = _write(tmp_path, _config())
    assert "loss · the first 200 of 1,500 rows" in page
    assert page.count("<td>x</td>") == 200
    assert "ragged" in page
    assert "empty" not in Elements(page).text


def test_a_text_of_several_lines_keeps_them_and_a_long_line_is_wrapped(tmp_path):
    texts = {"aligned": "a  1\nbb 2", "long": "word " * 100, "short": "a sentence", "none": " "}
    page = _write(tmp_path, _config(), _summary(texts=texts))
    assert '<pre class="card text aligned">a  1\nbb 2</pre>' in page
    assert '<pre class="card text">word word' in page
    assert '<p class="card text">a sentence</p>' in page
    assert "<h3>none</h3>" not in page


def test_a_metric_that_ends_in_nan_is_red(tmp_path):
    page = _write(tmp_path, _config(), _summary(metrics={"train": {"loss": math.nan}}))
    assert '<td class="number bad">NaN</td>' in page


def test_the_later_line_of_a_repeated_step_counts(tmp_path):
    lines = [{"step": 5, "train": {"loss": 1.0}}, {"step": 5, "train": {"loss": 2.5}}]
    assert "2.500" in _write(tmp_path, _config(), None, lines)


def test_pictures_are_chosen_evenly_with_both_ends():
    files = [(step, Path(f"{step}.png")) for step in range(31)]
    chosen = [step for step, _ in run_images.evenly(files, 8)]
    assert (chosen[0], chosen[-1], len(chosen)) == (0, 30, 8)
    assert set(np.diff(chosen)) <= {4, 5}
    assert run_images.evenly(files, 1) == files[-1:]
    assert run_images.evenly(files[:3], 8) == files[:3]


def test_large_pictures_leave_the_page_below_eight_megabytes(tmp_path):
    for step in range(10):
        _picture(tmp_path, "styled", step, (640, 640, 3))
    page = _write(tmp_path, _config())
    assert 1_000_000 < len(page) < 8_000_000
    assert "step 9<" in page
    assert "of 10 shown" in page


def test_the_page_of_a_long_run_stays_below_eight_megabytes(tmp_path):
    lines = [
        {"step": step, "train": {"d_loss": math.sin(step), "g_loss": 1.0, "norm": step / 7}}
        for step in range(5_000)
    ]
    _write(tmp_path, _config(), _summary(), lines)
    assert run_page.write_report(tmp_path).stat().st_size < 8_000_000


def test_a_bare_name_of_the_summary_is_not_shown_twice(tmp_path):
    lines = [{"step": 5, "train": {"loss": 1.0}}, {"step": 5, "eval": {"loss": 2.0}}]
    page = _write(tmp_path, _config(), _summary(metrics={"loss": 2.0, "other": 3.0}), lines)
    rows = re.findall(
        r'<tr><th class="mono">([^<]+)</th><td class="number">([^<]+)', page.replace("<wbr>", "")
    )
    assert rows == [("eval/loss", "2"), ("other", "3"), ("train/loss", "1")]


def test_a_resumed_run_lists_its_sessions(tmp_path):
    sessions = [{"started": day, "git": {"commit": "0123456789ab"}} for day in ("mon", "tue")]
    assert "mon 0123456789\ntue 0123456789" in _write(tmp_path, _config(sessions=sessions))
    assert "sessions" not in _write(tmp_path, _config(sessions=sessions[:1]))


def test_every_metric_has_its_lowest_and_highest_value_and_their_steps(tmp_path):
    losses = (32.2614, 32.2611, "NaN", 32.2612)
    lines = [{"step": 5_000 * at, "train": {"loss": loss}} for at, loss in enumerate(losses, 1)]
    page = _write(tmp_path, _config(), None, lines)
    cells = re.findall(r'<td class="(?:number|step)">([^<]*)</td>', page)
    assert cells == ["32.2612", "20,000", "32.2611", "10,000", "32.2614", "5,000"]
    (chart,) = Elements(page).data
    assert chart["label"] == "train/loss over steps, last value 32.2612"


def test_numbers_of_a_table_have_the_digits_that_tell_them_apart(tmp_path):
    (tmp_path / "data_tables").mkdir()
    rows = "step,loss,name,empty\n10000,32.2611,a,\n20000,32.2612,2,1.5\n"
    (tmp_path / "data_tables" / "losses_00000001.csv").write_text(rows)
    page = _write(tmp_path, _config())
    cells = re.findall(r"<td( class=\"number\")?>([^<]*)</td>", page)
    number = ' class="number"'
    assert cells[:8] == [
        *((number, "10,000"), (number, "32.2611"), ("", "a"), (number, "")),
        *((number, "20,000"), (number, "32.2612"), ("", "2"), (number, "1.500")),
    ]
