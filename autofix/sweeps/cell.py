"""`Cell`: one repair of a sweep; `plan`: the cells that a config stands for."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autofix.config.paths import inside, is_safe_name
from autofix.errors import FixYourCall
from autofix.job import Job
from autofix.sources.fingerprint import identify
from autofix.sources.spec import code_of
from autofix.sweeps.config import Sweep, data_name, model_name, set_name

CELLS = "cells"


@dataclass(frozen=True)
class Cell:
    """One repair of a sweep.

    Attributes:
        model: Name of the model.
        data: Name of the data set.
        strategies: Name of the set of strategies.
        job: The repair.
        inputs: Fingerprint of model and data.
    """

    model: str
    data: str
    strategies: str
    job: Job
    inputs: str

    @property
    def name(self) -> str:
        """Its name, which is the path of its folder too."""
        return f"{self.model}/{self.data}/{self.strategies}/seed-{self.job.seed}"

    def to_dict(self) -> dict[str, Any]:
        """Returns the cell as JSON-ready data, without anything of the machine that it was planned on."""
        job = {
            key: value
            for key, value in self.job.to_dict().items()
            if key not in ("out", "storage", "jobs", "allow_unsafe")
        }
        return {
            "model": self.model,
            "data": self.data,
            "strategies": self.strategies,
            "job": job,
            "inputs": self.inputs,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Cell:
        """Reads what `to_dict` wrote; it may have been written by anybody.

        Raises:
            FixYourCall: If it is no cell, or its name is none of a folder.
        """
        try:
            cell = cls(
                str(document["model"]),
                str(document["data"]),
                str(document["strategies"]),
                Job.from_dict({**document["job"], "out": "", "storage": None, "jobs": 1, "allow_unsafe": False}),
                str(document["inputs"]),
            )
        except (KeyError, TypeError) as error:
            raise FixYourCall(f"the study holds what is no cell of a sweep: {error!r} is missing or wrong.") from error
        for name in (cell.model, cell.data, cell.strategies):
            if not is_safe_name(name):
                raise FixYourCall(f"the study names a folder that could be anywhere. Received: {name!r}.")
        return cell

    def placed(self, folder: Path) -> Cell:
        """Returns the cell with its run folder inside the folder of a sweep."""
        return replace(self, job=replace(self.job, out=str(inside(folder / CELLS, self.name))))


def plan(sweep: Sweep, *, allow_unsafe: bool = False) -> tuple[Cell, ...]:
    """Returns the cells of a sweep: models x data sets x sets of strategies x seeds, in this order.

    Args:
        sweep: The config.
        allow_unsafe: Whether model files may hold Lambda layers.

    Raises:
        FixYourCall: If a model or data set cannot be read.
    """
    # Each file is read once, however many cells use it.
    cells, identified = [], functools.cache(_identified)
    for model, data, strategies, seed in itertools.product(sweep.models, sweep.data, sweep.strategies, sweep.seeds):
        settings = {**sweep.repair.given(), **model.repair.given(), **data.repair.given()}
        if strategies.use is not None:
            settings["strategies"] = strategies.use
        job = Job(
            model=model.source,
            data=data.source,
            out="",
            target_column=data.target_column,
            drop_columns=data.drop_columns,
            validation_data=data.validation_data,
            seed=seed,
            allow_unsafe=allow_unsafe,
            **settings,
        )
        used = inputs_of(job, identified)
        cells.append(Cell(model_name(model), data_name(data), set_name(strategies), job, used).placed(Path(sweep.out)))
    return tuple(cells)


def _identified(spec: str) -> str:
    code = code_of(spec)
    # A module that is named like a package is found by whoever imports it; what it was elsewhere says little.
    return spec if code is not None and not code.is_file else identify(spec)


def inputs_of(job: Job, identified: Callable[[str], str] = _identified) -> str:
    """Returns what changes when the model or the data of a job do.

    Args:
        job: The job.
        identified: Returns what changes when a model or data set does.

    Raises:
        FixYourCall: If they are not there.
        OSError: If they cannot be read.
    """
    return "-".join(identified(spec) for spec in (job.model, job.data, job.validation_data) if spec is not None)
