from __future__ import annotations

import pickle

import pytest

from shouwang.errors import FileError, InputError, MissingExtraError, ShouwangError


@pytest.mark.parametrize(
    "error", [InputError("no post"), FileError("a.csv", "no column", "3"), MissingExtraError("LoRA", "lora")]
)
def test_an_error_says_the_same_after_it_was_handed_back_by_another_process(error: ShouwangError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own, as a process pool does
    assert (type(again), str(again)) == (type(error), str(error))
