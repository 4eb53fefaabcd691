"""A trail that says markup wherever a run can say something, written by a kernel as anybody's is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels import Kernel

EVIL = "<img src=x onerror='window.evil = 1'><script>window.evil = 1</script>"
LOAD = f"%load_ext celltrail\nimport celltrail as ct\nfrom pathlib import Path\nE = {EVIL!r}"
RUN = """%%track --tag mlp
import numpy as np
from IPython.display import HTML, display
from sklearn.dummy import DummyClassifier
lr, said = {rate}, E
run = ct.current()
run.rename(E + " {rate}")
run.alert("train/loss > 0", title=E)
for step in range(4):
    run.log({{"train/loss": {rate} / (step + 1), E: 1.0}}, step)
run.params[E] = E
run.tags.add(E)
run.note(E)
run.note(E, metric=E, step=1)
run.comment(E)
run.summary[E] = E
run.log_text(E, E)
run.log_table(E, [{{E: E}}])
run.log_histogram(E, [1.0, 2.0])
Path("weights.bin").write_bytes(b"{rate}")
run.log_artifact("weights.bin", E, kind=E)
run.log_checkpoint("weights.bin", E + ".ckpt", step=2, metrics={{"val/loss": 0.5}})
run.log_data([{{E: E}}], E, split=E)
run.log_model(DummyClassifier().fit([[0.0], [1.0]], [0, 1]), "m", base_model=E, licence=E, allow_pickle=True)
run.evaluate([E, "b", E, "b"], [E, E, "b", "b"], split="test")
print(E)
display(HTML(E))
raise ValueError(E)
"""


def plant(folder: Path) -> None:
    """Two runs in the trail of this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail")})
    try:
        kernel.run(LOAD)
        for rate in (0.1, 0.2):
            reply = kernel.run(RUN.format(rate=rate))
            assert reply.content["evalue"] == EVIL, reply.content
            assert not reply.complaints, reply.complaints
    finally:
        kernel.stop()


MARKUP = """() => {
  const inside = (root) => [...root.querySelectorAll("*")].flatMap((el) => [el, ...under(el)]);
  const under = ({ shadowRoot }) => (shadowRoot ? inside(shadowRoot) : []);
  const evil = inside(document.body).filter((el) => el.matches("script:not([src]), img[src=x]"));
  return [evil.map((el) => el.outerHTML).filter((text) => text.includes("evil")), window.evil ?? null];
}"""


def harm(page: Any) -> list[Any]:
    """The elements that came of the markup, in the page and in the shadows of its panels, and what they did."""
    return page.evaluate(MARKUP)
