from __future__ import annotations

import shouwang
from shouwang.models.model import Model
from shouwang.models.store import load
from shouwang.posts import Assessment, LabelledPost, Post
from shouwang.scale import LEVELS


def test_the_public_names_are_the_things_themselves() -> None:
    assert shouwang.Model is Model
    assert shouwang.Post is Post
    assert shouwang.LabelledPost is LabelledPost
    assert shouwang.Assessment is Assessment
    assert shouwang.LEVELS is LEVELS
    assert shouwang.load is load


def test_all_names_every_public_name_and_nothing_else() -> None:
    assert set(shouwang.__all__) == set(shouwang._HOMES)
    assert len(set(shouwang.__all__)) == len(shouwang.__all__)


def test_a_star_import_gives_them_all() -> None:
    names: dict[str, object] = {}
    exec("from shouwang import *", names)  # noqa: S102
    assert names.keys() >= set(shouwang.__all__)


def test_a_name_that_is_not_public_is_missing_as_python_says_it() -> None:
    assert not hasattr(shouwang, "tea")


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert shouwang.__version__ == version("shouwang")
