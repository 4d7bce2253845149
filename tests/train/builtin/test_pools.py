from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shouwang.data.sources import SOURCES
from shouwang.text import canonical
from shouwang.train.builtin import pools, sources
from shouwang.train.builtin.pools import DISGUISES, Pools, disguised
from shouwang.train.builtin.sources import Rating, Row

TEA = Row("t", canonical("今天的茶很好喝，明天还想喝。").text)
SAD = Row("s", canonical("真的很绝望，不想活了，每天都很痛苦").text, level=5, high=0, fold=2)


def seeded(rows: list[Row], share: float, seed: int = 0) -> list[Row]:
    return disguised(rows, np.random.default_rng(seed), share)


def test_text_without_words_of_risk_is_left_as_it_is() -> None:
    assert seeded([TEA] * 50, 1.0) == [TEA] * 50


def test_a_disguised_post_keeps_its_labels_and_is_canonical() -> None:
    found = [row for row in seeded([SAD] * 50, 1.0) if row != SAD]
    assert {replace(row, text="") for row in found} == {replace(SAD, text="")}
    assert len({row.text for row in found}) > len(DISGUISES)
    assert all(canonical(row.text).text == row.text for row in found)


def test_the_share_is_how_many_stand_there_disguised() -> None:
    assert seeded([SAD] * 50, 0.0) == [SAD] * 50
    changed = [sum(row != SAD for row in seeded([SAD] * 400, share)) for share in (0.15, 1.0)]
    assert changed[1] > 200  # the others are read back, or no word has a look-alike
    assert 20 < changed[0] < 90


def test_the_same_seed_gives_the_same_disguises() -> None:
    assert seeded([SAD] * 20, 0.5) == seeded([SAD] * 20, 0.5) != seeded([SAD] * 20, 0.5, seed=1)


# --- from data sets -------------------------------------------------------------------------------------------------

THINGS = "茶饭书雨猫狗车花灯路桥船琴棋画酒糖盐米面"
PLACES = ("窗边", "桌上", "门口", "楼下", "河边", "院里", "街上", "山顶", "车站", "店里")
STRANGERS = "春夏秋冬东西南北风云雷电金木水火土日月星江河湖海松竹梅兰菊桃李杏梨枣瓜豆麻麦稻粟"


def posts(start: int, n: int) -> list[str]:
    """n invented posts of which no two are alike."""
    return [
        f"{STRANGERS[i % 40]}{THINGS[i % 20]}{STRANGERS[(7 * i + 3) % 40]}在{PLACES[i % 10]}"
        f"{STRANGERS[(11 * i + i // 40) % 40]}{THINGS[(3 * i + i // 20) % 20]}{STRANGERS[(13 * i + 5 + i // 7) % 40]}了"
        for i in range(start, start + n)
    ]


def table(column: str, label: str, rows: Sequence[tuple[str, object]]) -> str:
    return f"{column}\t{label}\n" + "".join(f"{text}\t{value}\n" for text, value in rows)


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pools:
    """The pools of a small folder laid out as the data sets are, with copies planted across them."""
    folds = [posts(10 * k, 4) for k in range(5)]
    test = [*posts(60, 3), folds[0][0]]  # a fold's post also stands in the test set
    four = [*posts(100, 20), folds[2][1], test[1]]
    usual = posts(200, 10)
    files: dict[str, str] = {}
    for name, binary, texts in (
        *((f"fold{k}.tsv", f"fold{k}_twoClass.tsv", fold) for k, fold in enumerate(folds, 1)),
        ("test_data.tsv", "testdata_twoClass.tsv", test),
    ):
        files[f"sos-1k/fine-grained/{name}"] = table("comment", "myLabel", [(t, i) for i, t in enumerate(texts)])
        files[f"sos-1k/binary/{binary}"] = table("comment", "twoClass", [(t, i % 2) for i, t in enumerate(texts)])
    for split, texts in (("train", four), ("val", posts(150, 5))):
        rows = [(text, f"{i % 11}\t{THINGS[i % 5] * 3}{THINGS[i % 3] * 3}") for i, text in enumerate(texts)]
        files[f"sos-4k/{split}.tsv"] = table("comment", "myLabel\texplain", rows)
    virus = [*posts(230, 6), usual[0], *posts(230, 1)]
    for split, texts in (("usual-eval", usual), ("virus-train", virus)):
        files[f"everyday/smp2020-ewect-{split}.tsv"] = table("content", "emotion", [(text, "calm") for text in texts])
    labels = [[sources.UNRELATED], ["自杀意图"], ["探索", "自杀计划"], ["其他"]]
    psy = [{"idx": i, "text": t, "labels": labels[i % 4], "data_source": "x"} for i, t in enumerate(posts(260, 12))]
    files["psyguard/valid.jsonl"] = "".join(json.dumps(each) + "\n" for each in [*psy, psy[0] | {"text": folds[3][2]}])
    turns = [*posts(300, 5), "短", "昨天想到了死这个字，说不出的难过，只好去散步"]
    files["smilechat/client-turns.jsonl.gz"] = "".join(
        json.dumps({"text": text, "dialogue": 1, "turn": i}) + "\n" for i, text in enumerate(turns)
    )
    write(tmp_path, files, monkeypatch)
    monkeypatch.setattr(sources, "invented", lambda: [Row(f"v{i}", t, -1) for i, t in enumerate(posts(350, 10))])
    monkeypatch.setattr(
        sources, "ordinary", lambda: [Row(f"o{i}", t) for i, t in enumerate([usual[0], *posts(370, 10)])]
    )
    new = [usual[0], *folds[0][:1], *posts(385, 5)]
    rated = [Row(f"r{i}", text, rating=Rating(4, 5, 0.3)) for i, text in enumerate(new)]
    monkeypatch.setattr(sources, "rated", lambda held=False: rated[-1:] if held else rated[:-1])
    return pools.load()


