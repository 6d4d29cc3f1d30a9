"""Write a tree or forest of scikit-learn for `param f : forest = sklearn("F")`.

    from sklearn_export import export
    export(model, "forest.json")

Decision trees, random forests, extra trees and gradient boosting, classifiers
and regressors of one output.  f(x) is then what the model sums:

    trees and forests, classifier   predict_proba(x), a vector of all classes
    trees and forests, regressor    predict(x), a number
    gradient boosting, classifier   decision_function(x): a number of two
                                    classes, a vector of more
    gradient boosting, regressor    predict(x), a number

The file is JSON, one object:

    format      "cml-trees/1"
    features    how many numbers x has
    outputs     how many numbers f(x) has; 0: it is a number, not a vector
    base        one number an output (one if outputs is 0), added to the trees
    trees       a list of objects, each of lists with an entry a node

      left, right     index of a node of this tree; -1, -1: this is a leaf
      feature         which number of x the node compares; any for a leaf
      threshold       left iff float32(x[feature]) <= threshold, a double
      missing_left    1: not-a-number goes left, 0: right
      value           of a leaf, one number an output (zeros for other nodes)

Node 0 is the root.  f(x) is base plus the leaf of every tree that x reaches.
"""
import json

import numpy as np


def _tree(estimator, values):
    t = estimator.tree_
    leaf = t.children_left < 0
    missing = getattr(t, "missing_go_to_left", np.zeros(t.node_count, int))
    return {
        "left": t.children_left.tolist(),
        "right": np.where(leaf, -1, t.children_right).tolist(),
        "feature": np.where(leaf, 0, t.feature).tolist(),
        "threshold": np.where(leaf, 0, t.threshold).tolist(),
        "missing_left": np.asarray(missing).astype(int).tolist(),
        "value": np.where(leaf[:, None], values, 0).ravel().tolist(),
    }


def _values(estimator):
    value = estimator.tree_.value
    if value.shape[1] != 1:
        raise ValueError("models of several outputs are not supported")
    value = value[:, 0, :]
    if hasattr(estimator, "classes_"):      # counts before 1.3, then shares
        value = value / value.sum(axis=1, keepdims=True)
    return value


def _boosted(model):
    stages = model.estimators_
    outputs = stages.shape[1]
    raw = model._raw_predict_init(np.zeros((1, model.n_features_in_)))
    trees = []
    for stage in stages:
        for k, tree in enumerate(stage):
            value = np.zeros((tree.tree_.node_count, outputs))
            value[:, k] = model.learning_rate * tree.tree_.value[:, 0, 0]
            trees.append(_tree(tree, value))
    return (0 if outputs == 1 else outputs), raw[0], trees


def export(model, path):
    if hasattr(model, "init_"):
        if model.init is not None and model.init != "zero":
            raise ValueError("gradient boosting with an own init")
        outputs, base, trees = _boosted(model)
    else:
        each = getattr(model, "estimators_", [model])
        outputs = getattr(model, "n_classes_", 0)
        base = np.zeros(max(outputs, 1))
        trees = [_tree(e, _values(e) / len(each)) for e in each]
    with open(path, "w") as f:
        json.dump({"format": "cml-trees/1", "features": model.n_features_in_,
                   "outputs": int(outputs), "base": np.ravel(base).tolist(),
                   "trees": trees}, f, separators=(",", ":"))
        f.write("\n")
