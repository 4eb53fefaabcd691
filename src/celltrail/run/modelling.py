"""`run.log_model`: a model as a version in the registry of the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celltrail.model import Json, now_us
from celltrail.run.facts import Facts, plain
from celltrail.run.part import Part
from celltrail.store.docs.actors import person_name
from celltrail.store.files.encoding import encode

if TYPE_CHECKING:
    from celltrail.formats import ModelVersion


class LogsModels(Part):
    """What a run can be told of models. `celltrail.registry` reads them back."""

    summary: Facts

    def log_model(
        self,
        model: Any,
        name: str,
        alias: str | None = None,
        *,
        allow_pickle: bool = False,
        base_model: str | None = None,
        licence: str | None = None,
    ) -> ModelVersion:
        """Keep a model as a new version in the registry, with its layers and the run and data that made it.

        Each tensor is stored once: a version that differs in one tensor costs that one and a list.

        Args:
            model: a module or state dict of PyTorch and dicts of arrays (kept as safetensors), an estimator of
                scikit-learn (as skops), or the path of a .safetensors, .skops, .onnx, .gguf or other file, or of a
                folder, such as a checkpoint.
            name: the name of the model; its versions are counted from 1.
            alias: a name that shall point at this version, such as "candidate".
            allow_pickle: whether to fall back to a pickle where nothing else fits. A pickle is a program: whoever
                loads it runs what its author put in.
            base_model: what it was made from, such as "gpt2" or ``churn@v2``.
            licence: the licence it may be used under.

        Returns:
            The version: ``.version``, ``.digest``, ``.format``, ``.layers``, ``.bytes_added``.

        Raises:
            BadValue: this kind of model cannot be kept, or its file is not what its name says.
            MissingExtra: the library that saves this kind is not installed.
            StoreError: the trail cannot be written.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     made = run.log_model({"w": np.zeros((3, 4), "float32")}, "toy", alias="candidate")
        >>> made.ref, made.layers.parameters
        ('toy@v1', 12)
        """
        from celltrail.formats import ModelVersion, pack
        from celltrail.run.modelfiles import keep
        from celltrail.store.registry import ModelDocuments, check_model

        if not self.is_running:
            self._refuse()
        check_model(name)
        if alias is not None:
            check_model(alias, "alias")
        packed = pack(model, allow_pickle=allow_pickle, metadata={"celltrail.run.id": self.id})
        kept = keep(packed, self.store.root)
        record = self.record()
        layers = [layer.told() for layer in packed.layers]
        fields: dict[str, Json] = {
            "name": name,
            "digest": kept.digest,
            "format": packed.format,
            "files": kept.files,
            "run": record.id,
            "data": list(dict.fromkeys(told["digest"] for told in record.data.values() if told.get("digest"))),
            "params": {each: param.value for each, param in record.params.items()},
            "metrics": {each: value for each, value in self.summary.items() if isinstance(value, int | float)},
            "settings": packed.settings,
            "facts": plain(packed.facts),
            "layers": self.store.blobs.put(encode(layers)),
            "parameters": packed.layers.parameters,
            "text": packed.text,
            "untrusted": list(packed.untrusted),
            "base_model": base_model,
            "licence": licence,
            "size": kept.size,
            "bytes_added": kept.added,
            "created_us": now_us(),
            "by": person_name(),
        }
        documents = ModelDocuments(self.store.root)
        number = documents.add(name, fields)
        made = ModelVersion.of({**fields, "version": number}, layers)
        self.say_model(made.ref, {"how": "made", "digest": kept.digest, "at_us": fields["created_us"]})
        if alias is not None:
            moves = documents.moves(name, alias)
            documents.move(name, alias, {"version": number, "reason": "as it was logged", "gate": ""}, len(moves))
        return made

    def deployed(self, url: str, model: str, env: str | None = None) -> None:
        """Record that a version of a model, such as ``churn@v3``, is deployed at an address; ``env`` such as "prod".

        Raises:
            NoRun: there is no such version.
        """
        from celltrail.store.registry import ModelDocuments

        documents = ModelDocuments(self.store.root)
        name, number = documents.find(model)
        documents.deploy(name, number, {"where": url, "env": env, "run": self.id})
        self.say_model(f"{name}@v{number}", {"how": "deployed", "digest": documents.version(name, number)["digest"]})
