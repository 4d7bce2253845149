"""A pre-trained encoder with a classification head, or a refusal: nothing half loaded comes out of here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shouwang.errors import InputError, MissingExtraError
from shouwang.language import Words, say
from shouwang.models.catalog import Encoder, choose
from shouwang.models.download import download
from shouwang.models.weights import as_safetensors

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

Attention = Literal["eager", "sdpa"]

MOST_UNKNOWN = 0.03
"""The largest share of [UNK] that a tokenizer may give on `SAMPLE`."""
SAMPLE = (
    "今天天气很好，我们去公园走了走。",
    "晚上吃什么？我想吃面条，再喝一碗热汤。",
    "最近工作太忙了，每天都要加班到很晚，回到家只想睡觉！",
    "他说明天会给我打电话，可是我不知道该说什么。",
    "考试没有考好，心里有点难过，不过老师和同学都安慰我。",
    "周末和朋友一起看电影、逛书店，买了两本新书。",
    "窗外下着雨，猫在沙发上睡着了，屋子里很安静。",
    "请问去火车站怎么走？大概需要多长时间？",
    "妈妈做的菜总是最好吃的，我已经半年没有回家了。",
    "有时候觉得很累，不想说话，只想一个人待着。",
)
"""Invented sentences of common characters."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A model ready to be trained or used, and how it was found.

    `heads` gives the number of outputs of each head; the logits hold them side by side, in that order. `fresh` names
    the tensors that the checkpoint did not have and that were drawn at random: the head's, at most. `max_length` is in
    tokens, `unknown` the share of [UNK] on `SAMPLE`; `revision` is None for a folder.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    heads: dict[str, int]
    fresh: tuple[str, ...]
    max_length: int
    unknown: float
    source: str
    revision: str | None
    entry: Encoder | None


