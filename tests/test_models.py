"""Models: kept by what they hold, numbered, promoted through a gate, loaded only when every byte verifies."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tinydb import TinyDB

import celltrail as ct
from celltrail.errors import AliasMoved, BadValue, Damaged, NoRun, Refused
from celltrail.formats import tensors
from celltrail.query import find
from celltrail.query.detail import tables
from celltrail.run import start
from celltrail.store.registry import ModelDocuments


@pytest.fixture(scope="module")
def wine():
    return datasets.load_wine(return_X_y=True)


def linear(c: float = 1.0):
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=500))


def test_estimators_predict_the_same_again(store, wine):
    """M6.2: A pipeline, a forest and boosted trees, to the last bit; only types that the record names are let in."""
    x, y = wine
    for name, model in {
        "linear": linear(0.3),
        "forest": RandomForestClassifier(10, random_state=0),
        "boosted": HistGradientBoostingClassifier(max_iter=5, random_state=0),
    }.items():
        model.fit(x, y)
        with start(f"train {name}", {"kind": name}, store=store) as run:
            run.log_data((x), "wine")
            made = run.log_model(model, name, alias="candidate")
        assert (made.version, made.format) == (1, "skops")
        found = ct.registry.of(store)[f"{name}@candidate"]
        assert (found.load().predict_proba(x) == model.predict_proba(x)).all()
        assert found.params == find(f"train {name}", store).params
        assert found.data == (find(f"train {name}", store).data[0].digest,)
    assert ct.registry.of(store)["linear"].untrusted == ()
    assert ct.registry.of(store)["forest"].untrusted == ("sklearn.tree._tree.Tree",)
    assert "coef_" in str(ct.registry.of(store)["linear"].layers)
    trees = RandomForestClassifier(10, random_state=0).fit(x, y).estimators_
    assert ct.registry.of(store)["forest"].layers.parameters == sum(tree.tree_.node_count for tree in trees)


def test_a_version_never_changes_and_the_same_model_has_the_same_digest(store, wine):
    """Two dumps of one model differ as bytes, not in what they hold; another C is another digest. TinyDB reads it."""
    with start("a", store=store) as run:
        first, again = (run.log_model(linear().fit(*wine), "wine") for _ in range(2))
        other = run.log_model(linear(0.1).fit(*wine), "wine")
    assert [first.version, again.version, other.version] == [1, 2, 3]
    assert first.digest == again.digest != other.digest
    assert first.settings["steps"] == again.settings["steps"]
    path = store.root / "registry" / "wine" / "v000002.json"
    assert path.stat().st_mode & 0o777 == 0o600
    with TinyDB(path) as database:
        assert database.table("version").all()[0]["digest"] == again.digest
    assert [entry.on for entry in store.audit.entries() if entry.do == "version"] == ["wine@v1", "wine@v2", "wine@v3"]
    assert store.audit.verify().is_whole
    store.gc()
    assert ct.registry.of(store)["wine@v1"].load() is not None


def test_a_changed_tensor_costs_that_tensor(store):
    """M6.1, M6.3: Modules as safetensors: the sum of parameters, buffers apart, bytes added, the tied one once."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)

    def net(width: int = 2000):
        return torch.nn.Sequential(
            torch.nn.Linear(64, width), torch.nn.BatchNorm1d(width), torch.nn.ReLU(), torch.nn.Linear(width, 10)
        )

    model = net()
    model[1].weight.requires_grad_(False)
    with start("a", store=store) as run:
        first = run.log_model(model, "net")
        with torch.no_grad():
            model[3].weight += 1
        second = run.log_model(model, "net")
        wide = run.log_model(net(2400), "net")
    assert first.layers.parameters == sum(each.numel() for each in model.parameters())
    frozen = {layer.name for layer in first.layers if not layer.is_trained and layer.is_parameter}
    assert frozen == {"1.weight"}
    one = model[3].weight.numel() * 4
    assert one < second.bytes_added < one + 4000
    assert first.digest != second.digest
    registry = ct.registry.of(store)
    changed = registry["net@v2"].diff("v3")
    assert {row[0] for row in changed.df().itertuples(index=False)} >= {"0.weight", "3.weight"}
    assert not registry["net@v1"].diff("v2")
    assert "0.weight: F32 [2000, 64] → F32 [2400, 64]" in str(changed)
    x = torch.randn(5, 64)
    model.eval()
    again = registry["net@v2"].load(into=net()).eval()
    assert torch.equal(again(x), model(x))
    assert set(registry["net@v1"].load()) == set(model.state_dict())
    with pytest.raises(BadValue, match="do not fit into this Sequential"):
        registry["net@v1"].load(into=net(8))
    assert wide.version == 3

    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(50, 16)
            self.out = torch.nn.Linear(16, 50, bias=False)
            self.out.weight = self.embed.weight

    tied = Tied()
    with start("b", store=store) as run:
        for kept in (tied, tied.state_dict()):
            made = run.log_model(kept, "tied")
            assert made.size < 50 * 16 * 4 + 1000
            assert torch.equal(registry["tied"].load(into=Tied()).out.weight, tied.out.weight)


