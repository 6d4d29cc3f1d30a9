"""Train wine_bayes.cml: Gaussian naive Bayes on 13 measures of wines.

Writes the parameters, the calibration rows (the training rows, unscaled) and the
csv files of the other half beside itself.  Needs numpy and scikit-learn.
"""
from pathlib import Path

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent


def write_csv(name, header, rows):
    lines = [",".join(header)] + [",".join(map(str, r)) for r in rows]
    (HERE / name).write_text("\n".join(lines) + "\n")


def main():
    wine = load_wine()
    x, x_test, y, y_test = train_test_split(
        wine.data, wine.target, test_size=0.5, stratify=wine.target,
        random_state=0)
    scaler = StandardScaler().fit(x)
    model = GaussianNB().fit(scaler.transform(x), y)
    parts = {
        "centre": scaler.mean_,
        "scale": scaler.scale_,
        "mean": model.theta_,
        "sd": np.sqrt(model.var_),
        "prior": np.log(model.class_prior_) - np.log(model.var_).sum(1) / 2,
        "calib": x,
    }
    for name, value in parts.items():
        np.save(HERE / f"{name}.npy", np.asarray(value, "<f8"))
    found = model.predict(scaler.transform(x_test))
    names = [n.replace("/", "_") for n in wine.feature_names]
    write_csv("test.csv", names, x_test.tolist())
    write_csv("truth.csv", ["cultivar"], [[v] for v in y_test])
    write_csv("float.csv", ["cultivar"], [[v] for v in found])
    print(f"rows: {len(x)} train, {len(x_test)} test, float accuracy "
          f"{100 * np.mean(found == y_test):.2f} %")


if __name__ == "__main__":
    main()
