"""Where the value of an option comes from: the command line, the environment, a config file, the default."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
import yaml

from autofix.cli import COMMANDS, main
from autofix.cli.options import Setting

# By key: what is given on the command line, in the environment, in a config file; and what each of these comes to.
GIVEN = {
    "data": (("--data", "a.csv"), "b.csv", "c.csv", "a.csv", "b.csv", "c.csv"),
    "target": (("--target", "a"), "b", "c", "a", "b", "c"),
    "drop": (("--drop", "a", "--drop", "x"), "b,y", ["c", "z"], ("a", "x"), ("b", "y"), ("c", "z")),
    "validation_data": (("--validation-data", "a"), "b", "c", "a", "b", "c"),
    "out": (("--out", "a.keras"), "b.keras", "c.keras", "a.keras", "b.keras", "c.keras"),
    "epochs": (("--epochs", "1"), "2", 3, 1, 2, 3),
    "batch_size": (("--batch-size", "1"), "2", 3, 1, 2, 3),
    "class_weight": (("--class-weight", "a=1"), "a=2,b=1", {"a": 3}, {"a": 1.0}, {"a": 2.0, "b": 1.0}, {"a": 3.0}),
    "shuffle": (("--no-shuffle",), "0", False, False, False, False),
    "metric": (("--metric", "r2"), "accuracy", "f1", "r2", "accuracy", "f1"),
    "weights": (("--weights", "keep"), "reset", "keep", "keep", "reset", "keep"),
    "seed": (("--seed", "1"), "2", 3, 1, 2, 3),
    "budget": (("--budget", "90s"), "30m", "2h", "90s", "30m", "2h"),
    "strategies": (
        ("--strategies", "activation"),
        "learning_rate,activation",
        ["learning_rate"],
        ("activation",),
        ("learning_rate", "activation"),
        ("learning_rate",),
    ),
    "target_score": (("--target-score", "0.7"), "0.8", 0.9, 0.7, 0.8, 0.9),
    "storage": (("--storage", "a"), "b", "c", "a", "b", "c"),
    "jobs": (("--jobs", "2"), "3", 4, 2, 3, 4),
    "format": (("--format", "json"), "yaml", "json", "json", "yaml", "json"),
    "verbose": (("-vv",), "1", 3, 2, 1, 3),
    "retrain": (("--retrain",), "1", True, True, True, True),
    "seeds": (("--seeds", "0,1"), "2,3", [4, 5], (0, 1), (2, 3), (4, 5)),
    "study": (("--study", "a"), "b", "c", "a", "b", "c"),
    "folder": (("--folder", "a"), "b", "c", "a", "b", "c"),
    "wait": (("--wait", "90s"), "2h", "3m", 90.0, 7200.0, 180.0),
    "stay": (("--stay",), "1", True, True, True, True),
    "exit_code_healthy": (("--exit-code-healthy", "99"), "98", 97, 99, 98, 97),
    "force": (("--force",), "1", True, True, True, True),
}
DEFAULTS = {
    "drop": (),
    "shuffle": True,
    "metric": "auto",
    "weights": "auto",
    "seed": 0,
    "budget": "10x",
    "jobs": 1,
    "format": "table",
    "verbose": 0,
    "retrain": False,
    "folder": ".",
    "wait": 60.0,
    "stay": False,
    "exit_code_healthy": 0,
    "force": False,
}  # None for all others
# A sweep takes several data sets, and has no defaults of its own: those of its file are not overruled.
SWEPT = {"data": (("-d", "a.csv", "-d", "x.csv"), "b.csv,y.csv", ["c.csv"], ("a.csv", "x.csv"), ("b.csv", "y.csv"),
                  ("c.csv",))}  # fmt: skip
SWEPT_DEFAULTS = {"data": (), "format": "table", "verbose": 0}
# What a config file may say only if it was named.
NAMED = ("storage", "folder")
COMMON = ("repair", "sweep", "diagnose", "check", "retrain", "worker", "status", "report", "apply")
ARGUMENTS = {
    "apply": ["patch.yaml", "model.keras"],
    "status": ["run"],
    "report": ["run"],
    "retrain": ["pipeline.yaml"],
    "worker": [],
}


def command_of(name: str) -> click.Command:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command


def settings_of(name: str) -> list[Setting]:
    return [param for param in command_of(name).params if isinstance(param, Setting)]


def value(name: str, setting: Setting, arguments: list[str]) -> object:
    required = [
        word
        for other in settings_of(name)
        if other.required and other.key != setting.key
        for word in (f"--{other.key}", "x.keras")
    ]
    words = [*ARGUMENTS.get(name, ["model.keras"]), *required, *arguments]
    return command_of(name).make_context(name, words).params[setting.name]


OPTIONS = [(name, setting) for name in COMMON for setting in settings_of(name) if setting.key != "allow_unsafe"]


@pytest.mark.parametrize(("name", "setting"), OPTIONS, ids=lambda item: getattr(item, "key", item))
def test_option_before_environment_before_config_before_default(name, setting, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    swept = name == "sweep"
    flag, environment, config, *expected = (SWEPT if swept else {}).get(setting.key, GIVEN[setting.key])
    if not setting.required:
        assert value(name, setting, []) == (SWEPT_DEFAULTS if swept else DEFAULTS).get(setting.key)
    Path("autofix.yaml").write_text(yaml.safe_dump({setting.key: config}))
    if setting.key in NAMED:
        monkeypatch.setenv("AUTOFIX_CONFIG", "autofix.yaml")
    assert value(name, setting, []) == expected[2]
    monkeypatch.setenv(f"AUTOFIX_{setting.key.upper()}", environment)
    assert value(name, setting, []) == expected[1]
    assert value(name, setting, list(flag)) == expected[0]


def test_every_option_of_every_command_is_tried():
    assert {setting.key for _, setting in OPTIONS} == GIVEN.keys()


def test_a_flag_in_the_environment_can_be_undone_on_the_command_line(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shuffle = next(setting for setting in settings_of("repair") if setting.key == "shuffle")
    monkeypatch.setenv("AUTOFIX_SHUFFLE", "0")
    assert value("repair", shuffle, []) is False
    assert value("repair", shuffle, ["--shuffle"]) is True


def test_a_named_config_takes_the_place_of_the_one_in_the_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    epochs = next(setting for setting in settings_of("repair") if setting.key == "epochs")
    Path("autofix.yaml").write_text("epochs: 1\nseed: 7\n")
    Path("mine.yaml").write_text("epochs: 2\nout: runs/x\nretrain: true\n")  # what apply knows is none of repair's
    assert value("repair", epochs, []) == 1
    assert value("repair", epochs, ["--config", "mine.yaml"]) == 2
    monkeypatch.setenv("AUTOFIX_CONFIG", "mine.yaml")
    assert value("repair", epochs, []) == 2


def test_a_config_that_the_user_names_may_name_code(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("data: load.py:load_data\n")
    data = next(setting for setting in settings_of("repair") if setting.key == "data")
    assert value("repair", data, ["--config", "mine.yaml"]) == "load.py:load_data"


def test_an_empty_config_changes_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("autofix.yaml").write_text("# nothing yet\n")
    epochs = next(setting for setting in settings_of("repair") if setting.key == "epochs")
    assert value("repair", epochs, []) is None


@pytest.mark.parametrize(("given", "kept"), [("60", "60s"), ("1.5h", "1.5h"), (" 10x ", "10x"), (90, "90s")])
def test_budgets(given, kept):
    from autofix.cli.types import BUDGET

    assert BUDGET.convert(given, None, None) == kept


def completed(words: list[str], incomplete: str) -> set[str]:
    from click.shell_completion import BashComplete

    found = BashComplete(main, {}, "autofix", "_AUTOFIX_COMPLETE").get_completions(words, incomplete)
    return {item.value for item in found}


def test_completion_knows_commands_options_strategies_and_symptoms():
    assert completed([], "re") >= {"repair", "report"}
    assert completed(["repair"], "--ep") == {"--epochs"}
    assert completed(["repair", "--strategies"], "activ") == {"activation"}
    assert completed(["repair", "--strategies"], "activation,learn") == {"activation,learning_rate"}
    assert completed(["explain"], "dead") == {"dead_units"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_is_a_script(shell):
    from click.testing import CliRunner

    told = CliRunner().invoke(main, ["completion", shell])
    assert told.exit_code == 0
    assert "_AUTOFIX_COMPLETE" in told.stdout


def test_every_command_says_where_its_values_come_from_and_how_it_ends():
    without = {"demo", "explain", "patch", "config", "completion"}  # they have no settings to share
    assert set(COMMON) == COMMANDS.keys() - without
    for name in COMMON:
        assert "AUTOFIX_<OPTION>" in str(command_of(name).epilog)
        assert "Exit codes" in str(command_of(name).epilog)


def test_options_come_in_one_order_and_values_have_one_name():
    order = [setting.key for setting in settings_of("repair")]
    metavars: dict[str, set[str]] = {}
    for name in COMMON:
        keys = [setting.key for setting in settings_of(name) if setting.key in order and setting.key != "out"]
        assert keys == sorted(keys, key=order.index), name
        for setting in settings_of(name):
            context = click.Context(command_of(name))
            metavars.setdefault(setting.key, set()).add(setting.make_metavar(context))
    differing = {key for key, names in metavars.items() if len(names) > 1}
    assert differing == {"out", "format"}  # a folder or a model file; a report has two forms more


@pytest.mark.parametrize("name", COMMON)
def test_every_form_of_a_result_is_known_to_every_command(name):
    forms = [setting.type.choices for setting in settings_of(name) if setting.key == "format"]
    assert all(set(known) >= {"table", "json", "yaml"} for known in forms)


def test_a_sweep_in_a_file_beats_the_config_file_and_not_the_environment(monkeypatch, tmp_path):
    from autofix.cli.sweep import _from_file, _given

    monkeypatch.chdir(tmp_path)
    Path("autofix.yaml").write_text("epochs: 7\nbatch_size: 7\ntarget: label\n")
    sweep = "out: s\nmodels: [own.py:m]\ndata: [sklearn:digits]\nrepair: {epochs: 5, batch_size: 5}\n"
    Path("sweep.yaml").write_text(sweep)
    Path("own.py").touch()
    monkeypatch.setenv("AUTOFIX_BATCH_SIZE", "9")
    with command_of("sweep").make_context("sweep", ["sweep.yaml"]) as context:
        config, _ = _from_file("sweep.yaml", _given(context.params, "sweep.yaml"))
        assert (config.repair.epochs, config.repair.batch_size) == (5, 9)
        assert _given(context.params, "model.keras")["epochs"] == 7
