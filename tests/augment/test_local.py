from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from shouwang.augment import translators
from shouwang.augment.translators import Local
from shouwang.errors import InputError, MissingExtraError


def tiny_marian(folder: Path) -> None:
    """A Marian model of random weights with a vocabulary of a few words, as the converter lays one out."""
    import ctranslate2
    import sentencepiece
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    checkpoint = folder.parent / "checkpoint"
    checkpoint.mkdir(parents=True)
    lines = ["今天下雨了", "明天出太阳", "邻居的花园很漂亮", "it rains today", "the sun shines"] * 20
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_prefix=str(checkpoint / side),
            vocab_size=48,
            hard_vocab_limit=False,
            minloglevel=2,
        )
        (checkpoint / f"{side}.model").rename(checkpoint / f"{side}.spm")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(checkpoint / "source.spm"))
    words = ["</s>", "<unk>", *(pieces.id_to_piece(i) for i in range(pieces.get_piece_size())), "<pad>"]
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(words))}
    (checkpoint / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    pad = vocabulary["<pad>"]
    sizes: dict[str, Any] = {
        **{"vocab_size": len(vocabulary), "d_model": 16, "encoder_layers": 1, "decoder_layers": 1},
        **{"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16},
        **{"pad_token_id": pad, "decoder_start_token_id": pad, "eos_token_id": 0, "max_position_embeddings": 512},
    }
    config = MarianConfig(**sizes)
    MarianMTModel(config).save_pretrained(checkpoint)
    MarianTokenizer(
        source_spm=str(checkpoint / "source.spm"),
        target_spm=str(checkpoint / "target.spm"),
        vocab=str(checkpoint / "vocab.json"),
    ).save_pretrained(checkpoint)
    ctranslate2.converters.TransformersConverter(str(checkpoint), copy_files=["source.spm", "target.spm"]).convert(
        str(folder)
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the converter
def test_a_folder_of_models_translates_on_this_machine(tmp_path: Path) -> None:
    tiny_marian(tmp_path / "models" / "zh-en")
    found = Local(tmp_path / "models").translate(["今天下雨了", "今天下雨了" * 300, "明天出太阳"], "zh", "en")
    assert len(found) == 3  # random weights: what it says means nothing
    assert all(text is None or isinstance(text, str) for text in found)
    assert found[1] is None  # longer than Marian reads


def test_a_folder_without_a_direction_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"zh-en: no model\.bin, source\.spm, target\.spm"):
        Local(tmp_path).translate(["雨"], "zh", "en")


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "zh-en").mkdir()
    for name in ("model.bin", "source.spm", "target.spm"):
        (tmp_path / "zh-en" / name).write_bytes(b"cut")
    with pytest.raises(InputError, match="zh-en: cannot be loaded"):
        Local(tmp_path).translate(["雨"], "zh", "en")


def test_without_the_extra_the_install_command_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translators, "find_spec", lambda name: None if name == "ctranslate2" else find_spec(name))
    with pytest.raises(MissingExtraError, match="translate"):
        Local(tmp_path)
