"""Ask what is wrong with a run and change nothing: one training run with probes, then the findings."""

import keras
from sklearn.datasets import load_breast_cancer

import autofix


def main() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    model = keras.Sequential(
        [
            keras.Input((30,)),
            *[keras.layers.Dense(32, activation="sigmoid") for _ in range(6)],
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="binary_crossentropy", metrics=["accuracy"])

    for finding in autofix.diagnose(model, (x, y), epochs=10):
        print(f"severity {finding.severity:.1f}, certainty {finding.certainty:.1f}: {finding}")


if __name__ == "__main__":
    main()
