"""`python -m tests.code.gallery`: patch every script of the gallery, run it, and compare with the repaired score.

A repair costs seconds a script, so that what it found is kept in a file until the script changes.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from autofix.change import Patch
from autofix.code.patching import Proposal, propose
from autofix.recipe import Recipe
from tests.quality.cases import Case, Script, discover
from tests.quality.scoring import score

CACHE = Path(tempfile.gettempdir()) / "autofix-gallery-patches.json"
# Seconds for a repair: more than the 10 a gallery script needs, since machines are shared.
BUDGET = 90
# A run on other rows and from other weights scores within this much of what the repair measured.
TOLERANCE = 0.05
# The share of the gallery that has to reach its repaired score.
BAR = 0.9


@dataclass(frozen=True)
class Found:
    """What a repair of a gallery script found."""

    recipe: Recipe
    patch: Patch
    after: float | None
    retrained: bool

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Found":
        after = document["after"]
        return cls(
            Recipe.from_dict(document["recipe"]),
            Patch.from_dict(document),
            None if after is None else float(after["mean"]),
            bool(document["retrained"]),
        )


def found(case: Case, cache: Path = CACHE) -> Found:
    """What the repair of a script found: kept from before, or found now."""
    kept = json.loads(cache.read_text()) if cache.exists() else {}
    entry = kept.get(case.name)
    if entry is None or entry["digest"] != case.digest or entry["after"] is None:
        import autofix

        script = case.load()
        result = autofix.repair(script.model(0), script.data(0)[0], seed=0, budget=BUDGET, **script.fit)
        keys = ("status", "changes", "recipe", "metric", "before", "after", "notes", "retrained")
        entry = {"digest": case.digest, **{key: result.to_dict()[key] for key in keys}}
        cache.write_text(json.dumps({**kept, case.name: entry}))
    return Found.of(entry)


def patched(case: Case, known: Found) -> Proposal:
    """What a patch makes of a script."""
    return propose(case.path.read_bytes(), known.recipe, known.patch, name=case.path.name)


def load(name: str, content: bytes) -> Script:
    """Import a script from its text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.py"
        path.write_bytes(content)
        spec = importlib.util.spec_from_file_location(f"patched_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return Script(module)


def run(script: Script, known: Found) -> float:
    """The score of a script's own model, fitted with its own settings, on the rows that it holds back."""
    (x, y), (x_test, y_test) = script.data(0)
    net = script.model(0)
    if known.retrained:
        net.fit(x, y, verbose=0, **script.fit)
    return score(script.task, y_test, net.predict(x_test, verbose=0))


def main(arguments: list[str] | None = None) -> int:
    """Print one line a script; 0 when nine tenths of the gallery reach their repaired score."""
    parser = argparse.ArgumentParser(prog="python -m tests.code.gallery", description=__doc__)
    parser.add_argument("scripts", nargs="*", default=["*"], help="patterns of names (default: all)")
    options = parser.parse_args(arguments)
    good = 0
    cases = [case for case in discover(["broken"]) if any(fnmatch(case.name, item) for item in options.scripts)]
    print(f"{'script':28} {'repaired':>9} {'patched':>8}  by hand")
    for case in cases:
        known = found(case)
        if known.after is None:
            print(f"{case.name:28} {'-':>9} {'-':>8}  no repair was found", flush=True)
            continue
        proposal = patched(case, known)
        reached = run(load(case.name, proposal.content), known) if proposal.diff else float("nan")
        is_good = reached >= known.after - TOLERANCE
        good += is_good
        left = "; ".join(item.split(":")[0] for item in proposal.by_hand) or "-"
        print(
            f"{case.name:28} {known.after:9.3f} {reached:8.3f}  {left}{'' if is_good else '  FALLS SHORT'}", flush=True
        )
    print(f"{good} of {len(cases)} reach their repaired score")
    return 0 if good >= BAR * len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
