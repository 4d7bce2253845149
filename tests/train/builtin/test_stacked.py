"""The encoder in torch, as an ONNX graph and as a quantised one: one set of weights, the same answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from shouwang.models.encoder import TextEncoder, session
from shouwang.models.mixture import HEADS
from shouwang.train.builtin import graph, vocabulary
from shouwang.train.builtin.backbone import Backbone
from shouwang.train.builtin.stacked import (
    FROZEN,
    LIMIT,
    Stacked,
    fresh_heads,
    rounded_inputs,
    rounded_weights,
    shallow,
    stored,
)
from tests.train.builtin.conftest import CPU
from tests.train.builtin.invented import ATTENTION_HEADS, HIDDEN, LAYERS, POSTS, SHAPE, WIDE

Weights = dict[str, NDArray[Any]]
Posts = Sequence[NDArray[np.int64]]
MATRICES = [f"l{i}.{matrix}.w" for i in range(LAYERS) for matrix in ("qkv", "ao", "fi", "fo")]


def stacked(*copies: Weights) -> Stacked:
    return Stacked(copies[0], copies, SHAPE, CPU).eval()


def padded(posts: Posts, copies: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    ids = np.full((copies, len(posts), max(map(len, posts))), 1)
    for i, post in enumerate(posts):
        ids[:, i, : len(post)] = post
    return torch.from_numpy(ids), torch.from_numpy(ids != 1)


def says(model: Stacked, posts: Posts = POSTS, quantised: bool = False) -> NDArray[np.float32]:
    """Log-odds [copies, posts, heads]."""
    with torch.no_grad():
        return np.asarray(model.logits(*padded(posts, len(model)), quantised).numpy())


def made(weights: Weights) -> onnx.ModelProto:
    return graph.build(weights, LAYERS, ATTENTION_HEADS, SHAPE.epsilon, bottom=1)


def written(weights: Weights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-odds and frozen features of POSTS by the graph, one post at a time."""
    run = session(made(weights).SerializeToString()).run
    heads, bottom = zip(*(run(["heads", "bottom"], {"ids": ids[None]}) for ids in POSTS), strict=True)
    return np.concatenate(heads), np.concatenate(bottom)


@pytest.fixture(scope="module")
def small(weights: Weights) -> Weights:
    """The weights as they are stored."""
    return {name: weights[name] for name in FROZEN} | stored(stacked(weights).weights(0))


@pytest.fixture(scope="module")
def other(weights: Weights) -> Weights:
    """Another copy: every matrix a third smaller, other heads."""
    changed = {name: weights[name] * np.float32(2 / 3) for name in MATRICES}
    return weights | changed | fresh_heads(HIDDEN, np.random.default_rng(2))


def test_the_graph_says_what_torch_says(weights: Weights) -> None:
    said = says(stacked(weights))
    assert said.shape == (1, len(POSTS), len(HEADS))
    np.testing.assert_allclose(written(weights)[0], said[0], atol=1e-5)


