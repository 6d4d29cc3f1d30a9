"""Train digits.cml: a 64-32-10 perceptron that stays narrow when encrypted.

The float model is scikit-learn's MLPClassifier.  The network of digits.cml has
the same shape but is trained apart, with its quantisation in the loop: every
hidden unit adds POSITIVE pixels of 2 bits and subtracts NEGATIVE, so that its
sum provably has 5 bits, the width of its one bootstrap.  It learns from
shifted copies of the training rows, labelled by a support vector machine.
Settings come from five folds of the training part (float 97.5 %, this network
96.7 %), the temperature from rows set apart; test rows are only evaluated.

Writes the weights, the calibration rows and the three csv files of the
held-out rows beside itself.  Needs numpy and scikit-learn; repeats bit for bit
with the same libraries on the same kind of machine.
"""
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
X_BITS, A_BITS, W2_BITS = 2, 4, 4
POSITIVE, NEGATIVE = 6, 4  # (6 + 4) 3 + 1 = 31 values of a sum: 5 bits
HIDDEN, CALIBRATION = 32, 300
COPIES, SHIFT = 15, 0.25  # of every training row; up to a quarter of a pixel
EPOCHS, BATCH, RATE, DECAY = 30, 128, 0.02, 3e-4
X_TOP, A_TOP, W2_TOP = 2**X_BITS - 1, 2**A_BITS - 1, 2**(W2_BITS - 1) - 1


def save(name, array, dtype="<f8"):
    np.save(HERE / f"{name}.npy", np.ascontiguousarray(array, dtype=dtype))


def write_csv(name, header, columns):
    rows = [",".join(map(str, row)) for row in zip(*columns)]
    (HERE / name).write_text("\n".join([",".join(header)] + rows) + "\n")


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def shifted(x, rng):
    """The images, moved by a fraction of a pixel each."""
    image = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    for axis in (1, 2):
        d = rng.uniform(-SHIFT, SHIFT, (len(x), 1, 1))
        image = ((1 - abs(d)) * image
                 + np.maximum(d, 0) * np.roll(image, 1, axis)
                 + np.maximum(-d, 0) * np.roll(image, -1, axis))
    return image[:, 1:-1, 1:-1].reshape(-1, 64)


def lessons(x, y, rng):
    """Copies of the rows, and what the teacher says of them."""
    copies = np.concatenate([x] + [shifted(x, rng) for _ in range(COPIES)])
    teacher = SVC(C=10, gamma=1e-3)
    teacher.fit(copies[:5 * len(x)], np.tile(y, 5))
    return copies, softmax(4 * teacher.decision_function(copies))


def ternary(u, positive, negative):
    """1 for the largest entries of a column, -1 for the least, else 0."""
    w = np.zeros_like(u)
    order = np.argsort(u, axis=0)
    for sign, chosen in ((1, order[len(u) - positive:]),
                         (-1, order[:negative])):
        large = sign * np.take_along_axis(u, chosen, axis=0) > 0.5
        np.put_along_axis(w, chosen, (sign * large).astype(w.dtype), axis=0)
    return w


