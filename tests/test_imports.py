"""Dependencies run one way: every room imports only from the storeys below its own."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import shouwang
from tests.tiny import save_tiny, save_tiny_blend

PACKAGE = Path(shouwang.__file__).parent
STOREYS = (
    ("data", "annotate", "augment", "models", "evaluate"),  # these stand on the ground: everything not named here
    ("train", "triage"),
    ("benchmark",),
    ("cli",),
)
ABOVE = {room: height for height, rooms in enumerate(STOREYS, 1) for room in rooms}
OUTSIDE = {"__init__", "__main__"}  # the lazy public names, and the command's entry
HEAVY = ("sklearn", "scipy", "torch", "onnx", "transformers", "matplotlib", "pooch", "polars", "hypothesis", "pytest")


def imported(code: str) -> Iterator[str]:
    """The rooms that a module imports from, wherever the statement stands."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports, so that they can be followed"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "shouwang" and rest:
                yield rest.partition(".")[0]


def allowed(room: str, other: str) -> bool:
    return room == other or ABOVE.get(other, 0) < ABOVE.get(room, 0) or ABOVE.get(room, 0) == ABOVE.get(other, 0) == 0


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0][:-3] not in OUTSIDE)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    wrong = [other for other in imported(path.read_text(encoding="utf-8")) if not allowed(room, other)]
    assert not wrong, f"{room} must not import {wrong}"


def test_the_rule_is_what_the_house_says() -> None:
    assert allowed("cli", "benchmark")
    assert allowed("benchmark", "train")
    assert allowed("train", "models")
    assert allowed("data", "posts")
    assert allowed("files", "columns")
    assert not allowed("posts", "data")
    assert not allowed("models", "data")
    assert not allowed("data", "evaluate")
    assert not allowed("triage", "train")
    assert not allowed("benchmark", "cli")


def test_imports_are_seen_in_functions_and_in_every_form() -> None:
    code = "import shouwang.data.load\ndef f():\n    from shouwang import files\n    from shouwang.models.model import Model\n"
    assert list(imported(code)) == ["data", "files", "models"]


@pytest.mark.parametrize("save", [save_tiny, save_tiny_blend])
def test_assess_loads_nothing_heavy(tmp_path: Path, save: Callable[[Path], None]) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "茶"}\n', encoding="utf-8")
    code = f"""
import sys
from shouwang.__main__ import main
sys.argv = ["shouwang", "assess", "a.jsonl", "--model", sys.argv[1], "--output", "out.jsonl"]
try:
    main()
except SystemExit as end:
    print(end.code, [name for name in {HEAVY} if name in sys.modules])
"""
    save(tmp_path / "tiny")
    done = subprocess.run(
        [sys.executable, "-c", code, "tiny"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ},
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_the_package_itself_loads_nothing_until_a_name_is_used() -> None:
    code = "import sys, shouwang; print(sorted(name for name in sys.modules if name.startswith('shouwang')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['shouwang']"


def test_every_public_name_has_a_home() -> None:
    assert all(getattr(shouwang, name) is not None for name in shouwang.__all__)
    with pytest.raises(AttributeError, match="no attribute 'tea'"):
        shouwang.tea  # noqa: B018
