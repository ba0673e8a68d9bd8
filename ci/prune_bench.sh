#!/usr/bin/env bash
# Prints how long a prune of many worktrees takes, against git itself: ci/prune_bench.sh COUNT FILES
# Everything is in one temporary directory; git's turn comes last, with worktrees of its own.
set -euo pipefail
# shellcheck source=ci/lib.sh
source "$(dirname "$0")/lib.sh"

count=${1:-200} files=${2:-1000}
world=$(mktemp -d "${TMPDIR:-/tmp}/oj-prune-XXXXXX")
ojd_pid=''
clean_up() {
  if [ -n "$ojd_pid" ]; then
    kill "$ojd_pid" 2>/dev/null || true
    wait "$ojd_pid" 2>/dev/null || true
  fi
  rm -rf "$world"
}
trap clean_up EXIT

oj() { "$root/build/release/bin/oj" --no-start --timeout 600000 "$@"; }
trash_is_empty() { [ -z "$(ls "$OJ_STATE_DIR/workspaces/.trash")" ]; }
# since BEGIN: in milliseconds.
since() { echo $(((${EPOCHREALTIME/[.,]/} - $1) / 1000)); }

set_up() {
  local i
  export HOME=$world OJ_STATE_DIR=$world/state TMUX_TMPDIR=$world
  mkdir "$world/repo" "$OJ_STATE_DIR"
  git config --global user.name bench
  git config --global user.email bench@example.invalid
  cd "$world/repo"
  git init -q -b main
  for ((i = 0; i < files; ++i)); do
    mkdir -p "d$((i / 50))"
    seq "$i" $((i + 200)) >"d$((i / 50))/f$i"
  done
  git add -A
  git commit -qm all
  "$root/build/release/bin/ojd" >"$world/out" 2>"$world/err" &
  ojd_pid=$!
  until grep -qs READY "$world/out"; do sleep 0.02; done
  for ((i = 0; i < count; ++i)); do
    oj workspace add "$world/repo" --name "w$i" >/dev/null
    git worktree add -q -b "r$i" "$world/ref/w$i" HEAD
  done
  sync
}

set_up
begun=${EPOCHREALTIME/[.,]/}
oj workspace prune --all >/dev/null 2>&1
reply=$(since "$begun")
until trash_is_empty; do sleep 0.02; done
back=$(since "$begun")
begun=${EPOCHREALTIME/[.,]/}
for ((i = 0; i < count; ++i)); do git worktree remove --force "$world/ref/w$i"; done
git_ms=$(since "$begun")
echo "prune of $count worktrees of $files files:"
echo "  reply $reply ms, disk back $back ms; $count x git worktree remove --force $git_ms ms"
awk -v r="$reply" -v b="$back" -v g="$git_ms" \
  'BEGIN { printf "  ratio of the reply %.2f, of the disk %.2f\n", r / g, b / g }'
