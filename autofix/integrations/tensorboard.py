"""TensorBoard: a repair as event files. Needs the extra `tensorboard`.

    from autofix.integrations import tensorboard

    tensorboard.write(result, "logs/repair")  # then: tensorboard --logdir logs

The runs in the folder: `before` and `after` (curves of loss, score and learning rate, gradient norms, statistics of
layer outputs and weights), `range_test`, `change_log` (text), and one a trial for the HParams tab.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from autofix.change import Patch
from autofix.integrations import needed
from autofix.integrations.record import Record, parameters
from autofix.outcome import Outcome
from autofix.trace import LayerReading, Trace

if TYPE_CHECKING:
    from autofix.result import RepairResult

# Points of a curve that are written; TensorBoard itself keeps a sample of 1,000 of each.
POINTS = 1_000
AS_IT_CAME = "as it came"


def write(source: RepairResult | str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Writes a repair as event files.

    Args:
        source: A result, or the run folder of a repair.
        folder: Where to write; created if needed.

    Returns:
        The folder: what `tensorboard --logdir` takes.

    Raises:
        NotInstalled: If TensorBoard is not installed.
        FixYourCall: If there is no finished repair in the run folder.
    """
    needed("tensorboard.summary", "tensorboard")
    record, target = Record.of(source), Path(folder)
    for role, outcome in record.curves():
        assert outcome.trace is not None
        with _writing(target / role):
            _curves(outcome.trace)
    if record.range_test.get("rates"):
        with _writing(target / "range_test"):
            _range_test(record.range_test)
    with _writing(target / "change_log"):
        tf.summary.text("change log", record.change_log, step=0)
        tf.summary.text("diagnosis", _table(record.findings), step=0)
        for name, value in record.numbers.items():
            tf.summary.scalar(name.replace(".", "/"), value, step=0)
    if not isinstance(source, str | os.PathLike):
        with _writing(target / "after" if record.patch else target / "before"):
            _weights(source.model)
    _trials(record, target)
    return target


def _writing(folder: Path) -> Any:
    return tf.summary.create_file_writer(str(folder)).as_default()


def _curves(trace: Trace) -> None:
    """Writes what was seen of one run. Steps are training steps, those of the score are epochs."""
    _line("loss", range(trace.steps), trace.loss)
    _line("score", [round(epoch) for epoch in trace.scored_epochs], trace.epoch_scores)
    _line("learning_rate", trace.rate_steps, trace.learning_rates)
    _line("gradient_norm/all", trace.probe_steps, trace.gradient_norm)
    for layer, norms in trace.gradient_norms.items():
        _line(f"gradient_norm/{layer}", trace.probe_steps, norms)
    for reading in (*trace.first, *trace.last):
        _layer(reading)
    for layer, weights in trace.weights.items():
        for name in ("norm", "mean", "std", "minimum", "maximum", "drift"):
            tf.summary.scalar(f"weights/{layer}/{name}", getattr(weights, name), step=trace.steps)


def _layer(reading: LayerReading) -> None:
    for name in ("mean", "std", "spread", "dead", "saturated"):
        tf.summary.scalar(f"outputs/{reading.layer}/{name}", getattr(reading, name), step=reading.step)


def _line(name: str, steps: Sequence[int], values: Sequence[float]) -> None:
    """Writes a curve, thinned evenly where it is long; first and last points stay."""
    count = min(len(steps), len(values))
    for place in sorted({int(at) for at in np.linspace(0, count - 1, min(count, POINTS))}):
        tf.summary.scalar(name, values[place], step=steps[place])


def _range_test(curve: Any) -> None:
    """Writes the curve of loss against learning rate: both by step, as TensorBoard has no other axis."""
    for step, (rate, loss) in enumerate(zip(curve["rates"], curve["losses"], strict=False)):
        tf.summary.scalar("range_test/learning_rate", rate, step=step)
        # A file has no word for a loss that is infinite.
        tf.summary.scalar("range_test/loss", math.nan if loss is None else loss, step=step)
    found = ", ".join(f"{rate:.3g}" for rate in curve.get("candidates", ()))
    tf.summary.text("range_test/candidates", f"Learning rates worth a run: {found or 'none'}", step=0)


def _weights(model: Any) -> None:
    """Writes a histogram of every weight of the model that is handed over."""
    for weight in model.weights:
        values = np.asarray(weight)
        if values.size and values.dtype.kind in "fiu":
            tf.summary.histogram(f"model/{weight.path}", values, step=0)


def _table(findings: Sequence[Any]) -> str:
    """Returns findings as a Markdown table."""
    lines = ["| symptom | severity | evidence |", "|---|---|---|"]
    for item in findings:
        evidence = f"{item['sentence']} {item['evidence']}".replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {item['symptom']} | {item['severity']:.2f} | {evidence} |")
    return "\n".join(lines)


def _trials(record: Record, folder: Path) -> None:
    """Writes every scored candidate as a session of the HParams tab: what was changed, and the score it reached."""
    plugin = needed("tensorboard.plugins.hparams.api", "tensorboard")
    sessions = list(_sessions(record.trials))
    paths = list(dict.fromkeys(change.path for _, outcome in sessions for change in outcome.patch))
    if not paths:
        return
    with _writing(folder):
        metric = plugin.Metric("trial/score", display_name=record.metric)
        plugin.hparams_config([plugin.HParam(path) for path in paths], [metric])
    for number, outcome in sessions:
        with _writing(folder / "trials" / f"{number:05d}"):
            plugin.hparams(_settings(outcome.patch, paths), trial_id=f"trial {number}")
            assert outcome.score is not None
            tf.summary.scalar("trial/score", outcome.score.value, step=0)
            tf.summary.scalar("trial/seconds", outcome.seconds, step=0)


def _sessions(trials: Sequence[Outcome]) -> Iterator[tuple[int, Outcome]]:
    """Yields candidates of the search with their number; runs of the proof, which are scored elsewhere, are none."""
    for number, outcome in enumerate(trials):
        if outcome.score is not None and outcome.seed == 0:
            yield number, outcome


def _settings(patch: Patch, paths: Sequence[str]) -> dict[str, str]:
    # As text: the tab takes one type for each, and what was left as it came has no value of that type.
    changed = parameters(patch)
    return {path: str(changed.get(path, AS_IT_CAME)) for path in paths}
