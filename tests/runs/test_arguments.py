from pathlib import Path

from lecture_models.runs.arguments import flag_names, flag_value, in_folder, split_flags


def test_a_flag_is_found_with_its_value_in_either_form():
    words = ["--seed=1", "--seeds", "5", "-workdir=a", "--preset=smoke", "stray"]
    taken, rest = split_flags(words, {"seeds", "workdir"})
    assert taken == ["--seeds", "5", "-workdir=a"]
    assert rest == ["--seed=1", "--preset=smoke", "stray"]


def test_a_switch_has_no_value_of_its_own():
    taken, rest = split_flags(["--skip", "a", "--noskip", "--nothing"], set(), {"skip"})
    assert taken == ["--skip", "--noskip"]
    assert rest == ["a", "--nothing"]


def test_a_flag_at_the_end_without_its_value_is_taken():
    assert split_flags(["--seeds"], {"seeds"}) == (["--seeds"], [])


def test_the_last_value_of_a_flag_counts():
    words = ["--workdir=a=b", "--seed", "3", "--workdir", "c"]
    assert flag_value(words, "workdir") == "c"
    assert flag_value(words[:1], "workdir") == "a=b"
    assert flag_value(words, "seed") == "3"
    assert flag_value(words, "data_dir") is None
    assert flag_value(["--workdir"], "workdir") is None


def test_flags_are_named_as_they_were_typed():
    assert flag_names(["-a=1", "--nob", "--c", "workdir"]) == {"a", "nob", "c"}


def test_a_command_names_the_folder_where_the_run_lies_now(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = "python launch.py --workdir=runs/a --words='a b'"
    assert in_folder(command, Path("runs/a")) == command
    assert in_folder(command, tmp_path / "runs" / "a") == command
    moved = "python launch.py '--words=a b' --workdir=runs/b"
    assert in_folder(command, Path("runs/b")) == moved
    assert in_folder("python launch.py '--words=a b'", Path("runs/b")) == moved


def test_a_command_whose_quotes_do_not_match_is_left_as_it_is():
    assert in_folder("python launch.py --words='a", Path("runs/b")) == "python launch.py --words='a"
