from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.models.blend import Blend
from shouwang.models.mixture import HEADS
from shouwang.models.model import Model
from shouwang.posts import Post
from tests import examples
from tests.tiny import save_tiny_blend

TEA = "今天的茶很好喝，明天还想喝。"
TEXTS = [*(post.text for post in examples.posts()), "", "😀", "a cup of tea", TEA * 60]


@pytest.fixture(scope="module")
def blend(tiny_blend: Model) -> Blend:
    assert isinstance(tiny_blend.heads, Blend)
    return tiny_blend.heads


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.sampled_from(TEXTS), min_size=2, max_size=20))
def test_log_odds_of_a_text_are_the_same_alone_and_among_others(blend: Blend, texts: list[str]) -> None:
    together = blend.logits(texts)
    assert together.shape == (len(texts), len(HEADS))
    assert [blend.logits([text])[0].tolist() for text in texts] == together.tolist()


@settings(max_examples=15, deadline=None)
@given(texts=st.lists(st.sampled_from(TEXTS), min_size=2, max_size=40))
def test_an_assessment_does_not_depend_on_the_posts_beside_it(tiny_blend: Model, texts: list[str]) -> None:
    together = tiny_blend.assess(texts)
    assert together == [tiny_blend.assess([Post(str(number), text)])[0] for number, text in enumerate(texts, 1)]


def test_both_members_are_heard(blend: Blend) -> None:
    encoder, linear = blend.members([TEA])
    assert not np.allclose(encoder, linear)
    assert blend.logits([TEA]).tolist() == blend.mixture(encoder, linear).tolist()


def test_evidence_is_that_of_the_linear_member(tiny_blend: Model) -> None:
    found = tiny_blend.assess(TEXTS)
    evidence = [(text, each) for text, assessment in zip(TEXTS, found, strict=True) for each in assessment.evidence]
    assert evidence
    assert all(0 <= each.start < each.end <= len(text) and each.weight > 0 for text, each in evidence)


def test_few_posts_are_read_before_the_first_answer(tiny_blend: Model) -> None:
    taken = []

    def posts() -> object:
        for number in range(100):
            taken.append(number)
            yield TEA

    next(tiny_blend.stream(posts()))  # type: ignore[arg-type]
    assert len(taken) == Blend.batch == 16


def test_nothing_of_the_encoder_is_imported_before_the_first_post(tmp_path: Path) -> None:
    save_tiny_blend(tmp_path)
    code = """
import sys
import shouwang
def there():
    return [name for name in ("onnxruntime", "tokenizers", "torch", "onnx") if name in sys.modules]
model = shouwang.load(sys.argv[1])
before = there()
model.assess(["今天的茶"])
print(before, there())
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[] ['onnxruntime', 'tokenizers']", done.stderr
