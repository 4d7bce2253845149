"""NeZha against a slow reference written from the paper, loops and all."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

from shouwang.models import nezha

Array = NDArray[np.float64]
HIDDEN, HEADS, WIDTH, FURTHEST = 12, 3, 4, 2
"""Positions further apart than 2 are all alike, so a text of 7 meets the clip on both sides."""


@pytest.fixture(scope="module")
def model() -> nezha.NezhaForSequenceClassification:
    nezha.register()
    config = nezha.NezhaConfig(
        vocab_size=20,
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        intermediate_size=16,
        max_relative_position=FURTHEST,
        max_position_embeddings=16,
    )
    config.num_labels = 3
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        built = nezha.NezhaForSequenceClassification(config)
        built.train(False)
        for parameter in built.parameters():  # biases too, and large enough that attention is far from even
            torch.nn.init.normal_(parameter, std=0.5)
    return built


def reference(weights: dict[str, Array], ids: list[int], types: list[int]) -> Array:
    """Logits of one text, one number at a time."""

    def linear(name: str, vector: Array) -> Array:
        product: Array = weights[f"{name}.weight"] @ vector
        return product + weights[f"{name}.bias"]

    def normed(name: str, vector: Array) -> Array:
        scaled = (vector - vector.mean()) / np.sqrt(vector.var() + 1e-12)
        stretched: Array = scaled * weights[f"{name}.weight"]
        return stretched + weights[f"{name}.bias"]

    def position(i: int, j: int) -> Array:
        row = max(-FURTHEST, min(FURTHEST, j - i)) + FURTHEST
        angles = [row / 10000 ** (2 * (column // 2) / WIDTH) for column in range(WIDTH)]
        return np.array([math.cos(a) if column % 2 else math.sin(a) for column, a in enumerate(angles)])

    def attended(layer: str, states: list[Array], i: int) -> Array:
        heads = []
        for head in range(HEADS):
            part = slice(head * WIDTH, (head + 1) * WIDTH)
            query = linear(f"{layer}.attention.self.query", states[i])[part]
            keys = [linear(f"{layer}.attention.self.key", state)[part] for state in states]
            values = [linear(f"{layer}.attention.self.value", state)[part] for state in states]
            odds = [math.exp(query @ (key + position(i, j)) / math.sqrt(WIDTH)) for j, key in enumerate(keys)]
            heads.append(
                sum(o / sum(odds) * (v + position(i, j)) for j, (o, v) in enumerate(zip(odds, values, strict=True)))
            )
        return np.concatenate(heads)

    def gelu(x: float) -> float:
        return x * (1 + math.erf(x / math.sqrt(2))) / 2

    words, kinds = (weights[f"nezha.embeddings.{name}_embeddings.weight"] for name in ("word", "token_type"))
    states = [normed("nezha.embeddings.LayerNorm", words[i] + kinds[k]) for i, k in zip(ids, types, strict=True)]
    for number in range(2):
        layer, after = f"nezha.encoder.layer.{number}", []
        for i, state in enumerate(states):
            mixed = linear(f"{layer}.attention.output.dense", attended(layer, states, i))
            first = normed(f"{layer}.attention.output.LayerNorm", mixed + state)
            wide = np.array([gelu(x) for x in linear(f"{layer}.intermediate.dense", first)])
            after.append(normed(f"{layer}.output.LayerNorm", linear(f"{layer}.output.dense", wide) + first))
        states = after
    return linear("classifier", np.tanh(linear("nezha.pooler.dense", states[0])))


IDS, TYPES = [2, 7, 11, 4, 19, 5, 3], [0, 0, 0, 0, 1, 1, 1]


def test_it_computes_what_a_slow_reference_computes(model: nezha.NezhaForSequenceClassification) -> None:
    weights = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        logits = model(torch.tensor([IDS]), token_type_ids=torch.tensor([TYPES])).logits[0].numpy()
    assert np.ptp(logits) > 0.1
    np.testing.assert_allclose(logits, reference(weights, IDS, TYPES), atol=2e-6)


def test_padding_changes_nothing(model: nezha.NezhaForSequenceClassification) -> None:
    alone, padded = torch.tensor([IDS]), torch.tensor([[*IDS, 0, 0, 0], [2, 9, 8, 7, 6, 5, 4, 3, 2, 3]])
    mask = torch.tensor([[1] * 7 + [0] * 3, [1] * 10])
    with torch.no_grad():
        torch.testing.assert_close(model(padded, mask).logits[0], model(alone).logits[0], atol=1e-6, rtol=0)


def test_one_table_is_shared_and_none_is_stored(model: nezha.NezhaForSequenceClassification) -> None:
    assert {name: tuple(buffer.shape) for name, buffer in model.named_buffers()} == {
        "nezha.encoder.positions.table": (2 * FURTHEST + 1, WIDTH)
    }
    assert not [name for name in model.state_dict() if "position" in name]


def test_it_saves_and_reloads_with_the_auto_classes(
    model: nezha.NezhaForSequenceClassification, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    again, info = AutoModelForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert isinstance(again, nezha.NezhaForSequenceClassification)
    assert not any(info.values())
    with torch.no_grad():
        torch.testing.assert_close(again(torch.tensor([IDS])).logits, model(torch.tensor([IDS])).logits)


def test_tables_stored_by_the_old_code_are_passed_over(
    model: nezha.NezhaForSequenceClassification, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    old = "nezha.encoder.layer.0.attention.self.relative_positions_encoding.positions_encoding"
    save_file(tensors | {old: torch.full((16, 16, WIDTH), 9.0)}, tmp_path / "model.safetensors", {"format": "pt"})
    again, info = AutoModelForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    with torch.no_grad():
        torch.testing.assert_close(again(torch.tensor([IDS])).logits, model(torch.tensor([IDS])).logits)


def test_the_encoder_alone_loads_from_the_same_checkpoint(
    model: nezha.NezhaForSequenceClassification, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    encoder = AutoModel.from_pretrained(tmp_path)
    with torch.no_grad():
        state = encoder(torch.tensor([IDS])).last_hidden_state
        torch.testing.assert_close(state, model.nezha(torch.tensor([IDS])).last_hidden_state)


def test_the_published_settings_are_read() -> None:
    nezha.register()
    config = AutoConfig.for_model("nezha", max_relative_position=64, embedding_size=128, classifier_dropout=0.1)
    assert (config.vocab_size, config.hidden_size, config.max_relative_position) == (21128, 768, 64)
    assert isinstance(config, nezha.NezhaConfig)
    assert nezha.NezhaPositions(config).table.shape == (129, 64)


def test_gradients_reach_the_words(model: nezha.NezhaForSequenceClassification) -> None:
    words = model.get_input_embeddings()(torch.tensor([IDS])).detach().requires_grad_()
    loss = model(inputs_embeds=words, labels=torch.tensor([1])).loss
    (gradient,) = torch.autograd.grad(loss, [words])
    assert (gradient.abs().sum(-1) > 0).all()