def test_a_copy_among_several_says_what_it_says_alone(weights: Weights, other: Weights) -> None:
    together = says(stacked(weights, other, weights))
    np.testing.assert_allclose(together, [says(stacked(each))[0] for each in (weights, other, weights)], atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 0.01


@pytest.mark.parametrize("quantised", [False, True])
def test_a_post_is_read_alike_alone_and_padded_among_others(weights: Weights, quantised: bool) -> None:
    model = stacked(weights)
    alone = np.concatenate([says(model, [ids], quantised) for ids in POSTS], axis=1)
    np.testing.assert_allclose(says(model, POSTS, quantised), alone, atol=1e-5)


def test_the_graphs_frozen_features_are_mean_and_peak_of_the_layer(weights: Weights) -> None:
    model = stacked(weights)
    with torch.no_grad():
        layers = [model(*padded([ids]))[1][0, 0].numpy() for ids in POSTS]
    pooled = [np.concatenate([each.mean(0), each.max(0)]) for each in layers]
    np.testing.assert_allclose(written(weights)[1], pooled, atol=1e-5)


def test_without_heads_the_graph_stops_at_the_frozen_features(weights: Weights) -> None:
    bare = {name: value for name, value in weights.items() if not name.startswith("heads.")}
    model = graph.build(bare, 1, ATTENTION_HEADS, SHAPE.epsilon, bottom=1)
    assert [output.name for output in model.graph.output] == ["bottom"]
    (bottom,) = session(model.SerializeToString()).run(None, {"ids": POSTS[0][None]})
    np.testing.assert_allclose(bottom[0], written(weights)[1][0], atol=1e-6)
    assert bottom.shape == (1, 2 * HIDDEN)


def test_each_copys_weights_are_given_back_under_the_graphs_names(weights: Weights, other: Weights) -> None:
    model = stacked(weights, other)
    for i, each in enumerate((weights, other)):
        given = model.weights(i)
        assert given.keys() == weights.keys() - set(FROZEN)
        assert all(np.array_equal(value, each[name]) for name, value in given.items())


def test_fresh_heads_are_small_and_the_same_for_the_same_seed() -> None:
    one, same = (fresh_heads(HIDDEN, np.random.default_rng(1)) for _ in range(2))
    assert one["heads.w"].shape == (2 * HIDDEN, len(HEADS))
    assert float(np.abs(one["heads.w"]).max()) < 0.1
    assert all(np.array_equal(one[name], same[name]) for name in one)


def test_the_graph_has_the_same_bytes_every_time(weights: Weights, small: Weights) -> None:
    for each in (weights, small):
        one, again = (made(each).SerializeToString(deterministic=True) for _ in range(2))
        assert one == again


# --- quantised ------------------------------------------------------------------------------------------------------


def test_matrices_of_layers_are_stored_in_seven_bits_to_half_a_step(weights: Weights, small: Weights) -> None:
    assert weights.keys() - small.keys() == set(MATRICES)
    for name in MATRICES:
        numbers, scale = small[f"{name}.q"], small[f"{name}.scale"]
        assert numbers.dtype == np.int8
        assert np.abs(numbers).max(0).tolist() == [LIMIT] * len(scale)
        assert (np.abs(numbers * scale - weights[name]) <= scale * 0.5001).all()


def test_a_column_of_zeros_is_stored_as_zeros() -> None:
    kept = stored({"l0.ao.w": np.zeros((3, 2), np.float32)})
    assert not kept["l0.ao.w.q"].any()
    assert np.isfinite(kept["l0.ao.w.scale"]).all()


def test_the_quantised_graph_says_nearly_what_rounded_torch_says(weights: Weights, small: Weights) -> None:
    """The weights are the same numbers; a sum in another order now and then rounds an activation to the neighbouring
    one of 256 steps. Rounding itself moves the answers several times as far."""
    graph_says, whole, near = written(small)[0], says(stacked(weights))[0], says(stacked(weights), quantised=True)[0]
    apart, moved = np.abs(graph_says - near).max(), np.abs(graph_says - whole).max()
    assert apart < 2 / 255 * np.abs(whole).max()
    assert apart < moved / 3


def test_inputs_are_rounded_over_each_posts_own_range_without_padding() -> None:
    real = torch.tensor([[[True, True], [True, False]]])
    x = torch.tensor([[[0.2, 255.0], [0.0, 7.4], [0.1, 2.549], [9e9, -9e9]]])
    near = rounded_inputs(x, real)
    np.testing.assert_allclose(near[0, :2], [[0, 255], [0, 7]], rtol=1e-6)
    np.testing.assert_allclose(near[0, 2], x[0, 2], atol=2.549 / 255 / 2)
    assert not near[0, 3].any()


def test_gradients_pass_through_rounding() -> None:
    w = torch.linspace(-1, 1, 12).view(1, 4, 3).requires_grad_()
    (rounded_weights(w) * 2).sum().backward()  # type: ignore[no-untyped-call]
    assert w.grad is not None
    np.testing.assert_allclose(w.grad, 2)


def test_a_quantised_answer_depends_on_its_own_text_alone(backbone: Backbone, small: Weights) -> None:
    encoder = TextEncoder(made(small).SerializeToString(), vocabulary.build(backbone).to_str().encode(), {})
    texts = ["天气真好", "好茶", "雨" * 300, "今天很累", ""]
    together = encoder(texts)
    alone = [encoder([text]) for text in reversed(texts)][::-1]
    for part in (0, 1):
        assert together[part].tolist() == np.concatenate([each[part] for each in alone]).tolist()


# --- fewer layers ---------------------------------------------------------------------------------------------------


def test_a_shallow_start_has_the_named_layers_in_order(start: Weights) -> None:
    made = shallow(start, (0, 2), WIDE)
    assert made.keys() == {name for name in start if name.startswith(("l0.", "l1."))}
    for name, value in made.items():
        np.testing.assert_array_equal(value, start[name.replace("l1.", "l2.")])


def test_a_shallow_start_keeps_the_units_whose_weights_are_largest(start: Weights) -> None:
    units = np.array([3, 50, 95])
    loud = {name: value.copy() for name, value in start.items()}
    loud["l2.fi.w"][:, units] *= 10
    made = shallow(loud, (2,), len(units))
    for name, value in (("fi.w", loud["l2.fi.w"][:, units]), ("fi.b", loud["l2.fi.b"][units])):
        np.testing.assert_array_equal(made[f"l0.{name}"], value)
    np.testing.assert_array_equal(made["l0.fo.w"], loud["l2.fo.w"][units])
