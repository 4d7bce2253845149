from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path

import opencc
import pytest
import rjieba

from shouwang.augment.protect import carries_level
from shouwang.augment.thesaurus import merged, of_file, of_vectors, own
from shouwang.errors import InputError

LINES = resources.files("shouwang.augment").joinpath("synonyms.tsv").read_text(encoding="utf-8").splitlines()
GROUPS = [line.split("\t") for line in LINES if not line.startswith("#")]
WORDS = [word for group in GROUPS for word in group]


def test_the_table_has_some_thousand_words_each_in_one_group() -> None:
    assert len(WORDS) > 2_000
    assert [word for word, n in Counter(WORDS).items() if n > 1] == []
    assert min(len(group) for group in GROUPS) == 2


def test_no_word_of_the_table_carries_a_level() -> None:
    assert [word for word in WORDS if carries_level(word)] == []


def test_every_word_is_one_word_to_the_segmenter_and_longer_than_a_character() -> None:
    assert [word for word in WORDS if rjieba.cut(word) != [word] or len(word) < 2] == []


def test_the_table_is_in_simplified_characters() -> None:
    simplified = opencc.OpenCC("t2s")
    assert [word for word in WORDS if simplified.convert(word) != word] == []


def test_a_dictionary_of_ones_own_gives_groups_without_words_that_carry_a_level(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("茶馆 茶社\t茶楼 # 喝茶\n想死 想走\n", encoding="utf-8")
    assert of_file(path) == {"茶馆": ("茶社", "茶楼"), "茶社": ("茶馆", "茶楼"), "茶楼": ("茶馆", "茶社")}


@pytest.mark.parametrize("content", [b"", "一个词\n".encode(), b"\xff\xfe\x00"])
def test_a_file_that_is_no_dictionary_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"mine\.txt"):
        of_file(path)


def test_neighbours_in_an_embedding_are_synonyms_from_a_cosine_on(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_text("4 2\n茶馆 1 0\n茶社 0.9 0.1\n火山 0 1\n死 1 0\n", encoding="utf-8")
    assert of_vectors(path, ["茶馆", "火山", "没有的词"]) == {"茶馆": ("茶社",)}


def test_an_embedding_in_another_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "v.bin"
    path.write_text("茶馆 a b\n", encoding="utf-8")
    with pytest.raises(InputError, match="word2vec"):
        of_vectors(path, ["茶馆"])


def test_several_sources_are_joined() -> None:
    assert merged({"茶": ("水",)}, {"茶": ("水", "酒")})["茶"] == ("水", "酒")
    assert "友人" in own()["朋友"]


def test_the_mark_that_windows_puts_before_a_file_is_no_part_of_a_word(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("公园 花园\n", encoding="utf-8-sig")
    assert of_file(path) == {"公园": ("花园",), "花园": ("公园",)}
