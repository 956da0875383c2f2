"""Healthy programs and mutations: complete, distinct, and as their descriptions say. No training here."""

from __future__ import annotations

from operator import attrgetter

import numpy as np
import pytest

from .build import arrays, model
from .kinds import KINDS
from .mutation import Mutation
from .mutations import MUTATIONS
from .plan import Job, plan
from .program import Program


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 10
    assert all(KINDS[name](0).kind == name for name in KINDS)


def test_two_hundred_healthy_programs_are_distinct() -> None:
    jobs = plan(tuple(KINDS), (), (), healthy=200, kinds_each=3)
    prints = {job.program().fingerprint() for job in jobs}
    assert len(jobs) == len(prints) == 200


UNSCORED = [item for item in MUTATIONS.values() if item.loses is None]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_a_function_of_its_seed(name: str) -> None:
    program = KINDS[name](3)
    assert program == KINDS[name](3)
    assert program.fingerprint() == KINDS[name](3).fingerprint()
    for first, second in zip(_flat(program), _flat(KINDS[name](3)), strict=True):
        np.testing.assert_array_equal(first, second)
    assert len(_flat(program)[-1]) <= 2000


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=attrgetter("name"))
def test_a_mutation_changes_every_kind_it_is_for(mutation: Mutation) -> None:
    assert set(mutation.kinds) <= set(KINDS)
    for kind in mutation.kinds:
        healthy = KINDS[kind](1)
        broken = mutation.change(healthy)
        assert broken.fingerprint() != healthy.fingerprint(), kind
        assert (broken.kind, broken.seed) == (healthy.kind, healthy.seed)


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=attrgetter("name"))
def test_a_mutation_that_brings_something_names_its_cause(mutation: Mutation) -> None:
    assert mutation.brings
    assert mutation.causes or mutation.noted


@pytest.mark.parametrize(
    "mutation", [item for item in MUTATIONS.values() if item.loses is None], ids=attrgetter("name")
)
def test_what_is_at_fault_whatever_its_score_is_still_a_model(mutation: Mutation) -> None:
    program = mutation.change(KINDS[mutation.kinds[0]](0))
    assert model(program).loss is not None


@pytest.mark.parametrize("name", ["raw_features", "digits_cnn", "text_embedding", "two_inputs", "autoencoder"])
def test_a_healthy_model_takes_its_data(name: str) -> None:
    program = KINDS[name](0)
    x, y = arrays(program)
    first = {key: value[:4] for key, value in x.items()} if isinstance(x, dict) else x[:4]
    outputs = np.asarray(model(program)(first))
    assert len(outputs) == 4
    assert np.isfinite(outputs).all()
    assert outputs.shape[1:] == (y.shape[1:] if y.ndim > 1 else (program.head.settings["units"],))


def test_damage_leaves_the_healthy_data_alone() -> None:
    healthy = KINDS["tabular_binary"](0)
    x, y = arrays(healthy)
    broken, flipped = arrays(healthy.damaged("missing_inputs", 0.1).damaged("flipped_labels", 0.4))
    assert 0.05 < np.isnan(broken).mean() < 0.15
    assert 0.1 < (flipped != y).mean() < 0.3
    np.testing.assert_array_equal(x, arrays(healthy)[0])


def test_a_job_is_found_by_its_name() -> None:
    for job in (Job("", "digits_cnn", 2), Job("rate_over_1000", "wave_lstm", 0), Job("L2_1".lower(), "digits_mlp", 1)):
        assert Job.named(job.name) == job


def test_runs_of_former_mutations_and_kinds_are_passed_over() -> None:
    assert Job("", "digits_cnn", 0).exists
    assert Job("low_biases", "digits_mlp", 0).exists
    assert not Job("low_biases", "text_embedding", 0).exists
    assert not Job("gone", "digits_mlp", 0).exists
    assert not Job("", "gone", 0).exists


def test_every_broken_run_comes_with_its_twin() -> None:
    jobs = plan(("tabular_binary", "regression_one"), ("rate_x1000", "targets_x1e5"), (0, 1), healthy=1, kinds_each=3)
    broken = [job for job in jobs if job.mutation]
    assert len(broken) == 2 * 2 + 2
    assert {job.twin for job in broken} <= set(jobs)


def _flat(program: Program) -> list[np.ndarray]:
    x, y = arrays(program)
    return [*(x.values() if isinstance(x, dict) else [x]), y]
