import dataclasses

import pytest
from absl import flags

from lecture_models.commands.config_flags import define_config_flags, make_config, options
from lecture_models.commands.config_flags import parse as parse_flags
from lecture_models.config import (
    UsageError,
    did_you_mean,
    require_at_least,
    require_between,
    require_single,
)


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 0
    learning_rate: float = 2e-4  # Karpathy's constant: 3e-4.
    # Two lines of reason
    # above the field.
    hidden: tuple[int, ...] = (256, 512)
    non_saturating: bool = True
    dataset: str = "mnist"
    clip: float | None = None

    def __post_init__(self):
        require_at_least(self, 0, "seed", "hidden")
        require_between(self, 0.0, 1.0, "learning_rate")


def parse(*arguments, preset=()):
    values = flags.FlagValues()
    define_config_flags(Config, values)
    assert parse_flags(values, ["launch.py", *arguments]) == []
    return make_config(Config, dict(preset), values)


def test_no_flag_gives_the_defaults():
    assert parse() == Config()


def test_every_type_is_parsed():
    config = parse(
        "--seed=3", "--learning_rate=1e-3", "--hidden=8,4", "--nonon_saturating", "--clip=2"
    )
    assert config == Config(
        seed=3, learning_rate=1e-3, hidden=(8, 4), non_saturating=False, clip=2.0
    )


def test_a_flag_overrides_a_preset_and_a_preset_the_default():
    config = parse("--seed=5", preset={"seed": 1, "dataset": "digits"})
    assert (config.seed, config.dataset) == (5, "digits")


def test_a_flag_equal_to_the_default_still_overrides_a_preset():
    assert parse("--seed=0", preset={"seed": 1}).seed == 0


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--learning_rate=nan", "--learning_rate is nan; it must be a finite number"),
        ("--learning_rate=inf", "--learning_rate is inf; it must be a finite number"),
        ("--learning_rate=2", "--learning_rate is 2.0; it must be from 0.0 to 1.0"),
        ("--seed=-1", "--seed is -1; it must be at least 0"),
        ("--seed=4294967296", "--seed is 4294967296; it must be at most 4294967295"),
        ("--hidden=8,2147483648", "--hidden is 2147483648; it must be at most 2147483647"),
        ("--hidden=8,-4", "--hidden is -4; it must be at least 0"),
        ("--hidden=8,x", "--hidden is 8,x; it must be ints, separated by commas"),
    ],
)
def test_a_bad_value_names_flag_value_and_what_is_allowed(argument, message):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        parse(argument)


def test_a_value_of_another_type_is_refused():
    with pytest.raises(UsageError, match="--seed is many; it must be an integer"):
        parse("--seed=many")


def test_an_unknown_flag_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="no flag --lerning_rate; did you mean 'learning_rate'"):
        parse("--lerning_rate=1")


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("channel", "; this experiment has --seed, --learning_rate, --hidden, "),
        ("hiden", "; did you mean 'hidden'?"),
        ("hepl", "; did you mean 'help'?"),
    ],
)
def test_an_unknown_flag_is_compared_with_the_fields_before_other_flags(flag, hint):
    values = flags.FlagValues()
    define_config_flags(Config, values)
    flags.DEFINE_bool("help", False, "helps", flag_values=values)
    with pytest.raises(UsageError) as caught:
        parse_flags(values, ["launch.py", f"--{flag}=1"], Config)
    assert str(caught.value).startswith(f"there is no flag --{flag}{hint}")


@pytest.mark.parametrize("hidden", [(), (8, 4)])
def test_a_field_of_one_value_takes_neither_none_nor_two(hidden):
    with pytest.raises(ValueError, match=f"--hidden has {len(hidden)} values; it must have 1"):
        require_single(Config(hidden=hidden), "hidden")


@pytest.mark.parametrize("word", ["image", "picture", "pictures", "photo", "photos"])
@pytest.mark.parametrize("flag", ["images", "content", "texture"])
def test_a_word_for_pictures_is_answered_with_the_flag_that_names_them(word, flag):
    known = [flag, "num_pictures", "image_size", "shown_pictures", "top"]
    assert did_you_mean(word, known) == f"; did you mean {flag!r}?"


def test_a_restated_field_keeps_the_reason_of_its_base():
    @dataclasses.dataclass(frozen=True)
    class Other(Config):
        learning_rate: float = 1e-3
        hidden: tuple[int, ...] = (3,)  # Fewer.

    reasons = {option.name: option.reason for option in options(Other)}
    assert reasons["learning_rate"] == "Karpathy's constant: 3e-4."
    assert reasons["hidden"] == "Fewer."


def test_reasons_come_from_the_comments():
    reasons = {option.name: option.reason for option in options(Config)}
    assert reasons["learning_rate"] == "Karpathy's constant: 3e-4."
    assert reasons["hidden"] == "Two lines of reason above the field."
    assert reasons["seed"] == ""


def test_types_are_named_as_a_person_would():
    types = {option.name: option.type_name for option in options(Config)}
    assert types["hidden"] == "ints"
    assert types["clip"] == "float"


def test_a_field_that_no_flag_can_hold_is_refused():
    @dataclasses.dataclass(frozen=True)
    class Unflaggable:
        table: dict = dataclasses.field(default_factory=dict)

    with pytest.raises(TypeError, match="table"):
        define_config_flags(Unflaggable, flags.FlagValues())
