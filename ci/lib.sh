# shellcheck shell=bash
# Shared by the scripts of ci/: sourced, after `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

say() { printf '== %s\n' "$*"; }
die() {
  printf 'ci: %s\n' "$*" >&2
  exit 1
}

# The project's files: tracked, or new and not ignored; never what was deleted. Patterns as git's.
# `-c safe.directory` because a checkout in a container often belongs to somebody else.
project_files() {
  local file
  git -c safe.directory="$root" ls-files -co --exclude-standard -- "$@" | LC_ALL=C sort -u |
    while IFS= read -r file; do
      if [ -f "$file" ]; then printf '%s\n' "$file"; fi
    done
}

cores() { nproc 2>/dev/null || echo 2; }

# Compiles are cached across build directories and checkouts. What is set already wins.
use_ccache() {
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root}
  export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
  export CCACHE_COMPRESS=${CCACHE_COMPRESS:-1}
  export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
}

# configure PRESET: its build directory, configured; the output only if that fails.
configure() {
  local log
  log=$(cmake --preset "$1" 2>&1) || {
    printf '%s\n' "$log" >&2
    die "cmake --preset $1 failed (see above)"
  }
}
