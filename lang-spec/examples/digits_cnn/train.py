"""Train digits_cnn.cml: two convolutions and a linear layer, narrow when encrypted.

The float model and the network of digits_cnn.cml have one shape and are trained
alike, on shifted copies of the training rows labelled by a support vector
machine; the second has its quantisation in the loop.  An element of a
convolution adds at most POSITIVE values of 2 bits and subtracts NEGATIVE, so
that its sum provably has 5 bits, the width of its one bootstrap; each filter has
a gain of its own, and what its table gives lies on the grid 0, 1, 2, 3 that
`quant` names.  Test rows are only evaluated.

Writes net.npz and the three csv files of the held-out rows beside itself.
Needs numpy and scikit-learn; repeats bit for bit with the same libraries on the
same kind of machine.
"""
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
A_TOP, W_TOP = 3, 7  # pixels and activations of 2 bits; last weights of 4
POSITIVE, NEGATIVE = 5, 5  # (5 + 5) 3 + 1 = 31 values of a sum: 5 bits
FILTERS, SIZE, STRIDE = (16, 24), (3, 4), (1, 2)
COPIES, SHIFT = 15, 0.25  # of every training row; up to a quarter of a pixel
EPOCHS, BATCH, RATE = 40, 128, 0.003


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
    for sign, chosen in ((1, order[max(0, len(u) - positive):]),
                         (-1, order[:negative])):
        large = sign * np.take_along_axis(u, chosen, axis=0) > 0.25
        at = np.take_along_axis(w, chosen, axis=0)
        np.put_along_axis(w, chosen, np.where(large, sign, at), axis=0)
    return w


class Places:
    """Where a window of `size` lies over an image of `side`."""

    def __init__(self, side, size, stride):
        self.out = (side - size) // stride + 1
        corner = stride * np.arange(self.out)
        cell = np.arange(size)
        rows = corner[:, None, None, None] + cell[:, None]
        columns = corner[None, :, None, None] + cell
        self.at = (rows * side + columns).reshape(self.out**2, size**2)

    def gather(self, h):  # [row, pixel, channel] to [row, place, cell channel]
        return h[:, self.at].reshape(len(h), len(self.at), -1)

    def scatter(self, dp, pixels, channels):
        dp = dp.reshape(len(dp), *self.at.shape, channels)
        dh = np.zeros((len(dp), pixels, channels), dp.dtype)
        for cell in range(self.at.shape[1]):  # no pixel twice
            dh[:, self.at[:, cell]] += dp[:, :, cell]
        return dh


FIRST = Places(8, SIZE[0], STRIDE[0])
SECOND = Places(FIRST.out, SIZE[1], STRIDE[1])
PLACES = (FIRST, SECOND)


