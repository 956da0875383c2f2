"""Save what a repair changed, and apply it later to the same program without searching again."""

import tempfile
from pathlib import Path

import keras
from sklearn.datasets import load_iris

import autofix


def program() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(1e-7), loss="sparse_categorical_crossentropy")
    return model


def main() -> None:
    x, y = load_iris(return_X_y=True)
    result = autofix.repair(program(), (x, y), epochs=30)
    print(result)

    with tempfile.TemporaryDirectory() as folder:
        result.save(folder)
        patch = autofix.Patch.from_yaml((Path(folder) / "patch.yaml").read_text())
    recipe = patch.apply(autofix.Recipe.of(program()))
    fixed = recipe.build(seed=1)
    fixed.fit(x, y, epochs=recipe.fit["epochs"], batch_size=recipe.fit["batch_size"], verbose=0)
    print("replayed: learning rate", float(fixed.optimizer.learning_rate))


if __name__ == "__main__":
    main()
