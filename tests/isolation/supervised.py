"""`python -m tests.isolation.supervised OUT PLAY...`: a supervisor as a command of its own, to send signals to."""

from __future__ import annotations

import sys
from pathlib import Path

from autofix.job import Job
from autofix.supervisor import supervise
from tests.isolation.fakes import QUICK

if __name__ == "__main__":
    out, *plays = sys.argv[1:]
    ended = supervise(
        [Job(play, "data", str(Path(out) / play)) for play in plays],
        slots=len(plays),
        say=lambda line: print(line, file=sys.stderr),
        execute="tests.isolation.fakes:execute",
        preload=QUICK,
    )
    heavy = {"tensorflow", "keras", "optuna", "pandas", "sklearn"} & set(sys.modules)
    print([one.exit.name for one in ended], sorted(heavy))
    sys.exit(max(int(one.exit) for one in ended))
