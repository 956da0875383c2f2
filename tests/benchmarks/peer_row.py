"""One measurement in a process of its own: `python -m tests.benchmarks.peer_row CONTENDER PATH SEED UNIT OUT`.

What is imported beforehand costs nobody anything: TensorFlow, the tuners, autofix. The clock starts when the author's
model and data are there.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.quality.cases import Case
from tests.quality.row import repair
from tests.quality.runner import budget_seconds

from .peer_curve import MULTIPLES

CONTENDERS: Mapping[str, str] = {
    "autofix": "autofix.repair",
    "tpe": "Optuna TPE, median pruner",
    "random": "random search",
    "hyperband": "KerasTuner Hyperband",
    "ladder": "AutoTrainer's ladder",
    "longer": "train longer",
}


def autofix_row(case: Case, seed: int, unit: float) -> dict[str, Any]:
    """One call of `autofix.repair`; what it hands over counts from its end."""
    import autofix

    # The attribute is imported when first asked for.
    _ = autofix.repair
    measured = repair(case, seed, budget_seconds(f"{MULTIPLES[-1]:g}x", unit, crashed=False))
    score, seconds = measured["repaired_score"], measured["repair_seconds"]
    curve = [] if score is None else [[seconds, None, score]]
    return {"curve": curve, "seconds": seconds, "status": measured["status"]}


def peer_row(contender: str, case: Case, seed: int, unit: float) -> dict[str, Any]:
    """One peer on one case, for as many units as everyone has."""
    import keras

    from .peer_ladder import ladder
    from .peer_program import Program
    from .peer_race import Parts, Race
    from .peer_search import hyperband, longer, random_search, tpe
    from .peer_space import Space

    if contender == "hyperband":
        import keras_tuner  # noqa: F401
        from tensorboard.plugins.hparams import api  # noqa: F401  # KerasTuner does so in its first trial

    # The scripts are our own.
    keras.config.enable_unsafe_deserialization()
    script = case.load()
    train, test = script.data(seed)
    parts = Parts.split(script.task, train, test, seed)
    model = script.model(seed)
    race = Race(script.task, parts, seed, MULTIPLES[-1] * unit)
    program = Program.of(model, script.fit, parts.fit[0])
    tuners: Mapping[str, Callable[..., None]] = {"tpe": tpe, "random": random_search, "hyperband": hyperband}
    if contender in tuners:
        tuners[contender](race, program, Space.of(program, script.task, train[1]))
    elif contender == "ladder":
        ladder(race, program)
    else:
        longer(race, program, model)
    curve = [[point.seconds, point.validation, point.test] for point in race.curve]
    return {
        "curve": curve,
        "seconds": race.clock.seconds,
        "trials": race.trials,
        "crashes": race.crashes,
        "messages": race.messages,
    }


def main(arguments: list[str]) -> int:
    """Measure and leave the result as JSON in the file named by the parent."""
    contender, path, seed, unit, out = arguments
    case = Case("broken", Path(path))
    try:
        if contender == "autofix":
            measured = autofix_row(case, int(seed), float(unit))
        else:
            measured = peer_row(contender, case, int(seed), float(unit))
    except Exception as error:
        traceback.print_exc()
        measured = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    Path(out).write_text(json.dumps(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
