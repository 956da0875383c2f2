"""The training, in processes below this one: started again where they die, ended with this one. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable

from autofix.job import Job
from autofix.retraining.asked import Asked
from autofix.retraining.running import Ended, Train
from autofix.retraining.work import Work

EXECUTE = "autofix.retraining.training:execute"
# Imported once by the server; the process that trains is forked from it.
PRELOAD = ("autofix.retraining.training", "autofix.conductor", "autofix.isolation.worker")


def trainer(say: Callable[[str], None]) -> Train:
    """Returns what trains in another process; see `autofix.supervisor.supervise`.

    Args:
        say: Told how far it is.
    """

    def train(work: Work, asked: Asked) -> Ended:
        from autofix.supervisor import supervise

        job = Job(model=asked.model, data=asked.data, out=str(work.folder), jobs=asked.jobs)
        end = supervise([job], say=say, execute=EXECUTE, preload=PRELOAD)[0]
        return Ended(end.exit, end.error)

    return train
