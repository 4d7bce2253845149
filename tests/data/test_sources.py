from __future__ import annotations

import re

import pytest

from shouwang.data import sources
from shouwang.data.sources import SOURCES, Source
from shouwang.errors import InputError


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_a_source_pins_commit_licence_columns_and_checksums(source: Source) -> None:
    assert source.name in SOURCES
    assert re.fullmatch("[0-9a-f]{7,40}", source.commit)
    assert all(
        re.fullmatch("[0-9a-f]{64}", file.sha256) and file.rows and "text" in file.columns for file in source.files
    )
    assert all(source.note) and all(source.task) and all(source.title)


def test_no_file_is_listed_twice() -> None:
    files = [file for source in SOURCES.values() for file in source.files]
    assert len({file.path for file in files}) == len({file.sha256 for file in files}) == len(files)


def test_a_name_means_all_splits_and_a_part_means_one_or_a_group() -> None:
    assert sources.parse("everyday")[1] == ("usual-eval", "virus-train")
    assert sources.parse("sos-1k/test")[1] == ("test",)
    assert sources.parse("sos-1k/folds")[1] == ("fold1", "fold2", "fold3", "fold4", "fold5")


def test_an_unknown_name_gets_the_closest_one() -> None:
    with pytest.raises(InputError, match=r"No data set 'sos-2k'. Did you mean 'sos-"):
        sources.parse("sos-2k")


def test_an_unknown_part_gets_the_parts_there_are() -> None:
    with pytest.raises(InputError, match=r"no part 'valid'; there are: .*test, folds"):
        sources.parse("sos-1k/valid")


def test_an_address_is_quoted(tiny: Source) -> None:
    address = "https://raw.githubusercontent.com/someone/tiny/abc1234/up%20stream/tiny/fine.tsv"
    assert tiny.url(tiny.files[0]) == address
