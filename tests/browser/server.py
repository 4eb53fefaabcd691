"""A real Jupyter server of one front end, alone in its own folders on a free port of 127.0.0.1."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

Front = Literal["lab", "notebook"]
START_SECONDS = 90

# What a first start asks or fetches, and what is no part of a test.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/extensionmanager-extension/plugin": {"enabled": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """JupyterLab or Notebook 7; its kernels find their trail in the folder of their notebook."""

    front: Front
    home: Path
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    port: int = field(default_factory=free_port)
    python: str = sys.executable  # of the environment that has the front end
    base: str = "/"  # below which all its addresses are

    def __post_init__(self) -> None:
        self.root = self.home / "notebooks"
        self.root.mkdir(parents=True)
        self.reset_settings()
        self.log = (self.home / "server.log").open("wb")
        self.process = subprocess.Popen(
            self._command(), cwd=self.root, env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._wait()

    def reset_settings(self) -> None:
        """Forget what a test chose, the theme for one."""
        shutil.rmtree(self.home / "settings", ignore_errors=True)
        for name, values in SETTINGS.items():
            file = self.home / "settings" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))

    def _command(self) -> list[str]:
        return [
            self.python, "-m", "jupyterlab" if self.front == "lab" else "notebook",
            "--expose-app-in-browser", "--no-browser", "--allow-root",
            "--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}",
            "--LabApp.news_url=", "--LabApp.extension_manager=readonly", f"--ServerApp.base_url={self.base}",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CELLTRAIL_", "JUPYTER"))}
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
            "XDG_CACHE_HOME": "cache",
        }
        path = {"PATH": f"{Path(self.python).parent}{os.pathsep}{kept.get('PATH', '')}"}
        # a colour code in a traceback is no part of a test
        return kept | {name: str(self.home / folder) for name, folder in own.items()} | path | {"PYTHONUNBUFFERED": "1"}

    def _wait(self) -> None:
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                break
            try:
                self.get("/api/status")
            except OSError:
                time.sleep(0.2)
            else:
                return
        text = self.log_text()
        self.stop()
        raise RuntimeError(f"Jupyter ({self.front}) did not answer within {START_SECONDS} s:\n{text}")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{self.base.rstrip('/')}"

    def get(self, path: str) -> object:
        """A REST answer, decoded."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def log_text(self) -> str:
        """What the server printed."""
        return (self.home / "server.log").read_text(errors="replace")

    def page_of(self, notebook: Path) -> str:
        """The address of a notebook in this front end, with the token, leaving out what was open before."""
        relative = notebook.relative_to(self.root).as_posix()
        place = f"/lab/tree/{relative}" if self.front == "lab" else f"/notebooks/{relative}"
        return f"{self.url}{place}?reset&token={self.token}"

    def write(self, folder: str, name: str, cells: list[str]) -> Path:
        """A new notebook of these code cells, in a folder of its own under the root."""
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        sources = [new_code_cell(source, id=f"cell-{index}") for index, source in enumerate(cells)]
        notebook = new_notebook(cells=sources, metadata={"kernelspec": kernel})
        path = self.root / folder / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    def kernel_process(self, kernel_id: str) -> psutil.Process:
        """The process of a kernel, found by its connection file."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any(f"kernel-{kernel_id}" in word for word in child.cmdline()):
                    return child
            except psutil.NoSuchProcess:
                continue
        raise LookupError(f"no process of kernel {kernel_id}")

    def stop(self) -> None:
        """End the server and its kernels, by their own process ids."""
        try:
            family = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for child in family:
            if child.is_running():
                child.kill()
        self.log.close()
