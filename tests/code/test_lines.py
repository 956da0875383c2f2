"""What is not to change does not: comments, and every line without an edited expression, byte for byte."""

import io
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autofix.change import Change, Patch
from autofix.code.patching import propose
from autofix.recipe import Recipe

# Each line with the change that touches it.
LINES = (
    ("import keras", None),
    ("from keras import layers", None),
    ("RATE = 0.5", "compile/optimizer/learning_rate"),
    ("model = keras.Sequential([", None),
    ("    keras.Input((4,)),", None),
    ('    layers.Dense(8, activation="sigmoid"),', "layers/dense/activation"),
    ("    layers.Dropout(0.9),", "layers/dropout/rate"),
    ('    layers.Dense(3, activation="softmax"),', "layers/dense_1/kernel_regularizer"),
    ("])", None),
    ("model.compile(", None),
    ("    optimizer=keras.optimizers.SGD(RATE),", None),
    ('    loss="mse",', "compile/loss"),
    (")", None),
    ("model.fit(x, y, epochs=3)", "fit/epochs"),
)
AFTER = {
    "compile/optimizer/learning_rate": 0.01,
    "layers/dense/activation": "relu",
    "layers/dropout/rate": 0.25,
    "layers/dense_1/kernel_regularizer": {
        "module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.5}, "registered_name": None,
    },
    "compile/loss": "sparse_categorical_crossentropy",
    "fit/epochs": 30,
}  # fmt: skip


def _layer(class_name, name, **config):
    return {"module": "keras.layers", "class_name": class_name, "config": {"name": name, **config}}


RECIPE = Recipe.from_dict(
    {
        "architecture": {
            "module": "keras",
            "class_name": "Sequential",
            "config": {
                "name": "sequential",
                "layers": [
                    _layer("InputLayer", "input_layer", batch_shape=[None, 4]),
                    _layer("Dense", "dense", units=8, activation="sigmoid", kernel_regularizer=None),
                    _layer("Dropout", "dropout", rate=0.9),
                    _layer("Dense", "dense_1", units=3, activation="softmax", kernel_regularizer=None),
                ],
            },
        },
        "compile": {
            "optimizer": {"module": "keras.optimizers", "class_name": "SGD", "config": {"learning_rate": 0.5}},
            "loss": "mse",
        },
        "fit": {"epochs": 3, "batch_size": 32, "patience": None},
        "transforms": {"labels": None},
    }
)

comments = st.text(st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f\x85"), max_size=60)


@st.composite
def scripts(draw):
    """A script with comments and blank lines wherever they may stand, and the lines that no change touches."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    chosen = draw(st.sets(st.sampled_from(sorted(AFTER)), min_size=1))
    text, kept = [], []
    for line, path in LINES:
        for above in draw(st.lists(comments, max_size=1)):
            text.append(f"    #{above}" if line.startswith(" ") else f"#{above}")
            kept.append(text[-1])
        if draw(st.booleans()):
            line += f"  # {draw(comments)}"
        text.append(line)
        if path not in chosen:
            kept.append(line)
        if draw(st.booleans()):
            text.append("")
    return newline.join([*text, ""]), kept, chosen


def comments_of(text):
    tokens = tokenize.generate_tokens(io.StringIO(text.replace("\r\n", "\n")).readline)
    return [item.string for item in tokens if item.type == tokenize.COMMENT]


def is_within(part, whole):
    left = iter(whole)
    return all(item in left for item in part)


@settings(max_examples=25, deadline=None)
@given(scripts(), st.booleans())
def test_comments_and_untouched_lines_stay(script, commented):
    text, kept, chosen = script
    patch = Patch(tuple(Change(path, RECIPE.get(path), AFTER[path], "test", "It is so.") for path in sorted(chosen)))
    found = propose(text.encode(), RECIPE, patch, comments=commented)
    after = found.content.decode()
    assert not found.by_hand
    newline = "\r\n" if "\r\n" in text else "\n"
    assert after.count("\n") == after.count(newline)
    assert is_within(kept, after.split(newline))
    assert is_within(comments_of(text), comments_of(after))
    assert commented == ("# autofix: " in after)
    touched = sum(path in chosen for _, path in LINES)
    removed = [line for line in found.diff.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert len(removed) == touched


def test_a_script_of_another_model_is_refused():
    from autofix.errors import StaleChange

    text = "\n".join(line for line, _ in LINES).replace("Dense(8", "Dense(9")
    patch = Patch((Change("compile/loss", "mse", "mae", "test", "It is so."),))
    with pytest.raises(StaleChange, match=r"layers/dense/units is 8; the script says 9"):
        propose(text.encode(), RECIPE, patch)
    with pytest.raises(StaleChange, match="no Keras model is made"):
        propose(b"print(1)\n", RECIPE, patch)
