"""A graph's products in int8: their inputs smoothed beforehand, their weights in 7 bits.

onnxruntime rounds the input of a product with one scale for the whole tensor, which a few loud channels make coarse.
What these have too much is moved into the weights (SmoothQuant, arXiv 2211.10438, eq. 4). And on a processor with AVX2
but no VNNI two products of 8 by 8 bits overflow the 16 bits that they are added in, those of 8 by 7 bits do not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from shouwang.models.batches import Ints, padded
from shouwang.models.encoder import session
from shouwang.models.onnx_network import INPUTS

Floats = NDArray[np.float32]

MOVED = 0.8
"""α of SmoothQuant."""


def smoothed(path: Path, posts: Sequence[Ints]) -> ModelProto:
    """The graph at `path` with the loud channels of products' inputs moved into their weights: the same function.

    `posts` (token ids, unpadded) show which channels are loud.
    """
    model = onnx.load(path)
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    readers: dict[str, list[NodeProto]] = defaultdict(list)
    for product in _products(graph):
        readers[product.input[0]].append(product)
    smooth = {}
    for name, loudest in _loudest(model, list(readers), posts).items():
        matrices = [numpy_helper.to_array(weights[product.input[1]]) for product in readers[name]]
        scale = _scale(loudest, np.max([np.abs(matrix).max(axis=1) for matrix in matrices], axis=0))
        graph.initializer.append(numpy_helper.from_array(1 / scale, f"{name}.scale"))
        smooth[readers[name][0].output[0]] = helper.make_node("Mul", [name, f"{name}.scale"], [f"{name}.smooth"])
        for product, matrix in zip(readers[name], matrices, strict=True):
            weights[product.input[1]].CopyFrom(numpy_helper.from_array(matrix * scale[:, None], product.input[1]))
            product.input[0] = f"{name}.smooth"
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        graph.node.extend([smooth[node.output[0]], node] if node.output[0] in smooth else [node])
    return model


def narrowing(model: ModelProto) -> list[str]:
    """The products whose output is narrower than their input: the second halves of the feed-forward layers."""
    shapes = {each.name: each.dims for each in model.graph.initializer}
    return [each.name for each in _products(model.graph) if shapes[each.input[1]][0] > shapes[each.input[1]][1]]


def quantise(model: ModelProto, path: Path, keep: Collection[str] = ()) -> None:
    """Write the graph with its products in int8, weights with a scale per column; those named in `keep` stay in fp32."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        deepcopy(model),  # it is changed in place
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(keep),
    )


def _products(graph: GraphProto) -> list[NodeProto]:
    """The products with a matrix of weights that no other product shares."""
    weights = {each.name for each in graph.initializer}
    products = [each for each in graph.node if each.op_type == "MatMul" and each.input[1] in weights]
    uses = Counter(each.input[1] for each in products)
    return [each for each in products if uses[each.input[1]] == 1]


def _loudest(model: ModelProto, names: Sequence[str], posts: Sequence[Ints]) -> dict[str, Floats]:
    """The largest absolute value in each channel of the named tensors, over all posts."""
    shown = ModelProto()
    shown.CopyFrom(model)
    shown.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    run = session(shown.SerializeToString()).run
    found: dict[str, Floats] = {name: np.zeros((), np.float32) for name in names}
    for post in posts:
        values = run(names, dict(zip(INPUTS, padded([post], 0), strict=True)))
        for name, value in zip(names, values, strict=True):
            found[name] = np.maximum(found[name], np.abs(value).max(axis=(0, 1)))
    return found


def _scale(loudest: Floats, weight: Floats) -> Floats:
    """By what each channel is divided; quiet channels no less than the middle one, since they may be louder elsewhere."""
    tiny = np.float32(1e-5)
    scale = np.maximum(loudest, tiny) ** MOVED / np.maximum(weight, tiny) ** (1 - MOVED)
    return np.asarray(np.maximum(scale, np.median(scale)), np.float32)
