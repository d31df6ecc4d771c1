#!/usr/bin/env bash
# Every check of this repository, from nothing: bash scripts/test.sh [arguments for pytest]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
. "$root/scripts/lib/python.sh"
cd "$root"
environment="$("$python" -m scripts.lib.environment)"

check() {
  "$environment/bin/python" -m pytest --rootdir tests --confcutdir tests -c tests/pytest.ini "$@"
}

status=0
"$environment/bin/ruff" check . || status=1
"$environment/bin/ruff" format --check . || status=1
if [ $# -gt 0 ]; then
  case " $*" in *" tests"*) ;; *) set -- tests "$@" ;; esac
  check "$@" || status=1
else # both halves at once, each on a core; the second one tells what it found when the first is done
  check tests/server tests/browser >build/served.log 2>&1 &
  served=$!
  trap 'kill "$served" 2>/dev/null || true' EXIT
  check tests --ignore tests/server --ignore tests/browser || status=1
  wait "$served" || status=1
  cat build/served.log
fi
exit $status
