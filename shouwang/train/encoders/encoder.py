"""A pre-trained encoder made ready to be trained, and saved when it is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import Linear, Module

from shouwang.errors import InputError, MissingExtraError
from shouwang.language import say
from shouwang.models.heads import Task
from shouwang.models.hub import Backbone, load_backbone
from shouwang.train.encoders.checkpoint import room_for
from shouwang.train.encoders.hardware import device_of, is_of_memory
from shouwang.train.encoders.losses import heads_of
from shouwang.train.encoders.settings import Settings, rate_for

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Encoder:
    """A sequence classifier with the heads of `shouwang.models.heads`; `longest` is the most tokens it may be given, `rate`
    the highest rate that it is trained at, `parameters` how many it has without low-rank updates."""

    model: Module
    backbone: Backbone
    heads: dict[Task, int]
    device: torch.device
    longest: int
    rate: float
    parameters: int

    @property
    def tokenizer(self) -> Tokenizer:
        tokenizer: Tokenizer = self.backbone.tokenizer.backend_tokenizer
        return tokenizer

    @property
    def pad(self) -> int:
        return int(self.backbone.model.config.pad_token_id or 0)


def open_encoder(name: str, settings: Settings, revision: str | None = None) -> Encoder:
    """Load, give it its heads, add low-rank updates where asked for, and move it to its device.

    Raises InputError and MissingExtraError as `load_backbone` does, and when the device is not there.
    """
    device = device_of(settings.device)
    heads = heads_of(settings)
    backbone = load_backbone(
        name, heads={str(task): size for task, size in heads.items()}, revision=revision, seed=settings.seed
    )
    if not hasattr(backbone.tokenizer, "backend_tokenizer"):
        raise InputError(
            say(
                f"{name}: its tokenizer has no tokenizer.json and none can be made; choose another checkpoint",
                f"{name}：没有 tokenizer.json，也无法生成；请换一个检查点",
            )
        )
    parameters = sum(each.numel() for each in backbone.model.parameters())
    model: Module = _low_rank(backbone, settings) if settings.lora else backbone.model
    if heads.get("levels") == 10:
        share_weights(_last_linear(model, sum(heads.values())), 10)
    rate = settings.rate or rate_for(getattr(backbone.model.config, "hidden_size", 768))
    longest = min(settings.longest, backbone.max_length)
    return Encoder(_on(device, model, name), backbone, heads, device, longest, rate, parameters)


def _on(device: torch.device, model: Module, name: str) -> Module:
    """The model, moved there. Raises InputError where it does not fit."""
    try:
        return model.to(device)
    except RuntimeError as error:
        if not is_of_memory(error):
            raise
        raise InputError(
            say(
                f"{name}: does not fit into the memory of {device}; end what else runs there, or choose another --device or a "
                "smaller model",
                f"{name}：{device} 的内存放不下；请结束那里的其他程序，或换 --device、换更小的模型",
            )
        ) from None


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """What `load_backbone` reads: config.json, model.safetensors, the tokenizer. Low-rank updates are merged in.

    Raises InputError when there is no room.
    """
    model: Any = encoder.model
    merged = model.merge_and_unload() if encoder.model is not encoder.backbone.model else model
    encoder.backbone.tokenizer.model_max_length = encoder.longest
    with room_for(folder / "model.safetensors"), _no_bar():
        merged.save_pretrained(folder)
        encoder.backbone.tokenizer.save_pretrained(folder)


@contextmanager
def _no_bar() -> Iterator[None]:
    """transformers draws no bar of its own."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def share_weights(layer: Linear, rows: int) -> None:
    """Make the first `rows` outputs differ by their bias alone, now and after every step (CORAL's shared weights).

    They start as the first one; each then gets the sum of their gradients.
    """

    def summed(gradient: Tensor) -> Tensor:
        return torch.cat([gradient[:rows].sum(0, keepdim=True).expand(rows, -1), gradient[rows:]])

    with torch.no_grad():
        layer.weight[:rows] = layer.weight[:1].clone()
    layer.weight.register_hook(summed)  # type: ignore[no-untyped-call]


def _last_linear(model: Module, outputs: int) -> Linear:
    found = [
        each
        for each in model.modules()
        if isinstance(each, Linear) and each.out_features == outputs and each.weight.requires_grad
    ]
    if not found:
        raise InputError(
            say(
                "loss 'coral' needs a linear layer as the classifier's last; choose another loss or checkpoint",
                "损失 coral 要求分类头的最后一层是线性层；请换损失或检查点",
            )
        )
    return found[-1]


def _low_rank(backbone: Backbone, settings: Settings) -> Module:
    """LoRA (Hu et al. 2021, arXiv 2106.09685) on every linear layer; what starts at random is trained as a whole."""
    try:
        from peft import LoraConfig, TaskType, get_peft_model
    except ImportError:
        raise MissingExtraError("LoRA", "lora") from None
    inside = f"{backbone.model.base_model_prefix}."
    whole = {
        name.rpartition(".")[0]
        for name, _ in backbone.model.named_parameters()
        if name in backbone.fresh or not name.startswith(inside)
    }
    rank = settings.lora or 0
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=rank,
        lora_alpha=2 * rank,
        target_modules="all-linear",
        exclude_modules=sorted(whole),
        modules_to_save=sorted(whole),
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft and transformers between themselves
        torch.manual_seed(settings.seed)
        model: Module = get_peft_model(backbone.model, config)
    return model
