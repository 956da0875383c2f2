"""The mutations by name, one file a family."""

from __future__ import annotations

from collections.abc import Mapping

from tests.calibration.mutation import Mutation

from . import data, inside, output, steps, weight

MUTATIONS: Mapping[str, Mutation] = {
    mutation.name: mutation for family in (steps, weight, inside, data, output) for mutation in family.ALL
}
