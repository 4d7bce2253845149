"""A tiny random encoder through every format it takes: `pytest experiments/encoder` (needs the extras of README.md)."""

from __future__ import annotations

import numpy as np
import pytest

for needed in ("torch", "onnx", "onnxruntime", "tokenizers"):
    pytest.importorskip(needed)

from . import backbone, blend, cues, encoder, export, fit, graph, hashing, linear, quantise, vocabulary  # noqa: E402

HIDDEN, LAYERS, WIDE, LONGEST = 64, 3, 96, 16
SHAPE = encoder.Shape(layers=LAYERS, exits=(2, 3), heads=4, explain=2, frozen_layers=1)
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "天", "气", "天气", "真", "好", "query", ":", "か")
POSTS = [np.array([0, 5, 6, 8, 9, 2]), np.array([0, 7, 2])]


@pytest.fixture
def tiny() -> backbone.Backbone:
    rng = np.random.default_rng(0)
    sizes = {"emb.pos": LONGEST * HIDDEN, "emb.type": HIDDEN, "emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN}
    for i in range(LAYERS):
        sizes |= {f"l{i}.{m}.w": HIDDEN * HIDDEN for m in ("q", "k", "v", "ao")}
        sizes |= {
            f"l{i}.{m}": HIDDEN for m in ("q.b", "k.b", "v.b", "ao.b", "aln.w", "aln.b", "fo.b", "oln.w", "oln.b")
        }
        sizes |= {f"l{i}.fi.w": WIDE * HIDDEN, f"l{i}.fo.w": WIDE * HIDDEN, f"l{i}.fi.b": WIDE}
    tensors = {name: rng.normal(0, 0.2, n).astype(np.float32) for name, n in sizes.items()}
    scales = rng.uniform(0.01, 0.1, (len(PIECES), HIDDEN // 32)).astype(np.float16)
    nibbles = rng.integers(0, 256, (len(PIECES), HIDDEN // 32, 16), np.uint8)
    scores = np.log(np.full(len(PIECES), 1 / len(PIECES), np.float32))
    return backbone.Backbone(HIDDEN, LAYERS, 4, WIDE, 1e-12, PIECES, scores, {"，": " "}, tensors, scales, nibbles)


@pytest.fixture
def weights(tiny: backbone.Backbone) -> dict[str, np.ndarray]:
    heads = encoder.fresh_heads(SHAPE, HIDDEN, np.random.default_rng(1))
    return export.weights(tiny, np.arange(len(PIECES)), LAYERS, LONGEST) | heads


def _onnx(weights: dict[str, np.ndarray], ids: np.ndarray) -> dict[str, np.ndarray]:
    model = graph.build(weights, LAYERS, SHAPE.exits, SHAPE.heads, SHAPE.epsilon, bottom=1)
    run = quantise.session(model.SerializeToString())
    names = [output.name for output in run.get_outputs()]
    return dict(zip(names, run.run(names, {"ids": ids[None]}), strict=True))


def test_graph_says_what_torch_says(weights: dict[str, np.ndarray]) -> None:
    said = encoder.predict(encoder.Encoder(weights, SHAPE), POSTS)
    for row, ids in enumerate(POSTS):
        out = _onnx(weights, ids)
        for e in SHAPE.exits:
            np.testing.assert_allclose(blend.softmax(out[f"levels{e}"][0]), said[f"levels{e}"][row], atol=1e-5)
            np.testing.assert_allclose(blend.softmax(out[f"high{e}"][0])[1], said[f"high{e}"][row], atol=1e-5)
        np.testing.assert_equal(out["bottom"].shape, (1, 2 * HIDDEN))


def test_quantised_graph_stays_close(weights: dict[str, np.ndarray]) -> None:
    tops = quantise.ranges(weights, LAYERS, SHAPE.heads, SHAPE.epsilon, POSTS)
    small = quantise.quantised(weights, tops)
    np.testing.assert_allclose(_onnx(small, POSTS[0])["levels3"], _onnx(weights, POSTS[0])["levels3"], atol=0.1)


def test_training_lowers_the_loss_and_leaves_frozen_layers_alone(weights: dict[str, np.ndarray]) -> None:
    levels, ones = np.array([0, 10]), np.ones(2, np.float32)
    examples = fit.Examples(
        POSTS, fit.soft_levels(levels), ones, ones * [0, 1], ones, np.zeros((2, 2), np.float32), ones
    )
    losses: list[float] = []
    model = encoder.Encoder(weights, SHAPE)
    settings = fit.Settings(epochs=30, rate=3e-3, exit_shares=(1.0, 1.0))
    fit.fit(model, lambda *_: examples, settings, 1, lambda _, __, loss: losses.append(loss))
    np.testing.assert_array_less(np.mean(losses[-5:]), np.mean(losses[:5]))
    np.testing.assert_array_equal([name for name in model.weights() if name.startswith("l0.")], [])


def test_pruned_vocabulary_keeps_chinese_and_numbers_its_rows_anew(tiny: backbone.Backbone) -> None:
    keep = backbone.keep_pieces(tiny, [10])
    tokenizer = vocabulary.build(tiny, keep)
    (ids,) = vocabulary.encode(tokenizer, {ord("，"): " "}, ["天气，真好"], LONGEST)
    spelled = [PIECES[keep[i]] for i in ids]
    np.testing.assert_array_equal([spelled[0], spelled[-1]], ["<s>", "</s>"])
    np.testing.assert_equal({"天气", "真", "好"} <= set(spelled), True)


def test_longer_posts_keep_their_start_and_end(tiny: backbone.Backbone) -> None:
    (ids,) = vocabulary.encode(vocabulary.build(tiny), {}, ["天真" * 50 + "好"], LONGEST)
    np.testing.assert_equal((len(ids), PIECES[ids[-2]]), (LONGEST, "好"))


def test_hashing_counts_each_gram_once_per_place() -> None:
    found, times = hashing.buckets("好好", list)
    np.testing.assert_equal(len(set(found)), len(found))
    # characters ^好好$: 4 + 3 + 2 + 1 runs; words ^ 好 好 $: 4 + 3 runs
    np.testing.assert_equal(times.sum(), 17)


def test_linear_member_learns_a_word_and_cues_have_their_size() -> None:
    x = linear.counts(["天气真好", "天气不好", "真好", "不好"], list)
    x = linear.scaled(x, linear.inverse_frequency(x))
    gram = (x @ x.T).toarray()
    solution = linear.solve(gram, np.eye(2)[[0, 1, 0, 1]], np.ones(4), 10.0)
    np.testing.assert_array_equal(linear.probabilities(solution, gram).argmax(1), [0, 1, 0, 1])
    np.testing.assert_equal(cues.count("天气真好").shape, (cues.SIZE,))


def test_blend_weighs_the_better_member_more() -> None:
    gold = np.arange(22) % 11
    good, bad = 0.5 * np.eye(11)[gold] + 0.5 / 11, np.full((22, 11), 1 / 11)
    fitted = blend.fit_levels([good, bad], gold)
    np.testing.assert_array_less(fitted.weights[1], fitted.weights[0])
