"""Train diabetes.cml: ridge regression on standardised features.

Writes the weights (mean, scale, w, b), the calibration rows and the three csv
files of the held-out rows beside itself, then evaluates the model with the
integers cmlc will use.  Needs numpy and scikit-learn.
"""
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
X_BITS, W_BITS = 8, 8


def save(name, array):
    np.save(HERE / f"{name}.npy", np.ascontiguousarray(array, dtype="<f8"))


def write_csv(name, header, columns):
    rows = [",".join(map(str, row)) for row in zip(*columns)]
    (HERE / name).write_text("\n".join([",".join(header)] + rows) + "\n")


def quantise(values, calibration, bits):
    """Affine grid of one scale for the whole tensor: real = scale * v."""
    scale = (calibration.max() - calibration.min()) / (2**bits - 1)
    lo = np.round(calibration.min() / scale)
    return np.clip(np.round(values / scale), lo, lo + 2**bits - 1), scale


def quantise_weights(w, bits):
    scale = np.abs(w).max() / (2 ** (bits - 1) - 1)
    return np.round(w / scale), scale


def main():
    data = load_diabetes(scaled=False)
    x, x_test, y, y_test = train_test_split(
        data.data, data.target, test_size=0.3, random_state=0)

    scaler = StandardScaler().fit(x)
    model = Ridge(alpha=10.0).fit(scaler.transform(x), y)
    # not the last bits, which depend on the machine
    w, b = model.coef_.round(9), np.round(model.intercept_, 9)

    calib = x[:200]
    save("mean", scaler.mean_)
    save("scale", scaler.scale_)
    save("w", w)
    save("b", np.array(b))
    save("calib", calib)

    prediction = model.predict(scaler.transform(x_test))
    write_csv("test.csv", data.feature_names, x_test.T.tolist())
    write_csv("truth.csv", ["progression"], [y_test])
    write_csv("float.csv", ["prediction"], [[f"{p:.6f}" for p in prediction]])

    v, s_x = quantise(scaler.transform(x_test), scaler.transform(calib),
                      X_BITS)
    w_int, s_w = quantise_weights(w, W_BITS)
    quantised = s_x * s_w * (v @ w_int + np.round(b / (s_x * s_w)))
    error = np.abs(quantised - prediction)
    print(f"rows: {len(x)} train, {len(x_test)} test")
    print(f"float R2            {r2_score(y_test, prediction):.4f}")
    print(f"quantised R2        {r2_score(y_test, quantised):.4f}")
    print(f"difference          mean {error.mean():.3f}, max {error.max():.3f}")
    print(f"2-norm of W         {np.linalg.norm(w_int):.1f}")


if __name__ == "__main__":
    main()
