"""Write the encoder as an ONNX graph by hand, from numpy weights: no exporter, the same bytes every time.

One input `ids` [1, n]: one post, unpadded, so that no post can see another. Outputs: the log-odds `heads`
[1, len(HEADS)] and the pooled frozen features `bottom`. The frozen word rows stay 4-bit and are unpacked after
the gather. A matrix is float32 under its name, or int8 under `name.q` with `name.scale` by column (see `stacked.stored`);
onnxruntime then rounds its inputs too, post by post.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shouwang.train.builtin.stacked import Arrays

MS = "com.microsoft"
FLOAT = TensorProto.FLOAT


class Graph:
    """Nodes and initialisers in the order they are written."""

    def __init__(self, weights: Arrays, epsilon: float) -> None:
        self.weights, self.epsilon = weights, epsilon
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: object = None) -> str:
        """An initialiser: the named weight, or `value`."""
        if name not in self.constants:
            array = self.weights[name] if value is None else np.asarray(value)
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        return name

    def node(self, op: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [output], domain=domain, **attributes))
        return output

    def affine(self, x: str, name: str, output: str) -> str:
        """x times the matrix `name`.w, plus `name`.b."""
        bias = self.constant(f"{name}.b")
        if f"{name}.w" in self.weights:
            return self.node(
                "Add", [self.node("MatMul", [x, self.constant(f"{name}.w")], f"{output}.raw"), bias], output
            )
        matrix = [self.constant(f"{name}.w.q"), self.constant(f"{name}.w.scale")]
        return self.node("DynamicQuantizeMatMul", [x, *matrix, "", bias], output, MS)

    def norm(self, x: str, name: str, output: str) -> str:
        names = [self.constant(f"{name}.w"), self.constant(f"{name}.b")]
        return self.node("LayerNormalization", [x, *names], output, axis=-1, epsilon=self.epsilon)


def _embeddings(g: Graph) -> str:
    """Gather 4-bit rows, unpack, add positions, normalise: [1, n, hidden]."""
    hidden = g.weights["place"].shape[1]
    packed = g.node("Gather", [g.constant("word.nibbles"), "ids"], "packed")
    low = g.node("BitwiseAnd", [packed, g.constant("fifteen", np.uint8(15))], "low")
    high = g.node("BitShift", [packed, g.constant("four", np.uint8(4))], "high", direction="RIGHT")
    both = g.node("Concat", [low, high], "nibbles", axis=-1)
    both = g.node("Cast", [both], "nibbles32", to=FLOAT)
    both = g.node("Sub", [both, g.constant("eight", np.float32(8))], "centred")
    scale = g.node("Gather", [g.constant("word.scales"), "ids"], "scale16")
    scale = g.node("Cast", [scale], "scale32", to=FLOAT)
    scale = g.node("Unsqueeze", [scale, g.constant("last", np.array([-1]))], "scale")
    rows = g.node("Mul", [both, scale], "rows4")
    rows = g.node("Reshape", [rows, g.constant("flat", np.array([1, -1, hidden]))], "rows")
    length = g.node("Shape", ["ids"], "length", start=1, end=2)
    places = g.node("Slice", [g.constant("place"), g.constant("zero", np.array([0])), length], "places")
    return g.norm(g.node("Add", [rows, places], "summed"), "emb.ln", "h0")


def _layer(g: Graph, i: int, x: str, heads: int) -> str:
    """Plain Add and LayerNormalization: onnxruntime's fused SkipLayerNormalization takes twice their time on a CPU."""
    qkv = g.affine(x, f"l{i}.qkv", f"qkv{i}")
    parts = [f"{m}{i}" for m in "qkv"]
    g.nodes.append(helper.make_node("Split", [qkv], parts, axis=-1, num_outputs=3))
    context = g.node("MultiHeadAttention", parts, f"context{i}", MS, num_heads=heads)
    out = g.node("Add", [g.affine(context, f"l{i}.ao", f"projected{i}"), x], f"summed{i}.a")
    a = g.norm(out, f"l{i}.aln", f"a{i}")
    wide = g.node("Gelu", [g.affine(a, f"l{i}.fi", f"wide{i}")], f"gelu{i}")
    out = g.node("Add", [g.affine(wide, f"l{i}.fo", f"narrow{i}"), a], f"summed{i}.h")
    return g.norm(out, f"l{i}.oln", f"h{i + 1}")


def build(weights: Arrays, layers: int, heads: int, epsilon: float, bottom: int = 0) -> onnx.ModelProto:
    """The model. `bottom` names a layer whose pooled output [1, 2·hidden] is given out for the linear member. Without
    head weights it stops at the last layer."""
    g = Graph(weights, epsilon)
    x = _embeddings(g)
    outputs: list[str] = []
    for i in range(layers):
        x = _layer(g, i, x, heads)
        if i + 1 == bottom:
            outputs.append(_pooled(g, x, "bottom"))
    if "heads.w" in weights:
        inputs = [_pooled(g, x, "pooled"), g.constant("heads.w"), g.constant("heads.b")]
        outputs.append(g.node("Gemm", inputs, "heads"))
    pooled = 2 * weights["place"].shape[1]
    shapes = {"heads": [1, weights["heads.b"].shape[0]] if "heads.b" in weights else None, "bottom": [1, pooled]}
    values = [helper.make_tensor_value_info(name, FLOAT, shapes[name]) for name in outputs]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])
    graph = helper.make_graph(g.nodes, "shouwang", [ids], values, list(g.constants.values()))
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(MS, 1)]
    return helper.make_model(graph, opset_imports=opsets, producer_name="shouwang", ir_version=10)


def _pooled(g: Graph, x: str, output: str) -> str:
    """Mean and maximum over tokens, side by side: [1, 2·hidden]."""
    axis = g.constant("tokens", np.array([1]))
    mean = g.node("ReduceMean", [x, axis], f"{output}.mean", keepdims=0)
    peak = g.node("ReduceMax", [x, axis], f"{output}.peak", keepdims=0)
    return g.node("Concat", [mean, peak], output, axis=-1)
