#!/usr/bin/env bash
# Builds the embedded model from nothing: data -> tokeniser -> stage 1 -> stage 2 -> drc/weights.
#
#   bash scripts/train_embedded.sh            on a GPU if there is one, else on the CPU
#   PYTHON=path/to/python                     an interpreter with torch and scripts/requirements-train.txt
#   TOKENIZER_STEPS, STAGE1_STEPS, STAGE2_STEPS, BATCH, SEED
#   SHIPPED_TOKENIZER=1                       take the tokeniser of the weights that ship in place of training one
#   COMPILE=1                                 fuse the losses: faster, needs a C++ compiler
#
# Stop it whenever you like; started again, every step goes on from its last checkpoint in build/train.
# The defaults are the longer training: hours on a GPU. The steps of the weights that ship stand in drc/weights/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
seed=${SEED:-0}
batch=${BATCH:-128}
shipped=${SHIPPED_TOKENIZER:+--shipped-tokenizer}
compile=${COMPILE:+--compile}

"$python" scripts/build_emoji.py
"$python" scripts/build_restyled.py
"$python" scripts/train_embedded.py tokenizer --steps "${TOKENIZER_STEPS:-20000}" --batch 32 --seed "$seed" $shipped
"$python" scripts/train_embedded.py stage1 --steps "${STAGE1_STEPS:-10000}" --batch "$batch" --seed "$seed" $compile
"$python" scripts/train_embedded.py stage2 --steps "${STAGE2_STEPS:-40000}" --batch "$batch" --seed "$seed" $compile
"$python" scripts/train_embedded.py export
