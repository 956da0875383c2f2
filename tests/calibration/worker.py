"""Some runs in a process of their own: `python -m tests.calibration.worker FOLDER NAME ...`.

TensorFlow keeps 14-18 MB of every program that it compiled, so the parent gives a process a bounded number of runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .measure import measure
from .plan import Job
from .store import Store


def main(arguments: list[str]) -> int:
    """Makes the named runs and keeps what they showed."""
    store = Store(Path(arguments[0]))
    for name in arguments[1:]:
        job = Job.named(name)
        store.put(job, measure(job.program()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
