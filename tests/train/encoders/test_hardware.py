from __future__ import annotations

import pytest
import torch

from shouwang.errors import InputError
from shouwang.train.encoders.hardware import (
    autocast,
    device_of,
    environment,
    matmul_precision,
    naming_memory,
    peak_memory_mb,
    uses_bf16,
)
from shouwang.train.encoders.settings import RECIPES, Settings

CPU = torch.device("cpu")


def test_a_device_that_is_not_there_is_refused() -> None:
    missing = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(InputError, match=f"device '{missing}' is not on this machine.*there is: cpu"):
        device_of(missing)
    assert device_of("cpu") == CPU


def test_bf16_is_used_where_told_or_where_the_hardware_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert not uses_bf16(Settings(), CPU)
    assert uses_bf16(Settings(precision="bf16"), CPU)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert uses_bf16(Settings(), CPU)
    assert not uses_bf16(RECIPES["paper"], CPU)


def test_bf16_multiplies_in_bf16() -> None:
    with autocast(Settings(precision="bf16"), CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_the_process_is_left_as_it_was() -> None:
    before = torch.get_float32_matmul_precision()
    with matmul_precision(Settings()):
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before


def test_memory_advice_ends_with_a_shorter_text_or_a_smaller_model() -> None:
    with (
        pytest.raises(InputError, match=r"try --batch 2 --accumulate 9"),
        naming_memory(Settings(batch=5, accumulate=3)),
    ):
        raise MemoryError
    with (
        pytest.raises(InputError, match="with 1 posts at a time; try --max-length 160"),
        naming_memory(Settings(batch=1)),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


def test_the_environment_is_recorded() -> None:
    found = environment(RECIPES["paper"], CPU)
    assert found["precision"] == "fp32"
    assert {"torch", "transformers", "shouwang"} <= found["packages"].keys()
    assert peak_memory_mb(CPU) > 50
