#!/usr/bin/env bash
# Builds the embedded model from nothing: data -> tokeniser -> stage 1 -> stage 2 -> stage 2 further -> drc/weights.
#
#   bash scripts/train_embedded.sh            on a GPU if there is one, else on the CPU
#   PYTHON=path/to/python                     an interpreter with torch and scripts/requirements-train.txt
#   PROGRAMS                                  procedural styles to train on
#   TOKENIZER_STEPS, STAGE1_STEPS, STAGE2_STEPS, FURTHER_STEPS, BATCH, SEED
#   SHIPPED_TOKENIZER=1                       take the tokeniser of the weights that ship in place of training one
#   COMPILE=1                                 fuse the losses: faster, needs a C++ compiler
#
# Stop it whenever you like; started again, every step goes on from its last checkpoint in build/train.
# The defaults made the weights that ship, in six and a half minutes of a large GPU. On a CPU set BATCH to 32 and fewer steps.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
seed=${SEED:-0}
batch=${BATCH:-512}
shipped=${SHIPPED_TOKENIZER:+--shipped-tokenizer}
compile=${COMPILE:+--compile}
train() {
    "$python" scripts/train_embedded.py "$@" --seed "$seed"
}

"$python" scripts/build_emoji.py
"$python" scripts/build_restyled.py --programs "${PROGRAMS:-1500}"
train tokenizer --steps "${TOKENIZER_STEPS:-2420}" --batch "$((batch / 2))" $shipped
train stage1 --steps "${STAGE1_STEPS:-102}" --batch "$batch" $compile
train stage2 --steps "${STAGE2_STEPS:-1075}" --batch "$batch" $compile
train export
train further --steps "${FURTHER_STEPS:-1020}" --batch "$batch" $compile
train export --stage further
