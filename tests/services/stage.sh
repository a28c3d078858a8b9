# shellcheck shell=bash
# What the parts of tests/services/run have in common. Sourced, with BINARY as the first argument; leaves the program in
# $unhang, and in $dir a folder that goes away with the part, as do all servers.
#
# The servers run as `nobody`, on ports that were free.

# shellcheck disable=SC2034 # for the parts
services=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unhang=$(realpath "${1:?BINARY}")

fail() {
  echo "FAIL: $*" >&2
  for file in "$dir"/*.log; do echo "--- ${file##*/}" >&2; tail -n 15 "$file" >&2; done
  exit 1
}

dir=$(mktemp -d); chmod 755 "$dir"
pids=()
# shellcheck disable=SC2317 # by the trap
clear_up() {
  for pid in "${pids[@]}"; do
    kill -KILL "$pid" 2>/dev/null || continue
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  done
  rm -rf "$dir"
}
trap clear_up EXIT
trap 'exit 143' TERM INT HUP
# Of kill -9 no trap knows: the servers end with this process then (--pdeathsig), and the folder goes here.
(trap '' TERM INT HUP; exec >/dev/null 2>&1 </dev/null; cd /; tail -s 0.2 -f --pid=$$ /dev/null; rm -rf "$dir") &
disown

as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups --pdeathsig KILL "$@"; }

# serve LOG CMD...: leaves its process id in $pid.
serve() {
  local log=$dir/$1; shift
  (cd / && exec setpriv --reuid=nobody --regid=nogroup --clear-groups --pdeathsig KILL "$@") >>"$log" 2>&1 </dev/null &
  pid=$!; pids+=("$pid"); disown "$pid"
}
lives() { kill -0 "$1" 2>/dev/null; }
gone() { ! lives "$1"; }
ends() { # ends PID
  kill -KILL "$1"
  until_true 10 gone "$1"
}

# until_true SECONDS CMD...: polls.
until_true() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || fail "it never came: $*"
    sleep 0.1
  done
}
# up PID CMD...: until CMD says so, or the process has ended: another one may have been faster to take its port.
up() {
  local end=$((SECONDS + 20)) pid=$1; shift
  until "$@" >/dev/null 2>&1; do
    lives "$pid" || return 1
    ((SECONDS < end)) || fail "it never came up: $*"
    sleep 0.1
  done
}
# on_some_port VARIABLE CMD: CMD with ports in VARIABLE until one is free.
on_some_port() {
  for _ in 1 2 3 4 5 6 7 8; do
    printf -v "$1" %d $((20000 + RANDOM % 10000))
    if "$2"; then return; fi
  done
  fail "$2 has found no free port"
}

# run_of CONFIG [FLAG...]: one run; leaves its exit status in $rc, the lines that it wrote to $logs in $said, one behind
# the other, and the milliseconds in $took. It prints nothing.
logs=("$dir/log")
run_of() {
  local config=$1 began log; shift
  sleep 0.15   # min_gap is 100 ms
  for log in "${logs[@]}"; do : >"$log"; done
  rc=0 began=${EPOCHREALTIME/[.,]/}
  env -i PATH="$PATH" ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} \
    "$unhang" run --config "$config" --state-dir "$dir/state" --min-gap 100ms --boot-grace 0s "$@" >"$dir/out" 2>&1 || rc=$?
  took=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
  said=$(cat "${logs[@]}" | cut -d ' ' -f 4- | tr '\n' '|')
  [ ! -s "$dir/out" ] || fail "unhang printed: $(cat "$dir/out")"
}
# says PATTERN: exit status and lines of the last run.
says() {
  # shellcheck disable=SC2254 # a pattern
  case $rc:$said in $1) ;; *) fail "the run ends with $rc, $said, not $1" ;; esac
}
