#!/usr/bin/env bash
# From a fresh clone to a picture: bash scripts/demo.sh [--history FOLDER] [--reference FILE] [--text WORDS] [--seed N] [--out FILE]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/scripts/lib/python.sh"
PYTHONPATH="$root" exec "$python" -m scripts.lib.demo "$@"
