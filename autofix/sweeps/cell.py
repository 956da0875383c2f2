"""`Cell`: one repair of a sweep; `plan`: the cells that a config stands for."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autofix.config.paths import file_of, inside, is_safe_name
from autofix.errors import FixYourCall
from autofix.job import Job
from autofix.sweeps.config import Sweep, data_name, model_name, set_name

# Bytes of a file that are read to tell it from others; its size counts in any case.
HASHED = 256 * 2**20
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
        job = {key: value for key, value in self.job.to_dict().items() if key not in ("out", "storage", "jobs", "allow_unsafe")}
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
    inputs = {spec: fingerprint(spec) for spec in _specs(sweep)}
    cells = []
    for model, data, strategies, seed in itertools.product(sweep.models, sweep.data, sweep.strategies, sweep.seeds):
        settings = {**sweep.repair.given(), **model.repair.given(), **data.repair.given()}
        if strategies.use is not None:
            settings["strategies"] = strategies.use
        job = Job(
            model=model.source,
            data=data.source,
            out="",
            target_column=data.target_column,
            validation_data=data.validation_data,
            seed=seed,
            allow_unsafe=allow_unsafe,
            **settings,
        )
        used = "-".join(inputs[spec] for spec in (job.model, job.data, job.validation_data) if spec is not None)
        cells.append(Cell(model_name(model), data_name(data), set_name(strategies), job, used).placed(Path(sweep.out)))
    return tuple(cells)


def fingerprint(spec: str) -> str:
    """Returns what tells the content of a model or data set from any other, 16 letters long.

    Raises:
        FixYourCall: If it cannot be read.
    """
    file = file_of(spec)
    digest = hashlib.sha256()
    if file is None:
        digest.update(spec.encode())
        return digest.hexdigest()[:16]
    path = Path(file)
    digest.update(spec.removeprefix(file).encode())  # the function
    try:
        for part in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if part.is_file():
                _digest_file(part, path, digest)
    except OSError as error:
        raise FixYourCall(f"{file!r} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()[:16]


def _digest_file(part: Path, root: Path, digest: Any) -> None:
    digest.update(f"{part.relative_to(root)}:{part.stat().st_size}:".encode())
    left = HASHED
    with part.open("rb") as content:
        while left > 0 and (block := content.read(min(left, 2**20))):
            digest.update(block)
            left -= len(block)


def _specs(sweep: Sweep) -> list[str]:
    specs = [model.source for model in sweep.models] + [data.source for data in sweep.data]
    return specs + [data.validation_data for data in sweep.data if data.validation_data is not None]
