# shellcheck shell=bash
# The stage on which `run` and `budget` measure: the C programs, a server, and services to watch. Sourced by them; needs
# $here, and gives $dir (gone at the end) and $port.
: "${here:?}"

as_cron=(env -i PATH=/usr/bin:/bin HOME=/root LOGNAME=root SHELL=/bin/sh)

set_the_stage() {
  ulimit -Sn 1024 # as under cron
  # On a disk, as /var/lib is: what a failing tick flushes costs nothing in memory.
  dir=$(mktemp -d -p "${UNHANG_BENCH_DIR:-/var/tmp}" unhang-bench.XXXXXX)
  chmod 755 "$dir"
  trap strike EXIT
  local source
  for source in rounds server least; do
    musl-gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -s -o "$dir/$source" "$here/$source.c"
  done
  exec {from_server}< <(exec "$dir/server")
  server=$!
  read -r -u "$from_server" port
}

strike() {
  [ -z "${server:-}" ] || kill "$server"
  rm -rf "$dir"
}

# service_urls COUNT PATH: each at an address of its own.
service_urls() {
  local at
  for ((at = 0; at < $1; at++)); do
    echo "http://127.0.$((at / 250)).$((at % 250 + 1)):$port$2"
  done
}

# unhang_config COUNT PATH FILE: services that count, and whose limit is never reached.
unhang_config() {
  printf '[defaults]\nmax_failures = 1000000\nmin_gap = "1ms"\n\n' >"$3"
  service_urls "$1" "$2" | awk -v dir="$dir" '
    { printf "[service.s%d]\nurl = \"%s\"\nrestart = [\"/bin/true\"]\nlog_file = \"%s/s%d.log\"\n\n", NR, $0, dir, NR }' >>"$3"
}

# calls COMMAND...: system calls of a run, its children's too.
calls() {
  "${as_cron[@]}" strace -f -qq -e signal=none -o "$dir/calls" -- "$@" >/dev/null 2>&1 </dev/null || true
  grep -cv 'resumed>' "$dir/calls"
}

# processes: that the run of the last `calls` started; threads are none.
processes() { grep -E ' (vfork|fork|clone3?)\(' "$dir/calls" | grep -vc CLONE_THREAD || true; }

# instructions COMMAND...: of a run in user mode, its children's too.
instructions() {
  rm -f "$dir"/callgrind.*
  "${as_cron[@]}" valgrind -q --tool=callgrind --trace-children=yes --callgrind-out-file="$dir/callgrind.%p" -- "$@" \
    >/dev/null 2>&1 </dev/null || true
  cat "$dir"/callgrind.* | awk '/^totals:/ { sum += $2 } END { printf "%d\n", sum }'
}