def load_backbone(
    name_or_path: str | Path,
    *,
    heads: Mapping[str, int] | None = None,
    revision: str | None = None,
    attention: Attention | None = None,
    seed: int = 0,
    cache: Path | None = None,
) -> Backbone:
    """A catalogue name, a hub id or a local folder as a sequence classifier in float32, in evaluation mode.

    `heads` (such as {"levels": 11, "high": 2}) asks for a classifier with those outputs; what of it the checkpoint has
    not, or has in another size, is drawn with `seed`. A pooler counts as part of it: it only feeds the classifier, and
    checkpoints saved as language models have none. Without `heads` the checkpoint must be complete, as `save_pretrained`
    of a backbone that was loaded with heads leaves it. `attention` "eager" is for ONNX export.
    Raises InputError when anything is not as it should be, MissingExtraError without torch and transformers.
    """
    if not (find_spec("torch") and find_spec("transformers")):
        raise MissingExtraError(say(f"The encoder '{name_or_path}'", f"编码器“{name_or_path}”"), "train")
    choice = choose(name_or_path, revision)
    published = choice.folder or download(choice)
    source = choice.repository or str(published)
    with _quiet():
        folder = as_safetensors(published, cache)
        config = _config(folder, source, choice.entry)
        saved: list[tuple[str, int]] = getattr(config, "heads", [])
        asked = dict(heads or saved or {"classes": config.num_labels or 2})
        _set_heads(config, asked)
        tokenizer = _tokenizer(folder, source)
        unknown = _check_tokenizer(tokenizer, config, source)
        if config.pad_token_id is None:
            config.pad_token_id = tokenizer.pad_token_id
        model, fresh = _model(folder, config, source, attention, seed)
    if fresh and heads is None:
        why = Words(
            "a finished classifier has them all; to train one, say which heads",
            "完整的分类器应都有；若要训练，请指明输出头",
        )
        raise InputError(_lacks(source, fresh, why))
    commit = None if choice.folder else published.name
    limit = _max_length(tokenizer, config, choice.entry)
    return Backbone(model, tokenizer, asked, fresh, limit, unknown, source, commit, choice.entry)


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers says nothing: what it would warn of is refused here, and what is left belongs to the command."""
    from transformers.utils import logging

    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


# --- settings and tokenizer -----------------------------------------------------------------------------------------


def _config(folder: Path, source: str, entry: Encoder | None) -> PreTrainedConfig:
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    from shouwang.models import nezha

    nezha.register()
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, StrictDataclassError) as error:
        raise InputError(
            say(
                f"{source}: config.json is missing or cannot be used ({_first_line(error)}); expected the settings of an "
                "encoder that transformers knows, with its model_type",
                f"{source}：config.json 缺失或无法使用（{_first_line(error)}）；应是 transformers 认识的编码器的设置，含 model_type",
            )
        ) from None
    if entry and config.model_type != entry.architecture:
        raise InputError(
            say(
                f"{source}: config.json says '{config.model_type}', expected '{entry.architecture}'; take the pinned "
                f"revision {entry.revision}",
                f"{source}：config.json 写的是 {config.model_type}，应为 {entry.architecture}；请用固定的版本 {entry.revision}",
            )
        )
    return config


def _set_heads(config: PreTrainedConfig, heads: dict[str, int]) -> None:
    """Outputs are named "high-1"; `heads` is saved with the model, as pairs: a saved mapping would be sorted."""
    names = [f"{head}-{place}" for head, outputs in heads.items() for place in range(outputs)]
    config.id2label = dict(enumerate(names))
    config.label2id = {name: place for place, name in enumerate(names)}
    config.heads = [list(head) for head in heads.items()]
    config.problem_type = None


def _tokenizer(folder: Path, source: str) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # the tokenizers library raises bare Exception
        raise InputError(
            say(
                f"{source}: the tokenizer cannot be loaded ({_first_line(error)}); expected vocab.txt or tokenizer.json "
                "beside config.json",
                f"{source}：无法加载分词器（{_first_line(error)}）；config.json 旁应有 vocab.txt 或 tokenizer.json",
            )
        ) from None
    return tokenizer


def _check_tokenizer(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, source: str) -> float:
    """The share of [UNK] on `SAMPLE`. A vocabulary may be padded in the model, so it may be a little larger there."""
    words, rows = len(tokenizer), config.get_text_config().vocab_size
    if words > rows or words < rows / 2:
        raise InputError(
            say(
                f"{source}: the tokenizer has {words} tokens, the model {rows}; expected the tokenizer that belongs to "
                "it: put its vocab.txt or tokenizer.json beside config.json",
                f"{source}：分词器有 {words} 个词元，模型有 {rows} 个；请把与模型配套的 vocab.txt 或 tokenizer.json 放在 "
                "config.json 旁",
            )
        )
    ids = [token for row in tokenizer(list(SAMPLE), add_special_tokens=False)["input_ids"] for token in row]
    unknown = sum(token == tokenizer.unk_token_id for token in ids) / len(ids) if ids else 1.0
    if unknown > MOST_UNKNOWN:
        raise InputError(
            say(
                f"{source}: {unknown:.0%} of common Chinese text is unknown to the tokenizer, expected at most "
                f"{MOST_UNKNOWN:.0%}; its vocabulary is missing, of another model, or of another language",
                f"{source}：常见中文有 {unknown:.0%} 不为分词器所识，至多应为 {MOST_UNKNOWN:.0%}；"
                "词表缺失，或属于另一个模型或另一种语言",
            )
        )
    return unknown


def _max_length(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, entry: Encoder | None) -> int:
    limits = (entry and entry.max_length, tokenizer.model_max_length, getattr(config, "max_position_embeddings", None))
    return min(limit for limit in limits if limit)


# --- the model ------------------------------------------------------------------------------------------------------


def _model(
    folder: Path, config: PreTrainedConfig, source: str, attention: Attention | None, seed: int
) -> tuple[PreTrainedModel, tuple[str, ...]]:
    """The model, and the names of what was drawn at random. Only the head and its pooler may be."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification

    options: dict[str, Any] = {"attn_implementation": attention} if attention else {}
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model, info = AutoModelForSequenceClassification.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **options,
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(
            say(
                f"{source}: cannot be loaded as a text classifier ({_first_line(error)}); expected an encoder with "
                "whole weights",
                f"{source}：无法作为文本分类器加载（{_first_line(error)}）；应是权重完整的编码器",
            )
        ) from None
    missing, resized = set(info["missing_keys"]), {found[0]: found[1:] for found in info["mismatched_keys"]}
    body = _body(model)
    if wrong := sorted(body & resized.keys()):
        found, expected = (tuple(shape) for shape in resized[wrong[0]])
        raise InputError(
            say(
                f"{source}: {len(wrong)} tensors have another size than config.json says ({wrong[0]}: found {found}, "
                f"expected {expected}); config and weights must be of the same checkpoint",
                f"{source}：{len(wrong)} 个张量的大小与 config.json 不符（{wrong[0]}：实为 {found}，应为 {expected}）；"
                "设置与权重须出自同一检查点",
            )
        )
    if lost := sorted(body & missing):
        why = Words(
            "the weights are of another architecture than config.json says, or cut",
            "权重的结构与 config.json 不符，或不完整",
        )
        raise InputError(_lacks(source, lost, why))
    return model.eval(), tuple(sorted(missing | resized.keys()))


def _body(model: PreTrainedModel) -> set[str]:
    """The names of all parameters but the head's and the pooler's."""
    inside = {id(parameter) for parameter in model.base_model.parameters()}
    return {name for name, one in model.named_parameters() if id(one) in inside and ".pooler." not in f".{name}"}


def _lacks(source: str, names: Sequence[str], why: Words) -> str:
    return say(
        f"{source}: {len(names)} tensors are missing, such as {names[0]}; {why}",
        f"{source}：缺少 {len(names)} 个张量，例如 {names[0]}；{why}",
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
