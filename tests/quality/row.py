"""One measurement in a process of its own: `python -m tests.quality.row STAGE KIND PATH SEED OUT [BUDGET]`.

The baseline stage trains the author's program and the one mended by hand; the repair stage calls `autofix.repair`.
"""

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from .cases import Case, Script
from .scoring import floor, score


def baseline(case: Case, seed: int) -> dict[str, Any]:
    """Train the faulty and the reference program with plain `fit` and score both on the held-back part."""
    script = case.load()
    faulty = _plain_fit(script, script.model, script.fit, seed, mended=False)
    measured: dict[str, Any] = {f"faulty_{key}": value for key, value in faulty.items()}
    if case.kind == "broken":
        reference = _plain_fit(script, script.reference, script.reference_fit, seed, mended=True)
        measured |= {f"reference_{key}": value for key, value in reference.items()}
    return measured


def _plain_fit(script: Script, build: Any, settings: dict[str, Any], seed: int, mended: bool) -> dict[str, Any]:
    train, (x_test, y_test) = script.data(seed)
    started = time.perf_counter()
    try:
        if mended:
            train = script.reference_data(*train)
            x_test, y_test = script.reference_data(x_test, y_test)
        model = build(seed)
        started = time.perf_counter()
        model.fit(*train, verbose=0, **settings)
        seconds = time.perf_counter() - started
        outputs = model.predict(x_test, batch_size=256, verbose=0)
        return {"score": score(script.task, y_test, outputs), "seconds": seconds, "error": None}
    except Exception as error:  # a run that cannot even start is one of the faults of the gallery
        seconds = time.perf_counter() - started
        message = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return {"score": floor(script.task, y_test), "seconds": seconds, "error": message}


def repair(case: Case, seed: int, budget: float) -> dict[str, Any]:
    """Repair the author's program and score what comes back on the held-back part."""
    import autofix

    script = case.load()
    train, (x_test, y_test) = script.data(seed)
    model = script.model(seed)
    started = time.perf_counter()
    result = autofix.repair(model, train, budget=budget, seed=seed, **script.fit)
    seconds = time.perf_counter() - started
    print(result)
    changes = [change.path for change in result.changes]
    repaired = None
    if changes and result.model is not None:
        classes = getattr(result, "classes", None)
        repaired = score(script.task, y_test, result.model.predict(x_test, batch_size=256, verbose=0), classes)
    return {"status": result.status, "repaired_score": repaired, "repair_seconds": seconds, "changes": changes}


def main(arguments: list[str]) -> int:
    """Run one stage and leave its measurement as JSON in the file named by the parent."""
    stage, kind, path, seed, out = arguments[:5]
    case = Case(kind, Path(path))
    try:
        if stage == "baseline":
            measured = baseline(case, int(seed))
        else:
            measured = repair(case, int(seed), float(arguments[5]))
    except Exception as error:
        traceback.print_exc()
        measured = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    Path(out).write_text(json.dumps(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