def fit(x, target, calib):
    """Adam with straight-through gradients; returns w1, b1, w2, b2.

    More pixels than asked take part at first; the choice of pixels is fixed
    after 70 % of the steps, and gains, biases and w2 settle.
    """
    rng = np.random.default_rng(0)
    v = (np.rint(x * X_TOP / 16) / X_TOP).astype("f4")
    target, calib = target.astype("f4"), (calib / 16).astype("f4")
    p = {"u": rng.normal(0, 0.5, (64, HIDDEN)),
         "gain": np.full(HIDDEN, 2 / np.sqrt(POSITIVE)),
         "b1": rng.uniform(0, 0.5, HIDDEN), "b2": np.zeros(10),
         "w2": rng.normal(0, 0.3, (HIDDEN, 10))}
    p = {k: a.astype("f4") for k, a in p.items()}
    m, s = ({k: np.zeros_like(a) for k, a in p.items()} for _ in range(2))
    steps = EPOCHS * (len(v) // BATCH)
    for t in range(1, steps + 1):
        i = rng.integers(len(v), size=BATCH)
        spare = max(0, 1 - 2 * t / steps) ** 3
        w = ternary(p["u"], POSITIVE + round((32 - POSITIVE) * spare),
                    NEGATIVE + round((32 - NEGATIVE) * spare))
        if t % 10 == 1:
            top = max(1e-3, (calib @ w * p["gain"] + p["b1"]).max())
        grid = np.abs(p["w2"]).max() / W2_TOP
        w2 = np.rint(p["w2"] / grid) * grid
        sums = v[i] @ w
        h = np.clip(sums * p["gain"] + p["b1"], 0, top)
        a = np.rint(h * (A_TOP / top)) * (top / A_TOP)
        dz = (softmax(a @ w2 + p["b2"]) - target[i]) / BATCH
        dh = dz @ w2.T * ((h > 0) & (h < top))
        g = {"w2": a.T @ dz, "b2": dz.sum(0), "b1": dh.sum(0),
             "gain": (dh * sums).sum(0),
             "u": v[i].T @ (dh * p["gain"]) + DECAY * p["u"]}
        rate = RATE * (1 + np.cos(np.pi * t / steps)) / 2
        for k in p:
            m[k] += 0.1 * (g[k] - m[k])
            s[k] += 0.001 * (g[k] ** 2 - s[k])
            size = np.sqrt(s[k] / (1 - 0.999**t)) + 1e-8
            share = 1 if k != "u" else 0.3 if t < 0.7 * steps else 0
            p[k] -= (rate * share * m[k] / (1 - 0.9**t) / size).astype("f4")
        np.clip(p["u"], -1.5, 1.5, out=p["u"])
        np.maximum(p["gain"], 1e-3, out=p["gain"])
    p = {k: a.astype("f8") for k, a in p.items()}
    w = ternary(p["u"], POSITIVE, NEGATIVE)
    grid = np.abs(p["w2"]).max() / W2_TOP
    step = grid * (calib @ (w * p["gain"]) + p["b1"]).max() / A_TOP
    return {"w1": w * p["gain"] / 16, "b1": p["b1"],
            "w2": np.rint(p["w2"] / grid) * grid,
            "b2": np.rint(p["b2"] / step) * step}  # on the grid of the sums


def quantised(net, x, calib):
    """What cmlc computes: the scores; the widths of tables and answer."""
    x_scale = 16 / X_TOP
    w1_scale = np.abs(net["w1"]).max(axis=0)
    w1_scale[w1_scale == 0] = 1
    w1 = np.rint(net["w1"] / w1_scale)
    low = X_TOP * np.minimum(w1, 0).sum(axis=0).min()
    high = X_TOP * np.maximum(w1, 0).sum(axis=0).max()
    a_scale = np.maximum(calib @ net["w1"] + net["b1"], 0).max() / A_TOP
    sums = np.arange(low, high + 1)[:, None]
    real = np.maximum(sums * (w1_scale * x_scale) + net["b1"], 0) / a_scale
    table = np.clip(np.rint(real), 0, A_TOP)         # [sum, unit]
    w2_scale = np.abs(net["w2"]).max() / W2_TOP
    w2 = np.rint(net["w2"] / w2_scale)
    b2 = np.rint(net["b2"] / (w2_scale * a_scale))

    v = np.clip(np.rint(x / x_scale), 0, X_TOP)
    a = table[(v @ w1 - low).astype(int), np.arange(HIDDEN)]
    z = a @ w2 + b2
    least = (b2 + table.max() * np.minimum(w2, 0).sum(axis=0)).min()
    most = (b2 + table.max() * np.maximum(w2, 0).sum(axis=0)).max()
    widths = np.ceil(np.log2([high - low + 1, most - least + 1])).astype(int)
    return z * w2_scale * a_scale, widths


def main():
    threadpool_limits(1)  # so that sums keep their order
    data = load_digits()
    x, x_test, y, y_test = train_test_split(
        data.data, data.target, test_size=0.3, stratify=data.target,
        random_state=0)
    calib = x[:CALIBRATION]

    warnings.simplefilter("ignore", ConvergenceWarning)
    model = MLPClassifier((HIDDEN,), alpha=1.0, solver="lbfgs", max_iter=1000,
                          random_state=0).fit(x / 16, y)
    score = model.predict_proba(x_test / 16)

    x_fit, x_val, y_fit, y_val = train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=0)
    rng = np.random.default_rng(0)
    trial = fit(*lessons(x_fit, y_fit, rng), x_fit[:CALIBRATION])
    z = quantised(trial, x_val, x_fit[:CALIBRATION])[0]
    t = max(np.exp(np.linspace(-2, 2, 81)), key=lambda t: np.log(
        softmax(z / t)[np.arange(len(z)), y_val]).sum())  # likeliest labels
    print(f"validation accuracy {100 * np.mean(z.argmax(1) == y_val):.2f} %")

    net = fit(*lessons(x, y, rng), calib)
    net["w2"], net["b2"] = net["w2"] / t, net["b2"] / t
    for name, array in net.items():
        save(name, array)
    save("calib", calib, np.uint8)
    write_csv("test.csv", [f"p{i}" for i in range(64)], x_test.astype(int).T)
    write_csv("truth.csv", ["digit"], [y_test])
    write_csv("float.csv", ["digit", "confidence"],
              [score.argmax(1), [f"{c:.6f}" for c in score.max(1)]])

    z, (width, answer) = quantised(net, x_test, calib)
    digit, known = z.argmax(1), score.argmax(1)
    print(f"rows: {len(x)} train, {len(digit)} test")
    print(f"float accuracy      {100 * np.mean(known == y_test):.2f} %")
    print(f"quantised accuracy  {100 * np.mean(digit == y_test):.2f} %")
    print(f"digits that agree   {np.sum(digit == known)} of {len(digit)}")
    print(f"mean confidence     {100 * softmax(z).max(1).mean():.2f} %, "
          f"wrong {100 * softmax(z[digit != y_test]).max(1).mean():.2f} %")
    print(f"proved widths       tables {width} bits, answer {answer} bits")


if __name__ == "__main__":
    main()
