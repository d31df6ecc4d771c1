#!/usr/bin/env bash
# Every check of this repository, from nothing: bash scripts/test.sh [arguments for pytest]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/scripts/lib/python.sh"
cd "$root"
environment="$("$python" -m scripts.lib.environment)"

status=0
"$environment/bin/ruff" check . || status=1
"$environment/bin/ruff" format --check . || status=1
case " $*" in *" tests"*) ;; *) set -- tests "$@" ;; esac
"$environment/bin/python" -m pytest --rootdir tests --confcutdir tests -c tests/pytest.ini "$@" || status=1
exit $status
