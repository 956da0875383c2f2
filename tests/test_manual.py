"""The manual: read from the sources, complete, and printed as the committed pages have it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import autofix
from autofix.cli import main
from autofix.errors import FixYourCall
from autofix.manual.explain import explain, remedies, symptoms
from autofix.manual.page import read_page
from autofix.manual.readings import readings_of
from autofix.manual.rules import causes_led_by, likely_causes, titles
from autofix.registry import strategies, treating
from autofix.report import pages
from autofix.report.manual import WIDTH, markdown
from autofix.symptom import Diagnosis, Symptom
from autofix.symptoms import PREFLIGHT, TRACE, complete, dead_units, non_finite_loss, weights_unchanged
from tests.test_cli import run

DOCS = Path(__file__).parents[1] / "docs"
HEADINGS = ("What it sees", "Why it stalls a run", "What treats it", "References")

SOURCE = '''"""FIRST, SECOND: two that belong together.

What it sees:
    Both.
    FIRST: One
    more.
    SECOND: Another.

Likely causes:
    FIRST: A.
    B.
    SECOND: C.
"""

import logging

logger = logging.getLogger(__name__)

# Above which it counts,
# as measured.
MANY, ALL = 0.5, 10**9
LATER: int = 1_000  # Behind it.
NAMES = (
    "one",  # not a comment of the constant
    1e-3,
)
ODD = 3  # noqa: X1
_private, small = 1, 2
'''


def test_every_symptom_is_explained():
    """All gaps at once, so that whoever adds a rule sees what is missing."""
    missing = []
    for item in symptoms():
        sections = dict(item.sections)
        missing += [f"{item.name}: heading {heading!r}" for heading in HEADINGS if not sections.get(heading)]
        missing += [f"{item.name}: heading 'Likely causes', one a line"] if not item.causes else []
        missing += [f"{item.name}: cause {cause!r} is no sentence" for cause in item.causes if cause[-1] != "."]
    assert missing == []


def test_every_title_names_symptoms_that_exist_and_rules_that_run():
    assert set(titles()) == {symptom.name for symptom in Symptom}
    modules = {rule.__module__.rsplit(".", 1)[-1] for rule in (*PREFLIGHT, *TRACE)}
    assert set(titles().values()) == modules


def test_what_is_told_before_training_is_judged_before_training():
    told = {item.name for item in symptoms() if item.is_seen_before_training}
    assert {"head_mismatch", "unscaled_inputs", "bad_initialization", "no_signal"} <= told
    assert not told & {"dead_units", "plateau", "non_finite_loss", "converged"}
    assert "Before any training" in str(explain("unscaled_inputs"))
    assert "Before any training" not in str(explain("dead_units"))


def test_every_strategy_is_explained():
    found = remedies()
    assert [item.name for item in found] == [strategy.name for strategy in strategies()]
    for item in found:
        assert item.sentence.endswith(".")
        assert [heading for heading, _ in item.sections] == [
            "What it changes", "Why it helps", "When it does not apply", "References"
        ]  # fmt: skip
        assert item.related


def test_symptoms_and_strategies_point_at_each_other():
    treated = {item.name: set(item.related) for item in symptoms()}
    for item in remedies():
        for code in item.related:
            assert item.name in treated[code]
    assert treating(Symptom.DEAD_UNITS) == explain("dead_units").related
    # What no change of the program treats.
    assert treating(Symptom.NO_SIGNAL) == ()


def test_a_symptom_by_name_member_and_finding():
    item = explain("dead_units")
    assert item == explain(Symptom.DEAD_UNITS) == autofix.explain("Dead units")
    assert item == explain(Diagnosis(Symptom.DEAD_UNITS, 0.9, 1.0, "All of them."))
    assert item.kind == "symptom"
    assert item.sentence == Symptom.DEAD_UNITS.value
    assert {"trace.last", "layer.dead"} <= dict(item.readings).keys()
    assert "activation" in item.related
    (many,) = [threshold for threshold in item.thresholds if threshold.name == "MANY"]
    assert float(many.value) == dead_units.MANY
    assert many.comment.startswith("Fraction of dead units")


@pytest.mark.parametrize("name", ["label_encoding", "head_mismatch", "loss_mismatch", "output_range"])
def test_symptoms_of_one_file_are_told_apart(name):
    others = {"label_encoding", "head_mismatch", "loss_mismatch", "output_range"} - {name}
    mine = explain(name)
    for other in map(explain, others):
        assert mine.causes != other.causes
        assert not set(mine.causes) & set(other.causes)
        for heading in HEADINGS[:3]:
            assert dict(mine.sections)[heading] != dict(other.sections)[heading]
    assert not any(symptom.name in str(mine) for symptom in Symptom)


def test_a_strategy_by_name():
    item = explain("learning_rate")
    assert item.kind == "strategy"
    assert "extreme_learning_rate" in item.related
    assert "What it changes" in str(item)


def test_what_is_both_is_explained_as_what_people_look_up():
    """`missing_values` is a symptom and the strategy that treats it."""
    assert explain("missing_values").kind == "symptom"
    assert "missing_values" in explain("missing_values").related


@pytest.mark.parametrize(
    ("wrong", "hint"), [("dead_unit", "dead_units"), ("learning-rat", "learning_rate"), ("zzz", "autofix explain")]
)
def test_an_unknown_name_gets_a_hint(wrong, hint):
    with pytest.raises(FixYourCall, match=hint):
        explain(wrong)


def test_anything_else_is_refused():
    with pytest.raises(FixYourCall, match="Received: 3"):
        explain(3)


def test_text_is_readable_and_complete():
    for item in (*symptoms(), *remedies()):
        lines = str(item).splitlines()
        assert lines[0] == f"{item.name}: {item.sentence}"
        assert max(map(len, lines[1:])) <= WIDTH
        flat = " ".join(str(item).split())
        for words in (*item.causes, *item.related, *(text for _, text in item.sections)):
            assert " ".join(words.split()) in flat
        for threshold in item.thresholds:
            assert threshold.name in flat
        assert f"## {item.name}" in markdown(item)
        assert item.markdown() == markdown(item)
        assert json.loads(json.dumps(item.to_dict()))["thresholds"] == item.to_dict()["thresholds"]


def test_powers_do_not_turn_into_bold_type():
    assert r"f\*\*depth" in explain("bad_initialization").markdown()


def test_a_page_is_read_from_source():
    page = read_page(SOURCE)
    assert page.names == ("FIRST", "SECOND")
    assert page.lead == "two that belong together."
    assert page.text("What it sees", "FIRST") == "Both. One more."
    assert page.text("What it sees", "SECOND") == "Both. Another."
    assert page.lines("Likely causes", "FIRST") == ("A.", "B.")
    assert page.lines("Likely causes", "SECOND") == ("C.",)
    assert page.lines("Nothing", "FIRST") == ()
    measured = "Above which it counts, as measured."
    assert [(item.name, item.value, item.comment) for item in page.constants] == [
        ("MANY", "0.5", measured),
        ("ALL", "10**9", measured),
        ("LATER", "1_000", "Behind it."),
        ("NAMES", '( "one", # not a comment of the constant 1e-3, )', ""),
        ("ODD", "3", ""),
    ]


def test_readings_follow_helpers():
    assert "trace.loss" in dict(readings_of("plateau"))
    assert "facts.chance" in dict(readings_of("plateau"))
    assert "facts.chance" not in dict(readings_of("dead_units"))


def test_a_finding_is_completed():
    bare = Diagnosis(Symptom.SLOW, 0.5, 0.8, "It fell by 0.001.")
    done = complete(bare)
    assert done.causes == likely_causes("SLOW") == explain("slow").causes
    assert done.strategies == explain("slow").related
    assert complete(Diagnosis(Symptom.SLOW, 0.5, 0.8, "", causes=("Known.",))).causes == ("Known.",)
    assert done.to_dict()["causes"] == list(done.causes)
    assert done.to_dict()["strategies"] == list(done.strategies)
    assert str(done) == str(bare)


@pytest.mark.parametrize("name", ["symptoms", "strategies"])
def test_committed_pages_are_what_the_command_prints(name):
    told = CliRunner().invoke(main, ["explain", name, "--format", "markdown"])
    assert told.exit_code == 0
    assert (DOCS / f"{name}.md").read_text(encoding="utf-8") == told.stdout, (
        f"refresh it: autofix explain {name} --format markdown > docs/{name}.md"
    )


def test_pages_link_to_what_they_name():
    texts = {name: pages.written(name, "markdown") for name in pages.GROUPS}
    for name, text in texts.items():
        assert text.startswith(f"# {name.capitalize()}\n")
    for item in (*symptoms(), *remedies()):
        file = "strategies" if item.kind == "symptom" else "symptoms"
        for related in item.related:
            assert f"({file}.md#{related})" in item.markdown()
            assert f"\n## {related}\n" in texts[file]


def test_command_lists_all_without_a_name():
    told = CliRunner().invoke(main, ["explain"])
    assert told.exit_code == 0
    for item in (*symptoms(), *remedies()):
        assert sum(line.split()[:1] == [item.name] for line in told.stdout.splitlines()) >= 1
    assert json.loads(CliRunner().invoke(main, ["explain", "--format", "json"]).stdout).keys() == pages.GROUPS.keys()


def test_command_explains_one():
    assert CliRunner().invoke(main, ["explain", "slow"]).stdout == f"{explain('slow')}\n"
    told = CliRunner().invoke(main, ["explain", "slow", "--format", "json"])
    assert json.loads(told.stdout) == explain("slow").to_dict()
    told = CliRunner().invoke(main, ["explain", "slow", "--format", "markdown"])
    assert told.stdout == f"{explain('slow').markdown()}\n"
    assert "plateau: " in CliRunner().invoke(main, ["explain", "symptoms"]).stdout


def test_command_tells_of_an_unknown_name():
    told = CliRunner().invoke(main, ["explain", "platau"])
    assert told.exit_code == 2
    assert told.stdout == ""
    assert "Did you mean 'plateau'?" in told.stderr


@pytest.mark.parametrize("arguments", [["explain"], ["explain", "dead_units"], ["explain", "slow", "--format", "json"]])
def test_command_imports_no_framework(arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    imported = done.stderr.rsplit("imported:", 1)[1]
    assert not any(name in imported for name in ("tensorflow", "keras", "optuna", "sklearn")), imported


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("DEAD_UNITS", dead_units.BORN),
        ("NON_FINITE_LOSS", non_finite_loss.OF_DATA),
        ("NON_FINITE_LOSS", non_finite_loss.OF_STEPS),
        *(("WEIGHTS_UNCHANGED", start) for start in weights_unchanged.CAUSES.values()),
        ("BAD_INITIALIZATION", "Kernels were set"),
        ("BAD_INITIALIZATION", "An initializer was set"),
        ("BAD_INITIALIZATION", "Biases were given"),
    ],
)
def test_a_rule_that_saw_the_cause_names_it_first(name, start):
    found = causes_led_by(name, start)
    assert found[0].startswith(start)
    assert sorted(found) == sorted(likely_causes(name))
