#!/usr/bin/env bash
# The path of runs/paper.sh on a CPU in about a minute: encoders of two layers with random weights, on invented posts.
# Its scores mean nothing; that every step ends well, and that nothing is run twice, is the point.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python runs/tiny.py "$work"

export OUTPUT=$work/results DATA=$work/data.jsonl TEST=$work/test.jsonl GOLD=$work/test.jsonl
export FLOORS=majority,tfidf-lr
export ENCODERS=$work/tiny-bert,$work/tiny-ernie,$work/tiny-electra,$work/tiny-nezha REFERENCE=
export SEEDS=0 PROCESSES=2 SETTINGS="epochs=1 batch=32 device=cpu"
export KEEP=$work/tiny-bert
export KEEP_DATA="--train $work/data.jsonl --validation $work/validation.jsonl --test $work/test.jsonl"
bash runs/paper.sh

again=$(shouwang benchmark --drop-leaks --data "$DATA" --test "$TEST" --output "$OUTPUT" --models "$FLOORS,$ENCODERS" \
  --set epochs=1 --set batch=32 --set device=cpu --dry-run --lang en | tail -n 1)
[[ $again == "0 of 72 cells to run." ]] || { echo "finished cells would be run again: $again" >&2; exit 1; }
[[ -s $OUTPUT/report.html && -s $OUTPUT/report.md && -s $OUTPUT/assessed.jsonl ]]
echo "smoke: all well"
