"""`autofix patch`: the diff on standard output, the rest on standard error, the script changed only when asked."""

import errno
import json
import stat
import subprocess
import sys

import pytest
from click.testing import CliRunner

from autofix import files
from autofix.change import Change, Patch
from autofix.cli import main
from tests.code.test_lines import LINES, RECIPE

SCRIPT = "\n".join(line for line, _ in LINES) + "\n"
EASY = Change("compile/optimizer/learning_rate", 0.5, 0.01, "learning_rate", "The rate is too large. It is 0.5.")
HARD = Change("fit/patience", None, 5, "epochs", "The run lasts 3 epochs.")


@pytest.fixture
def folder(tmp_path):
    def write(*changes):
        run = tmp_path / "run"
        run.mkdir(exist_ok=True)
        (run / "patch.yaml").write_text(Patch(changes).to_yaml())
        (run / "change_log.json").write_text(json.dumps({"metric": "r2", "recipe": RECIPE.to_dict()}))
        (run / "metrics.json").write_text(json.dumps({"notes": ["Few rows."], "retrained": True}))
        script = tmp_path / "train.py"
        script.write_bytes(SCRIPT.encode())
        return str(run), script

    return write


def call(*arguments):
    return CliRunner().invoke(main, ["patch", *map(str, arguments)])


def test_shows_the_diff_and_leaves_the_script(folder):
    run, script = folder(EASY)
    told = call(script, "--run", run)
    assert told.exit_code == 0, told.output
    assert f"--- a{script.as_posix()}\n" in told.stdout
    assert "+RATE = 0.01  # autofix: learning_rate was 0.5; the rate is too large" in told.stdout
    assert told.stderr == ""
    assert script.read_text() == SCRIPT


def test_the_diff_is_applied_from_here(folder, monkeypatch):
    run, script = folder(EASY)
    monkeypatch.chdir(script.parent)
    for name in (script, "train.py", "./train.py"):
        assert "--- a/train.py\n+++ b/train.py\n" in call(name, "--run", run).stdout


def test_write_changes_the_script_and_keeps_its_mode(folder):
    run, script = folder(EASY)
    script.chmod(0o750)
    told = call(script, "--run", run, "--write", "--no-comments")
    assert told.exit_code == 0, told.output
    assert script.read_text() == SCRIPT.replace("RATE = 0.5", "RATE = 0.01")
    assert stat.S_IMODE(script.stat().st_mode) == 0o750
    assert sorted(path.name for path in script.parent.iterdir()) == ["run", "train.py"]
    again = call(script, "--run", run)
    assert again.exit_code == 0
    assert (again.stdout, "holds these changes already" in again.stderr) == ("", True)


def test_diff_is_what_patch_takes(folder, tmp_path):
    run, script = folder(EASY)
    told = call(script, "--run", run, "--no-comments")
    target = tmp_path / "copy.py"
    target.write_text(SCRIPT)
    subprocess.run(["patch", str(target)], input=told.stdout, text=True, check=True, capture_output=True)
    assert target.read_text() == SCRIPT.replace("RATE = 0.5", "RATE = 0.01")


def test_what_is_left_is_told_with_a_code_of_3(folder):
    run, script = folder(EASY, HARD)
    told = call(script, "--run", run, "--write")
    assert told.exit_code == 3
    assert "To be done by hand:" in told.stderr
    assert "fit/patience: this `fit` has no validation data to stop by." in told.stderr
    assert "RATE = 0.01" in script.read_text()


def test_without_a_script_a_new_one_is_written(folder):
    run, _ = folder(EASY)
    told = call("--run", run)
    assert told.exit_code == 0, told.output
    assert "optimizer=keras.optimizers.SGD()" in told.stdout  # 0.01 is its default
    assert "Note: Few rows." in told.stdout
    compile(told.stdout, "script", "exec")
    assert call("--run", run, "--write").exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SCRIPT.replace("Dense(8", "Dense(9"), "layers/dense/units is 8; the script says 9"),
        ("def broken(:\n", "must be Python"),
        ("x = 1\n", "no Keras model"),
        ("# -*- coding: nonsense -*-\n", "must be Python"),
        ("x = '\0'\n", "must be Python"),
        ("(" * 5000, "must be Python"),
    ],
    ids=["stale", "syntax", "empty", "encoding", "null", "deep"],
)
def test_refuses_scripts_that_it_cannot_patch(folder, text, message):
    run, script = folder(EASY)
    script.write_text(text)
    told = call(script, "--run", run, "--write")
    assert told.exit_code == 2, told.output
    assert message in told.stderr
    assert script.read_text() == text


def test_refuses_folders_without_a_repair(folder, tmp_path):
    run, script = folder(EASY)
    told = call(script, "--run", tmp_path)
    assert told.exit_code == 2
    assert "must hold the patch.yaml" in told.stderr
    (tmp_path / "run" / "change_log.json").write_text("{}")
    told = call(script, "--run", run)
    assert told.exit_code == 2
    assert "must hold the recipe" in told.stderr
    (tmp_path / "run" / "change_log.json").write_text("{")
    assert call(script, "--run", run).exit_code == 2


def test_nothing_changed_is_nothing_to_patch(folder):
    run, script = folder()
    told = call(script, "--run", run)
    assert told.exit_code == 0
    assert "nothing to patch" in told.stderr


def test_says_what_to_install(folder, monkeypatch):
    run, script = folder(EASY)
    for name in [name for name in sys.modules if name.startswith(("autofix.code.patching", "autofix.code.source"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "libcst", None)
    told = call(script, "--run", run)
    assert told.exit_code == 2
    assert "pip install 'keras-autofix[code]'" in told.stderr


def test_patching_needs_no_tensorflow():
    probe = "import sys, autofix.code.patching, autofix.code.folder; print({'tensorflow', 'keras'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "set()"


CALL = "Dense(__import__('os').system('touch canary'))"


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": CALL, "module": "keras.layers", "config": {}},
        {"class_name": "Dense", "module": "keras.layers\nimport os", "config": {}},
        {"class_name": "Dense", "module": "keras.layers", "config": {f"units={CALL}, name": "d"}},
        {"class_name": "function", "module": "builtins", "config": CALL},
    ],
)
def test_a_folder_whose_names_are_code_is_refused(folder, layer):
    run, script = folder(Change("layers/dense/after", (), (layer,), "capacity", "It is small."))
    for words in ((script, "--run", run), ("--run", run)):
        told = call(*words)
        assert (told.exit_code, told.stdout) == (2, "")
        assert "must hold names" in told.stderr
        assert "somebody you trust" in told.stderr


def test_a_link_to_the_script_stays_one(folder, tmp_path):
    run, script = folder(EASY)
    link = tmp_path / "link.py"
    link.symlink_to(script)
    assert call(link, "--run", run, "--write").exit_code == 0
    assert link.is_symlink()
    assert "RATE = 0.01" in script.read_text()


def test_a_script_that_cannot_be_written_is_told(folder, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(files, "replacing", refused)
    run, script = folder(EASY)
    told = call(script, "--run", run, "--write")
    assert told.exit_code == 75
    assert "Permission denied" in told.stderr
