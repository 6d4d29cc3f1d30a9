"""Choose the points of iris_knn.cml: 15 irises, 5 of each species.

Lengths are whole millimetres, so nothing is lost by quantisation.  Writes the
points, their labels and the csv files of the other rows beside itself.  Needs
numpy and scikit-learn.
"""
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

HERE = Path(__file__).resolve().parent
FEATURES = [0, 2, 3]                     # sepal length, petal length and width
NAMES = ["sepal_length", "petal_length", "petal_width"]


def write_csv(name, header, rows):
    lines = [",".join(header)] + [",".join(map(str, r)) for r in rows]
    (HERE / name).write_text("\n".join(lines) + "\n")


def main():
    iris = load_iris()
    x = np.rint(iris.data[:, FEATURES] * 10).astype("<i8")
    rng = np.random.default_rng(3)
    chosen = np.concatenate([
        rng.choice(np.flatnonzero(iris.target == c), 5, replace=False)
        for c in range(3)])
    rest = np.setdiff1d(np.arange(len(x)), chosen)
    points, labels = x[chosen], iris.target[chosen].astype("<i8")
    np.save(HERE / "points.npy", points)
    np.save(HERE / "labels.npy", labels)

    model = KNeighborsClassifier(3, algorithm="brute").fit(points, labels)
    found = model.predict(x[rest])
    write_csv("test.csv", NAMES, x[rest].tolist())
    name = iris.target_names
    write_csv("truth.csv", ["found"], [[name[c]] for c in iris.target[rest]])
    write_csv("float.csv", ["found"], [[name[c]] for c in found])
    # of points equally far away cmlc takes the first, scikit-learn any
    far = np.sort(((x[rest, None] - points) ** 2).sum(2), axis=1)
    print(f"rows with a tie for the third place: "
          f"{np.flatnonzero(far[:, 2] == far[:, 3]).tolist()}")
    print(f"points {len(points)}, rows {len(rest)}, accuracy "
          f"{100 * np.mean(found == iris.target[rest]):.2f} %")


if __name__ == "__main__":
    main()
