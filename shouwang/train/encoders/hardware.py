"""What the machine can do: where to train, in which precision, and what "out of memory" sounds like there."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from shouwang.errors import InputError
from shouwang.language import say
from shouwang.train.encoders.settings import Settings

PACKAGES = ("shouwang", "torch", "transformers", "tokenizers", "safetensors", "numpy", "peft")


def device_of(name: str) -> torch.device:
    """The device asked for, or the best there is. Raises InputError when it is not there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "mps" if there["mps"] else "cpu")
    if not there.get(name):
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise InputError(
            say(
                f"device '{name}' is not on this machine, or this torch has no support for it; there is: {found}",
                f"本机没有设备“{name}”，或所装的 torch 不支持它；可用的有：{found}",
            )
        )
    return torch.device(name)


def uses_bf16(settings: Settings, device: torch.device) -> bool:
    """Whether to compute in bf16: where told to, or on "auto" where the hardware multiplies in it."""
    if settings.precision != "auto":
        return settings.precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    found = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(found.get("avx512_bf16") or found.get("amx_bf16") or found.get("sve_bf16"))


def autocast(settings: Settings, device: torch.device) -> AbstractContextManager[Any]:
    """bf16 inside, where `uses_bf16` says so."""
    return torch.autocast(device.type, torch.bfloat16) if uses_bf16(settings, device) else nullcontext()


@contextmanager
def matmul_precision(settings: Settings) -> Iterator[None]:
    """Unless exact fp32 is asked for, fp32 products may take the processor's faster library; undone at the end."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest" if settings.precision == "fp32" else "medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


_SOUNDS = ("out of memory", "can't allocate memory", "not enough memory")


def is_of_memory(error: RuntimeError | MemoryError) -> bool:
    """Whether memory ran out; torch.OutOfMemoryError is a RuntimeError."""
    return isinstance(error, MemoryError) or any(sound in str(error).lower() for sound in _SOUNDS)


@contextmanager
def naming_memory(settings: Settings) -> Iterator[None]:
    """Out of memory becomes an InputError with a batch size to try."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_of_memory(error):
            raise
        raise InputError(
            say(
                f"out of memory with {settings.batch} posts at a time; {_advice(settings)}",
                f"每批 {settings.batch} 帖时内存不足；{_advice(settings)}",
            )
        ) from None


def _advice(settings: Settings) -> str:
    shorter = max(settings.longest // 2, 64)
    if settings.batch == 1:
        return say(
            f"try --max-length {shorter}, --lora 8 or a smaller model",
            f"可试 --max-length {shorter}、--lora 8 或更小的模型",
        )
    smaller = settings.batch // 2
    passes = settings.accumulate * -(-settings.batch // smaller)
    return say(
        f"try --batch {smaller} --accumulate {passes}, which learns from as many posts a step, "
        f"or shorter posts: --max-length {shorter}",
        f"可试 --batch {smaller} --accumulate {passes}（每步所学的帖数不变），或截短帖子：--max-length {shorter}",
    )


def peak_memory_mb(device: torch.device) -> float:
    """The most this process has held so far: on the GPU, or in main memory (0 where the system does not say)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if platform.system() == "Darwin" else 1e3)


def environment(settings: Settings, device: torch.device) -> dict[str, Any]:
    """What the result may depend on, as JSON types."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": torch.cpu.get_capabilities().get("cpu_name") or platform.processor(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "precision": "bf16" if uses_bf16(settings, device) else "fp32",
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
