"""`docs/retraining.md`: its commands run, its files are read, its line of JSON is the one that is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from autofix import config
from autofix.exits import Exit
from autofix.retraining.config import Pipeline
from autofix.retraining.decision import Status

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "retraining.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_every_command_runs(churn):
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) == 5
    for command in commands:
        done = churn.run(command)
        assert done.returncode == 0, (command, done.stderr)


def test_what_they_print_is_what_they_say(churn, trained):
    first, rolled_back = blocks("console")[0].splitlines(), blocks("console")[1].splitlines()
    begin = first[1].split(";")[0]
    assert begin in trained.first.stderr
    assert first[2].split(",...")[0] in trained.first.stdout
    done = churn.run("autofix retrain pipeline.yaml --rollback 1")
    assert rolled_back[1] in done.stderr
    assert rolled_back[2].split(",...")[0] in done.stdout


def test_the_pipelines_are_read(churn):
    whole, hooks = blocks("yaml")
    (churn.folder / "page.yaml").write_text(whole)
    page = config.read(churn.folder / "page.yaml", Pipeline)
    assert page == config.read(churn.folder / "pipeline.yaml", Pipeline)
    (churn.folder / "page.yaml").write_text(whole + hooks)
    assert len(config.read(churn.folder / "page.yaml", Pipeline).hooks) == 2


def test_the_line_has_the_keys_that_are_printed(trained):
    [shown] = [json.loads(block) for block in blocks("json")]
    printed = json.loads(trained.first.stdout)
    assert list(shown) == list(printed)
    assert list(shown["scores"]) == list(printed["scores"])


@pytest.mark.parametrize("status", Status)
def test_every_status_is_named(status):
    assert f"`{status.name.lower()}`" in PAGE


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_is_named(code):
    assert re.search(rf"\| [\d, ]*\b{int(code)}\b[\d, ]* \|", PAGE)


def test_every_setting_is_named():
    for name in Pipeline.model_fields:
        assert f"`{name}`" in PAGE


def test_the_files_that_it_links_to_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) == 5
    for link in links:
        assert (ROOT / "docs" / link).exists()