def test_files_come_back_byte_for_byte(store, tmp_path, wine):
    """A file of tensors with its header as it was, a folder as a checkpoint; what is cut short is refused."""
    from safetensors.numpy import save_file

    folder = tmp_path / "checkpoint"
    folder.mkdir()
    arrays = {"b": np.arange(1000, dtype="float32"), "a": np.ones((3, 700), "float64"), "empty": np.zeros(0, "int8")}
    save_file(arrays, folder / "model.safetensors", metadata={"format": "np", "note": "é"})
    (folder / "config.json").write_text('{"layers": 2}')
    with start("a", store=store) as run:
        made = run.log_model(folder / "model.safetensors", "file")
        whole = run.log_model(folder, "folder", base_model="gpt2", licence="mit")
    found = ct.registry.of(store)["file"]
    assert found.facts == {"metadata": {"format": "np", "note": "é"}}
    (path,) = found.save(tmp_path / "out")
    assert path.read_bytes() == (folder / "model.safetensors").read_bytes()
    loaded = found.load()
    assert {name: each.tolist() for name, each in loaded.items()} == {n: each.tolist() for n, each in arrays.items()}
    saved = ct.registry.of(store)["folder"].save(tmp_path / "again")
    assert {each.name: each.read_bytes() for each in saved} == {
        each.name: each.read_bytes() for each in folder.iterdir()
    }
    assert (whole.base_model, whole.licence, whole.layers.parameters) == ("gpt2", "mit", 3100)
    with pytest.raises(BadValue, match=r"kept as folder is files, no value of Python: .save"):
        ct.registry.of(store)["folder"].load()
    data = (folder / "model.safetensors").read_bytes()
    for wrong in (b"", data[:6], data[:40], data[:-1], data + b"x", b"\xff" * 9):
        (tmp_path / "cut.safetensors").write_bytes(wrong)
        with (
            start("b", store=store) as run,
            pytest.raises(BadValue, match=r"'cut.safetensors' is no file of safetensors"),
        ):
            run.log_model(tmp_path / "cut.safetensors", "cut")
    assert made.layers.parameters == 3100
    assert tensors.read(data).layers == found.layers


