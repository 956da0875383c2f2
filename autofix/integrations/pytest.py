"""pytest plugin: tests that fail where a training run is stuck, with what is wrong in words.

    def test_training_is_healthy(assert_healthy):
        assert_healthy(build_model(), (x, y), epochs=5)

    def test_my_training_loop(training_watch):
        with training_watch() as watch:
            train(build_model(), callbacks=[watch])

In the ini file, `autofix_severity` is the severity from which a finding fails a test, and `autofix_ignore` names the
symptoms that never do. TensorFlow is imported by the first test that uses a fixture.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import keras

    from autofix.symptom import Diagnosis
    from autofix.watch import Watch

SEVERITY, IGNORE = "autofix_severity", "autofix_ignore"
# From here on a finding proves that the run is stalled; a run in a test is short, and may end before it has arrived.
DEFAULT_SEVERITY = "0.7"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the settings."""
    parser.addini(
        SEVERITY,
        f"severity (0 to 1) from which a finding of autofix fails a test: 0.7 and more proves that a run is stalled, "
        f"up to 0.4 is a note; default {DEFAULT_SEVERITY}",
        default=DEFAULT_SEVERITY,
    )
    parser.addini(IGNORE, "symptoms that fail no test, such as still_improving", type="args", default=[])


@dataclass(frozen=True)
class HealthChecks:
    """What the fixtures hand out.

    Attributes:
        severity: Severity from which a finding fails.
        ignore: Symptoms that do not.
    """

    severity: float
    ignore: tuple[str, ...] = ()

    def assert_healthy(
        self,
        model: keras.Model | Callable[[], keras.Model],
        data: Any,
        *,
        validation_data: Any = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        class_weight: Mapping[Any, float] | None = None,
        shuffle: bool = True,
        seed: int = 0,
        severity: float | None = None,
        ignore: Iterable[str] = (),
    ) -> None:
        """Trains a model once, as it is, and fails if something is wrong with the run.

        Arguments as in `autofix.diagnose`; `severity` and `ignore` in place of and beside those of the ini file. The
        model is not changed.
        """
        __tracebackhide__ = True
        import autofix

        limit, names = self._limit(severity), self._names(ignore)
        findings = autofix.diagnose(
            model,
            data,
            validation_data=validation_data,
            epochs=epochs,
            batch_size=batch_size,
            class_weight=class_weight,
            shuffle=shuffle,
            seed=seed,
            progress=False,
        )
        self._judge(findings, limit, names)

    @contextlib.contextmanager
    def training_watch(
        self, data: Any = None, *, severity: float | None = None, ignore: Iterable[str] = ()
    ) -> Iterator[Watch]:
        """Yields a Keras callback; fails at the end of the block if the run that it saw is stuck.

        Args:
            data: Rows to look at the model on, where `fit` is not given arrays; see `autofix.Watch`.
            severity: In place of that of the ini file.
            ignore: Symptoms beside those of the ini file.
        """
        __tracebackhide__ = True
        import autofix

        limit, names = self._limit(severity), self._names(ignore)
        watch = autofix.Watch(data, log=False)
        try:
            yield watch
        except Exception as error:
            if watch.diagnosis:
                error.add_note("autofix: " + " ".join(map(str, watch.diagnosis[:1])))
            raise
        if watch.trace is None or not watch.trace.steps:
            pytest.fail("no training was watched. Pass the watch on: model.fit(..., callbacks=[watch])", pytrace=False)
        self._judge(watch.diagnosis, limit, names)

    def _limit(self, severity: float | None) -> float:
        return self.severity if severity is None else severity_of(severity)

    def _names(self, ignore: Iterable[str]) -> frozenset[str]:
        return frozenset(symptoms_of((*self.ignore, *ignore)))

    def _judge(self, findings: Sequence[Diagnosis], limit: float, ignored: frozenset[str]) -> None:
        __tracebackhide__ = True
        bad = [item for item in findings if item.severity >= limit and item.symptom.code not in ignored]
        if bad:
            pytest.fail(in_words(bad), pytrace=False)


def in_words(findings: Sequence[Diagnosis]) -> str:
    """Returns findings as the message of a failing test."""
    lines = ["the training run is not healthy"]
    for item in findings:
        lines.append(f"- {item}")
        lines.append(f"  symptom {item.symptom.code}, severity {item.severity:.2f}, certainty {item.certainty:.2f}")
        if item.causes:
            lines.append(f"  likely cause: {item.causes[0]}")
        if item.strategies:
            lines.append(f"  treated by: {', '.join(item.strategies)}")
    lines.append(f"More: autofix explain {findings[0].symptom.code}. A repair: autofix.repair(model, data)")
    return "\n".join(lines)


def severity_of(value: Any) -> float:
    """Reads a severity.

    Raises:
        ValueError: If it is none.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"a severity must be a number from 0 to 1. Received: {value!r}. Pass 0.7 for stalled runs.")
    return number


def symptoms_of(names: Iterable[str]) -> tuple[str, ...]:
    """Reads names of symptoms.

    Raises:
        ValueError: If one is unknown.
    """
    from autofix.errors import did_you_mean
    from autofix.symptom import Symptom

    known, names = {symptom.code for symptom in Symptom}, tuple(names)
    for name in names:
        if name not in known:
            raise ValueError(f"there is no symptom {name!r}.{did_you_mean(name, known)} `autofix explain` lists them.")
    return names


@pytest.fixture(scope="session")
def autofix_health(pytestconfig: pytest.Config) -> HealthChecks:
    """The checks, with the settings of the ini file."""
    try:
        severity = severity_of(pytestconfig.getini(SEVERITY))
        return HealthChecks(severity, symptoms_of(pytestconfig.getini(IGNORE)))
    except ValueError as error:
        raise pytest.UsageError(f"{SEVERITY}, {IGNORE}: {error}") from error


@pytest.fixture(scope="session")
def assert_healthy(autofix_health: HealthChecks) -> Callable[..., None]:
    """`assert_healthy(model, data, epochs=5)`: trains the model once and fails if that run is stuck."""
    return autofix_health.assert_healthy


@pytest.fixture(scope="session")
def training_watch(autofix_health: HealthChecks) -> Callable[..., contextlib.AbstractContextManager[Watch]]:
    """A context manager that yields a callback for `fit`, and fails at its end if that run is stuck."""
    return autofix_health.training_watch
