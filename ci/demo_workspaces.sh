# shellcheck shell=bash
# The second act of ci/demo, sourced by it: three agents on three worktrees, one with work that
# nobody has committed; clients that leave and a daemon that is killed in the middle of pruning
# them; and nothing is lost. git is made slow, so that there is a middle.
# shellcheck disable=SC2154  # world is ci/demo's

agents=() keep='' repo='' slow_git=''

# field NAME: its value in the JSON on standard input.
field() { sed -nE "s/.*\"$1\": ?\"([^\"]*)\".*/\1/p" | head -n 1; }
workspace_path() { oj workspace show "$1" -o json | field path; }
directories() { find "$OJ_STATE_DIR/workspaces" -mindepth 1 -maxdepth 1 ! -name .trash | wc -l; }
fewer_than() { [ "$(directories)" -lt "$1" ]; }
nobody_works() { ! oj agent list -o json | grep -qE '"status": ?"(running|starting)"'; }
intents() { sqlite3 "$OJ_STATE_DIR/state.db" 'select count(*) from intents'; }
settled() { [ "$(intents)" -eq 0 ]; }
unharmed() {
  [ "$(cat "$keep" 2>/dev/null)" = "$work" ] || fail "the uncommitted work is gone: $keep"
}

start_agents() {
  local name id begun=${EPOCHREALTIME/[.,]/}
  repo=$world/repo slow_git=$world/slow-git
  git config --global user.name demo
  git config --global user.email demo@example.invalid
  git init -q -b main "$repo"
  echo 'int main() {}' >"$repo/main.cc"
  git -C "$repo" add main.cc
  git -C "$repo" commit -qm 'the beginning'
  printf '#!/bin/sh\nsleep 0.1\nexec git "$@"\n' >"$slow_git"
  chmod +x "$slow_git"
  printf '[tools]\ngit = "%s"\n' "$slow_git" >"$world/config.toml"
  start_daemon --config "$world/config.toml"
  for name in parser tests docs; do
    id=$(oj agent run "$name" --repo "$repo" -o json -- sh -c 'echo at work; exec cat' |
      field agent_id)
    [ -n "$id" ] || fail "oj agent run $name"
    agents+=("$id")
  done
  keep=$(workspace_path "${agents[1]}")/notes.txt
  echo "$work" >"$keep"
  step "three agents on three worktrees in $(millis "$begun") ms (git slowed down); ${agents[1]} has" \
    "work that is not committed"
}

agents_end() {
  local id
  for id in "${agents[@]}"; do oj session kill "$id" >/dev/null || fail "oj session kill $id"; done
  eventually nobody_works || fail 'the daemon has not seen that the agents have ended'
  step 'their programs have ended, and the daemon knows it'
}

# prune_until LESS: a prune, until there are fewer workspaces than that; its pid in `peek_pid`.
prune_until() {
  env --default-signal=INT build/release/bin/oj --no-start --timeout 60000 workspace prune --all \
    >"$world/prune" 2>&1 &
  peek_pid=$!
  eventually fewer_than "$1" || fail "prune removes nothing: $(cat "$world/prune")"
}

client_leaves_and_retries() {
  local status=0 begun
  prune_until 3
  kill -INT "$peek_pid"
  wait "$peek_pid" || status=$?
  peek_pid=''
  [ "$status" -eq 130 ] || fail "the prune that was interrupted has exit status $status, not 130"
  step "Ctrl-C in the middle of oj workspace prune --all: exit 130; worktrees left: $(directories)"
  unharmed
  status=0 begun=${EPOCHREALTIME/[.,]/}
  oj --timeout 60000 workspace prune --all >"$world/prune" 2>&1 || status=$?
  [ "$status" -eq 4 ] || fail "the retry has exit status $status, not 4: $(cat "$world/prune")"
  grep -q 'untracked' "$world/prune" || fail "the retry does not say why one stays: $(cat "$world/prune")"
  [ "$(directories)" -eq 1 ] || fail "$(directories) worktrees are left, not 1"
  unharmed
  step "the retry finishes in $(millis "$begun") ms and says why one stays: exit 4; the work is untouched"
}

daemon_is_killed() {
  local name begun left
  for name in a b c d; do
    oj workspace add "$repo" --name "$name" >/dev/null || fail "oj workspace add --name $name"
  done
  prune_until 5
  kill -KILL "$ojd_pid"
  wait "$ojd_pid" 2>/dev/null || true
  wait "$peek_pid" 2>/dev/null || true
  peek_pid=''
  step "SIGKILL to ojd in the middle of another prune; worktrees left: $(directories), intents in the store: $(intents)"
  begun=${EPOCHREALTIME/[.,]/}
  start_daemon --config "$world/config.toml"
  eventually settled || fail 'the new daemon does not settle what the other had begun'
  oj --timeout 60000 workspace prune --all >"$world/prune" 2>&1 || true
  eventually settled || fail 'the trash is not emptied'
  [ "$(directories)" -eq 1 ] || fail "$(directories) worktrees are left, not 1: $(cat "$world/prune")"
  left=$(git -C "$repo" worktree list --porcelain | grep -c '^worktree ')
  [ "$left" -eq 2 ] || fail "git knows $left worktrees, not the main one and one more"
  unharmed
  step "the next one settles it, a prune finishes it, in $(millis "$begun") ms: git and disk agree; the work is untouched"
}

forced_at_last() {
  oj --timeout 60000 workspace drop "${agents[1]}" >/dev/null 2>&1 && fail 'drop without --force removed the work'
  oj --timeout 60000 workspace drop "${agents[1]}" --force >/dev/null || fail 'drop --force'
  [ "$(directories)" -eq 0 ] || fail 'drop --force left the worktree'
  step 'oj workspace drop refuses, and with --force removes it'
}

second_act() {
  local work='half a thought'
  start_agents
  agents_end
  client_leaves_and_retries
  daemon_is_killed
  forced_at_last
  daemon_stops
}
