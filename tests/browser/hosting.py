"""Hosts of widgets that are not Jupyter, as far as they can be had: the widget manager of VS Code as its maker
publishes it, and Jupyter's own for web pages, from which Colab's is made.

The kernel and the managers are real. The page around them stands in for the program: a webview that forbids
inline scripts, `eval` and every request; a frame of outputs of another origin that speaks to its notebook by messages.
"""

from __future__ import annotations

import base64
import json
import queue
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import anywidget
from playwright.sync_api import Browser, Frame, Page

from kernels import Kernel

Kind = Literal["vscode", "colab"]
PAGES = Path(__file__).parent / "hosts"
PACKAGES = {
    "requirejs": "requirejs@2.3.7",
    "ipywidgets8": "@vscode/jupyter-ipywidgets8@1.0.9",
    "html-manager": "@jupyter-widgets/html-manager@1.0.15",
}
# no inline script, no eval, no request but for the page's own files; a widget's module comes from a blob
POLICY = (
    "default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src data: blob:; font-src data:"
)
CELLS = {
    "load": "%load_ext celltrail\nimport celltrail as ct, time",
    "short": "%%track short\nlr = 0.1\nfor i in range(40):\n"
    "    ct.log({'val/loss': 1 / (1 + i)}, step=i)\n    time.sleep(0.1)",
    "other": "with ct.start('other', {'lr': 0.001}) as run:\n    run.log({'val/loss': 0.5}, step=0)",
    "table": "ct.runs()",
    "detail": "ct.run('short')",
    "compare": "ct.compare('short', 'other')",
    "busy": "%%track busy\nfrom itertools import count\nfor i in count():\n"
    "    ct.log({'train/loss': 1 / (1 + i)}, step=i)\n    sum(range(2000))",
    "state": "import ipywidgets, json\nprint(json.dumps(ipywidgets.Widget.get_manager_state()))",
}


def packages(below: Path) -> Path:
    """The folder with the managers, fetched by name when they are not there."""
    for name, wanted in PACKAGES.items():
        folder = below / name
        if folder.exists():
            continue
        below.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", wanted]
        packed = subprocess.run(command, cwd=below, check=True, capture_output=True, text=True).stdout.strip()
        with tarfile.open(below / packed) as archive:
            archive.extractall(below / f"{name}.new", filter="data")
        (below / f"{name}.new" / "package").rename(folder)
    return below


class Files(SimpleHTTPRequestHandler):
    """The pages, the managers and anywidget's own module."""

    def __init__(self, *args: Any, npm: Path, policy: str, **options: Any) -> None:
        self.npm, self.policy = npm, policy
        super().__init__(*args, **options)

    def translate_path(self, path: str) -> str:
        parts = urlsplit(path).path.strip("/").split("/")
        roots = {"npm": self.npm, "anywidget": Path(anywidget.__file__).parent / "nbextension"}
        root = roots.get(parts[0])
        return str(root.joinpath(*parts[1:]) if root else PAGES.joinpath(*parts))

    def end_headers(self) -> None:
        if self.policy:
            self.send_header("Content-Security-Policy", self.policy)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Host:
    """A page with the outputs of a real kernel."""

    def __init__(self, kind: Kind, browser: Browser, home: Path, npm: Path, pictures: Path) -> None:
        self.kind, self.pictures = kind, pictures
        self.servers = [self._serve(npm) for _ in range(2 if kind == "colab" else 1)]
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.kernel = Kernel(self._folder(home), self._environment(home))
        self.context = browser.new_context(viewport={"width": 1000, "height": 1200})
        self.page = self._opened(self.context.new_page())
        self.sent: list[str] = []
        self.cells: dict[str, str] = {}
        self.idle: set[str] = set()
        self.text: dict[str, str] = {}

    def _serve(self, npm: Path) -> str:
        policy = POLICY if self.kind == "vscode" else ""
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, npm=npm, policy=policy))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    def _folder(self, home: Path) -> Path:
        folder = home / "work"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _environment(self, home: Path) -> dict[str, str]:
        """By what a kernel knows that it is in this host."""
        if self.kind == "vscode":
            return {"VSCODE_CWD": str(home)}
        package = home / "site" / "google" / "colab"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        return {"PYTHONPATH": str(home / "site")}

    def _opened(self, page: Page) -> Page:
        page.set_default_timeout(15_000)
        page.on("request", lambda request: self._asked(request.url))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda problem: self.complaints.append(f"uncaught: {problem}"))
        page.expose_function("toKernel", self._to_kernel)
        page.goto(f"{self.servers[0]}/{self.kind}.html?frame={self.servers[-1]}")
        page.wait_for_function("globalThis.ready")
        return page

    def _asked(self, url: str) -> None:
        place = urlsplit(url)
        if place.scheme in ("http", "https") and place.hostname != "127.0.0.1":
            self.outside.append(url)

    @property
    def frame(self) -> Frame:
        """Where the outputs are."""
        return self.page.frames[-1]

    def _to_kernel(self, message: dict[str, Any]) -> None:
        client = self.kernel.client
        made = client.session.msg(message["type"], message["content"], metadata=message["metadata"])
        made["header"]["msg_id"] = made["msg_id"] = message["id"]
        client.shell_channel.send(made)

    # -- the kernel ----------------------------------------------------------------------------------------------

    def start(self, name: str, code: str | None = None) -> None:
        """Run a cell; do not wait for its end."""
        self.cells[self.kernel.client.execute(code or CELLS[name])] = name

    def run(self, name: str, code: str | None = None) -> None:
        """Run a cell to its end."""
        self.start(name, code)
        self.until(f"the cell {name} has ended", lambda: name in self.idle, 60)

    def until(self, what: str, holds: Callable[[], Any], seconds: float = 20) -> Any:
        """Carry messages both ways until a condition holds; its value."""
        limit = time.monotonic() + seconds
        while True:
            self._carry()
            self.page.wait_for_timeout(50)
            if value := holds():
                return value
            if time.monotonic() > limit:
                self.picture("timeout")
                raise AssertionError(f"not within {seconds} s: {what}")

    def _carry(self) -> None:
        while True:
            try:
                message = self.kernel.client.get_iopub_msg(timeout=0)
            except queue.Empty:
                return
            content, kind = message["content"], message["msg_type"]
            cell = self.cells.get(message["parent_header"].get("msg_id", ""), "")
            if kind == "status" and content["execution_state"] == "idle":
                self.idle.add(cell)
            if kind == "stream" and cell:
                self.text[cell] = self.text.get(cell, "") + content["text"]
            parent = {"msg_id": message["parent_header"].get("msg_id")}
            told = {"id": message["header"]["msg_id"], "type": kind, "cell": cell, "parent_header": parent}
            buffers = [base64.b64encode(part).decode() for part in message["buffers"]]
            told |= {"content": content, "metadata": message["metadata"], "buffers": buffers}
            self.page.evaluate("message => hear(message)", json.loads(json.dumps(told, default=str)))

    # -- what is shown -------------------------------------------------------------------------------------------

    def theme(self, name: str) -> None:
        """Light or dark, said as this host says it."""
        self.page.evaluate("name => theme(name)", name)
        self.page.wait_for_timeout(500)

    def picture(self, name: str) -> None:
        """A screenshot of the whole page."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{self.kind}-{name}.png", full_page=True)

    def stop(self) -> None:
        """End the page and the kernel."""
        self.context.close()
        self.kernel.stop()
