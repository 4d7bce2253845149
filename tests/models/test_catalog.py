from __future__ import annotations

import re
from pathlib import Path

import pytest

from shouwang.errors import InputError
from shouwang.models.catalog import ENCODERS, choose


def test_the_seven_of_the_paper_are_there_each_at_one_commit() -> None:
    assert [entry.id for entry in ENCODERS.values()] == [
        "hfl/chinese-bert-wwm-ext",
        "hfl/chinese-roberta-wwm-ext",
        "hfl/chinese-macbert-base",
        "nghuyong/ernie-3.0-base-zh",
        "sijunhe/nezha-cn-base",
        "hfl/chinese-electra-base-discriminator",
        "zwzzz/Chinese-MentalBERT",
    ]
    assert all(re.fullmatch("[0-9a-f]{40}", entry.revision or "") for entry in ENCODERS.values())
    assert all(entry.note.en and entry.note.zh and entry.licence for entry in ENCODERS.values())


def test_a_short_name_and_its_hub_id_mean_the_same() -> None:
    assert choose("macbert") == choose("hfl/chinese-macbert-base")
    assert choose("macbert").revision == ENCODERS["macbert"].revision


def test_a_revision_overrides_the_pinned_one() -> None:
    assert choose("nezha", revision="74f5157").revision == "74f5157"


def test_another_hub_id_is_taken_as_it_is() -> None:
    choice = choose("someone/another-encoder")
    assert (choice.repository, choice.revision, choice.entry) == ("someone/another-encoder", None, None)


def test_a_folder_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "macbert").mkdir()
    assert choose("macbert").folder is None
    monkeypatch.chdir(tmp_path)
    assert choose("macbert").folder == Path("macbert")


def test_a_folder_has_no_revisions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave --revision out"):
        choose(tmp_path, revision="74f5157")


def test_a_misspelt_name_gets_the_closest_one() -> None:
    with pytest.raises(InputError, match=r"No encoder 'macbret'. Did you mean 'macbert'\?"):
        choose("macbret")


@pytest.mark.parametrize("path", ["./runs/lost", "/no/such/folder", "runs/one/two"])
def test_a_path_that_is_not_there_is_no_hub_id(path: str) -> None:
    with pytest.raises(InputError, match="no such folder"):
        choose(path)
