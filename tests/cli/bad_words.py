"""Options, config files, patches and run folders that cannot be used."""

from __future__ import annotations

from tests.cli import hostile
from tests.cli.cases import USAGE, Case, copied, inserted, linked_run, raw, run_folder, stale, text
from tests.cli.hostile import TOUCH

BOMB_YAML = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n"
HOSTILE_YAML = f"epochs: !!python/object/apply:exec [{TOUCH!r}]\n"
CODE = f"{TOUCH}\ndef load_data():\n    return None\n"

OPTIONS = [
    Case("a command misspelled", "repiar MODEL DATA", USAGE, ("Did you mean 'repair'",)),
    Case("an option misspelled", "repair MODEL DATA --epoch 3", USAGE, ("--epochs",)),
    Case("no epochs", "repair MODEL DATA --epochs 0", USAGE, ("--epochs", "0")),
    Case("epochs in words", "repair MODEL DATA --epochs many", USAGE, ("--epochs", "many")),
    Case("a batch of a half", "repair MODEL DATA --batch-size 0.5", USAGE, ("--batch-size",)),
    Case("a budget without a unit that is known", "repair MODEL DATA --budget 3d", USAGE, ("30m", "10x")),
    Case("a budget of nothing", "repair MODEL DATA --budget 0s", USAGE, ("--budget", "10x")),
    Case("a strategy misspelled", "repair MODEL DATA --strategies activatoin", USAGE, ("Did you mean 'activation'",)),
    Case("a strategy twice", "repair MODEL DATA --strategies activation,activation", USAGE, ("twice",)),
    Case("weights of classes without numbers", "repair MODEL DATA --class-weight a", USAGE, ("0=1,1=5",)),
    Case("weights of classes below zero", "repair MODEL DATA --class-weight 0=-1", USAGE, ("0=1,1=5",)),
    Case("weights that are none of three", "repair MODEL DATA --weights fresh", USAGE, ("auto", "keep")),
    Case("a metric that nobody knows", "repair MODEL DATA --metric acuracy", USAGE, ("acuracy", "accuracy")),
    Case("a seed below zero", "repair MODEL DATA --seed -1", USAGE, ("--seed",)),
    Case("no slots", "repair MODEL DATA --jobs 0", USAGE, ("--jobs",)),
    Case("a format that is none", "repair MODEL DATA --format xml", USAGE, ("table", "json")),
    Case("no data", "repair MODEL", USAGE, ("--data",)),
    Case("an empty name", "repair MODEL --data=", USAGE, ("--data", "empty")),
    Case("a file as run folder", "repair MODEL DATA --out a.txt", USAGE, ("folder", "a.txt"), text("a.txt", "")),
    Case("a file above the run folder", "repair MODEL DATA --out a.txt/x", USAGE, ("folder", "a.txt"),
         text("a.txt", "")),
    Case("a run folder that leads elsewhere", "repair MODEL DATA --out run", USAGE, ("autofix.log", "another --out"),
         linked_run),
    Case("an address without a database", "repair MODEL DATA --storage localhost", USAGE, ("postgresql://",)),
    Case("a shell that nobody knows", "completion tcsh", USAGE, ("bash",)),
    Case("a symptom misspelled", "explain dead_unit", USAGE, ("dead_units",)),
]  # fmt: skip

CONFIGS = [
    Case("no such config", "repair MODEL DATA --config c.yaml", USAGE, ("no config file", "--config")),
    Case("a folder as config", "repair MODEL DATA --config c", USAGE, ("cannot be read", "--config"),
         lambda f, m: (f / "c").mkdir()),
    Case("a config that is no YAML", "repair MODEL DATA", USAGE, ("autofix.yaml", "YAML"),
         text("autofix.yaml", "a: [")),
    Case("a config that is no mapping", "repair MODEL DATA", USAGE, ("autofix.yaml", "epochs: 20"),
         text("autofix.yaml", "- epochs")),
    Case("a config that runs code", "repair MODEL DATA", USAGE, ("YAML",), text("autofix.yaml", HOSTILE_YAML)),
    Case("a config that grows", "repair MODEL DATA", USAGE, ("aliases",), text("autofix.yaml", BOMB_YAML)),
    Case("a config in bytes", "repair MODEL DATA", USAGE, ("cannot be read",), raw("autofix.yaml", b"\xff\xfe\x00")),
    Case("a config of a gigabyte", "repair MODEL DATA", USAGE, ("by hand",), raw("autofix.yaml", b"#" * 2_000_000)),
    Case("a setting misspelled", "repair MODEL DATA", USAGE, ("line 2", "Did you mean 'epochs'"),
         text("autofix.yaml", "seed: 1\nepoch: 3\n")),
    Case("a setting of the wrong type", "repair MODEL DATA", USAGE, ("`epochs`", "autofix.yaml", "many"),
         text("autofix.yaml", "epochs: many\n")),
    Case("yes for a number", "repair MODEL DATA", USAGE, ("`epochs`", "True"), text("autofix.yaml", "epochs: yes\n")),
    Case("several values for one", "repair MODEL DATA", USAGE, ("line 1", "single"),
         text("autofix.yaml", "epochs: [1, 2]\n")),
    Case("a config that allows code", "repair lambda.keras DATA", USAGE, ("--allow-unsafe",), lambda f, m: [
        copied("lambda.keras")(f, m), text("autofix.yaml", "allow_unsafe: true")(f, m)]),
    Case("a config that nobody named and that names code", "repair MODEL", USAGE, ("names code", "--config"),
         lambda f, m: [text("autofix.yaml", "data: evil.py:load_data")(f, m), text("evil.py", CODE)(f, m)]),
    Case("a config that nobody named and that names a database", "repair MODEL DATA", USAGE, ("elsewhere", "--config"),
         text("autofix.yaml", "storage: sqlite:////tmp/x.db")),
    Case("a config that nobody named and that lists code", "sweep MODEL", USAGE, ("names code", "--config"),
         text("autofix.yaml", "data: [a.csv, evil.py:load_data]")),
    Case("a config that nobody named and that opens a folder", "worker --storage sqlite:///x.db --study s", USAGE,
         ("elsewhere", "--config"), text("autofix.yaml", "folder: /")),
    Case("a config that writes elsewhere", "repair MODEL DATA", USAGE, ("stay below", "--out"),
         text("autofix.yaml", "out: ../elsewhere\n")),
    Case("a config that writes to the root", "repair MODEL DATA", USAGE, ("stay below", "--out"),
         text("autofix.yaml", "out: /etc/autofix\n")),
]  # fmt: skip