def write(folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The files, and the catalogue's entries with what pins them."""
    packed = {path: gzip.compress(t.encode()) if path.endswith(".gz") else t.encode() for path, t in files.items()}
    for path, content in packed.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for name in ("sos-1k", "sos-4k", "everyday", "psyguard", "smilechat"):
        pinned = [
            replace(f, rows=files[f.path].count("\n"), sha256=hashlib.sha256(packed[f.path]).hexdigest())
            for f in SOURCES[name].files
        ]
        monkeypatch.setitem(SOURCES, name, replace(SOURCES[name], files=tuple(pinned)))
    monkeypatch.setenv("SHOUWANG_DATA", str(folder))


def test_no_training_post_stands_in_anything_that_measures(loaded: Pools) -> None:
    measures = {row.text for row in (*loaded.test, *loaded.new_usual, *loaded.new_unrelated, *loaded.held_virus)}
    assert not measures & {row.text for row in loaded.training}
    assert not {row.text for row in loaded.folds} & {row.text for row in (*loaded.sos4k, *loaded.intent, *loaded.talk)}


def test_copies_are_named_by_pool(loaded: Pools) -> None:
    assert loaded.dropped["sos-1k"] == ["sos-1k/fold1/0001"] == list(loaded.leaks)
    assert loaded.dropped["sos-4k"] == ["sos-4k/train/0021", "sos-4k/train/0022"]
    assert loaded.dropped["psyguard"] == ["psyguard/valid/0013"]
    assert loaded.dropped["everyday/usual"] == []
    assert loaded.dropped["invented"] in (
        ["r1"],
        ["o0", "r0", "r1"],
    )  # their twin is among the half that measures, or not
    assert len(loaded.dropped["everyday/virus"]) <= 1  # when its twin is among the half that measures


def test_pools_hold_what_they_should(loaded: Pools) -> None:
    sizes: Callable[..., list[int]] = lambda *names: [len(getattr(loaded, name)) for name in names]  # noqa: E731
    assert sizes("folds", "test", "sos4k", "usual", "new_usual") == [20, 4, 25, 5, 5]
    assert sizes("invented", "intent", "new_unrelated") == [8, 3, 2]
    assert len(loaded.ordinary) in (8, 9)
    assert (len(loaded.rated), len(loaded.new_rated)) in ((4, 1), (5, 1))
    assert [row.id[0] for row in loaded.held_invented] == ["v", "v", "o", "o"]
    assert {row.fold for row in loaded.folds} == {1, 2, 3, 4, 5}
    assert {row.note for row in loaded.intent} <= {"自杀意图", "探索|自杀计划"}
    assert not any("死" in row.text or len(row.text) < 8 for row in loaded.talk)


def test_the_same_data_give_the_same_pools(loaded: Pools) -> None:
    assert pools.load() == loaded
