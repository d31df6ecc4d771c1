# Sets `python` to the first Python that is new enough to build the environment with.
for python in python3.11 python3.12 python3.13 python3.10 python3 python; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        return
    fi
done
echo "No Python 3.10 or newer with its venv module was found: install one (on Debian: apt-get install python3-venv)." >&2
exit 1
