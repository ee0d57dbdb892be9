# Sourced by scripts/demo and scripts/test: a virtual environment from locked requirements.

say() { printf '==> %s\n' "$*"; }

find_python() {
  for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null 2>&1 &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  say "Python 3.11 or newer was not found; set PYTHON=/path/to/python3.11" >&2
  exit 5
}

# make_environment FOLDER REQUIREMENTS: made once, refreshed when the requirements change
make_environment() {
  folder=$1 requirements=$2
  python=$(find_python)
  if ! "$folder/bin/python" -c '' 2>/dev/null; then
    say "make a virtual environment in $folder with $python"
    rm -rf "$folder"
    "$python" -m venv "$folder" || {
      say "no virtual environment could be made; on Debian: apt-get install python3-venv" >&2
      exit 5
    }
  fi
  if ! cmp -s "$requirements" "$folder/requirements.installed"; then
    say "install $(grep -c '^[a-z]' "$requirements") locked packages from $requirements"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
      --require-hashes --requirement "$requirements"
    cp "$requirements" "$folder/requirements.installed"
  fi
  say "install wtrun from this folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-deps --no-build-isolation --editable .
}
