#!/usr/bin/env bash
# The whole study, top to bottom: data, audit, floors, the paper's seven encoders by both recipes, report, one model to keep.
# For a machine with a GPU and a hub within reach (in China: export HF_ENDPOINT=https://hf-mirror.com). It may be stopped
# and started again at any point; finished cells are not run twice. What it takes: pip install 'shouwang[benchmark,plot,train]'
#
# Every name below can be set from outside; runs/smoke.sh is this script with tiny models on invented posts.
set -euo pipefail
cd "$(dirname "$0")/.."

OUTPUT=${OUTPUT:-runs/paper}
DATA=${DATA:-sos-1k}             # a data set with published folds, or a labelled file
TEST=${TEST:-}                   # a test set for a file of one's own
FLOORS=${FLOORS:-majority,tfidf-lr,tfidf-svm,usem3-lr}
ENCODERS=${ENCODERS:-bert-wwm-ext,roberta-wwm-ext,macbert,ernie-3.0,nezha,electra,mentalbert}
REFERENCE=${REFERENCE-bert-wwm-ext:paper,roberta-wwm-ext:paper,macbert:paper,ernie-3.0:paper,nezha:paper,electra:paper,mentalbert:paper}
SEEDS=${SEEDS:-0,1,2,3,4}
PROCESSES=${PROCESSES:-1}        # cells at once; with --engine ray in ENGINE, workers
ENGINE=${ENGINE:-local}
SETTINGS=${SETTINGS:-}           # such as "epochs=1 batch=32"
KEEP=${KEEP:-mentalbert}         # the encoder that is trained once more and exported
KEEP_DATA=${KEEP_DATA:---data sos-1k --fold 1}
GOLD=${GOLD:-sos-1k/test}
POSTS=${POSTS:-examples/posts.jsonl}

say() { printf '\n== %s\n' "$*"; }

say "Data: fetched (or found), verified, audited for duplicates and leaks"
[[ -f $DATA ]] || shouwang data fetch "$DATA"
mkdir -p "$OUTPUT"
# 1: something was found, which is what an audit is for; the benchmark drops what leaks
shouwang data audit "$DATA" ${TEST:+"$TEST"} --output "$OUTPUT/audit.json" || [[ $? == 1 ]]

benchmark=(shouwang benchmark --drop-leaks --data "$DATA" --output "$OUTPUT" --processes "$PROCESSES" --engine "$ENGINE")
[[ -z $TEST ]] || benchmark+=(--test "$TEST")
for setting in $SETTINGS; do benchmark+=(--set "$setting"); done

say "Floors"
"${benchmark[@]}" --models "$FLOORS"

say "Encoders: the plan, then the grid"
everything=$FLOORS,$ENCODERS${REFERENCE:+,$REFERENCE}
"${benchmark[@]}" --models "$everything" --seeds "$SEEDS" --dry-run
"${benchmark[@]}" --models "$everything" --seeds "$SEEDS"

say "One model to keep: trained, judged, exported, used"
settings=()
for setting in $SETTINGS; do settings+=("--${setting%%=*}" "${setting#*=}"); done
# shellcheck disable=SC2086 # KEEP_DATA is several words
shouwang train --model "$KEEP" --task both $KEEP_DATA --drop-leaks --output "$OUTPUT/model" ${settings[@]+"${settings[@]}"}
shouwang evaluate "$OUTPUT/model/predictions-test.jsonl" --gold "$GOLD" --output "$OUTPUT/model-test.json"
shouwang export "$OUTPUT/model"
shouwang assess "$POSTS" --model "$OUTPUT/model" --output "$OUTPUT/assessed.jsonl"

say "The report: $OUTPUT/report.md, $OUTPUT/report.html, $OUTPUT/report.json"