class Net:
    """x -> conv, relu -> conv, relu -> linear; exact: the network of the cml."""

    def __init__(self, exact, rng):
        self.exact, self.p = exact, {}
        inputs = [SIZE[0]**2, SIZE[1]**2 * FILTERS[0]]
        for i, (n, filters) in enumerate(zip(inputs, FILTERS)):
            spread = 0.4 if exact else np.sqrt(2 / n)
            self.p[f"u{i}"] = rng.normal(0, spread, (n, filters))
            self.p[f"g{i}"] = np.full(filters, 0.25 if exact else 1.0)
            self.p[f"b{i}"] = np.full(filters, 0.5 if exact else 0.0)
        n = SECOND.out**2 * FILTERS[1]
        self.p["w"] = rng.normal(0, 1 / np.sqrt(n), (n, 10))
        self.p["b"] = np.zeros(10)
        self.p = {k: a.astype("f4") for k, a in self.p.items()}

    def weights(self, spare=0):
        """What the layers multiply with; more entries take part at first."""
        if not self.exact:
            return [self.p["u0"], self.p["u1"], self.p["w"]]
        w = [ternary(self.p[u], POSITIVE + round((40 - POSITIVE) * spare),
                     NEGATIVE + round((40 - NEGATIVE) * spare))
             for u in ("u0", "u1")]
        grid = np.abs(self.p["w"]).max() / W_TOP
        return w + [np.rint(self.p["w"] / grid) * grid]

    def forward(self, x, w):
        """Scores, and what the gradient needs of each layer."""
        h, kept = x[:, :, None], []
        for i, places in enumerate(PLACES):
            patches = places.gather(h)
            sums = patches @ w[i]
            real = sums * self.p[f"g{i}"] + self.p[f"b{i}"]
            kept.append((patches, sums, real))
            h = (np.clip(np.rint(real), 0, A_TOP) if self.exact
                 else np.maximum(real, 0))
        flat = h.reshape(len(h), -1)
        return flat @ w[2] + self.p["b"], kept, flat

    def gradient(self, x, target, w):
        z, kept, flat = self.forward(x, w)
        dz = (softmax(z) - target) / len(x)
        g = {"w": flat.T @ dz, "b": dz.sum(0)}
        dh = (dz @ w[2].T).reshape(kept[1][2].shape)
        for i in (1, 0):
            patches, sums, real = kept[i]
            inside = real > -0.5 if self.exact else real > 0
            if self.exact:
                inside &= real < A_TOP + 0.5
            dh = dh * inside
            g[f"b{i}"] = dh.sum((0, 1))
            g[f"g{i}"] = (dh * sums).sum((0, 1))
            dh = dh * self.p[f"g{i}"]
            n = patches.shape[2]
            g[f"u{i}"] = patches.reshape(-1, n).T @ dh.reshape(-1, dh.shape[2])
            if i:
                dh = PLACES[i].scatter(dh @ w[i].T, FIRST.out**2, FILTERS[0])
        return g

    def fit(self, x, target, rng):
        """Adam with straight-through gradients; the choice of weights is fixed
        after 70 % of the steps, and gains, biases and the last layer settle."""
        x, target = x.astype("f4"), target.astype("f4")
        m, s = ({k: np.zeros_like(a) for k, a in self.p.items()}
                for _ in range(2))
        steps = EPOCHS * (len(x) // BATCH)
        for t in range(1, steps + 1):
            i = rng.integers(len(x), size=BATCH)
            w = self.weights(max(0, 1 - 2 * t / steps)**3)
            g = self.gradient(x[i], target[i], w)
            rate = RATE * (1 + np.cos(np.pi * t / steps)) / 2
            for k, a in self.p.items():
                m[k] += 0.1 * (g[k] - m[k])
                s[k] += 0.001 * (g[k]**2 - s[k])
                size = np.sqrt(s[k] / (1 - 0.999**t)) + 1e-8
                fixed = self.exact and k[0] == "u" and t > 0.7 * steps
                if not fixed and (self.exact or k[0] != "g"):
                    a -= (rate * m[k] / (1 - 0.9**t) / size).astype("f4")
                if self.exact and k[0] == "u":
                    np.clip(a, -1.5, 1.5, out=a)
                if self.exact and k[0] == "g":
                    np.maximum(a, 1e-2, out=a)
        return self


def filters(w, gain, i):
    """[cell channel, filter] with its gain as filters of conv2d."""
    w = (w * gain).reshape(SIZE[i], SIZE[i], -1, FILTERS[i])
    return w.transpose(3, 2, 0, 1)


def save(net):
    w = net.weights()
    channel_first = (w[2].reshape(SECOND.out**2, FILTERS[1], 10)
                     .transpose(1, 0, 2).reshape(-1, 10))
    np.savez_compressed(
        HERE / "net.npz", w=channel_first, b=net.p["b"],
        k1=filters(w[0], net.p["g0"], 0), b1=net.p["b0"],
        k2=filters(w[1], net.p["g1"], 1), b2=net.p["b1"])


def write_csv(name, header, columns):
    rows = [",".join(map(str, row)) for row in zip(*columns)]
    (HERE / name).write_text("\n".join([",".join(header)] + rows) + "\n")


def pixels(x):
    return np.rint(x * A_TOP / 16)  # 2 bits, as the client sends them


def main():
    threadpool_limits(1)  # so that sums keep their order
    data = load_digits()
    x, x_test, y, y_test = train_test_split(
        data.data, data.target, test_size=0.3, stratify=data.target,
        random_state=0)
    rng = np.random.default_rng(0)
    copies, target = lessons(x, y, rng)
    exact = Net(True, rng).fit(pixels(copies), target, rng)
    real = Net(False, rng).fit(copies / 16, target, rng)

    score = softmax(real.forward((x_test / 16).astype("f4"),
                                 real.weights())[0])
    z = exact.forward(pixels(x_test).astype("f4"), exact.weights())[0]
    save(exact)
    write_csv("test.csv", [f"p{i}" for i in range(64)], x_test.astype(int).T)
    write_csv("truth.csv", ["digit"], [y_test])
    write_csv("float.csv", ["digit", "confidence"],
              [score.argmax(1), [f"{c:.6f}" for c in score.max(1)]])
    print(f"rows: {len(x)} train, {len(y_test)} test")
    print(f"float accuracy      {100 * np.mean(score.argmax(1) == y_test):.2f} %")
    print(f"quantised accuracy  {100 * np.mean(z.argmax(1) == y_test):.2f} %")


if __name__ == "__main__":
    main()