def test_onnx_and_gguf_say_what_they_are(store, tmp_path):
    """Written by their own libraries; only the head is read, and what is no such file is refused."""
    onnx, gguf = pytest.importorskip("onnx"), pytest.importorskip("gguf")
    helper, kinds = onnx.helper, onnx.TensorProto
    weight = onnx.numpy_helper.from_array(np.ones((3, 4), "float32"), "W")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "W"], ["y"])], "tiny",
        [helper.make_tensor_value_info("x", kinds.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("y", kinds.FLOAT, [None, 4])], [weight],
    )  # fmt: skip
    model = helper.make_model(graph, producer_name="ours", opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"team": "vision"})
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "tiny.onnx")
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_name("tiny")
    writer.add_license("mit")
    writer.add_block_count(2)
    writer.add_token_list([f"t{at}" for at in range(500)])
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((8, 32), "float16"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with start("a", store=store) as run:
        graph_made = run.log_model(tmp_path / "tiny.onnx", "tiny")
        weights = run.log_model(tmp_path / "tiny.gguf", "tiny")
        for name in ("no.onnx", "no.gguf"):
            (tmp_path / name).write_bytes(os.urandom(50))
            with pytest.raises(BadValue, match="that can be read"):
                run.log_model(tmp_path / name, "no")
    assert [(each.name, each.dtype, each.shape) for each in graph_made.layers] == [("W", "F32", (3, 4))]
    facts = graph_made.facts
    assert (facts["producer_name"], facts["graph"], facts["nodes"]) == ("ours", "tiny", 1)
    assert (facts["inputs"], facts["outputs"], facts["opset"]) == (["x"], ["y"], {"ai.onnx": 17})
    assert facts["metadata"] == {"team": "vision"}
    assert [(each.name, each.dtype, each.shape) for each in weights.layers] == [("blk.0.attn_q.weight", "F16", (8, 32))]
    assert weights.facts["general.name"] == "tiny"
    assert weights.facts["general.license"] == "mit"
    assert weights.facts["llama.block_count"] == 2
    assert "tokenizer.ggml.tokens" not in weights.facts


class Guess:
    """A model that no library keeps; its pickle would run this module."""

    def predict(self, rows):
        return [1] * len(rows)


def test_a_pickle_is_made_and_loaded_only_when_asked_for(store, tmp_path):
    """Both ways it is refused in words, with the reason; a file that is one is never opened."""
    with start("a", store=store) as run:
        with pytest.raises(BadValue, match=r"whoever loads it runs what its author put in.*allow_pickle=True"):
            run.log_model(Guess(), "guess")
        made = run.log_model(Guess(), "guess", allow_pickle=True)
        bomb = tmp_path / "bomb.pkl"
        bomb.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "boom").encode() + b"'\ntR.")
        run.log_model(bomb, "bomb")
    assert made.format == "pickle"
    found = ct.registry.of(store)["guess"]
    with pytest.raises(BadValue, match=r"this model is a pickle.*of one whose author you trust"):
        found.load()
    assert found.load(allow_pickle=True).predict([1, 2]) == [1, 1]
    with pytest.raises(BadValue, match="is a pickle"):
        ct.registry.of(store)["bomb"].load()
    assert not (tmp_path / "boom").exists()
    assert pickle.loads(found.save(tmp_path / "out")[0].read_bytes()).predict([1]) == [1]


