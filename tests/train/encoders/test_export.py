"""`shouwang export`: the graph answers as torch does, without torch; int8 passes a gate or is not written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from shouwang.cli import export as command
from shouwang.errors import InputError
from shouwang.evaluate.faithfulness import drops, faithfulness
from shouwang.files import write_line
from shouwang.models import store
from shouwang.models.batches import token_ids
from shouwang.models.encoder import session
from shouwang.models.finetuned import Finetuned
from shouwang.models.onnx_network import INPUTS, OnnxNetwork
from shouwang.models.runs import opened
from shouwang.posts import Post
from shouwang.train.encoders import export as module
from shouwang.train.encoders.export import Exported, Gate, compared, export, failures, validation_posts
from shouwang.train.encoders.int8 import quantise, smoothed
from tests.train.encoders.keyword import KEYWORD, posts

VALIDATION = posts("validation", 24, 2)
TEST = posts("test", 40, 3)
ANYTHING = Gate(difference=1, agreement=0, recall=1)


@pytest.fixture(scope="module")
def run(keyword_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run that may be exported."""
    return Path(shutil.copytree(keyword_run, tmp_path_factory.mktemp("export") / "run"))


@pytest.fixture(scope="module")
def exported(run: Path) -> Exported:
    return export(run)


@pytest.fixture
def traced(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    """Further exports of the same weights start from the graph that torch has traced for `exported`: it takes 10 s."""
    graph = exported.path.read_bytes()
    monkeypatch.setattr(module, "_write_graph", lambda model, path: path.write_bytes(graph))


def test_the_graph_answers_as_torch_does(keyword_run: Path, exported: Exported) -> None:
    assert (exported.precision, exported.path.name) == ("fp32", "model.onnx")
    assert exported.checks["parity"] < 1e-4
    texts: list[str | Post] = [*TEST, "今天" * 60]
    for one, other in zip(
        store.load(keyword_run).assess(texts), store.load(exported.path.parent).assess(texts), strict=True
    ):
        assert other.probabilities == pytest.approx(one.probabilities, abs=1e-4)
        assert other.p_high == pytest.approx(one.p_high, abs=1e-4)
        assert (other.level, other.model.split()[1]) == (one.level, one.model.split()[1])


def test_it_reads_every_number_of_posts_and_tokens_at_opset_20(exported: Exported) -> None:
    graph = onnx.load(exported.path)
    assert b"site-packages" not in exported.path.read_bytes(), "nothing of the machine it was made on"
    assert [each.version for each in graph.opset_import if not each.domain] == [20]
    axes = [each.type.tensor_type.shape.dim for each in graph.graph.input]
    assert all(dim.dim_param and not dim.dim_value for two in axes for dim in two)
    network = OnnxNetwork(exported.path, 0, 4)
    for count, length in ((1, 3), (10, 32), (3, 17)):
        assert network([np.full(length, 7)] * count).shape == (count, 13)


def test_neither_torch_nor_the_weights_are_needed(exported: Exported, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported.path.parent, tmp_path / "light"))
    (folder / "model.safetensors").unlink()
    text = TEST[1].text
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}), encoding="utf-8")
    code = """
import sys
from shouwang.__main__ import main
sys.argv = ["shouwang", "assess", "a.jsonl", "--model", "light", "--output", "out.jsonl"]
try:
    main()
except SystemExit as end:
    print(end.code, [name for name in ("torch", "transformers", "onnx") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
    (row,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert row["high"]
    place = text.index(KEYWORD)
    assert any(each["start"] < place + 2 and each["end"] > place for each in row["evidence"])


def test_its_evidence_by_occlusion_is_what_the_score_rests_on(exported: Exported) -> None:
    model = store.load(exported.path.parent)
    texts = [post.text for post in TEST if post.high]
    spans = [[(e.start, e.end) for e in each.evidence] for each in model.assess(texts)]
    rng = np.random.default_rng(0)
    found = faithfulness(
        [drops(texts, spans, lambda some: np.array([a.p_high for a in model.stream(some)]), rng, draws=5)], rng
    )
    assert found.comprehensiveness.low > 0.2
    assert found.larger.value > 0.8


@pytest.mark.usefixtures("traced")
def test_int8_passes_the_gate_or_leaves_what_was_there(run: Path, exported: Exported) -> None:
    before = exported.path.read_bytes()
    with pytest.raises(InputError, match=r"int8 is refused on 24 posts: probabilities differ by 0\.\d+"):
        export(run, int8=True, posts=VALIDATION, gate=replace(ANYTHING, difference=0))
    assert exported.path.read_bytes() == before
    assert not list(run.glob("*.partial"))


@pytest.mark.usefixtures("traced")
def test_int8_reads_one_post_at_a_time_so_no_post_changes_another(keyword_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(keyword_run, tmp_path / "run"))
    done = export(folder, int8=True, posts=VALIDATION, gate=ANYTHING)
    assert (done.precision, done.checks["posts"]) == ("int8", 24)
    model = store.load(folder)
    assert isinstance(model.heads, Finetuned)
    assert model.version.endswith("-int8")
    together = model.assess(TEST)
    for post, beside in zip(TEST[:5], together, strict=False):
        (alone,) = model.assess([post])
        assert alone.probabilities == pytest.approx(beside.probabilities, abs=1e-12)
        assert alone.p_high == pytest.approx(beside.p_high, abs=1e-12)
    notes = model.heads.network.notes if isinstance(model.heads.network, OnnxNetwork) else {}
    assert notes["checks"]["gate"]["difference"] == 1
    assert "MatMulInteger" in {node.op_type for node in onnx.load(done.path).graph.node}


def test_smoothing_changes_no_answer_and_rounding_little(run: Path, exported: Exported, tmp_path: Path) -> None:
    plain, ids = opened(run), token_ids(opened(run).tokenizer, [post.text for post in TEST], 64)
    graph = smoothed(exported.path, ids)
    assert sum(node.op_type == "Mul" and node.output[0].endswith(".smooth") for node in graph.graph.node) > 3
    onnx.save(graph, tmp_path / "smooth.onnx")
    quantise(graph, tmp_path / "int8.onnx")
    module._note(tmp_path / "int8.onnx", "int8", {})
    fp32, smooth, int8 = (
        OnnxNetwork(path, plain.pad, plain.mask)(ids)
        for path in (exported.path, tmp_path / "smooth.onnx", tmp_path / "int8.onnx")
    )
    assert np.abs(smooth - fp32).max() < 1e-4
    assert 0 < np.abs(int8 - fp32).mean() < 0.02 * fp32.std()


def test_a_loud_channel_and_large_weights_survive_rounding(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids, table = np.arange(8), rng.normal(size=(8, 64)).astype(np.float32)
    table[:, 0] *= 100
    weights = np.sign(rng.normal(size=(64, 8))).astype(np.float32)  # all of them as large as int8 goes
    save_product(tmp_path / "plain.onnx", table, weights)
    quantise(smoothed(tmp_path / "plain.onnx", [ids]), tmp_path / "int8.onnx")
    fed = {"input_ids": ids[None], "attention_mask": np.ones((1, 8), np.int64)}
    (answer,) = session(str(tmp_path / "int8.onnx")).run(["logits"], fed)
    wanted = table @ weights
    assert np.abs(answer[0] - wanted).max() < 0.02 * np.abs(wanted).max()


def save_product(path: Path, table: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
    """A graph that looks each token up in `table` and multiplies it by `weights`."""
    helper = onnx.helper
    ids, mask = (helper.make_tensor_value_info(name, onnx.TensorProto.INT64, [1, "n"]) for name in INPUTS)
    logits = helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1, "n", weights.shape[1]])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["x"]),
        helper.make_node("MatMul", ["x", "weights"], ["logits"], name="product"),
    ]
    constants = [onnx.numpy_helper.from_array(table, "table"), onnx.numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "product", [ids, mask], [logits], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


def test_figures_of_the_gate_by_hand() -> None:
    some = VALIDATION[:4]  # low, high, low, high
    before = {"high": np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.4, 0.6]])}
    after = {"high": np.array([[0.9, 0.1], [0.3, 0.7], [0.8, 0.2], [0.7, 0.3]])}
    found = compared(before, after, some)  # type: ignore[arg-type]
    assert found["difference"] == pytest.approx((0 + 0.1 + 0 + 0.3) / 4)
    assert found["largest"] == pytest.approx(0.3)
    assert (found["agreement"], found["recall_fp32"], found["recall_int8"]) == (
        {"high": 0.75},
        {"high": 1.0},
        {"high": 0.5},
    )
    assert failures(found, Gate()) == [
        "probabilities differ by 0.100 on average (at most 0.03)",
        "high: 75.0% of answers agree (at least 97%)",
        "high: recall of high falls from 100.0% to 50.0% (by 1% at most)",
    ]
    assert failures(compared(before, before, some), Gate()) == []  # type: ignore[arg-type]


def test_without_a_high_post_recall_cannot_be_vouched_for() -> None:
    same = {"high": np.array([[0.9, 0.1]])}
    assert failures(compared(same, same, VALIDATION[:1]), Gate()) == ["high: no high post to measure recall on"]  # type: ignore[arg-type]


@pytest.mark.usefixtures("traced")
def test_a_graph_that_differs_from_torch_is_refused(keyword_run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(keyword_run, tmp_path / "run"))
    with pytest.raises(InputError, match=r"differs from torch by .* nothing was written"):
        export(folder, gate=Gate(parity=-1))
    assert not list(folder.glob("model.onnx*"))


def test_an_interrupted_export_leaves_no_half_file(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run", ignore=shutil.ignore_patterns("model.onnx*")))

    def stopped(model: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write_graph", stopped)
    with pytest.raises(KeyboardInterrupt):
        export(folder)
    assert not list(folder.glob("model.onnx*"))


def test_what_cannot_be_exported(keyword_run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a finished run"):
        export(tmp_path)
    with pytest.raises(InputError, match="there are none"):
        export(keyword_run, int8=True)


def test_a_damaged_or_foreign_graph(keyword_run: Path, exported: Exported, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(keyword_run, tmp_path / "run"))
    (folder / "model.onnx").write_bytes(exported.path.read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        store.load(folder)
    graph = onnx.load(exported.path)
    del graph.metadata_props[:]
    onnx.save(graph, folder / "model.onnx")
    with pytest.raises(InputError, match="not an export of this version"):
        store.load(folder)


def test_the_validation_posts_are_found_by_their_ids(keyword_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for post in (*TEST, *VALIDATION):
            write_line(stream, {"id": post.id, "text": post.text, "level": post.level, "high": post.high})
    assert [post.id for post in validation_posts(keyword_run, str(path))] == [post.id for post in VALIDATION]
    with pytest.raises(InputError, match="name its file of validation posts"):
        validation_posts(keyword_run)
    path.write_text('{"id": "validation-1", "text": "茶", "level": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="1 of the run's 24 validation posts"):
        validation_posts(keyword_run, str(path))


def test_the_command_says_what_was_checked(run: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    monkeypatch.setattr(module, "export", lambda *_, **__: exported)
    app = typer.Typer()
    app.command()(command.command)
    shown = CliRunner().invoke(app, [str(run)])
    assert (shown.exit_code, "fp32" in shown.output, KEYWORD in shown.output) == (0, True, False)
    found = json.loads(CliRunner().invoke(app, [str(run), "--json"]).output)
    assert (found["precision"], found["parity"] < 1e-4) == ("fp32", True)
