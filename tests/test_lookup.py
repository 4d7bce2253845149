from __future__ import annotations

import pytest

from shouwang.errors import InputError
from shouwang.language import use_language
from shouwang.lookup import get

DRINKS = {"tea": 1, "coffee": 2}


def test_a_known_name_gives_its_entry() -> None:
    assert get(DRINKS, "tea", "drink") == 1


def test_a_misspelled_name_gets_the_closest() -> None:
    with pytest.raises(InputError, match=r"^No drink 'cofee'\. Did you mean 'coffee'\?$"):
        get(DRINKS, "cofee", "drink")


@pytest.mark.parametrize("name", ["xyz", ""])
def test_a_name_like_none_of_them_gets_the_list(name: str) -> None:
    with pytest.raises(InputError, match=rf"^No drink '{name}'\. There are: tea, coffee\.$"):
        get(DRINKS, name, "drink")


def test_the_hint_is_in_chinese_too() -> None:
    use_language("zh")
    with pytest.raises(InputError, match=r"^没有“cofee”。是不是“coffee”？$"):
        get(DRINKS, "cofee", "drink")
