"""Config files: all that is wrong, where it is, and nothing run from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from autofix.cli import main
from autofix.config import KINDS, FixYourConfig, example, read, schema
from autofix.config.lines import LARGEST, parse
from autofix.config.paths import inside, resolved, safe_name
from autofix.errors import FixYourCall
from autofix.sweeps.config import Sweep

GOOD = "out: runs\nmodels: [a.keras]\ndata: ['sklearn:digits']\n"


def faults(folder: Path, text: str | bytes, *, present: bool = False) -> list[str]:
    """What is wrong with a sweep's config, as ``line:column: message``."""
    path = folder / "sweep.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FixYourConfig) as caught:
        read(path, Sweep, present=present)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_reads_a_minimal_sweep_with_paths_relative_to_its_folder(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(GOOD)
    sweep = read(path, Sweep)
    assert sweep.models[0].source == str(tmp_path / "a.keras")
    assert sweep.data[0].source == "sklearn:digits"
    assert sweep.out == str(tmp_path / "runs")
    assert sweep.seeds == (0,)


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path):
    text = """\
out: runs
models:
  - {sorce: b.keras, repair: {epochs: 0, weights: kep}}
data: []
strategies: [lerning_rate]
seeds: [0, "1"]
jobs: yes
repair: {budget: 5y}
sedes: 1
"""
    told = faults(tmp_path, text)
    assert [line.split(": ")[0] for line in told] == [
        "3:5",
        "3:6",
        "3:39",
        "3:51",
        "4:7",
        "5:14",
        "6:12",
        "7:7",
        "8:18",
        "9:1",
    ]
    assert "`models[0].source` is missing" in told[0]
    assert "Did you mean 'source'?" in told[1]
    assert "must be at least 1. Received: 0." in told[2]
    assert "Did you mean 'keep'?" in told[3]
    assert "must not be empty" in told[4]
    assert "Did you mean 'learning_rate'?" in told[5]
    assert 'must be a whole number. Received: "1".' in told[6]
    assert 'Received: "yes"' in told[7]
    assert "'5y'" in told[8]
    assert "Did you mean 'seeds'?" in told[9]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "1:1: the file is empty"),
        (b"# only a comment\n", "1:1: the file is empty"),
        (b"- a\n- b\n", "1:1: the file must be a mapping"),
        (b"out: runs\nout: other\n", "2:1: `out` is set twice, first in line 1"),
        (b"a: !!python/object/apply:os.system [id]\n", "1:4: a config must not hold tags"),
        (b"a: !secret x\n", "1:4: a config must not hold tags"),
        (b"a: &x [1]\nb: *x\n", "2:4: a config must not hold aliases"),
        (b"a: 1\n---\nb: 2\n", "2:1: a config must be one document"),
        (b"a: [1, 2\nb: 3\n", "2:2: this is not YAML"),
        (b"a:\n\t- b\n", "2:1: this is not YAML"),
        (b"a: \x01\n", "1:1: this is not YAML: it holds a control character"),
        (b"a: b\nc: \xff\xfe\n", "2:1: a config file must be text in UTF-8"),
        (b"[" * 500 + b"]" * 500, "1:101: a config must not be nested deeper than 100 levels"),
        (b"#" * (LARGEST + 1), f"1:1: a config file must not be larger than {LARGEST} bytes"),
        (b"? [a, b]\n: c\n", "1:3: a key must be one word"),
        (b"seeds: [.nan]\n", "1:9: a number must be finite"),
        (b"seeds: [" + b"9" * 5000 + b"]\n", "1:9: a number must be finite"),
        (GOOD.encode() + b"seeds: [1, 1]\n", "4:8: `seeds`: each seed must be given once"),
        (GOOD.encode() + b"study: ../x\n", "4:8: `study` must be at most 100 letters"),
        (GOOD.encode() + b"repair: {target: high}\n", "4:18: `repair.target` must be a number"),
        (GOOD.encode() + b"repair: {class_weight: [1, 2]}\n", "4:24: `repair.class_weight` must be a mapping"),
        (GOOD.encode() + b"repair: {shuffle: on}\n", "4:19: `repair.shuffle` must be true or false"),
        (b"out: runs\nmodels: [a.keras, x/a.h5]\ndata: [d.csv]\n", "1:1: `models` has two entries called 'a'"),
    ],
)
def test_hostile_and_broken_files_are_refused_with_their_place(tmp_path, text, told):
    assert faults(tmp_path, text)[0].startswith(told)


def test_passwords_stay_out_of_configs_and_of_messages(tmp_path):
    told = faults(tmp_path, GOOD + "storage: postgresql://me:secret@host/db\n")
    assert "must not hold a password" in told[0]
    told = faults(tmp_path, GOOD + "jobs: postgresql://me:secret@host/db\n")
    assert "secret" not in told[0]


def test_a_missing_file_is_told_where_it_is_named(tmp_path):
    (tmp_path / "a.keras").touch()
    assert faults(tmp_path, GOOD.replace("a.keras", "a.keras, b.keras"), present=True)[0].startswith(
        "2:19: `models[1]`"
    )


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(FixYourCall, match="cannot be read"):
        read(tmp_path / "none.yaml", Sweep)


def test_scalars_are_those_of_yaml_1_2():
    assert parse(b"[no, 12:30, 2026-01-01, 1e-3, 0x10, true, ~, '1']").value == (
        "no",
        "12:30",
        "2026-01-01",
        0.001,
        "0x10",
        True,
        None,
        "1",
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("a.npz", "/f/a.npz"),
        ("/abs/a.npz", "/abs/a.npz"),
        ("m.py:build", "/f/m.py:build"),
        ("pkg.mod:build", "pkg.mod:build"),
        ("sklearn:digits", "sklearn:digits"),
    ],
)
def test_sources_are_resolved_by_what_they_are(spec, expected):
    assert resolved(spec, Path("/f")) == expected


def test_code_without_a_function_is_told_where_it_is_named(tmp_path):
    told = faults(tmp_path, GOOD.replace("a.keras", "models.py"))
    assert told[0].startswith("2:10: `models[0]`: a Python file needs the name of a function")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", ".", "link/x"])
def test_outputs_stay_in_their_folder(tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    with pytest.raises(FixYourCall, match="must stay in"):
        inside(tmp_path / "out", name)
    assert inside(tmp_path / "out", "a/b") == tmp_path / "out" / "a" / "b"


def test_any_text_becomes_a_name_of_a_folder():
    assert safe_name("../é x/..") == "x"
    assert safe_name("///") == "unnamed"


@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_example_is_valid_and_the_schema_describes_it(kind, tmp_path):
    if kind == "pipeline":
        pytest.importorskip("autofix.retraining.config")
    from autofix.config import model

    path = tmp_path / f"{kind}.yaml"
    path.write_text(CliRunner().invoke(main, ["config", "example", kind]).stdout)
    read(path, model(kind))
    document = json.loads(CliRunner().invoke(main, ["config", "schema", kind]).stdout)
    assert document == json.loads(schema(kind))
    assert set(parse(example(kind).encode()).value) <= set(document["properties"])
    assert all("description" in item for item in document["properties"].values())


def test_the_example_of_a_sweep_shows_every_setting():
    known = json.loads(schema("sweep"))
    for name in set(known["properties"]) | (set(known["$defs"]["Repair"]["properties"]) - {"strategies"}):
        assert f"{name}:" in example("sweep"), name
