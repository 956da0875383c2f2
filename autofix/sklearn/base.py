"""scikit-learn estimators around a Keras model that repair it inside `fit`, where it gets stuck.

from autofix.sklearn import RepairingClassifier

classifier = RepairingClassifier(build, epochs=20).fit(x, y)
classifier.predict(x_new)
print(classifier.result_)
"""

from __future__ import annotations

import contextlib
import copy
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from autofix.budget import Budget
from autofix.errors import FixYourCall
from autofix.findings import NOTE

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]

logger = logging.getLogger(__name__)

NOT_REPAIRED = ("unrepaired", "unusable", "out_of_budget")


class Repairing(BaseEstimator):
    """What both estimators do: `fit` trains a copy of the model, watched, and repairs it where something is wrong."""

    def __init__(
        self,
        model: keras.Model | Callable[..., keras.Model],
        *,
        model_args: Mapping[str, Any] | None = None,
        epochs: int = 10,
        batch_size: int = 32,
        metric: str | Callable[..., float] = "auto",
        target: float | None = None,
        budget: Budget | str | float = "10x",
        strategies: list[str] | None = None,
        random_state: int | None = None,
        verbose: int | str = 0,
    ) -> None:
        self.model = model
        self.model_args = model_args
        self.epochs = epochs
        self.batch_size = batch_size
        self.metric = metric
        self.target = target
        self.budget = budget
        self.strategies = strategies
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        # Missing values are for the repair to deal with: the model that comes out of it takes them.
        tags.input_tags.allow_nan = True
        return tags

    def __sklearn_clone__(self) -> Self:
        # The given model is only ever read, so that clones may share it; copies of it would be slow, and Keras warns.
        settings = {
            name: copy.deepcopy(value) for name, value in self.get_params(deep=False).items() if name != "model"
        }
        twin = type(self)(self.model, **settings)
        if hasattr(self, "_metadata_request"):
            twin._metadata_request = copy.deepcopy(self._metadata_request)
        return twin

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if state.get("result_") is not None:
            # A study may be tied to a database, which does not travel.
            state["result_"] = replace(state["result_"], study=None)
        return state

    def _inputs(self, x: Any, *, reset: bool = False, **y: Any) -> Any:
        """Returns validated inputs, and targets if given, as arrays."""
        return validate_data(
            self, x, reset=reset, allow_nd=True, ensure_all_finite="allow-nan", skip_check_array=False, **y
        )

    def _train(self, x: Array, y: Array, sample_weight: Array | None, loss_input: Callable[[Any], Array]) -> None:
        """Trains a fresh model as it is; repairs it if that run shows that something is wrong.

        Args:
            x: Inputs, array [n, ...].
            y: Targets; class indices for a classifier.
            sample_weight: Weights of the rows, float array [n]; None for none.
            loss_input: Returns the targets as the loss of a given program reads them.
        """
        from autofix.api import repair
        from autofix.recipe import Recipe
        from autofix.watch import Watch

        seed = 0 if self.random_state is None else int(self.random_state)
        with _seeded(self.random_state):
            model = self._fresh(x, seed)
            watch: Watch | None = Watch(log=False)
            y = loss_input(Recipe.of(model, example=x[:2]))
            error = None
            try:
                history = model.fit(
                    x,
                    y,
                    sample_weight=sample_weight,
                    epochs=self.epochs,
                    batch_size=self.batch_size,
                    callbacks=[watch],
                    verbose=self.verbose,
                )
                self.history_ = dict(history.history)
            except Exception as failed:  # a program that cannot train is what a repair is for
                logger.debug("the model cannot be trained as it is", exc_info=True)
                error, self.history_, model, watch = failed, {}, self._fresh(x, seed), None
        self.diagnosis_ = watch.diagnosis if watch is not None else ()
        self.model_, self.result_ = model, None
        if error is not None or any(item.severity > NOTE for item in self.diagnosis_):
            self.result_ = repair(
                model,
                (x, y) if sample_weight is None else (x, y, sample_weight),
                epochs=self.epochs,
                batch_size=self.batch_size,
                metric=self.metric,
                target=self.target,
                budget=self.budget,
                strategies=self.strategies,
                watch=watch,
                seed=seed,
                progress=False,
            )
            if error is not None and self.result_.status in NOT_REPAIRED:
                raise error
            self.model_, self.diagnosis_ = self.result_.model, self.result_.diagnosis

    def _fresh(self, x: Array, seed: int) -> keras.Model:
        """Returns a model to train: what the function builds, or a copy of the given one with its weights."""
        import keras

        from autofix.recipe import Recipe

        if isinstance(self.model, keras.Model):
            model = Recipe.of(self.model, example=x[:2]).build(seed=seed, example=x[:2])
            if self.model.weights:
                model.set_weights(self.model.get_weights())
            return model
        if not callable(self.model):
            raise FixYourCall(
                "`model` must be a compiled `keras.Model`, or a function that builds one from what is known about the "
                f"data: `build(meta)`. Received: {self.model!r}."
            )
        built = self.model(self._meta(), **dict(self.model_args or {}))
        if not isinstance(built, keras.Model):
            raise FixYourCall(f"`model` must build a compiled `keras.Model`. Received: {type(built).__name__}.")
        return built

    def _meta(self) -> dict[str, Any]:
        """Returns what is known about the data when the model is built."""
        raise NotImplementedError

    def _outputs(self, x: Any) -> Array:
        """Returns the raw outputs of the fitted model, float array [n, ...]."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.predict(self._inputs(x), batch_size=self.batch_size, verbose=0))


@contextlib.contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Seeds what Keras draws weights and the order of rows from; Python's and NumPy's own are put back."""
    if seed is None:
        yield
        return
    import keras

    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - kept for the user, not drawn from
    keras.utils.set_random_seed(int(seed))
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
