"""Train visits_glm.cml: Poisson, Gamma and Tweedie regression of scikit-learn.

The data are those of ../visits: how often somebody sees a doctor within a year.
The Gamma regression is of visits plus one, as it wants positive numbers.  Writes
the weights and the csv files of 1000 held-out rows beside itself.  Needs numpy,
scikit-learn and statsmodels.
"""
from pathlib import Path

import numpy as np
from sklearn.linear_model import (GammaRegressor, PoissonRegressor,
                                  TweedieRegressor)
from sklearn.model_selection import train_test_split
from statsmodels.datasets import randhie

HERE = Path(__file__).resolve().parent


def write_csv(name, header, rows):
    lines = [",".join(map(str, row)) for row in rows]
    (HERE / name).write_text("\n".join([",".join(header)] + lines) + "\n")


def main():
    data = randhie.load_pandas()
    visits = data.endog.to_numpy(float)
    x, x_test, y, y_test = train_test_split(
        data.exog.to_numpy(float), visits, test_size=0.2, random_state=0)
    x_test, y_test = x_test[:1000], y_test[:1000]
    mean, scale = x.mean(axis=0), x.std(axis=0)
    models = [PoissonRegressor(alpha=0.001, max_iter=1000),
              GammaRegressor(alpha=0.001, max_iter=1000),
              TweedieRegressor(power=1.5, alpha=0.001, link="log",
                               max_iter=1000)]
    for model, shift in zip(models, (0, 1, 0)):
        model.fit((x - mean) / scale, y + shift)
    np.save(HERE / "mean.npy", mean)
    np.save(HERE / "scale.npy", scale)
    np.save(HERE / "w.npy", np.stack([m.coef_ for m in models], axis=1))
    np.save(HERE / "b.npy", np.array([m.intercept_ for m in models]))
    p = np.stack([m.predict((x_test - mean) / scale) for m in models], axis=1)
    names = list(data.exog.columns)
    write_csv("calib.csv", names, x[:500].tolist())
    write_csv("test.csv", names, x_test.tolist())
    write_csv("truth.csv", ["visits"], [[v] for v in y_test.tolist()])
    write_csv("float.csv", ["poisson", "gamma", "tweedie"],
              [[f"{v:.9f}" for v in row] for row in p.tolist()])


if __name__ == "__main__":
    main()
