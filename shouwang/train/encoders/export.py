"""A run's encoder as one ONNX graph, checked against torch; in int8 only where it passes a gate."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from shouwang.data import load
from shouwang.errors import InputError, MissingExtraError
from shouwang.models.batches import token_ids
from shouwang.models.finetuned import Network
from shouwang.models.heads import Floats, Task, probabilities
from shouwang.models.hub import SAMPLE, load_backbone
from shouwang.models.runs import GRAPH, Opened, opened
from shouwang.posts import LabelledPost
from shouwang.scale import HIGH_FROM
from shouwang.train.encoders.splits import label, published

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OPSET = 20
LARGEST = 2**31 - 2**20
"""Bytes of weights that fit into one ONNX file."""

_FOLD = re.compile(r"(\S+) fold (\d+)")


@dataclass(frozen=True, slots=True)
class Gate:
    """What an export has to keep, or it is not written.

    parity: the largest difference of any probability between the fp32 graph and torch.
    difference: of int8 and fp32, each post's largest difference of a probability, on average over validation posts.
    agreement: the least share of validation posts with the same answer, for each task.
    recall: the most recall of high levels, and of high, that int8 may lose on validation.
    """

    parity: float = 1e-3
    difference: float = 0.03
    agreement: float = 0.97
    recall: float = 0.01


@dataclass(frozen=True, slots=True)
class Exported:
    """Where the graph is, "fp32" or "int8", its size, and the figures it was let through with."""

    path: Path
    precision: str
    megabytes: float
    checks: Mapping[str, Any]


def export(
    folder: Path, *, int8: bool = False, posts: Sequence[LabelledPost] = (), gate: Gate | None = None
) -> Exported:
    """Write `model.onnx` into a finished run, in place of an earlier one; nothing is written unless the gate is passed.

    int8 is judged on `posts`, the run's validation posts (`validation_posts`).
    Raises InputError when it is refused, with the figures, and for a folder that is no finished run; MissingExtraError
    without torch, transformers and onnxscript.
    """
    if not all(map(find_spec, ("torch", "transformers", "onnx", "onnxscript"))):
        raise MissingExtraError("Exporting an encoder", "train")
    gate, run = gate or Gate(), opened(folder)
    if int8 and not posts:
        raise InputError("int8 is judged on the run's validation posts, and there are none; export without --int8")
    plain, small = (folder / f"{GRAPH}.{precision}.partial" for precision in ("fp32", "int8"))
    try:
        checks = _plain(run, plain, gate, posts)
        if int8:
            checks |= _int8(run, plain, small, gate, posts)
        chosen = small if int8 else plain
        _note(chosen, "int8" if int8 else "fp32", {"gate": asdict(gate), **checks})
        chosen.replace(folder / GRAPH)
    except OSError as error:
        raise InputError(f"{folder}: the export cannot be written ({error}); make room and export again") from None
    finally:
        for partial in (plain, small):
            partial.unlink(missing_ok=True)
    size = (folder / GRAPH).stat().st_size / 1e6
    return Exported(folder / GRAPH, "int8" if int8 else "fp32", round(size, 1), checks)


def validation_posts(folder: Path, source: str | None = None) -> list[LabelledPost]:
    """The posts that chose the run's epoch: of its published fold, or from the file or data set `source`.

    Raises InputError when they cannot all be found there.
    """
    name = opened(folder).settings["data"]["name"]
    fold = _FOLD.fullmatch(name)
    if source is None and fold is None:
        raise InputError(f"{folder}: trained on '{name}'; name its file of validation posts with --posts")
    found: Sequence[LabelledPost] = ()
    if source is not None:
        found = load.load_file(Path(source)).posts if Path(source).is_file() else load.load(source)
    elif fold:
        found = published(fold[1], int(fold[2])).validation
    lines = (folder / "predictions-validation.jsonl").read_text(encoding="utf-8").splitlines()
    wanted = {str(json.loads(line)["id"]) for line in lines}
    posts = [post for post in found if post.id in wanted]
    if len(posts) != len(wanted):
        raise InputError(
            f"{source or name}: {len(posts)} of the run's {len(wanted)} validation posts are there; name the file or "
            "data set that was given as --validation"
        )
    return posts


# --- fp32 -----------------------------------------------------------------------------------------------------------


def _plain(run: Opened, path: Path, gate: Gate, posts: Sequence[LabelledPost]) -> dict[str, Any]:
    """Write the fp32 graph and hold it against torch, on texts of many lengths and on the posts."""
    from shouwang.models.onnx_network import OnnxNetwork
    from shouwang.models.torch_network import TorchNetwork

    model = load_backbone(run.folder, attention="eager").model
    _write_graph(model, path)
    longer = ("".join(SAMPLE[:count]) * 4 for count in range(1, len(SAMPLE) + 1))
    texts = [*SAMPLE, *longer, *(post.text for post in posts)]
    networks = (OnnxNetwork(path, run.pad, run.mask), TorchNetwork(model, run.pad, run.mask))
    parity = float(_distances(*(_answers(run, network, texts) for network in networks)).max())
    if not parity <= gate.parity:
        raise InputError(
            f"{run.folder}: the exported graph differs from torch by {parity:.2g} in a probability, at most "
            f"{gate.parity:g} is let through; nothing was written: go on using torch"
        )
    return {"texts": len(texts), "parity": parity}


class _Logits(Module):
    """The model with nothing but its logits."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def _write_graph(model: PreTrainedModel, path: Path) -> None:
    import onnx
    from torch.export import Dim

    from shouwang.models.onnx_network import INPUTS, OUTPUT

    weights = 4 * sum(each.numel() for each in model.parameters())
    if weights > LARGEST:
        raise InputError(f"the model has {weights / 1e9:.1f} GB of weights; an ONNX file of one piece holds 2 GB")
    ids = torch.arange(24).reshape(3, 8) % model.config.get_text_config().vocab_size
    mask = (torch.arange(8) < torch.tensor([[8], [6], [3]])).long()
    with _quiet():
        program = torch.onnx.export(
            _Logits(model),
            (ids, mask),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=[{0: Dim.DYNAMIC, 1: Dim.DYNAMIC}] * 2,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise InputError("torch exported nothing; use torch 2.13 or newer")
    proto = program.model_proto
    graph = proto.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")  # where in torch's code, on this machine, each came from
    onnx.save(proto, path)
    _note(path, "fp32", {})


@contextmanager
def _quiet() -> Iterator[None]:
    """torch and onnxruntime talk to their own developers while they export."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _note(path: Path, precision: str, checks: Mapping[str, Any]) -> None:
    """Write down in the graph itself what it is, so that it is one file."""
    import onnx

    from shouwang.models.onnx_network import FORMAT, NOTES

    graph = onnx.load(path)
    onnx.helper.set_model_props(
        graph, {NOTES: json.dumps({"format": FORMAT, "precision": precision, "checks": dict(checks)})}
    )
    onnx.save(graph, path)


# --- int8 -----------------------------------------------------------------------------------------------------------


def _int8(run: Opened, plain: Path, small: Path, gate: Gate, posts: Sequence[LabelledPost]) -> dict[str, Any]:
    """Quantise and hold the answers against those of fp32: all products, and where that is refused all but the
    second halves of the feed-forward layers."""
    from shouwang.models.onnx_network import OnnxNetwork
    from shouwang.train.encoders.int8 import narrowing, quantise, smoothed

    texts = [post.text for post in posts]
    before = _answers(run, OnnxNetwork(plain, run.pad, run.mask), texts)
    graph = smoothed(plain, token_ids(run.tokenizer, texts, run.longest))
    for kept in ([], narrowing(graph)):
        with _quiet():
            quantise(graph, small, kept)
        _note(small, "int8", {})
        found = compared(before, _answers(run, OnnxNetwork(small, run.pad, run.mask), texts), posts)
        if not (failed := failures(found, gate)):
            return {**found, "products_in_fp32": len(kept)}
    raise InputError(f"{run.folder}: int8 is refused on {len(posts)} posts: {'; '.join(failed)}; export without --int8")


def compared(
    before: Mapping[Task, Floats], after: Mapping[Task, Floats], posts: Sequence[LabelledPost]
) -> dict[str, Any]:
    """How int8 (`after`) answers beside fp32: figures as in `Gate`, and per task the recall (None: no high post)."""
    return {
        "posts": len(posts),
        "difference": float(_distances(before, after).mean()),
        "largest": float(_distances(before, after).max()),
        "agreement": {
            task: float((before[task].argmax(axis=1) == after[task].argmax(axis=1)).mean()) for task in before
        },
        "recall_fp32": {task: _recall(task, p, posts) for task, p in before.items()},
        "recall_int8": {task: _recall(task, p, posts) for task, p in after.items()},
    }


def failures(found: Mapping[str, Any], gate: Gate) -> list[str]:
    """What of the figures the gate does not let through."""
    failed = []
    if not found["difference"] <= gate.difference:
        failed.append(f"probabilities differ by {found['difference']:.3f} on average (at most {gate.difference:g})")
    for task, agreement in found["agreement"].items():
        if not agreement >= gate.agreement:
            failed.append(f"{task}: {agreement:.1%} of answers agree (at least {gate.agreement:.0%})")
        before, after = found["recall_fp32"][task], found["recall_int8"][task]
        if before is None or after is None:
            failed.append(f"{task}: no high post to measure recall on")
        elif after < before - gate.recall:
            failed.append(
                f"{task}: recall of high falls from {before:.1%} to {after:.1%} (by {gate.recall:.0%} at most)"
            )
    return failed


def _recall(task: Task, p: Floats, posts: Sequence[LabelledPost]) -> float | None:
    least = HIGH_FROM if task == "levels" else 1
    high = np.array([(label(post, task) or 0) >= least for post in posts])
    return float((p[high].argmax(axis=1) >= least).mean()) if high.any() else None


def _answers(run: Opened, network: Network, texts: Sequence[str]) -> dict[Task, Floats]:
    ids = token_ids(run.tokenizer, texts, run.longest)
    return probabilities(network(ids).astype(np.float64), run.heads)


def _distances(one: Mapping[Task, Floats], other: Mapping[Task, Floats]) -> Floats:
    """For each post, the largest difference of any probability."""
    return np.asarray(np.concatenate([np.abs(one[task] - other[task]) for task in one], axis=1).max(axis=1))
