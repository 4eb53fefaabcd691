"""GPUs of NVIDIA by NVML, which is loaded only where a driver is (`pip install 'celltrail[gpu]'`)."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_DRIVER = Path("/proc/driver/nvidia/version")


class Gpu(NamedTuple):
    """One GPU at this moment; what its driver does not tell is None."""

    percent: float | None = None  # of the time in which something ran on it
    memory: int | None = None  # bytes in use, by whomever
    watts: float | None = None
    celsius: float | None = None
    joules: float | None = None  # since the driver was loaded


class Gpus:
    """The GPUs that this process may see, `CUDA_VISIBLE_DEVICES` considered.

    Args:
        nvml: the module ``pynvml``, or whatever else has its functions.
        environment: where `CUDA_VISIBLE_DEVICES` may be.
    """

    def __init__(self, nvml: Any, environment: Mapping[str, str] = os.environ) -> None:
        self._nvml = nvml
        self._handles: list[Any] = []
        nvml.nvmlInit()
        self._handles = list(self._visible(environment.get("CUDA_VISIBLE_DEVICES")))

    def read(self) -> list[Gpu]:
        """What each of them does now."""
        return [self._one(handle) for handle in self._handles]

    def _visible(self, chosen: str | None) -> Iterator[Any]:
        nvml = self._nvml
        if chosen is None:
            for index in range(nvml.nvmlDeviceGetCount()):
                yield nvml.nvmlDeviceGetHandleByIndex(index)
            return
        for word in filter(None, map(str.strip, chosen.split(","))):
            try:
                if word.isdecimal():
                    yield nvml.nvmlDeviceGetHandleByIndex(int(word))
                else:
                    yield nvml.nvmlDeviceGetHandleByUUID(word)
            except nvml.NVMLError:
                return  # as CUDA has it: what stands behind a wrong one is not seen either

    def _one(self, handle: Any) -> Gpu:
        nvml = self._nvml

        def ask(name: str, *more: Any) -> Any:
            with contextlib.suppress(nvml.NVMLError):
                return getattr(nvml, name)(handle, *more)
            return None

        rates, memory = ask("nvmlDeviceGetUtilizationRates"), ask("nvmlDeviceGetMemoryInfo")
        milliwatts, millijoules = ask("nvmlDeviceGetPowerUsage"), ask("nvmlDeviceGetTotalEnergyConsumption")
        return Gpu(
            percent=None if rates is None else float(rates.gpu),
            memory=None if memory is None else int(memory.used),
            watts=None if milliwatts is None else milliwatts / 1e3,
            celsius=ask("nvmlDeviceGetTemperature", nvml.NVML_TEMPERATURE_GPU),
            joules=None if millijoules is None else millijoules / 1e3,
        )


def has_driver() -> bool:
    """Whether a driver of NVIDIA is there."""
    return _DRIVER.exists() or shutil.which("nvidia-smi") is not None


def gpus() -> tuple[Gpus | None, str]:
    """The GPUs there are, and why there are none where a driver lets one expect some."""
    if not has_driver():
        return None, ""
    try:
        import pynvml  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None, "there is a driver for GPUs, but nothing to ask it with: pip install 'celltrail[gpu]'"
    try:
        return Gpus(pynvml), ""
    except pynvml.NVMLError as error:
        return None, f"the driver of the GPUs does not answer ({error})"
