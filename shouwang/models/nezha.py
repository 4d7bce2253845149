"""NeZha on transformers 5, which no longer has it. Imports torch and transformers: import it inside functions.

Wei et al., NEZHA: Neural Contextualized Representation for Chinese Language Understanding, arXiv 1909.00204: BERT
without position embeddings. Instead every layer adds one fixed sin/cos vector per distance, clip(j − i, ±64), to the
keys and to the values.
"""

from __future__ import annotations

import math

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    initialization,
)
from transformers.modeling_outputs import BaseModelOutputWithPooling, SequenceClassifierOutput
from transformers.models.bert.modeling_bert import BertIntermediate, BertOutput, BertPooler, BertSelfOutput


@strict
class NezhaConfig(PreTrainedConfig):
    """Defaults are those of `sijunhe/nezha-cn-base`; `max_position_embeddings` only bounds the length of a text."""

    model_type = "nezha"

    vocab_size: int = 21128
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float | int = 0.1
    attention_probs_dropout_prob: float | int = 0.1
    max_position_embeddings: int = 512
    max_relative_position: int = 64
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    classifier_dropout: float | int | None = 0.1
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | None = 3


# --- positions ------------------------------------------------------------------------------------------------------


def sinusoids(rows: int, width: int) -> Tensor:
    """(rows, width): sin in the even columns, cos in the odd ones (Vaswani et al. 2017, arXiv 1706.03762, 3.5)."""
    angles = torch.arange(rows).float()[:, None] * torch.exp(
        torch.arange(0, width, 2).float() * (-math.log(10000.0) / width)
    )
    return torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(rows, width)


class NezhaPositions(nn.Module):
    """The table that all layers share: 2 · max_relative_position + 1 rows, one head wide; nothing here is learnt."""

    table: Tensor

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.furthest = config.max_relative_position
        self.width = config.hidden_size // config.num_attention_heads
        self.register_buffer("table", self.fresh(), persistent=False)

    def fresh(self) -> Tensor:
        return sinusoids(2 * self.furthest + 1, self.width)

    def forward(self, length: int) -> Tensor:
        """(length, length, width): row i, column j holds the vector of clip(j − i)."""
        steps = torch.arange(length, device=self.table.device)
        distance = (steps[None, :] - steps[:, None]).clamp(-self.furthest, self.furthest)
        return self.table[distance + self.furthest]


# --- one layer; attribute names are those of the published checkpoints ----------------------------------------------


class NezhaSelfAttention(nn.Module):
    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.width = config.hidden_size // self.heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(self, hidden: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        queries, keys, values = (self._split(layer(hidden)) for layer in (self.query, self.key, self.value))
        scores = queries @ keys.transpose(-1, -2) + torch.einsum("bhid,ijd->bhij", queries, positions)
        weights = self.dropout(functional.softmax(scores / math.sqrt(self.width) + mask, dim=-1))
        context: Tensor = weights @ values + torch.einsum("bhij,ijd->bhid", weights, positions)
        return context.transpose(1, 2).flatten(2)

    def _split(self, hidden: Tensor) -> Tensor:
        """(batch, length, hidden) to (batch, heads, length, width)."""
        return hidden.view(*hidden.shape[:2], self.heads, self.width).transpose(1, 2)


class NezhaAttention(nn.Module):
    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.self = NezhaSelfAttention(config)
        self.output = BertSelfOutput(config)

    def forward(self, hidden: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        attended: Tensor = self.output(self.self(hidden, mask, positions), hidden)
        return attended


class NezhaLayer(nn.Module):
    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.attention = NezhaAttention(config)
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

    def forward(self, hidden: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        attended = self.attention(hidden, mask, positions)
        fed_forward: Tensor = self.output(self.intermediate(attended), attended)
        return fed_forward


class NezhaEncoder(nn.Module):
    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.positions = NezhaPositions(config)
        self.layer = nn.ModuleList(NezhaLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        positions = self.positions(hidden.shape[1])
        for layer in self.layer:
            hidden = layer(hidden, mask, positions)
        return hidden


class NezhaEmbeddings(nn.Module):
    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, words: Tensor, types: Tensor) -> Tensor:
        """`words` are vectors, `types` are ids."""
        embedded: Tensor = self.dropout(self.LayerNorm(words + self.token_type_embeddings(types)))
        return embedded


# --- models ---------------------------------------------------------------------------------------------------------


class NezhaPreTrainedModel(PreTrainedModel):
    config_class = NezhaConfig
    base_model_prefix = "nezha"
    _keys_to_ignore_on_load_unexpected = [r"positions_encoding"]  # noqa: RUF012  # the old code stored them per layer

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[no-untyped-call]
        if isinstance(module, NezhaPositions):  # loading builds modules without values: fill in what is not stored
            initialization.copy_(module.table, module.fresh())


class NezhaModel(NezhaPreTrainedModel):
    """Hidden states (batch, length, hidden) and the pooled first token (batch, hidden)."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__(config)
        self.embeddings = NezhaEmbeddings(config)
        self.encoder = NezhaEncoder(config)
        self.pooler = BertPooler(config)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embeddings.word_embeddings = value  # type: ignore[assignment]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **_: object,
    ) -> BaseModelOutputWithPooling:
        words = self.embeddings.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        if token_type_ids is None:
            token_type_ids = torch.zeros(words.shape[:2], dtype=torch.long, device=words.device)
        if attention_mask is None:
            attention_mask = torch.ones(words.shape[:2], dtype=torch.long, device=words.device)
        hidden = self.embeddings(words, token_type_ids)
        hidden = self.encoder(hidden, _additive(attention_mask, hidden.dtype))
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=self.pooler(hidden))


class NezhaForSequenceClassification(NezhaPreTrainedModel):
    """Logits (batch, num_labels); with `labels` (batch,) of class ids also the mean cross-entropy."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__(config)
        self.nezha = NezhaModel(config)
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels or 2)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **_: object,
    ) -> SequenceClassifierOutput:
        pooled = self.nezha(input_ids, attention_mask, token_type_ids, inputs_embeds).pooler_output
        logits = self.classifier(self.dropout(pooled))
        loss = None if labels is None else functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """(batch, 1, 1, length): 0 where `mask` is 1, the most negative number where it is 0."""
    return (1 - mask[:, None, None, :].to(dtype)) * torch.finfo(dtype).min


def register() -> None:
    """Let the Auto classes of transformers know NeZha; calling it again changes nothing."""
    AutoConfig.register("nezha", NezhaConfig, exist_ok=True)
    AutoModel.register(NezhaConfig, NezhaModel, exist_ok=True)
    AutoModelForSequenceClassification.register(NezhaConfig, NezhaForSequenceClassification, exist_ok=True)
    AutoTokenizer.register(NezhaConfig, tokenizer_class=BertTokenizer, exist_ok=True)
