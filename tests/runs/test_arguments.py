from lecture_models.runs.arguments import split_flags


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
