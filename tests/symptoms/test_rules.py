"""What holds for every rule: it finds its specimen, keeps quiet on healthy runs, and never raises."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autofix.facts import Encoding, Giveaway
from autofix.frozen import FrozenDict
from autofix.symptom import Evidence, Rule, Symptom
from autofix.symptoms import (
    PREFLIGHT,
    TRACE,
    bad_initialization,
    batch_too_large,
    bottleneck,
    class_imbalance,
    collapsed_predictions,
    contract,
    converged,
    dead_units,
    diagnose,
    divergence,
    exploding_gradient,
    extreme_learning_rate,
    frozen_layers,
    imbalance_ignored,
    input_shape,
    label_noise,
    last_batch,
    late_plateau,
    leakage,
    linear_hidden_layers,
    misplaced_dropout,
    missing_values,
    no_signal,
    non_finite_loss,
    oscillation,
    overfitting,
    plateau,
    redundant_features,
    regularization_dominates,
    saturated_units,
    shape_broadcast,
    slow,
    sorted_rows,
    still_improving,
    strong_regularization,
    tiny_batch_normalization,
    underfitting,
    unscaled_inputs,
    unscaled_targets,
    vanishing_gradient,
    weights_unchanged,
)
from autofix.trace import LayerReading, PredictionReading, Trace
from tests.symptoms.conftest import (
    classes,
    column,
    data,
    dense,
    evidence,
    falling,
    flat,
    initializer,
    layer,
    optimizer,
    plain,
    predictions,
    quantity,
    reading,
    run,
    stack,
)

NAMES = ("layers/hidden_1", "layers/hidden_2", "layers/output")
REGRESSOR = stack((8,), dense("hidden_1", 32), dense("output", 1, "linear"), compiled={"loss": "mse"})


def waves(steps: int = 240) -> tuple[float, ...]:
    return tuple(0.7 + 0.4 * (1 if step // 20 % 2 else -1) + 0.01 * (step % 3) for step in range(steps))


# For each symptom the clearest evidence of it, and the least severity that it must get.
SPECIMENS: dict[Symptom, tuple[Rule, Evidence, float]] = {
    Symptom.INPUT_SHAPE: (
        input_shape.judge,
        evidence(facts=data(inputs=[column((784,))]), input_shapes=((28, 28, 1),)),
        1.0,
    ),
    Symptom.MISSING_VALUES: (
        missing_values.judge,
        evidence(facts=data(inputs=[column(missing=0.02, missing_features=8)])),
        1.0,
    ),
    Symptom.UNSCALED_INPUTS: (unscaled_inputs.judge, evidence(facts=data(inputs=[column(mean=500.0, std=300.0)])), 0.5),
    Symptom.UNSCALED_TARGETS: (unscaled_targets.judge, evidence(REGRESSOR, data(quantity(150.0, 40.0))), 0.5),
    Symptom.LABEL_ENCODING: (
        contract.judge,
        evidence(
            stack((8,), dense("output", 3, "softmax")),
            data(
                replace(classes(300, 300, 200, encoding=Encoding.LABELS), classes=(1, 2, 3), minimum=1.0, maximum=3.0)
            ),
        ),
        1.0,
    ),
    Symptom.HEAD_MISMATCH: (
        contract.judge,
        evidence(stack((8,), dense("output", 1, "softmax"), compiled={"loss": "binary_crossentropy"})),
        1.0,
    ),
    Symptom.LOSS_MISMATCH: (
        contract.judge,
        evidence(stack((8,), dense("output", 3, "linear")), data(classes(300, 300, 200))),
        1.0,
    ),
    Symptom.OUTPUT_RANGE: (
        contract.judge,
        evidence(stack((8,), dense("output", 1, "sigmoid"), compiled={"loss": "mse"}), data(quantity(150.0, 40.0))),
        1.0,
    ),
    Symptom.CLASS_IMBALANCE: (class_imbalance.judge, evidence(facts=data(classes(784, 16))), 0.35),
    Symptom.FROZEN_LAYERS: (
        frozen_layers.judge,
        evidence(stack((8,), dense("hidden_1", 32, trainable=False), dense("output", 1, "sigmoid", trainable=False))),
        1.0,
    ),
    Symptom.BAD_INITIALIZATION: (
        bad_initialization.judge,
        evidence(stack((8,), dense("hidden_1", 32, kernel_initializer=initializer("Zeros")), dense("output", 1))),
        0.9,
    ),
    Symptom.STRONG_REGULARIZATION: (
        strong_regularization.judge,
        evidence(stack((8,), dense("hidden_1", 32), layer("Dropout", "drop", rate=0.9), dense("output", 1, "sigmoid"))),
        0.6,
    ),
    Symptom.EXTREME_LEARNING_RATE: (
        extreme_learning_rate.judge,
        evidence(plain(compiled={"optimizer": optimizer("Adam", 10.0)})),
        0.9,
    ),
    Symptom.BATCH_TOO_LARGE: (batch_too_large.judge, evidence(plain(fit={"batch_size": 1024, "epochs": 10})), 0.6),
    Symptom.BOTTLENECK: (
        bottleneck.judge,
        evidence(stack((8,), dense("hidden_1", 1), dense("output", 1, "sigmoid"))),
        0.5,
    ),
    Symptom.NO_SIGNAL: (no_signal.judge, evidence(facts=data(signal=0.51)), 0.3),
    Symptom.REDUNDANT_FEATURES: (redundant_features.judge, evidence(facts=data(inputs=[column(constant=8)])), 0.9),
    Symptom.LEAKAGE: (leakage.judge, evidence(facts=data(giveaway=Giveaway("x", 3, 0.99, 0.6))), 0.3),
    Symptom.LABEL_NOISE: (label_noise.judge, evidence(facts=data(signal=0.75, disputed=(0.3, 0.31))), 0.3),
    Symptom.SORTED_ROWS: (
        sorted_rows.judge,
        evidence(plain(fit={"shuffle": False}), data(sorted_labels=True), run(flat()), 0.5),
        0.6,
    ),
    Symptom.LAST_BATCH: (last_batch.judge, evidence(facts=data(rows=(801, 200, 200))), 0.2),
    Symptom.MISPLACED_DROPOUT: (
        misplaced_dropout.judge,
        evidence(stack((8,), dense("hidden_1", 32), dense("output", 1, "sigmoid"), layer("Dropout", "drop", rate=0.2))),
        0.6,
    ),
    Symptom.TINY_BATCH_NORMALIZATION: (
        tiny_batch_normalization.judge,
        evidence(
            stack(
                (8,),
                dense("hidden_1", 32),
                layer("BatchNormalization", "norm"),
                dense("output", 1, "sigmoid"),
                fit={"batch_size": 1},
            ),
        ),
        0.9,
    ),
    Symptom.LINEAR_HIDDEN_LAYERS: (
        linear_hidden_layers.judge,
        evidence(stack((8,), dense("hidden_1", 32, "linear"), dense("output", 1, "sigmoid"))),
        0.6,
    ),
    Symptom.SHAPE_BROADCAST: (
        shape_broadcast.judge,
        evidence(
            stack(
                (8,),
                dense("hidden_1", 32),
                dense("output", 1, "linear"),
                layer("Reshape", "end", target_shape=(1, 1)),
                compiled={"loss": "mse"},
            ),
            data(quantity()),
            output_shapes=((1, 1),),
        ),
        0.9,
    ),
    Symptom.LATE_PLATEAU: (
        late_plateau.judge,
        evidence(trace=run(falling(400, end=0.4, speed=40), train_score=0.72), score=0.7),
        0.6,
    ),
    Symptom.CONVERGED: (converged.judge, evidence(trace=run(falling(400, speed=40)), score=0.95), 0.1),
    Symptom.NON_FINITE_LOSS: (
        non_finite_loss.judge,
        evidence(trace=run((*flat(20), float("nan")), non_finite_step=20), score=0.5),
        1.0,
    ),
    Symptom.EXPLODING_GRADIENT: (
        exploding_gradient.judge,
        evidence(trace=run(flat(), gradient_norm=(0.5,) * 15 + (9000.0,) * 5), score=0.5),
        0.7,
    ),
    Symptom.VANISHING_GRADIENT: (
        vanishing_gradient.judge,
        evidence(
            trace=run(
                flat(),
                gradient_norms=dict(zip(NAMES, ((1e-7,) * 20, (1e-4,) * 20, (0.3,) * 20), strict=True)),
                update_ratio=dict(zip(NAMES, (1e-9, 1e-6, 1e-3), strict=True)),
            ),
            score=0.5,
        ),
        0.7,
    ),
    Symptom.DEAD_UNITS: (dead_units.judge, evidence(trace=run(flat(), last=(reading(dead=0.97),)), score=0.5), 0.7),
    Symptom.SATURATED_UNITS: (
        saturated_units.judge,
        evidence(trace=run(flat(), last=(reading(activation="tanh", saturated=0.95),)), score=0.5),
        0.7,
    ),
    Symptom.WEIGHTS_UNCHANGED: (
        weights_unchanged.judge,
        evidence(trace=run(flat(), weight_change=dict.fromkeys(NAMES, 2e-8)), score=0.5),
        0.9,
    ),
    Symptom.PLATEAU: (plateau.judge, evidence(trace=run(flat()), score=0.5), 0.7),
    Symptom.STILL_IMPROVING: (
        still_improving.judge,
        evidence(trace=run(falling(speed=0.7), scores=(0.5, 0.56, 0.62, 0.66, 0.7, 0.74)), score=0.74),
        0.5,
    ),
    Symptom.SLOW: (
        slow.judge,
        evidence(
            trace=run(
                tuple(0.7 - 2e-5 * step for step in range(200)),
                update_ratio=dict.fromkeys(NAMES, 1e-6),
                weight_change=dict.fromkeys(NAMES, 2e-4),
            ),
            score=0.55,
        ),
        0.7,
    ),
    Symptom.OSCILLATION: (oscillation.judge, evidence(trace=run(waves()), score=0.6), 0.7),
    Symptom.DIVERGENCE: (
        divergence.judge,
        evidence(trace=run(tuple(0.7 + 0.02 * step for step in range(200))), score=0.5),
        0.7,
    ),
    Symptom.COLLAPSED_PREDICTIONS: (
        collapsed_predictions.judge,
        evidence(trace=run(flat(), predictions=(predictions(1.0),)), score=0.5),
        0.7,
    ),
    Symptom.IMBALANCE_IGNORED: (
        imbalance_ignored.judge,
        evidence(
            facts=data(classes(720, 80)), trace=run(falling(), predictions=(predictions(1.0, (1.0, 0.0)),)), score=0.5
        ),
        0.7,
    ),
    Symptom.OVERFITTING: (
        overfitting.judge,
        evidence(trace=run(falling(), train_score=1.0, scores=(0.7, 0.85, 0.8, 0.7, 0.68, 0.66)), score=0.66),
        0.7,
    ),
    Symptom.UNDERFITTING: (underfitting.judge, evidence(trace=run(flat(), train_score=0.52), score=0.5), 0.7),
    Symptom.REGULARIZATION_DOMINATES: (
        regularization_dominates.judge,
        evidence(trace=run(flat(), penalty=0.95), score=0.5),
        0.7,
    ),
}

# Runs with nothing wrong in them; none may get a finding that would make it look stalled.
HEALTHY: dict[str, Evidence] = {
    "usual": evidence(
        trace=run(
            falling(), scores=(0.8, 0.9, 0.93, 0.94, 0.94, 0.945), train_score=0.97, first=(reading(step=0),),
            last=(reading(),), predictions=(predictions(0.5, (0.94, 0.95)),),
        ),
        score=0.945,
    ),
    "noisy small-batch SGD": evidence(
        plain(fit={"batch_size": 4}, compiled={"optimizer": optimizer("SGD", 0.05)}),
        trace=run(
            falling(1000, start=0.9, end=0.25, noise=0.8), steps_per_epoch=200, train_score=0.93,
            scores=(0.8, 0.91, 0.88, 0.93, 0.92),
        ),
        score=0.92,
    ),
    "slow but learning": evidence(
        trace=run(falling(600, speed=2.5), scores=(0.6, 0.75, 0.85, 0.9, 0.92, 0.93), train_score=0.94), score=0.93
    ),
    "low-ceiling regression": evidence(
        REGRESSOR,
        data(quantity(), signal=0.12, noise=0.05),
        run(falling(400, start=1.1, end=0.9, noise=0.25), scores=(0.02, 0.08, 0.1, 0.11, 0.1), train_score=0.15),
        0.1,
    ),
    "imbalance learned": evidence(
        facts=data(classes(720, 80)),
        trace=run(
            falling(), scores=(0.7, 0.85, 0.88, 0.9, 0.91, 0.9), train_score=0.93,
            predictions=(predictions(0.88, (0.97, 0.83)),),
        ),
        score=0.9,
    ),
    "one step": evidence(trace=run((0.7,), steps_per_epoch=1)),
    "one epoch": evidence(trace=run(falling(20), scores=(0.93,)), score=0.93),
    "memorized and still good": evidence(
        trace=run(falling(end=0.001), scores=(0.85, 0.92, 0.95, 0.94, 0.945), train_score=1.0, penalty=0.8), score=0.945
    ),
    "half of the units off": evidence(
        trace=run(falling(), last=(reading(dead=0.55), reading("hidden_2", "tanh", saturated=0.8))), score=0.94
    ),
    "no probes at all": evidence(trace=Trace(loss=falling(), steps_per_epoch=20, epochs=10.0), score=0.94),
    "nothing measured": evidence(trace=Trace()),
}  # fmt: skip


def test_every_symptom_has_a_specimen() -> None:
    assert set(SPECIMENS) == set(Symptom)


def test_every_rule_has_a_specimen() -> None:
    assert {rule for rule, _, _ in SPECIMENS.values()} == {*PREFLIGHT, *TRACE}


def test_no_rule_is_listed_twice() -> None:
    assert len({*PREFLIGHT, *TRACE}) == len(PREFLIGHT) + len(TRACE)


@pytest.mark.parametrize("symptom", SPECIMENS, ids=lambda symptom: symptom.code)
def test_rule_finds_its_specimen(symptom: Symptom) -> None:
    rule, given, least = SPECIMENS[symptom]
    found = [item for item in rule(given) if item.symptom is symptom]
    assert found
    assert max(item.severity for item in found) >= least
    assert rule(given) == rule(given)
    for item in found:
        assert 0 < item.severity <= 1
        assert 0 < item.certainty <= 1
        assert item.evidence.strip()
        assert item.evidence.endswith(".")
        assert "  " not in item.evidence
        json.dumps(item.to_dict())
        assert item.layer is None or given.recipe.has(item.layer)


@pytest.mark.parametrize("rule", PREFLIGHT, ids=lambda rule: rule.__module__.rsplit(".", 1)[-1])
def test_preflight_is_quiet_on_a_sound_program(rule: Rule) -> None:
    assert rule(evidence()) == ()


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_runs_are_not_called_stalled(name: str) -> None:
    found, failed = diagnose(HEALTHY[name], (*PREFLIGHT, *TRACE))
    assert failed == ()
    assert [item for item in found if item.severity >= 0.5] == []


# These hold whatever the score is.
UNCONDITIONAL = {
    contract.judge, missing_values.judge, input_shape.judge, non_finite_loss.judge, no_signal.judge,
    imbalance_ignored.judge, leakage.judge, label_noise.judge,
}  # fmt: skip


@pytest.mark.parametrize(
    "symptom", [key for key, (rule, *_) in SPECIMENS.items() if rule not in UNCONDITIONAL], ids=lambda key: key.code
)
def test_a_finding_is_a_note_once_the_run_has_learned(symptom: Symptom) -> None:
    rule, given, _ = SPECIMENS[symptom]
    found = rule(replace(given, score=given.facts.signal, trace=given.trace or run(falling())))
    # A score that still climbs steeply is worth more epochs, however good it is already.
    most = 0.6 if rule is still_improving.judge else 0.4
    assert [item for item in found if item.severity > most] == []


@pytest.mark.parametrize("rule", TRACE, ids=lambda rule: rule.__module__.rsplit(".", 1)[-1])
def test_trace_rules_are_quiet_without_a_trace(rule: Rule) -> None:
    assert rule(evidence()) == ()
    assert rule(evidence(trace=Trace())) == ()
    assert rule(evidence(trace=Trace(), score=0.5)) == ()


def test_findings_come_the_surest_and_most_severe_first() -> None:
    _, given, _ = SPECIMENS[Symptom.VANISHING_GRADIENT]
    found, failed = diagnose(given, TRACE)
    weights = [item.certainty * item.severity for item in found]
    assert failed == ()
    assert len(found) >= 2
    assert weights == sorted(weights, reverse=True)


def test_a_rule_that_raises_is_named_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    def broken(given: Evidence) -> tuple[()]:
        raise ZeroDivisionError("by hand")

    rule, given, _ = SPECIMENS[Symptom.PLATEAU]
    found, failed = diagnose(given, (broken, rule))
    assert [item.symptom for item in found] == [Symptom.PLATEAU]
    assert len(failed) == 1
    assert "ZeroDivisionError" in failed[0]
    assert "by hand" in failed[0]
    assert caplog.records


# What follows never raises.

NUMBER = (
    st.floats(allow_nan=True, allow_infinity=True) | st.floats(-10, 10) | st.sampled_from((0.0, 1.0, 1e300, -1e300))
)
SHARE = st.floats(0, 1) | NUMBER
SERIES = st.lists(NUMBER, max_size=60).map(tuple) | st.lists(st.floats(0, 5), max_size=200).map(tuple)
NAME = st.sampled_from((*NAMES, "layers/other"))
ACTIVATION = st.sampled_from(("relu", "tanh", "sigmoid", "linear"))
READING = st.builds(
    LayerReading, layer=NAME, step=st.integers(0, 500), activation=ACTIVATION,
    mean=NUMBER, std=NUMBER, spread=NUMBER, dead=SHARE, saturated=SHARE, weight_norm=NUMBER, weight_std=NUMBER,
    finite=st.booleans(),
)  # fmt: skip
PREDICTION = st.builds(
    PredictionReading, constant=SHARE, spread=NUMBER, recalls=st.lists(SHARE, max_size=4).map(tuple), minimum=NUMBER,
    maximum=NUMBER, finite=st.booleans(),
)  # fmt: skip
TRACES = st.builds(
    Trace,
    steps_per_epoch=st.integers(0, 50), epochs=st.floats(0, 100), planned_epochs=st.integers(0, 100), loss=SERIES,
    penalty=SHARE, epoch_scores=SERIES, scored_epochs=SERIES, train_score=st.none() | NUMBER,
    probe_steps=st.lists(st.integers(0, 500), max_size=20).map(tuple),
    gradient_norms=st.dictionaries(NAME, SERIES, max_size=4), gradient_norm=SERIES,
    weight_change=st.dictionaries(NAME, NUMBER, max_size=4), update_ratio=st.dictionaries(NAME, NUMBER, max_size=4),
    first=st.lists(READING, max_size=4).map(tuple), last=st.lists(READING, max_size=4).map(tuple),
    predictions=st.lists(PREDICTION, max_size=3).map(tuple), learning_rate=NUMBER, trainable=st.integers(0, 1000),
    non_finite_step=st.none() | st.integers(0, 500),
    non_finite_origin=st.sampled_from((None, "input", "target", "loss", "gradient", "layer:layers/hidden_1")),
)  # fmt: skip
FACTS = st.builds(
    lambda signal, chance, noise, rows, target: data(target, signal=signal, chance=chance, noise=noise, rows=rows),
    signal=st.none() | NUMBER, chance=NUMBER, noise=NUMBER, rows=st.tuples(*[st.integers(0, 2000)] * 3),
    target=st.sampled_from((classes(400, 400), classes(0, 800), classes(10, 700, 90), quantity(), quantity(1e6, 0.0))),
)  # fmt: skip
SUBCLASSED = replace(plain(), architecture=FrozenDict({"class_name": "Mine", "config": {}}))
RECIPES = st.sampled_from((plain(), REGRESSOR, SUBCLASSED))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@given(RECIPES, FACTS, TRACES, st.none() | NUMBER, st.sampled_from((1.0, 0.0, float("inf"))))
def test_no_rule_raises_whatever_was_measured(recipe, facts, trace, score, perfect) -> None:
    judged = evidence(recipe, facts, trace, score, perfect=perfect)
    found, failed = diagnose(judged, (*PREFLIGHT, *TRACE))
    assert failed == ()
    for item in found:
        assert 0 < item.severity <= 1
        json.dumps(item.to_dict())
