"""The command: light until it works, results on stdout alone."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from autofix.cli import main

HEAVY = ("tensorflow", "keras", "optuna", "sklearn", "numpy", "rich")
# Runs the command in a process of its own, and says on stderr which heavy modules it has imported by then.
PROBE = f"""
import sys
from autofix.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", [name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["demo", "--help"]], ids=" ".join)
def test_help_and_version_import_nothing_heavy(arguments):
    done = run(*arguments)
    assert done.returncode == 0
    assert "imported: []" in done.stderr
    assert done.stdout


def test_help_is_fast():
    began = time.monotonic()
    run("--help")
    assert time.monotonic() - began < 3  # 0.2 s on a machine that does nothing else


def test_help_names_the_commands():
    told = CliRunner().invoke(main, ["--help"])
    assert told.exit_code == 0
    assert "demo" in told.output
    assert "stuck" in told.output


def test_version_is_the_distributions():
    told = CliRunner().invoke(main, ["--version"])
    assert told.output.strip() == f"autofix {version('keras-autofix')}"


@pytest.mark.parametrize(
    "arguments", [["demmo"], ["demo", "--sede", "1"], ["demo", "--seed", "-1"], ["demo", "--seed", "x"]]
)
def test_bad_arguments_are_told_with_a_code_of_2(arguments):
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 2
    assert "Error" in told.output
    assert "Traceback" not in told.output


def test_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "autofix", "--version"], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"autofix {version('keras-autofix')}"


@pytest.mark.parametrize(("repaired", "code"), [(True, 0), (False, 3)])
def test_demo_prints_the_change_log_on_stdout_and_the_rest_on_stderr(repaired, code, monkeypatch):
    from autofix import demo

    def play(*, seed, say):
        say("training ...")
        return demo.Demonstration(
            test_images=seed, accuracy_before=0.1, accuracy_after=0.95, change_log="REPAIRED", repaired=repaired
        )

    monkeypatch.setattr(demo, "run", play)
    told = CliRunner().invoke(main, ["demo", "--seed", "7"])
    assert told.exit_code == code
    assert told.stdout.startswith("REPAIRED")
    assert "On 7 images" in told.stdout
    assert "95.0% right" in told.stdout
    assert "training" not in told.stdout
    assert "training" in told.stderr
