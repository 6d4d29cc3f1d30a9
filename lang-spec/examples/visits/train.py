"""Train visits.cml: XGBoost on the RAND health insurance experiment.

The data come with statsmodels (statsmodels.datasets.randhie, 20,190 rows, in the
public domain).  Writes model.json, calib.csv and the csv files of 1000 held-out
rows beside itself.  Needs numpy, scikit-learn, statsmodels and xgboost.
"""
from pathlib import Path

import numpy as np
import xgboost as xgb
from sklearn.model_selection import train_test_split
from statsmodels.datasets import randhie

HERE = Path(__file__).resolve().parent


def write_csv(name, header, rows):
    lines = [",".join(map(str, row)) for row in rows]
    (HERE / name).write_text("\n".join([",".join(header)] + lines) + "\n")


def main():
    data = randhie.load_pandas()
    any_visit = (data.endog > 0).astype(int).to_numpy()
    x, x_test, y, y_test = train_test_split(
        data.exog.to_numpy(float), any_visit, test_size=0.2,
        stratify=any_visit, random_state=0)
    x_test, y_test = x_test[:1000], y_test[:1000]
    model = xgb.XGBClassifier(n_estimators=50, max_depth=3, learning_rate=0.3,
                              random_state=0).fit(x, y)
    model.save_model(HERE / "model.json")
    names = list(data.exog.columns)
    p = model.predict_proba(x_test)[:, 1]
    write_csv("calib.csv", names, x[:500].tolist())
    write_csv("test.csv", names, x_test.tolist())
    write_csv("truth.csv", ["visit"], [[v] for v in y_test])
    write_csv("float.csv", ["label", "probability"],
              [[int(v > 0.5), f"{v:.9f}"] for v in p.tolist()])
    print(f"rows: {len(x)} train, {len(x_test)} test")
    print(f"float accuracy {100 * np.mean((p > 0.5) == y_test):.2f} %, "
          f"least |p - 1/2| {np.min(abs(p - 0.5)):.2e}")


if __name__ == "__main__":
    main()
