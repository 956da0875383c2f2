"""Repair a regression on a DataFrame; predictions stay in the units of the column."""

import keras
import pandas as pd
from sklearn.datasets import load_diabetes

import autofix


def main() -> None:
    table = load_diabetes(as_frame=True, scaled=False).frame
    features, target = table.drop(columns="target"), table["target"]
    model = keras.Sequential(
        [
            keras.Input((features.shape[1],)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),  # never reaches a target of 25 to 346
        ]
    )
    model.compile(optimizer="adam", loss="mse")

    result = autofix.repair(model, (features, target), epochs=40)
    print(result)
    predicted = result.model.predict(features.head(3).to_numpy(), verbose=0)[:, 0]
    print(pd.DataFrame({"target": target.head(3), "predicted": predicted}))


if __name__ == "__main__":
    main()
