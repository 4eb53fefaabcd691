"""What models look at: the numbers of the libraries themselves, read back and held beside each other."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import celltrail as ct
from celltrail.errors import BadValue, NoRun
from celltrail.store import Store


@pytest.fixture(scope="module")
def wine():
    frame = load_wine(as_frame=True)
    return frame.data, frame.target


@pytest.fixture(scope="module")
def forest(wine):
    return RandomForestClassifier(60, random_state=0).fit(*wine)


def test_permutation_is_scikit_learn_s(store: Store, wine, forest):
    """M12.1: Mean and deviation of every feature of wine, proline first; a change of rank is listed."""
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(*wine)
    for name, model in (("linear", linear), ("forest", forest)):
        with ct.start(name, store=store) as run:
            run.explain(model, *wine, repeats=5, split="train")
    own = permutation_importance(forest, *wine, n_repeats=5, random_state=0)
    found = ct.run("forest", store=store).explanation("permutation")
    table = found.table.set_index("feature").loc[wine[0].columns]
    assert (table["mean"] == own.importances_mean).all()
    assert (table["sd"] == own.importances_std).all()
    assert found.table["feature"][0] == wine[0].columns[own.importances_mean.argmax()] == "proline"
    assert (found.method, found.rows, found.split) == ("permutation repeats:5|seed:0", 178, "train")
    both = ct.runs(sort="created", store=store).explanation()
    ranks = both.ranks
    assert both.changes.index.isin(ranks.index[ranks.iloc[:, 0] != ranks.iloc[:, 1]]).all()
    assert len(both.changes) == (ranks.iloc[:, 0] != ranks.iloc[:, 1]).sum() > 0
    assert f"rank {both.changes['before'].iloc[0]:g} → {both.changes['after'].iloc[0]:g}" in repr(both)


def test_shap_and_captum_where_they_are(store: Store, wine, forest):
    """The libraries' own numbers."""
    shap = pytest.importorskip("shap")
    torch = pytest.importorskip("torch")
    captum = pytest.importorskip("captum.attr")
    rows = wine[0].head(40)
    with ct.start("both", store=store) as run:
        run.explain(forest, rows, method="shap")
        own = np.abs(shap.TreeExplainer(forest)(rows).values).mean(axis=(0, 2))
        torch.manual_seed(0)
        net = torch.nn.Linear(13, 3)
        x = torch.tensor(rows.to_numpy(), dtype=torch.float32)
        run.explain(net, x, method="captum", target=1, names=list(rows.columns))
        gradients = captum.IntegratedGradients(net).attribute(x, target=1).abs().mean(dim=0)
    found = ct.run("both", store=store)
    assert np.allclose(found.explanation("shap").table.set_index("feature").loc[rows.columns, "mean"], own)
    told = found.explanation("captum").table.set_index("feature").loc[rows.columns, "mean"]
    assert np.allclose(told, gradients.detach().numpy(), rtol=1e-5)


def test_attention_is_a_heat_map_whose_rows_sum_to_one(store: Store):
    """M12.2: Of PyTorch's own attention: of each layer, head and token the weights that a pointer shows are a whole."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layer, x = torch.nn.MultiheadAttention(8, 2, batch_first=True), torch.randn(1, 5, 8)
    weights = tuple(layer(x, x, x, average_attn_weights=False)[1] for _ in range(3))
    tokens = ["the", "cat", "sat", "on", "the"]
    with ct.start("attention", store=store) as run:
        run.log_attention("val/attention", tokens, weights, step=4)
        run.log_attention("plain", tokens, torch.cat(weights).detach().numpy())
    kept, plain = ct.run("attention", store=store).items()
    assert (kept.kind, kept.step, kept.facts) == ("figure", 4, {"layers": 3, "heads": 2, "tokens": 5})
    assert kept.value["data"] == plain.value["data"]
    cells = kept.value["data"]["values"]
    assert len(cells) == 3 * 2 * 5 * 5
    sums: dict[tuple, float] = {}
    for cell in cells:
        sums[cell["l"], cell["h"], cell["q"]] = sums.get((cell["l"], cell["h"], cell["q"]), 0) + cell["w"]
    assert len(sums) == 30
    assert np.allclose(list(sums.values()), 1, atol=1e-3)
    assert cells[1]["w"] == pytest.approx(weights[0][0, 0, 0, 1].item(), abs=1e-4)


def test_bad_input_is_a_sentence(store: Store, wine, forest):
    """Nothing is half kept."""
    with ct.start("bad", store=store) as run:
        for given, said in (
            ({"method": "lime"}, "no method 'lime'"),
            ({}, "permutation importance needs y"),
            ({"y": wine[1], "names": ["a"], "repeats": 1}, "names has 1 of them for 13 features"),
            ({"method": "captum"}, "captum takes a tensor") if _has("captum") else ({}, "needs y"),
        ):
            with pytest.raises(BadValue, match=said):
                run.explain(forest, wine[0], **given)
        with pytest.raises(BadValue, match=r"allowed is \(layers, heads, 2, 2\)"):
            run.log_attention("a", ["x", "y"], np.ones((1, 1, 3, 3)) / 3)
        with pytest.raises(BadValue, match="weights of a token sum to 1"):
            run.log_attention("a", ["x", "y"], np.ones((1, 1, 2, 2)))
        with pytest.raises(BadValue, match="can be looked at"):
            run.log_attention("a", ["x"] * 300, np.ones((1, 1, 300, 300)) / 300)
    assert ct.run("bad", store=store).items() == []
    with pytest.raises(NoRun, match=r"run 'bad' was not explained; run\.explain"):
        ct.run("bad", store=store).explanation()


def _has(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None
