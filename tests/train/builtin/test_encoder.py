"""The encoder in torch, as an ONNX graph and as a quantised one: one set of weights, the same answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from shouwang.models.encoder import TextEncoder, session
from shouwang.models.mixture import HEADS
from shouwang.train.builtin import graph, quantise, vocabulary
from shouwang.train.builtin.backbone import Backbone
from shouwang.train.builtin.encoder import Encoder, fresh_heads, pad
from tests.train.builtin.invented import ATTENTION_HEADS, EXPLAIN, HIDDEN, LAYERS, POSTS, SHAPE

Weights = dict[str, NDArray[Any]]


def made(weights: Weights) -> onnx.ModelProto:
    return graph.build(weights, LAYERS, ATTENTION_HEADS, SHAPE.epsilon, bottom=SHAPE.frozen_layers)


def said(weights: Weights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-odds and frozen features of POSTS by the graph, one post at a time."""
    run = session(made(weights).SerializeToString()).run
    heads, bottom = zip(*(run(["heads", "bottom"], {"ids": ids[None]}) for ids in POSTS), strict=True)
    return np.concatenate(heads), np.concatenate(bottom)


@pytest.fixture(scope="module")
def small(weights: Weights) -> Weights:
    """The quantised weights."""
    tops = quantise.ranges(weights, LAYERS, ATTENTION_HEADS, SHAPE.epsilon, POSTS)
    return quantise.quantised(weights, tops)


def test_the_graph_says_what_torch_says(weights: Weights) -> None:
    model = Encoder(weights, SHAPE).eval()
    with torch.no_grad():
        heads, explain = model(*pad(POSTS))
    assert (heads.shape, explain.shape) == ((3, len(HEADS)), (3, EXPLAIN))
    np.testing.assert_allclose(said(weights)[0], heads.numpy(), atol=1e-5)


def test_the_graphs_frozen_features_are_mean_and_peak_of_what_training_keeps(weights: Weights) -> None:
    model = Encoder(weights, SHAPE).eval()
    model(*pad(POSTS))
    kept = [model.memory[ids.tobytes()].numpy() for ids in POSTS]
    pooled = [np.concatenate([each.mean(0), each.max(0)]) for each in kept]
    np.testing.assert_allclose(said(weights)[1], pooled, atol=1e-5)


def test_without_heads_the_graph_stops_at_the_frozen_features(weights: Weights) -> None:
    bare = {name: value for name, value in weights.items() if not name.startswith("heads.")}
    model = graph.build(bare, 1, ATTENTION_HEADS, SHAPE.epsilon, bottom=1)
    assert [output.name for output in model.graph.output] == ["bottom"]
    (bottom,) = session(model.SerializeToString()).run(None, {"ids": POSTS[0][None]})
    np.testing.assert_allclose(bottom[0], said(weights)[1][0], atol=1e-6)
    assert bottom.shape == (1, 2 * HIDDEN)


def test_a_post_is_read_alike_alone_and_padded_among_others(weights: Weights) -> None:
    model = Encoder(weights, SHAPE).eval()
    with torch.no_grad():
        together = model(*pad(POSTS))[0].numpy()
        alone = np.concatenate([model(*pad([ids]))[0].numpy() for ids in POSTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_what_the_frozen_layers_gave_is_shared_and_dropout_never_enters_it(weights: Weights) -> None:
    memory: dict[bytes, torch.Tensor] = {}
    Encoder(weights, SHAPE, memory).train()(*pad(POSTS))
    fresh = Encoder(weights, SHAPE).eval()
    fresh(*pad(POSTS))
    assert memory.keys() == {ids.tobytes() for ids in POSTS}
    assert all(torch.equal(memory[key], fresh.memory[key]) for key in memory)


def test_only_what_trains_is_given_out_under_the_graphs_names(weights: Weights) -> None:
    trained = Encoder(weights, SHAPE).weights()
    assert {name.split(".")[0] for name in trained} == {"l1", "l2", "heads", "explain"}
    assert all(np.array_equal(value, weights[name]) for name, value in trained.items())


def test_fresh_heads_are_small_and_the_same_for_the_same_seed() -> None:
    one, other = (fresh_heads(SHAPE, HIDDEN, np.random.default_rng(1)) for _ in range(2))
    assert one["heads.w"].shape == (2 * HIDDEN, len(HEADS))
    assert float(np.abs(one["heads.w"]).max()) < 0.1
    assert all(np.array_equal(one[name], other[name]) for name in one)


# --- bytes ----------------------------------------------------------------------------------------------------------


def test_the_graph_has_the_same_bytes_every_time(weights: Weights, small: Weights) -> None:
    for each in (weights, small):
        one, other = (made(each).SerializeToString(deterministic=True) for _ in range(2))
        assert one == other


# --- quantised ------------------------------------------------------------------------------------------------------


def test_matrices_become_seven_bits_and_the_second_of_a_block_eight(weights: Weights, small: Weights) -> None:
    assert {name for name in weights if name not in small} == {
        f"l{i}.{matrix}.w" for i in range(LAYERS) for matrix in ("qkv", "ao", "fi", "fo")
    }
    seven = [value for name, value in small.items() if name.endswith(".q")]
    assert {(value.dtype.name, int(np.abs(value).max())) for value in seven} == {("int8", quantise.LIMIT)}
    stored = small["l1.fo.w.stored"] * small["l1.fo.w.scale"]
    np.testing.assert_allclose(stored, weights["l1.fo.w"], atol=float(small["l1.fo.w.scale"].max()) / 2 * 1.001)


def test_smoothing_and_scales_undone_the_matrix_is_nearly_what_it_was(weights: Weights, small: Weights) -> None:
    name = "l2.qkv.w"
    undone = small[f"{name}.q"] * small[f"{name}.scale"] * small[f"{name}.smooth"][:, None]
    half_a_step = small[f"{name}.scale"] / 2 * small[f"{name}.smooth"][:, None]
    assert (np.abs(undone - weights[name]) <= half_a_step * 1.001).all()


def test_ranges_are_the_largest_inputs_over_all_posts(weights: Weights) -> None:
    each = [quantise.ranges(weights, LAYERS, ATTENTION_HEADS, SHAPE.epsilon, [ids]) for ids in POSTS]
    together = quantise.ranges(weights, LAYERS, ATTENTION_HEADS, SHAPE.epsilon, POSTS)
    for name, top in together.items():
        assert top.shape == (weights[name].shape[0],)
        np.testing.assert_array_equal(top, np.max([one[name] for one in each], axis=0))


def test_the_quantised_graph_stays_close(weights: Weights, small: Weights) -> None:
    for whole, near in zip(said(weights), said(small), strict=True):
        np.testing.assert_allclose(near, whole, atol=0.05 * float(np.abs(whole).max()))


def test_a_quantised_answer_depends_on_its_own_text_alone(backbone: Backbone, small: Weights) -> None:
    encoder = TextEncoder(made(small).SerializeToString(), vocabulary.build(backbone).to_str().encode(), {})
    texts = ["天气真好", "好茶", "雨" * 300, "今天很累", ""]
    together = encoder(texts)
    alone = [encoder([text]) for text in reversed(texts)][::-1]
    for part in (0, 1):
        assert together[part].tolist() == np.concatenate([each[part] for each in alone]).tolist()