def test_a_tampered_file_is_refused_by_name(store, wine):
    """A flipped bit in a blob, a blob that is gone, another digest or another blob in the version's document."""
    torch = pytest.importorskip("torch")
    with start("a", store=store) as run:
        run.log_model(linear().fit(*wine), "wine")
        run.log_model(linear(0.1).fit(*wine), "wine")
        run.log_model(torch.nn.Linear(256, 256), "net")
    registry, documents = ct.registry.of(store), ModelDocuments(store.root)

    def blob(digest):
        return store.root / "blobs" / digest[:2] / digest

    def flip(path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(data)

    first = documents.version("wine", 1)
    path = blob(first["files"]["model.skops"]["blob"])
    good = path.read_bytes()
    flip(path)
    with pytest.raises(Damaged, match=r"model wine@v1: model.skops does not hold what was kept, so it is not loaded"):
        registry["wine@v1"].load()
    path.write_bytes(good)
    assert registry["wine@v1"].load() is not None
    net = documents.version("net", 1)["files"]["model.safetensors"]["blob"]
    tensor = next(piece for piece, _ in store.blobs.manifest(net).pieces if piece)
    flip(blob(tensor))
    with pytest.raises(Damaged, match=r"model net@v1: model.safetensors does not hold"):
        registry["net"].load()
    with pytest.raises(Damaged, match=r"model net@v1: model.safetensors does not hold"):
        registry["net"].save(store.root.parent / "out")
    assert not list((store.root.parent / "out").glob("*"))
    blob(tensor).unlink()
    with pytest.raises(Damaged, match=r"model net@v1: model.safetensors does not hold"):
        registry["net"].load()
    document = store.root / "registry" / "wine" / "v000001.json"
    told = document.read_text()
    second = documents.version("wine", 2)
    document.write_text(told.replace(first["files"]["model.skops"]["blob"], second["files"]["model.skops"]["blob"]))
    with pytest.raises(Damaged, match="model wine@v1"):
        registry["wine@v1"].load()
    document.write_text(told.replace(first["digest"], second["digest"]))
    with pytest.raises(Damaged, match="model wine@v1: its list of files is not the one it was kept with"):
        registry["wine@v1"].load()


def test_a_promotion_passes_its_gate_or_says_why_not(store, wine):
    """C14: Metric against the champion, fairness where recorded, the verdict of a replay; refused, nothing moves."""
    model = linear().fit(*wine)
    for name, accuracy, gap in (("one", 0.90, None), ("two", 0.93, 0.05), ("three", 0.92, 0.3)):
        with start(name, store=store) as run:
            run.log({"val/acc": accuracy})
            if gap is not None:
                run.summary["fair/dpd"] = gap
            run.log_model(model, "churn")
    registry = ct.registry.of(store)
    with pytest.raises(BadValue, match="promoting churn@v1 needs a reason"):
        registry["churn@v1"].promote("champion", reason=" ")
    registry["churn@v1"].promote("champion", reason="the first", gate="val/acc >= champion and val/acc > 0.8")
    assert registry["churn@champion"].version == 1
    with pytest.raises(Refused, match=r"no metric 'fair/dpd'"):
        registry["churn@v1"].promote("champion", reason="again", gate="fair/dpd < 0.1")
    gate = "val/acc >= champion and fair/dpd < 0.1"
    with pytest.raises(Refused) as refused:
        registry["churn@v3"].promote("champion", reason="newer", gate=gate)
    assert str(refused.value) == (
        "churn@v3 is not promoted to 'champion': fair/dpd < 0.1 (0.3 against 0.1). churn@champion stays churn@v1"
    )
    registry["churn@v2"].promote("champion", reason="better and fair", gate=gate)
    with pytest.raises(Refused, match=r"val/acc >= champion \(0.92 against 0.93\)"):
        registry["churn@v3"].promote("champion", reason="newer", gate="val/acc >= champion")
    with pytest.raises(Refused, match=r"it was never replayed; ct.replay"):
        registry["churn@v3"].promote("champion", reason="x", gate="replay == reproduced")
    store.edit(find("three", store).id, "replay:01", {"verdict": "within-tolerance", "at": 1})
    with pytest.raises(Refused, match="its newest replay says within-tolerance"):
        registry["churn@v3"].promote("champion", reason="x", gate="replay == reproduced")
    registry["churn@v3"].promote("shadow", reason="to watch", gate="replay >= within-tolerance")
    with pytest.raises(BadValue, match="'val/acc' is no condition"):
        registry["churn@v3"].promote("champion", reason="x", gate="val/acc")
    moves = registry["churn"].history
    assert [(move["alias"], move["version"], move["reason"]) for move in moves] == [
        ("champion", 1, "the first"), ("champion", 2, "better and fair"), ("shadow", 3, "to watch"),
    ]  # fmt: skip
    assert [each["value"] for each in moves[1]["numbers"]] == [0.93, 0.05]
    assert registry["churn@v2"].aliases == ["champion"]
    audited = [store.audit.payload(entry)["reason"] for entry in store.audit.entries("churn@champion")]
    assert audited == ["the first", "better and fair"]
    documents = ModelDocuments(store.root)
    with pytest.raises(AliasMoved, match="somebody has just moved churn@champion, to v2"):
        documents.move("churn", "champion", {"version": 3, "reason": "late"}, after=1)


def test_what_is_not_there_is_named_with_the_nearest(store, wine):
    """Models, versions, aliases; names that no model can have."""
    registry = ct.registry.of(store)
    assert repr(registry).startswith("no models yet")
    with pytest.raises(NoRun, match=r"no model 'wine'; run.log_model"):
        registry["wine"]
    with start("a", store=store) as run:
        run.log_model(linear().fit(*wine), "wine", alias="candidate")
        for wrong in ("a/b", "x@y", "", "v3", " a", ".hidden"):
            with pytest.raises(BadValue, match="is no name of a model"):
                run.log_model(linear().fit(*wine), wrong)
    for ref, said in (
        ("wien", "did you mean 'wine'"),
        ("wine@v7", "it has v1 to v1"),
        ("wine@candidat", "did you mean"),
    ):
        with pytest.raises(NoRun, match=said):
            registry[ref]
    assert "wine@candidate" in registry
    assert "wine@champion" not in registry
    assert list(registry) == ["wine"]
    assert registry.df()["aliases"].tolist() == ["candidate"]


def test_lineage_from_data_to_where_it_works(store, wine):
    """C5: Data, run, model, the run that loads it, the place it is deployed; in the panel of either run."""
    x, y = wine
    with start("train", store=store) as run:
        data = run.log_data({"x": x, "y": y}, "wine", split="train")
        run.log_model(linear().fit(x, y), "churn")
    registry = ct.registry.of(store)
    with start("score", store=store) as run:
        registry["churn@v1"].load()
        run.deployed("https://svc.example/churn", model="churn@v1", env="prod")
    registry["churn"].deployed("batch-7")
    found = registry["churn"].lineage
    assert [each.digest for each in found.data] == [data.digest]
    assert (found.run.name, [each.name for each in found.used_by]) == ("train", ["score"])
    assert [(each["where"], each["env"]) for each in found.deployments] == [
        ("https://svc.example/churn", "prod"), ("batch-7", None),
    ]  # fmt: skip
    drawn = str(found)
    assert drawn.index("wine/train") < drawn.index("train  ") < drawn.index("churn@v1") < drawn.index("batch-7")
    assert [run.name for run in ct.data.used_by(data, store)] == ["train"]
    shown = {table.title: [*table.rows] for table in tables(find("train", store)) if table.tab == "models"}
    assert shown["models"][0][:3] == ["churn@v1", "made", "skops"]
    assert shown["where churn@v1 is at work"][0][:2] == ["https://svc.example/churn", "prod"]
    assert ["logisticregression.coef_", "F64 [3, 13]", 39, "yes"] in shown["layers of churn@v1"]
    assert [each.ref for each in find("score", store).models] == ["churn@v1"]


def test_what_a_run_says_of_data_and_models_outlives_its_document(store):
    """Written again from the log when it is lost; through a clean-up, a resumption, and in the terminal."""
    with start("a", store=store) as run:
        run.log_data({"a": [1, 2]}, "rows")
        run.log_model({"w": np.ones((2, 3), "float32")}, "toy")
    before = find("a", store)
    (store.root / "runs" / run.id[-2:] / run.id / "run.json").unlink()
    assert not store.examine(repair=True).is_healthy
    store.gc()
    again = find(run.id, store)
    assert again.data == before.data
    assert again.data[0].profile["a"]["quartiles"] == [1.0, 1.25, 1.5, 1.75, 2.0]
    assert again.models == before.models
    with start(resume=run.id, store=store) as more:
        more.log_data({"b": [1]}, "more")
    assert [each.name for each in find(run.id, store).data] == ["rows", "more"]
    command = [sys.executable, "-m", "celltrail", "show", run.id, "--store", str(store.root)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert re.search(r"^rows +2 +1 +\d+ B +cdg1:", shown, re.MULTILINE)
    assert re.search(r"^toy@v1 +made +safetensors +6 ", shown, re.MULTILINE)
    assert "F32 [2, 3]" in shown


def test_trails_bring_their_models_together(store, wine, tmp_path):
    """A merged trail has the versions, aliases and blobs, twice as once; an export those that its runs made."""
    other = ct.Store(tmp_path / "other" / ".celltrail")
    model = linear().fit(*wine)
    with start("there", store=other) as run:
        run.log_model(model, "churn", alias="champion")
    for _ in range(2):
        store.merge(other)
    x, _ = wine
    assert (ct.registry.of(store)["churn@champion"].load().predict(x) == model.predict(x)).all()
    assert store.examine(reads_all=True).is_healthy
    with start("second", store=store) as run:
        run.log_model(linear(0.1).fit(*wine), "churn", alias="shadow")
        run.log_model(linear(0.2).fit(*wine), "other")
    ct.registry.of(store)["churn@v2"].deployed("batch")
    store.export([find("there", store).id], tmp_path / "few" / ".celltrail")
    few = ct.registry.of(ct.Store(tmp_path / "few" / ".celltrail"))
    assert list(few) == ["churn"]
    assert [version.version for version in few["churn"].versions] == [1]
    assert few["churn"].aliases == ["champion"]
    assert (few["churn@champion"].load().predict(x) == model.predict(x)).all()


def test_skops_loads_no_torch_and_its_absence_is_said(trail):
    """What it would import by the way stays out; without it a model is refused, and kept as a pickle when asked."""
    code = (
        "import sys\n"
        "import celltrail as ct\n"
        "from sklearn.linear_model import LinearRegression\n"
        "with ct.start('b') as run: run.log_model(LinearRegression().fit([[1], [2]], [1, 2]), 'line')\n"
        "print('torch is', 'loaded' if 'torch' in sys.modules else 'not loaded')\n"
        "sys.modules['skops'] = sys.modules['skops.io'] = None\n"
        "with ct.start('a') as run:\n"
        "    try: run.log_model(LinearRegression().fit([[1], [2]], [1, 2]), 'line')\n"
        "    except ct.CelltrailError as error: print(error)\n"
        "    print(run.log_model(LinearRegression().fit([[1], [2]], [1, 2]), 'line', allow_pickle=True).format)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "torch is not loaded" in done.stdout, done.stderr
    assert "pip install 'celltrail[models]'" in done.stdout, done.stderr
    assert done.stdout.endswith("pickle\n")
