"""Train digits_forest.cml: a random forest of scikit-learn.

Writes forest.json, the calibration rows and the csv files of the held-out rows
beside itself.  Needs numpy and scikit-learn.
"""
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from sklearn_export import export  # noqa: E402


def write_csv(name, header, rows):
    lines = [",".join(map(str, row)) for row in rows]
    (HERE / name).write_text("\n".join([",".join(header)] + lines) + "\n")


def main():
    data = load_digits()
    x, x_test, y, y_test = train_test_split(
        data.data, data.target, test_size=0.25, stratify=data.target,
        random_state=0)
    model = RandomForestClassifier(n_estimators=50, max_depth=4,
                                   random_state=0).fit(x, y)
    export(model, HERE / "forest.json")
    np.save(HERE / "calib.npy", x[:200].astype("<f8"))
    label, share = model.predict(x_test), model.predict_proba(x_test)
    write_csv("test.csv", [f"x[{i}]" for i in range(64)],
              x_test.astype(int).tolist())
    write_csv("truth.csv", ["digit"], [[v] for v in y_test])
    write_csv("float.csv", ["digit"], [[v] for v in label])
    top = np.sort(share, axis=1)
    print(f"{sum(e.tree_.node_count // 2 for e in model.estimators_)} nodes")
    print(f"float accuracy {100 * np.mean(label == y_test):.2f} %, "
          f"least margin {np.min(top[:, -1] - top[:, -2]):.2e}")


if __name__ == "__main__":
    main()
