from __future__ import annotations

import pytest

from autofix.symptoms.unscaled_inputs import judge
from tests.symptoms.conftest import column, data, dense, evidence, layer, plain, stack

PIXELS = column((28, 28, 1), mean=33.0, std=78.0)


def seen(*entries, facts=None, shape=(8,)):
    facts = facts or column(mean=500.0, std=300.0)
    return judge(evidence(stack(shape, *entries, dense("output", 1, "sigmoid")), data(inputs=[facts])))


@pytest.mark.parametrize(
    "facts",
    [
        column(),
        column(mean=0.5, std=0.29),
        column(mean=0.1, std=0.3),
        column(mean=0.0, std=0.0),
        column(mean=0.3, std=0.3, feature_std=(0.38,) * 60 + (0.003,) * 3, feature_mean=(0.3,) * 63),
    ],
    ids=["standardized", "0 to 1", "one-hot", "constant", "image with a rim"],
)
def test_common_scales_are_fine(facts) -> None:
    assert judge(evidence(facts=data(inputs=[facts]))) == ()


def test_severity_grows_with_size_and_never_proves_a_stall() -> None:
    found = [
        judge(evidence(facts=data(inputs=[column(std=size)])))[0].severity for size in (4.0, 16.0, 130.0, 1e3, 1e9)
    ]
    assert found == sorted(found)
    assert found[0] <= 0.3
    assert found[-1] == 0.65


def test_small_values_count() -> None:
    (found,) = judge(evidence(facts=data(inputs=[column(std=1e-4)])))
    assert "only" in found.evidence


def test_one_large_feature_among_many_is_enough() -> None:
    facts = column(mean=70.0, std=200.0, feature_mean=(0.0,) * 7 + (700.0,), feature_std=(1.0,) * 7 + (300.0,))
    (found,) = judge(evidence(facts=data(inputs=[facts])))
    assert found.numbers["smallest_std"] == 1.0
    assert found.numbers["largest_std"] == 300.0


def test_uneven_spreads_count_where_the_size_is_fine() -> None:
    facts = column(std=0.5, feature_mean=(0.0,) * 8, feature_std=(1.0, 1.0, 1.0, 1.0, 1.0, 1e-3, 1e-3, 1e-3))
    (found,) = judge(evidence(facts=data(inputs=[facts])))
    assert "3 of 8" in found.evidence


@pytest.mark.parametrize("name", ["Normalization", "BatchNormalization", "LayerNormalization"])
def test_a_normalization_behind_the_input_exempts(name) -> None:
    assert seen(layer(name, "scale"), dense("hidden", 8)) == ()
    assert seen(layer("Reshape", "again", target_shape=[8]), layer(name, "scale"), dense("hidden", 8)) == ()


def test_one_put_behind_the_input_by_the_recipe_exempts() -> None:
    recipe = plain().set("layers/x/after", [layer("Normalization", "scale")])
    assert judge(evidence(recipe, data(inputs=[column(std=300.0)]))) == ()


def test_an_embedding_exempts_the_indices_it_looks_up() -> None:
    facts = column((40,), mean=500.0, std=300.0, integral=True, dtype="int64")
    assert seen(layer("Embedding", "words", input_dim=1000, output_dim=8), facts=facts, shape=(40,)) == ()


def test_a_rescaling_counts_by_what_it_does() -> None:
    good = layer("Rescaling", "scale", scale=1 / 255, offset=0.0)
    useless = layer("Rescaling", "scale", scale=1.0, offset=0.0)
    assert seen(good, layer("Flatten", "flat"), facts=PIXELS, shape=(28, 28, 1)) == ()
    assert seen(useless, layer("Flatten", "flat"), facts=PIXELS, shape=(28, 28, 1)) != ()


def test_rescaling_twice_makes_the_inputs_too_small() -> None:
    (found,) = seen(layer("Rescaling", "scale", scale=1 / 255, offset=0.0), facts=column(mean=0.3, std=0.3))
    assert "after rescaling" in found.evidence


def test_a_batch_normalization_further_on_eases_it() -> None:
    bare = seen(dense("hidden", 8))
    eased = seen(dense("hidden", 8), layer("BatchNormalization", "norm"))
    assert eased[0].severity < bare[0].severity


def test_a_frozen_first_layer_makes_it_uncertain() -> None:
    (found,) = seen(dense("base", 8, trainable=False))
    assert found.certainty < 0.5


def test_a_subclassed_model_is_judged_by_its_data() -> None:
    recipe = plain()
    hidden = type(recipe)(type(recipe.fit)({"class_name": "Mine", "config": {}}), recipe.compile)
    assert judge(evidence(hidden, data(inputs=[column(std=300.0)]))) != ()


@pytest.mark.parametrize(("size", "many"), [(0.03, 0), (0.01, 1), (1.5, 0), (2.5, 1)])
def test_sizes_between_a_fiftieth_and_two_are_fine(size, many) -> None:
    assert len(judge(evidence(facts=data(inputs=[column(std=size)])))) == many


@pytest.mark.parametrize(("small", "many"), [(0.02, 0), (0.007, 1)])
def test_a_hundredth_of_the_largest_spread_is_uneven(small, many) -> None:
    facts = column(std=0.5, feature_mean=(0.0,) * 8, feature_std=(1.0,) * 5 + (small,) * 3)
    assert len(judge(evidence(facts=data(inputs=[facts])))) == many


def test_features_far_too_small_are_more_than_a_note() -> None:
    (found,) = judge(evidence(facts=data(inputs=[column(std=1e-3)])))
    assert 0.5 < found.severity < 0.6
