"""Train breast_cancer.cml: logistic regression on standardised features.

Writes the weights (mean, scale, w, b), the calibration rows and the three csv
files of the held-out rows beside itself, then evaluates the model with the
integers cmlc will use.  Needs numpy and scikit-learn.
"""
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
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
    data = load_breast_cancer()
    malignant = 1 - data.target          # scikit-learn has 0 for malignant
    x, x_test, y, y_test = train_test_split(
        data.data, malignant, test_size=0.3, stratify=malignant,
        random_state=0)

    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=0.1, max_iter=1000)
    model.fit(scaler.transform(x), y)
    # not the last bits, which depend on the machine
    w, b = model.coef_[0].round(9), model.intercept_[0].round(9)

    calib = x[:200]
    save("mean", scaler.mean_)
    save("scale", scaler.scale_)
    save("w", w)
    save("b", np.array(b))
    save("calib", calib)

    score = model.predict_proba(scaler.transform(x_test))[:, 1]
    label = (score > 0.5).astype(int)
    names = [n.replace(" ", "_") for n in data.feature_names]
    write_csv("test.csv", names, x_test.T.tolist())
    write_csv("truth.csv", ["malignant"], [y_test])
    write_csv("float.csv", ["label", "probability"],
              [label, [f"{s:.9f}" for s in score]])

    v, s_x = quantise(scaler.transform(x_test), scaler.transform(calib),
                      X_BITS)
    w_int, s_w = quantise_weights(w, W_BITS)
    z_int = v @ w_int + np.round(b / (s_x * s_w))
    q_label = (z_int > 0).astype(int)
    q_score = 1 / (1 + np.exp(-z_int * s_x * s_w))
    print(f"rows: {len(x)} train, {len(x_test)} test")
    print(f"float accuracy      {100 * np.mean(label == y_test):.2f} %")
    print(f"quantised accuracy  {100 * np.mean(q_label == y_test):.2f} %")
    print(f"labels that agree   {np.sum(q_label == label)} of {len(label)}")
    print(f"score error         mean {np.mean(np.abs(q_score - score)):.4f}, "
          f"max {np.max(np.abs(q_score - score)):.4f}")
    print(f"2-norm of W         {np.linalg.norm(w_int):.1f}")


if __name__ == "__main__":
    main()