OTHERS = [
    Case("no such patch", "apply pacth.yaml MODEL -o o.keras", USAGE, ("Did you mean 'patch.yaml'",),
         text("patch.yaml", "changes: []")),
    Case("a patch that runs code", "apply patch.yaml MODEL -o o.keras", USAGE, ("YAML",),
         text("patch.yaml", HOSTILE_YAML)),
    Case("a patch that grows", "apply patch.yaml MODEL -o o.keras", USAGE, ("aliases",), text("patch.yaml", BOMB_YAML)),
    Case("a patch that is a list", "apply patch.yaml MODEL -o o.keras", USAGE, ("mapping",), text("patch.yaml", "- 1")),
    Case("a patch of words", "apply patch.yaml MODEL -o o.keras", USAGE, ("not a patch",),
         text("patch.yaml", "changes: [a]")),
    Case("a patch nested without end", "apply p.json MODEL -o o.keras", USAGE, ("no patch",),
         raw("p.json", hostile.nested(200_000))),
    Case("a patch in bytes", "apply patch.yaml MODEL -o o.keras", USAGE, ("no patch",), raw("patch.yaml", b"\xff\xfe")),
    Case("a folder without a patch", "apply run MODEL -o o.keras", USAGE, ("patch.yaml",), run_folder("a.txt", "")),
    Case("a patch for another value", "apply patch.json MODEL -o o.keras", USAGE, ("'tanh'", "'relu'", "Diagnose"),
         stale("layers/dense/activation", "tanh")),
    Case("a patch for another model", "apply patch.json MODEL -o o.keras", USAGE, ("'dense_77'", "Known"),
         stale("layers/dense_77/activation", "relu")),
    Case("a patch of another program", "apply patch.json MODEL -o o.keras", USAGE, ("`path`", "layers"),
         stale("model/dense/activation", "relu")),
    Case("a patch that leaves no model", "apply patch.json MODEL -o o.keras", USAGE, ("patch", "for this model"),
         stale("layers/dense/units", 8)),
    Case("a patch with a Lambda layer", "apply patch.json MODEL -o o.keras", USAGE, ("Lambda", "--allow-unsafe"),
         inserted({"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": "4wE="}})),
    Case("a patch that downloads", "apply patch.json MODEL -o o.keras", USAGE, ("not in it", "load_data"),
         inserted({"module": "keras.layers", "class_name": "Dense", "config": {"name": "d", "units": 4,
         "activation": hostile.function("load_data", "keras.datasets.mnist")}})),
    Case("a patch that reads a file", "apply patch.json MODEL -o o.keras", USAGE, ("vocabulary", "/etc/passwd"),
         inserted({"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}})),
    Case("a patched model of another type", "apply run MODEL -o o.h5", USAGE, (".keras",)),
    Case("retraining on nothing", "apply run MODEL -o o.keras --retrain", USAGE, ("--data",)),
    Case("data for nothing", "apply run MODEL -o o.keras DATA", USAGE, ("--retrain",)),
    Case("the state of nothing", "status run", USAGE, ("run folder",)),
    Case("the state of a file", "status a.txt", USAGE, ("run folder",), text("a.txt", "")),
    Case("the state of a folder of something", "status run", USAGE, ("run folder",), run_folder("a.txt", "")),
    Case("a result that was torn", "report run", USAGE, ("metrics.json", "JSON"), run_folder("metrics.json", '{"st')),
    Case("a report of nothing", "report run", USAGE, ("no result", "--out"), run_folder("a.txt", "")),
    Case("a check of nothing", "check m.keras", USAGE, ("no model", "path")),
    Case("a diagnosis of nothing", "diagnose MODEL --data t.csv", USAGE, ("no data", "path")),
]  # fmt: skip

CASES = [*OPTIONS, *CONFIGS, *OTHERS]
