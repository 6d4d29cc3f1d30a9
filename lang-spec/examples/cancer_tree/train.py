"""Train cancer_tree.cml: a decision tree of scikit-learn.

Writes tree.json, the calibration rows and the csv files of the held-out rows
beside itself.  Needs numpy and scikit-learn.
"""
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from sklearn_export import export  # noqa: E402


def write_csv(name, header, columns):
    rows = [",".join(map(str, row)) for row in zip(*columns)]
    (HERE / name).write_text("\n".join([",".join(header)] + rows) + "\n")


def main():
    data = load_breast_cancer()
    malignant = 1 - data.target
    x, x_test, y, y_test = train_test_split(
        data.data, malignant, test_size=0.3, stratify=malignant,
        random_state=0)
    model = DecisionTreeClassifier(max_depth=5, random_state=0).fit(x, y)
    export(model, HERE / "tree.json")
    np.save(HERE / "calib.npy", x[:200].astype("<f8"))
    label = model.predict(x_test)
    names = [n.replace(" ", "_") for n in data.feature_names]
    write_csv("test.csv", names, x_test.T.tolist())
    write_csv("truth.csv", ["diagnosis"], [y_test])
    write_csv("float.csv", ["diagnosis"], [label])
    print(f"{model.tree_.node_count // 2} nodes, depth {model.get_depth()}")
    print(f"float accuracy {100 * np.mean(label == y_test):.2f} %")


if __name__ == "__main__":
    main()
