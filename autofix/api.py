"""The two calls: `repair` and `diagnose`."""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from autofix.arguments import check_arguments, check_places, fit_settings
from autofix.budget import Budget, Clock
from autofix.controller import Controller
from autofix.errors import FixYourCall
from autofix.given import first_rows, read
from autofix.isolation.session import isolated, serving
from autofix.live.handover import refusal, watched_settings
from autofix.pauses import short_pauses
from autofix.progress import Narrator, narrator
from autofix.registry import strategies as registered
from autofix.result import RepairResult
from autofix.session import prepare
from autofix.store import results
from autofix.store.folder import FINISHED, RunFolder
from autofix.store.inputs import Inputs, settings_of
from autofix.store.record import Record
from autofix.store.studies import Shelf, in_database
from autofix.symptom import Diagnosis
from autofix.versions import versions

if TYPE_CHECKING:
    import keras

    from autofix.watch import Watch

logger = logging.getLogger(__name__)


def repair(
    model: keras.Model | Callable[[], keras.Model],
    data: Any,
    *,
    validation_data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    class_weight: Mapping[Any, float] | None = None,
    shuffle: bool = True,
    metric: str | Callable[..., float] = "auto",
    target: float | None = None,
    budget: Budget | str | float = "10x",
    strategies: Sequence[str] | None = None,
    weights: Literal["auto", "keep", "reset"] = "auto",
    watch: Watch | None = None,
    seed: int = 0,
    progress: bool | Literal["auto"] | Narrator = "auto",
    out: str | os.PathLike[str] | None = None,
    storage: str | None = None,
    jobs: int = 1,
) -> RepairResult:
    """Finds out why a run is stuck, searches remedies, and returns a patched, retrained model with the proof.

    Neither `model` nor `data` is changed.

    Args:
        model: A compiled `keras.Model`, or a function without arguments that builds one.
        data: `(x, y)`, `(x, y, sample_weight)`, a `tf.data.Dataset`, a `keras.utils.PyDataset`, or `x` alone for an
            autoencoder. x and y may be arrays, DataFrames, or lists or dicts of arrays.
        validation_data: The same, set apart by you. Without it, rows of `data` are held out.
        epochs: Epochs that you train for; 10 if left out.
        batch_size: Rows in a batch; what the dataset is batched with, else 32.
        class_weight: Weight per class, as in `fit`.
        shuffle: Whether `fit` draws the rows in a new order every epoch, as it does by default.
        metric: "auto" (balanced accuracy, or R2 for regression), the name of a scikit-learn scorer, or a function
            `(y_true, y_pred) -> float`, higher is better.
        target: A score that is good enough; the search stops at the first candidate that reaches it.
        budget: Seconds, a duration such as "30m", multiples of one run of the model such as "10x" (at least 20
            seconds), or a `Budget`.
        strategies: Names of the strategies to use; all of them if left out.
        weights: "auto" keeps frozen and pretrained weights and starts everything else fresh; "keep" starts from the
            weights the model came with; "reset" starts everything but frozen layers fresh.
        watch: An `autofix.Watch` that saw the last `fit` of the model. Its run stands for the one that would be made
            first, as far as it tells as much, and its `epochs`, `batch_size` and `class_weight` hold unless given here.
        seed: Seed of splits, initial weights, data order and search.
        progress: Whether to report on stderr; "auto" does so in a terminal. A function
            `(phase, outcome, clock)` is told instead of each new phase and each finished run.
        out: Folder in which everything is kept: the result, every run that was made, the search. The same call with
            the same folder goes on where it was interrupted, with what is left of its budget, and returns at once if
            it was finished.
        storage: URL of a database, such as "postgresql://user@host/name", that keeps the search's study; a journal
            file in the folder `out` if left out, which `optuna-dashboard` opens.
        jobs: Runs to make at the same time. More than one are made in processes of their own, which takes some 10
            seconds to set up and 200 MB of memory for each; a run that kills its process then ends that run alone.

    Returns:
        A `RepairResult`: `result.model`, `result.changes`, and `print(result)` for the change log.

    Raises:
        FixYourCall: If an argument is wrong, or `out` belongs to a repair of something else.
        FixYourData: If the data cannot be read.
        FixYourModel: If the model is not compiled or cannot be read.
        FixTheCrash: If one run after the other kills its process.
        TryLater: If another process is writing to `out`, or the database does not answer.

    Example:
        >>> result = autofix.repair(model, (x_train, y_train), epochs=20)
        >>> print(result)
        >>> result.model.predict(x_test)
    """
    clock = Clock(Budget.of(budget))
    chosen = registered(strategies)
    fit = {**watched_settings(watch), **fit_settings(epochs, batch_size, class_weight, shuffle)}
    check_arguments(weights, seed, target, progress, jobs)
    check_places(out, storage)
    folder = None if out is None else RunFolder.at(out)
    settings = settings_of(
        metric=metric,
        target=target,
        budget=clock.budget,
        strategies=[strategy.name for strategy in chosen],
        weights=weights,
        watched=watch is not None,
        seed=seed,
    )
    began = watch.recipe if watch is not None else None
    with contextlib.ExitStack() as stack:
        tell = stack.enter_context(narrator(progress))
        stack.enter_context(short_pauses())
        stack.enter_context(warnings.catch_warnings())
        # What Keras has to say of a stuck program is said once, by the findings.
        warnings.simplefilter("ignore")
        tell("reading model and data")
        if folder is not None:
            stack.enter_context(folder.held())
            if folder.run_document().get("state") == FINISHED:
                given = read(
                    model,
                    data,
                    validation_data=validation_data,
                    fit=fit,
                    seed=seed,
                    measure_signal=False,
                    began=began,
                )
                inputs = Inputs.of(given.model, given.recipe, given.data, settings=settings, versions=versions())
                inputs.check(folder.run_document(), str(folder.path))
                try:
                    return results.read(folder, given, first_rows(data))
                except FixYourCall as error:
                    logger.warning("%s The result is made again from what was trained.", error)
        servers = stack.enter_context(serving(jobs))
        session = prepare(
            model,
            data,
            validation_data=validation_data,
            fit=fit,
            metric=metric,
            weights=weights,
            seed=seed,
            began=began,
        )
        session = isolated(session, servers, jobs)
        stack.callback(session.trainer.close)
        record, shelf = None, None
        if folder is not None:
            inputs = Inputs.of(session.model, session.recipe, session.data, settings=settings, versions=versions())
            record = Record(folder, inputs, storage)
            session = replace(session, trainer=record.trainer(session.trainer, clock))
            shelf = record.shelf
            stack.enter_context(record.running(clock))
        elif storage is not None:
            shelf = Shelf(in_database(storage, f"autofix-{uuid.uuid4().hex[:12]}"))
        controller = Controller(session, chosen, clock, tell, seed, target, slots=jobs, shelf=shelf)
        if watch is not None:
            refused = refusal(watch, session, fit, weights)
            controller.notes += [refused] if refused else []
            controller.watched = None if refused else watch
        result = controller.run()
        return result if record is None else record.finish(result, interrupted=controller.interrupted)


def diagnose(
    model: keras.Model | Callable[[], keras.Model],
    data: Any,
    *,
    validation_data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    class_weight: Mapping[Any, float] | None = None,
    shuffle: bool = True,
    metric: str | Callable[..., float] = "auto",
    weights: Literal["auto", "keep", "reset"] = "auto",
    seed: int = 0,
    progress: bool | Literal["auto"] | Narrator = "auto",
) -> list[Diagnosis]:
    """Trains the run once, as it is, and says what is wrong with it. Arguments as in `repair`.

    Returns:
        The findings, the most certain and severe first; empty when there are none.
    """
    fit = fit_settings(epochs, batch_size, class_weight, shuffle)
    check_arguments(weights, seed, None, progress)
    with narrator(progress) as tell, short_pauses(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = prepare(
            model, data, validation_data=validation_data, fit=fit, metric=metric, weights=weights, seed=seed
        )
        controller = Controller(session, (), Clock(Budget()), tell, seed, None)
        try:
            controller.look()
            return list(controller.findings)
        finally:
            session.trainer.close()
