from __future__ import annotations

import json

import pytest
from safetensors.numpy import load_file

import shouwang
from shouwang.evaluate import contrast
from shouwang.models import store
from shouwang.models.model import Model
from shouwang.scale import INDICATORS
from tests import examples

pytestmark = pytest.mark.skipif(not store.BUILTIN.is_dir(), reason="the built-in model has not been built here")

CLEAR = "我决定了，就在今晚，遗书已经写好，谢谢大家，永别了"
EVERYDAY = "楼下的早餐店换了新豆浆，很好喝，明天还去"
LAUGHING = "楼下的早餐店换了新豆浆，今天笑死我了，明天还去"
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def model() -> Model:
    return shouwang.load()


def test_clear_posts_rank_above_everyday_ones(model: Model) -> None:
    from sklearn.metrics import roc_auc_score

    posts = [post for post in examples.labelled() if post.level == 0 or (post.level or 0) >= 7]
    p_high = [each.p_high for each in model.assess(posts)]
    assert roc_auc_score([post.level != 0 for post in posts], p_high) >= 0.9


def test_a_clear_post_is_high_and_everyday_ones_are_not(model: Model) -> None:
    clear, everyday, laughing = model.assess([CLEAR, EVERYDAY, LAUGHING])
    assert (clear.high, everyday.high, laughing.high) == (True, False, False)
    assert (clear.level or 0) >= 6 > (everyday.level or 0)
    assert (clear.expected_level or 0) > (everyday.expected_level or 0) + 3


def test_a_disguised_post_scores_as_the_plain_one(model: Model) -> None:
    plain, disguised = model.assess(["我真的好想自杀", "我真的好想自.杀"])
    assert disguised.p_high == pytest.approx(plain.p_high, abs=0.05)


def test_a_high_post_shows_evidence_inside_the_text(model: Model) -> None:
    (found,) = model.assess([CLEAR])
    assert found.evidence
    assert all(0 <= each.start < each.end <= len(CLEAR) for each in found.evidence)
    assert {each.indicator for each in found.evidence} <= set(INDICATORS)


def test_posts_out_of_scope_are_never_high(model: Model) -> None:
    found = model.assess(["", "😀😀", "I want to have tea"])
    assert [each.scope for each in found] == ["no-words", "no-words", "no-chinese"]
    assert not any(each.high or each.evidence for each in found)


def test_the_same_posts_get_the_same_answers(model: Model) -> None:
    posts = examples.posts()
    assert shouwang.load().assess(posts) == model.assess(posts)


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in store.BUILTIN.iterdir()) <= 40 * MEBIBYTE


def test_it_holds_only_numbers_and_plain_json() -> None:
    settings = json.loads((store.BUILTIN / store.SETTINGS).read_text(encoding="utf-8"))
    names = {*settings["files"], store.SETTINGS, "CARD.md", "CARD.zh.md"}
    assert {path.name for path in store.BUILTIN.iterdir()} == names
    assert names - {store.ENCODER, store.TOKENIZER} == {store.WEIGHTS, store.SETTINGS, "CARD.md", "CARD.zh.md"}
    tensors = load_file(store.BUILTIN / store.WEIGHTS)
    assert {"idf", "weights", "bias"} <= set(tensors) <= {"idf", "weights", "bias", "dense"}
    assert {tensor.dtype.kind for tensor in tensors.values()} == {"f"}


def test_it_holds_no_post_and_no_vocabulary() -> None:
    settings = json.loads((store.BUILTIN / store.SETTINGS).read_text(encoding="utf-8"))
    longest = max(map(len, strings(settings)))
    assert longest <= 100
    quoted = [post.text for post in (*examples.labelled(), *contrast.load()) if len(post.text) >= 8]
    readable = [path for path in store.BUILTIN.iterdir() if path.suffix in (".json", ".md")]
    files = "".join(path.read_text(encoding="utf-8") for path in readable)
    assert not any(text in files for text in quoted)


def strings(value: object) -> list[str]:
    """Every string in a JSON value."""
    if isinstance(value, dict):
        return [each for pair in value.items() for part in pair for each in strings(part)]
    if isinstance(value, list):
        return [each for part in value for each in strings(part)]
    return [value] if isinstance(value, str) else []
