#!/usr/bin/env bash
# scenarios.sh PATH_TO_UNHANG_BINARY [SCENARIO...] - unhang on real hosts: systemd, cron, Django on gunicorn.
#
# Each scenario is a function whose name is the sentence it proves. They share seven hosts that run side by side;
# within a host one follows the other, and `fresh` makes everything as it was. Prints `ok: SENTENCE (N s)` or
# `FAIL: ...` with journal, log and state; the exit status is 1 if one failed.
#
# `scenarios.sh --list` names them. UNHANG_HOST_DIR (see host.sh) gets a suffix per host.
#
# What stands in single quotes is for the shell inside of the host; the scenarios are called by their names.
# shellcheck disable=SC2016,SC2317
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
# Five hosts, each of some 270 MB, and two of 440 MB.
export UNHANG_HOST_DIR=${UNHANG_HOST_DIR:-$("$here/host.sh" room 2600)/unhang-host}

# shellcheck source=tests/host/app.sh
. "$here/app.sh"
# shellcheck source=tests/host/rights.sh
. "$here/rights.sh"
# shellcheck source=tests/host/trouble.sh
. "$here/trouble.sh"
# shellcheck source=tests/host/guards.sh
. "$here/guards.sh"
# shellcheck source=tests/host/examples.sh
. "$here/examples.sh"
host() { "$here/host.sh" "$@"; }

UNIT=roams-django.service
URL=http://127.0.0.1:8000/health
LOG=/var/log/roams-django-monitor.log   # inside of the host, as all paths below
STATE=/var/lib/unhang

# Real cron minutes.
CRON=(
  cron_heals_a_hang_on_the_second_failed_tick
  cron_heals_a_service_whose_processes_are_all_stopped
)
QUICK=(
  a_hang_is_healed_on_the_second_failed_tick_and_not_before
  a_stopped_worker_is_healed_on_the_second_failed_tick_and_not_before
  a_service_whose_processes_are_all_stopped_is_healed_on_the_second_failed_tick
  a_crash_that_systemd_leaves_is_healed
  a_service_that_ended_by_itself_is_healed
  a_service_that_systemd_keeps_up_without_its_main_process_stays_stopped
  a_hung_service_that_somebody_stops_stays_stopped_though_it_ends_failed_by_timeout
  a_service_that_somebody_stops_stays_stopped_though_it_exits_143
  a_service_that_was_stopped_cleanly_stays_stopped
  a_masked_service_is_left_alone
  a_service_that_nobody_may_stop_by_hand_is_left_alone
  a_service_that_is_disabled_and_failed_is_left_alone
  a_frozen_service_is_left_alone
  a_crash_loop_is_left_to_systemd_and_named
  a_hung_service_with_a_spent_start_limit_is_healed
  a_crash_loop_that_ended_at_its_start_limit_is_healed
  a_start_that_failed_after_an_earlier_life_is_healed
  somebody_elses_restart_between_two_failed_ticks_starts_the_count_afresh
  a_unit_that_it_wants_and_somebody_stopped_stays_stopped
  a_oneshot_that_it_wants_and_that_has_done_its_work_holds_nothing_back
  a_target_restarts_its_units_in_their_order_and_stops_them_in_reverse
  a_target_of_which_somebody_stopped_a_unit_is_left_alone
  the_timer_heals_a_hang_and_is_no_failed_unit_itself
  the_sandbox_of_the_service_changes_no_verdict_and_no_application
  the_cron_file_is_idle_only_while_the_timer_is_active
  the_process_that_stays_heals_a_hang_and_tells_systemd_how_it_is
  probes_of_unit_processes_memory_and_journal_see_what_systemd_knows
)
SLOW=(
  a_restart_that_takes_longer_than_the_tick_happens_once
  a_restart_that_never_heals_stays_within_backoff_and_budget
  a_stop_by_somebody_during_our_restart_wins
  kill_9_in_the_middle_of_a_restart_costs_no_second_one
  a_restart_that_a_reboot_cut_short_stays_spent
  a_host_that_has_just_booted_is_left_alone
)

# ---------------------------------------------------------------- words of the scenarios

fail() { echo "--- $*" >&2; exit 1; }
skip() { echo "$*"; exit "$SKIPPED"; }
SKIPPED=77

# tick [FLAG...]: one `unhang run` by hand; leaves its exit status in $rc and its output in $said.
# min_gap is 100 ms here, so a tick starts at least that long after the end of the one before; a unit must be older than
# its grace of 1 s.
tick() {
  while (($(now_ms) - last_tick < 100)); do sleep 0.05; done
  rc=0
  said=$(unhang_run "$@" 2>&1) || rc=$?
  last_tick=$(now_ms)
  said_so_far+="--- tick: exit status $rc${said:+: $said}"$'\n'
}
unhang_run() { "${RUN[@]}" --timeout 2s --min-gap 100ms --grace 1s --boot-grace "${boot_grace:-1s}" "$@"; }
PLAN=(--unit "$UNIT" --url "$URL" --name Django --log-file "$LOG")
RUN=(host exec unhang run "${PLAN[@]}")
last_tick=0 said_so_far=
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }

tick_exits() { # tick_exits STATUS [FLAG...]
  local wanted=$1; shift
  tick "$@"
  [ "$rc" = "$wanted" ] || fail "a tick exits $rc, not $wanted"
}

property() { host exec systemctl show -P "$1" -- "${2:-$UNIT}"; }
life() { property InvocationID; }
is_state() { # is_state ACTIVE_STATE [RESULT]
  local is; is=$(property ActiveState)/$(property Result)
  case $is in "$1/${2:-${is#*/}}") ;; *) fail "$UNIT is $is, not $1${2:+/$2}" ;; esac
}
# until_true SECONDS CMD...: polls.
until_true() {
  local limit=$1 end; shift
  end=$(($(now_ms) + limit * 1000))
  until "$@"; do
    (($(now_ms) < end)) || fail "not within $limit s: $*"
    sleep 0.1
  done
}
active_state_is() { [ "$(property ActiveState)" = "$1" ]; }
older_than_grace() { # of an active unit: ActiveEnter is more than 1.1 s ago
  host exec sh -c 'read -r up _ </proc/uptime; us=$(systemctl show -P ActiveEnterTimestampMonotonic -- "$1")
    [ "$us" -gt 0 ] && awk "BEGIN { exit !($up - $us / 1e6 > 1.1) }"' sh "$UNIT"
}
answers() { host exec curl -fs -o /dev/null -m 1 "$URL"; }

# lives: how many new incarnations the unit had since `fresh`, as its journal tells.
lives() {
  host exec journalctl --sync
  host exec journalctl -q -o cat --output-fields=INVOCATION_ID --after-cursor="$cursor" _PID=1 UNIT="$UNIT" \
    | { grep -v -e "^$first_life\$" -e '^$' || true; } | sort -u | wc -l
}
lives_are() {
  local n; n=$(lives)
  [ "$n" = "$1" ] || fail "$UNIT began $n new lives since the scenario began, not $1"
}
same_life() { [ "$(life)" = "$first_life" ] || fail "restarted, though it must not be"; lives_are 0; }

log() { host exec sh -c 'cat "$1" 2>/dev/null || true' sh "$LOG"; }
logged() { log | grep -F -c -e "$1" || true; }       # logged TEXT: how many lines have it
logged_times() { # logged_times N TEXT
  local n; n=$(logged "$2")
  [ "$n" = "$1" ] || fail "the log has $n lines with \"$2\", not $1"
}
has_logged() { [ "$(logged "$1")" != 0 ]; }
# The log's lines, without time and detail, are exactly these.
log_is() {
  local is wanted
  is=$(log | sed -E 's/^[-0-9]+ [:0-9]+ - //; s/^([^:]*[^:0-9.])(: .*)$/\1/; s/^(.*Failure [0-9]+\/[0-9]+): .*$/\1/')
  wanted=$(printf '%s\n' "$@")
  [ "$is" = "$wanted" ] || fail "the log is not as expected:
$(diff <(echo "$wanted") <(echo "$is") || true)"
}
FAILED_1='⚠️ Django health check failed (HTTP 000) - Failure 1/2'
FAILED_2='⚠️ Django health check failed (HTTP 000) - Failure 2/2'
RESTARTING='🔄 Restarting Django service...'
RESTARTED='✅ Django restarted successfully'

# A hang that a restart heals, and one that it does not heal (until the flag is taken away).
hang() { host exec touch /run/roams/hang; }
hang_for_ever() { host exec touch /srv/roams/hang; }
unhang_for_ever() { host exec rm -f /srv/roams/hang; }

# override [LINE...] on stdin: a drop-in of the unit, until `fresh`.
override() {
  host exec sh -c 'mkdir -p "/run/systemd/system/$1.d" && cat >"/run/systemd/system/$1.d/scenario.conf"' sh "$UNIT"
  host exec systemctl daemon-reload
}
# gunicorn, as in the unit, with another graceful timeout: a stuck worker takes so long to stop.
slow_to_stop() { # slow_to_stop SECONDS
  override <<DROPIN
[Service]
ExecStart=
ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 --workers 1 --timeout 0 --graceful-timeout $1 roams.wsgi
TimeoutStopSec=100
DROPIN
  again
}
# again: the unit starts (with changed settings), and this life is now the first one.
again() {
  host exec systemctl reset-failed "$UNIT"
  host exec systemctl restart "$UNIT"
  settled
}
settled() {
  until_true 20 answers; until_true 20 older_than_grace
  first_life=$(life); host exec journalctl --sync
  cursor=$(host exec journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
}

# fresh: unit, flags, state, log and crontab as at the beginning.
fresh() {
  no_trouble
  host exec sh -c 'crontab -r 2>/dev/null; pkill -KILL -x unhang; unit=$1
    rm -f /run/roams/hang /srv/roams/hang /srv/roams/broken
    if [ "$(systemctl show -P FreezerState -- "$unit")" = frozen ]; then systemctl thaw "$unit"; fi
    systemctl kill -s KILL "$unit" 2>/dev/null; systemctl stop "$unit" 2>/dev/null
    rm -rf "/run/systemd/system/$unit.d" "$2" /run/unhang "$3"
    systemctl unmask -q "$unit" && systemctl daemon-reload && systemctl enable -q "$unit"
    systemctl reset-failed "$unit"; exec systemctl start "$unit"' sh "$UNIT" "$STATE" "$LOG" 2>/dev/null \
    || fail "cannot make it fresh"
  settled
  last_tick=0 said_so_far=
}

# ---------------------------------------------------------------- healed, on the second failed tick and not before

healed_on_the_second_failed_tick() {
  local pid; pid=$(property MainPID)
  is_state active
  tick_exits 1
  log_is "$FAILED_1"; same_life
  tick_exits 0
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"
  lives_are 1; answers || fail "it does not answer after the restart"
  [ "$(property MainPID)" != "$pid" ] || fail "the same main process"
}

a_hang_is_healed_on_the_second_failed_tick_and_not_before() {
  tick_exits 0; [ -z "$said" ] || fail "a healthy tick is not silent"
  [ -z "$(log)" ] || fail "a healthy tick logs"
  hang; healed_on_the_second_failed_tick
  tick_exits 0; [ -z "$said" ] || fail "a healthy tick is not silent"
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"
}
a_stopped_worker_is_healed_on_the_second_failed_tick_and_not_before() {
  host exec pkill -STOP -P "$(property MainPID)"; healed_on_the_second_failed_tick
}
a_service_whose_processes_are_all_stopped_is_healed_on_the_second_failed_tick() {
  host exec systemctl kill -s STOP "$UNIT"; healed_on_the_second_failed_tick
}
a_crash_that_systemd_leaves_is_healed() {
  host exec systemctl kill --kill-who=main -s KILL "$UNIT"
  until_true 10 active_state_is failed
  tick_exits 1; log_is "$FAILED_1"; same_life
  tick_exits 0; log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"; lives_are 1
}

# gunicorn ends with 0 when something sends it SIGTERM.
a_service_that_ended_by_itself_is_healed() {
  host exec systemctl kill --kill-who=main -s TERM "$UNIT"
  until_true 10 active_state_is inactive; is_state inactive success
  tick_exits 1; log_is "$FAILED_1"; same_life
  tick_exits 0; log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"; lives_are 1
}

# ---------------------------------------------------------------- hands off

# held_for REASON: some ticks restart nothing, count nothing more, and say why once.
held_for() {
  local reason=$1 failures; failures=$(logged Failure)
  for _ in 1 2 3 4; do tick_exits 1; done
  logged_times 1 "⏸️ Django not restarted ($reason)"
  logged_times 0 "$RESTARTING"; logged_times "$failures" Failure
}

a_hung_service_that_somebody_stops_stays_stopped_though_it_ends_failed_by_timeout() {
  override <<<$'[Service]\nTimeoutStopSec=1'
  hang; tick_exits 1; log_is "$FAILED_1"
  host exec systemctl stop "$UNIT"; is_state failed timeout
  held_for stopped
  is_state failed timeout; same_life
}
a_service_that_somebody_stops_stays_stopped_though_it_exits_143() {
  override <<'DROPIN'
[Service]
NotifyAccess=all
ExecStart=
ExecStart=/bin/bash -c 'gunicorn --bind 127.0.0.1:8000 --workers 1 --timeout 0 --graceful-timeout 2 roams.wsgi & trap "kill -TERM $$!; wait; exit 143" TERM; wait'
DROPIN
  again
  hang; tick_exits 1; log_is "$FAILED_1"
  host exec systemctl stop "$UNIT"; is_state failed exit-code
  held_for stopped
  is_state failed exit-code; same_life
}
a_service_that_was_stopped_cleanly_stays_stopped() {
  host exec systemctl stop "$UNIT"; is_state inactive success
  held_for stopped
  is_state inactive; same_life
  host exec systemctl start "$UNIT"; until_true 10 answers
  tick_exits 0
}
a_service_that_systemd_keeps_up_without_its_main_process_stays_stopped() {
  override <<<$'[Service]\nRemainAfterExit=yes'
  again
  host exec systemctl kill --kill-who=main -s TERM "$UNIT"
  until_true 10 has_no_process; is_state active success
  tick_exits 1; log_is "$FAILED_1"
  host exec systemctl stop "$UNIT"; is_state inactive success
  held_for stopped
  is_state inactive; same_life
}
has_no_process() { [ "$(property SubState)" = exited ]; }
a_masked_service_is_left_alone() {
  hang; tick_exits 1
  host exec systemctl mask -q "$UNIT"
  held_for masked
  is_state active; same_life
}
a_service_that_nobody_may_stop_by_hand_is_left_alone() {
  override <<<$'[Unit]\nRefuseManualStop=yes'
  hang; held_for not_startable
  is_state active; same_life
  host exec rm "/run/systemd/system/$UNIT.d/scenario.conf"; host exec systemctl daemon-reload
}
a_service_that_is_disabled_and_failed_is_left_alone() {
  host exec systemctl disable -q "$UNIT"
  host exec systemctl kill --kill-who=main -s KILL "$UNIT"; until_true 10 active_state_is failed
  held_for disabled
  is_state failed signal; same_life
}

a_frozen_service_is_left_alone() {
  host exec systemctl freeze "$UNIT" 2>/dev/null || skip "systemd cannot freeze here: it takes cgroup v2"
  held_for frozen
  [ "$(property FreezerState)" = frozen ] || fail "it was thawed"
  same_life
  host exec systemctl thaw "$UNIT"; tick_exits 0
}

a_crash_loop_is_left_to_systemd_and_named() {
  override <<'DROPIN'
[Unit]
StartLimitIntervalSec=0
[Service]
Type=simple
ExecStart=
ExecStart=/bin/sh -c 'sleep 1.5; exit 1'
Restart=always
RestartSec=500ms
DROPIN
  host exec systemctl restart "$UNIT"
  local before=
  for _ in 1 2 3 4 5 6; do
    # One life per tick, as with a loop of less than 2 minutes under cron.
    until_true 10 another_life "$before"; before=$(life)
    tick_exits 1
  done
  logged_times 1 "⏸️ Django not restarted (crash_loop)"; logged_times 0 "$RESTARTING"
  # systemd's own count goes back to 0 with every restart by somebody.
  [ "$(property NRestarts)" -ge 5 ] || fail "restarted by somebody else than systemd"
}
another_life() { [ "$(life)" != "$1" ]; }

a_hung_service_with_a_spent_start_limit_is_healed() {
  override <<<$'[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h'
  spend_the_start_limit
  # Proof that it is spent now: one more restart is refused, and leaves the service dead.
  if host exec systemctl restart "$UNIT" 2>/dev/null; then fail "the start limit is not spent"; fi
  is_state failed start-limit-hit
  spend_the_start_limit; settled
  hang; healed_on_the_second_failed_tick
}
spend_the_start_limit() {
  host exec sh -c 'systemctl reset-failed "$1"; for i in 1 2 3; do systemctl restart "$1"; done' sh "$UNIT"
}
a_crash_loop_that_ended_at_its_start_limit_is_healed() {
  override <<'DROPIN'
[Unit]
StartLimitBurst=3
StartLimitIntervalSec=1h
[Service]
ExecStart=
ExecStart=/bin/sh -c 'test ! -e /srv/roams/broken || exit 1; exec gunicorn --bind 127.0.0.1:8000 --workers 1 --timeout 0 --graceful-timeout 2 roams.wsgi'
Restart=always
RestartSec=100ms
DROPIN
  again
  host exec touch /srv/roams/broken
  host exec systemctl reset-failed "$UNIT"
  host exec systemctl kill --kill-who=main -s KILL "$UNIT"
  until_true 10 active_state_is failed
  host exec rm /srv/roams/broken
  local loop; loop=$(lives)
  tick_exits 1; tick_exits 0
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"; lives_are $((loop + 1))
}
# Its stamps look as after a stop: ActiveExit (of the life before) < ExecMainExit.
a_start_that_failed_after_an_earlier_life_is_healed() {
  override <<<$'[Service]\nExecStart=\nExecStart=/bin/sh -c \'test ! -e /srv/roams/broken || exit 1; exec gunicorn --bind 127.0.0.1:8000 --workers 1 roams.wsgi\''
  again
  host exec touch /srv/roams/broken
  if host exec systemctl restart "$UNIT" 2>/dev/null; then fail "it starts"; fi
  is_state failed exit-code; host exec rm /srv/roams/broken
  tick_exits 1; tick_exits 0
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"; lives_are 2
}

somebody_elses_restart_between_two_failed_ticks_starts_the_count_afresh() {
  no_trouble
  hang_for_ever
  tick_exits 1; log_is "$FAILED_1"
  host exec systemctl restart "$UNIT"; until_true 10 older_than_grace
  tick_exits 1; log_is "$FAILED_1" "$FAILED_1"; lives_are 1
  tick_exits 1 --verify 2s; logged_times 1 "$RESTARTING"; lives_are 2
}

a_unit_that_it_wants_and_somebody_stopped_stays_stopped() {
  host exec sh -c 'printf "[Service]\nExecStart=/bin/sleep infinity\n" >/run/systemd/system/roams-db.service'
  override <<<$'[Unit]\nWants=roams-db.service\nAfter=roams-db.service'
  again
  host exec systemctl stop roams-db.service
  hang; held_for upstream
  [ "$(property ActiveState roams-db.service)" = inactive ] || fail "roams-db was started"
  is_state active; same_life
  host exec systemctl start roams-db.service
  tick_exits 1; tick_exits 0
  logged_times 1 "$RESTARTED"; lives_are 1
}

a_oneshot_that_it_wants_and_that_has_done_its_work_holds_nothing_back() {
  host exec sh -c 'printf "[Service]\nType=oneshot\nExecStart=/bin/true\n" >/run/systemd/system/roams-migrate.service'
  override <<<$'[Unit]\nWants=roams-migrate.service\nAfter=roams-migrate.service'
  again
  [ "$(property ActiveState roams-migrate.service)" = inactive ] || fail "the oneshot is not done"
  hang; tick_exits 1; tick_exits 0
  logged_times 0 upstream; logged_times 1 "$RESTARTED"; lives_are 1
}

# ---------------------------------------------------------------- several units at once

# A target of three units, each after the one before; the last one is Django.
with_a_target() {
  local name after=
  for name in roams-db roams-worker; do
    host exec sh -c 'cat >"/run/systemd/system/$1.service"' sh "$name" <<UNIT_FILE
[Unit]
PartOf=roams.target
${after:+After=$after}
[Service]
ExecStart=/bin/sleep infinity
ExecStartPost=/bin/sh -c 'echo start $name >>/run/roams.order'
ExecStop=/bin/sh -c 'sleep 0.3; echo stop $name >>/run/roams.order'
UNIT_FILE
    after=$name.service
  done
  host exec sh -c 'printf "[Unit]\nWants=roams-db.service roams-worker.service $1\n" >/run/systemd/system/roams.target' sh "$UNIT"
  override <<DROPIN
[Unit]
PartOf=roams.target
After=roams-worker.service
[Service]
ExecStartPost=+/bin/sh -c 'echo start django >>/run/roams.order'
ExecStopPost=+/bin/sh -c 'echo stop django >>/run/roams.order'
DROPIN
  host exec systemctl start roams.target; again
  host exec rm /run/roams.order
  PLAN=(--unit roams.target --url "$URL" --name Django --log-file "$LOG"); by "${BY[@]}"
}
no_target() {
  host exec sh -c 'systemctl stop roams.target roams-worker roams-db; rm -f /run/systemd/system/roams[.-]* /run/roams.order; systemctl daemon-reload'
}

a_target_restarts_its_units_in_their_order_and_stops_them_in_reverse() {
  with_a_target
  hang; tick_exits 1; same_life
  tick_exits 0; lives_are 1; answers || fail "it does not answer after the restart"
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"
  local order; order=$(host exec cat /run/roams.order | tr '\n' ' ')
  [ "$order" = 'stop django stop roams-worker stop roams-db start roams-db start roams-worker start django ' ] || fail "in this order: $order"
  no_target
}
a_target_of_which_somebody_stopped_a_unit_is_left_alone() {
  with_a_target
  host exec systemctl stop roams-worker
  hang; for _ in 1 2 3; do tick_exits 1; done
  same_life; [ "$(property ActiveState roams-worker)" = inactive ] || fail "what somebody stopped was started"
  log_is '⏸️ Django not restarted (upstream)'; logged_times 1 'roams-worker.service, which a person stopped'
  host exec systemctl start roams-worker
  tick_exits 1; tick_exits 0; lives_are 1
  no_target
}

# ---------------------------------------------------------------- contrib

# The hardened service as installed, every 2 seconds instead of every 2 minutes.
the_timer_heals_a_hang_and_is_no_failed_unit_itself() {
  installed_for_the_timer
  host exec sh -c 'mkdir -p /run/systemd/system/unhang.timer.d
    printf "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\n" >/run/systemd/system/unhang.timer.d/fast.conf
    systemctl daemon-reload; systemctl start unhang.timer'
  until_true 20 ticked
  hang
  until_true 30 has_logged "$RESTARTED"
  host exec systemctl stop unhang.timer
  lives_are 1; answers || fail "it does not answer after the restart"
  [ "$(property ActiveState unhang.service)" != failed ] || fail "unhang.service failed"
  host exec test -e "/run/unhang/roams-django.lock" || fail "the lock went away with the run"
  host exec systemd-analyze verify unhang.service unhang.timer
  host exec systemd-analyze security --no-pager --threshold=35 unhang.service >/dev/null \
    || fail "exposed more than the README says"
  no_timer
}
# What a command starts lives outside of it, and a probe that needs what it takes says nothing.
the_sandbox_of_the_service_changes_no_verdict_and_no_application() {
  installed_for_the_timer
  host exec sh -c 'cat >/usr/local/bin/shop-restart; chmod 755 /usr/local/bin/shop-restart' <<'SCRIPT'
#!/bin/sh
printf '%s' "$1" >/run/shop.argument
setsid sh -c '{ cat /proc/self/status; touch /srv/shop-wrote && echo wrote; } >/run/shop.status; exec sleep 4711' >/dev/null 2>&1 &
until [ -s /run/shop.status ]; do sleep 0.1; done
SCRIPT
  host exec sh -c 'cat >>/etc/unhang/unhang.toml' <<CONFIG
[defaults]
min_gap = "100ms"
verify = "1s"
[service.shop]
url = "http://127.0.0.1:9/"
log_file = "/var/log/shop.log"
restart = ["/usr/local/bin/shop-restart", "\$HOME 5\$"]
[service.tools]
url = "$URL"
log_file = "/var/log/tools.log"
restart = []
[service.tools.probe.user]
command = ["runuser", "-u", "nobody", "--", "true"]
CONFIG
  host exec systemctl start unhang.service; sleep 0.2; host exec systemctl start unhang.service
  host exec grep -q 'never well in the sandbox' /var/log/tools.log || fail "the probe: $(host exec cat /var/log/tools.log)"
  host exec grep -q 'Restarting shop' /var/log/shop.log || fail "no restart: $(host exec cat /var/log/shop.log)"
  [ "$(host exec cat /run/shop.argument)" = '$HOME 5$' ] || fail "another argument: $(host exec cat /run/shop.argument)"
  # As the first process, which has a filter where this host is a container.
  host exec sh -c 'for name in NoNewPrivs Seccomp CapBnd; do
    grep -qxF "$(grep "^$name:" /proc/1/status)" /run/shop.status || exit 1; done; grep -qx wrote /run/shop.status' \
    || fail "in a sandbox: $(host exec cat /run/shop.status)"
  host exec pgrep -f 'sleep 4711' >/dev/null || fail "what it started did not outlive it"
  # By cron, the same probe is well.
  host exec unhang run >/dev/null 2>&1 || true
  host exec unhang status tools | grep -q healthy || fail "not by cron: $(host exec unhang status tools)"
  host exec sh -c 'pkill -f "[s]leep 4711"; rm -f /usr/local/bin/shop-restart /run/shop.* /srv/shop-wrote /var/log/shop.log /var/log/tools.log'
  no_timer
}
ticked() { host exec test -e "/run/unhang/roams-django.lock"; }
installed_for_the_timer() {
  host copy "$repo/contrib/systemd" /etc/systemd/system
  host exec sh -c 'mkdir -p /etc/unhang; cat >/etc/unhang/unhang.toml; chmod 644 /etc/unhang/unhang.toml' <<CONFIG
[service.roams-django]
name = "Django"
url = "$URL"
timeout = "1s"
grace = "1s"
min_gap = "100ms"
[host]
boot_grace = "1s"
CONFIG
  host exec systemctl daemon-reload
}
no_timer() {
  host exec sh -c 'systemctl disable -q --now unhang.timer; systemctl stop unhang.service
    rm -rf /etc/unhang /etc/cron.d/unhang /etc/systemd/system/unhang.* /etc/systemd/system/unhang-every.service /run/systemd/system/unhang.timer.d; systemctl daemon-reload' 2>/dev/null
}
the_cron_file_is_idle_only_while_the_timer_is_active() {
  installed_for_the_timer
  host copy "$repo/contrib/cron.d/unhang" /etc/cron.d/unhang
  # What cron would give to a shell.
  local line; line=$(host exec sed -n 's/^\*\/2 \* \* \* \* root //p' /etc/cron.d/unhang)
  [ -n "$line" ] || fail "no line for root"
  cron_gives "$line"; ticked || fail "cron does not tick"
  # A timer that itself never comes.
  host exec sh -c 'mkdir -p /run/systemd/system/unhang.timer.d
    printf "[Timer]\nOnCalendar=\nOnCalendar=2100-01-01\n" >/run/systemd/system/unhang.timer.d/never.conf
    systemctl daemon-reload; systemctl enable -q --now unhang.timer'
  cron_gives "$line"; ! ticked || fail "cron ticks beside the timer"
  host exec systemctl stop unhang.timer
  cron_gives "$line"; ticked || fail "nobody ticks while the timer is enabled and stopped"
  no_timer
}
cron_gives() { host exec rm -rf /run/unhang; host exec env -i PATH=/usr/local/bin:/usr/bin:/bin sh -c "$1"; }

# Every 2 seconds instead of every 2 minutes.
the_process_that_stays_heals_a_hang_and_tells_systemd_how_it_is() {
  installed_for_the_timer
  host exec sh -c 'mkdir -p /run/systemd/system/unhang-every.service.d
    printf "[Service]\nExecStart=\nExecStart=/usr/local/bin/unhang run --every 2s\n" >/run/systemd/system/unhang-every.service.d/fast.conf
    systemctl daemon-reload; systemctl start unhang-every.service' || fail "Type=notify: it never told that it is ready"
  until_true 20 ticked
  until_true 10 tells_systemd "1 services healthy"
  hang
  until_true 10 tells_systemd "not all services are healthy: unhang status"
  until_true 30 has_logged "$RESTARTED"
  lives_are 1
  host exec sh -c 'echo "[service.x" >>/etc/unhang/unhang.toml'
  host exec systemctl reload unhang-every.service
  until_true 10 journal_of_every_has "the previous one stays in use"
  [ "$(property ActiveState unhang-every.service)" = active ] || fail "a bad configuration ended it"
  host exec systemctl stop unhang-every.service
  [ "$(property Result unhang-every.service)" = success ] || fail "it did not end well"
  host exec systemd-analyze security --no-pager --threshold=35 unhang-every.service >/dev/null \
    || fail "exposed more than the timer's service"
  host exec rm -rf /run/systemd/system/unhang-every.service.d; no_timer
}
tells_systemd() { [ "$(property StatusText unhang-every.service)" = "$1" ]; }
journal_of_every_has() { host exec journalctl -q -o cat -u unhang-every.service | grep -q -F "$1"; }

probes_of_unit_processes_memory_and_journal_see_what_systemd_knows() {
  host exec sh -c 'mkdir -p /etc/unhang; cat >/etc/unhang/probes.toml; chmod 644 /etc/unhang/probes.toml' <<CONFIG
[host]
boot_grace = "1s"
[service.roams-django]
name = "Django"
log_file = "$LOG"
grace = "1s"
max_failures = 3
[service.roams-django.probe.unit]
unit = "$UNIT"
[service.roams-django.probe.processes]
process = "unit"
count.min = 2
[service.roams-django.probe.memory]
cgroup = "$UNIT"
[service.roams-django.probe.journal]
log = "journal:$UNIT"
fail = "Traceback"
CONFIG
  RUN=(host exec unhang run --config /etc/unhang/probes.toml)
  tick_exits 0
  host exec sh -c 'echo "Traceback: nothing of ours" | systemd-cat -t another'
  tick_exits 0
  # One process is fewer than two; what it says is in the journal of its unit.
  override <<<$'[Service]\nType=exec\nExecStart=\nExecStart=/bin/sh -c "echo Traceback; exec sleep 1000"'
  host exec systemctl restart "$UNIT"; sleep 1.2
  tick_exits 1
  logged_times 1 '⚠️ Django health check failed (journal) - Failure 1/3: 1 line matches "Traceback"'
  tick_exits 1
  logged_times 1 '⚠️ Django health check failed (processes) - Failure 2/3: '
  host exec systemctl stop "$UNIT"
  tick_exits 1
  logged_times 1 "⏸️ Django not restarted (stopped)"
  RUN=(host exec unhang run "${PLAN[@]}")
  host exec rm -rf /etc/unhang
}

# ---------------------------------------------------------------- long, vain, cut short

a_restart_that_takes_longer_than_the_tick_happens_once() {
  slow_to_stop 45
  hang; tick_exits 1
  unhang_run --deadline 40s >/dev/null 2>&1 & local second=$!
  until_true 20 active_state_is deactivating
  tick_exits 75
  local rc=0; wait "$second" || rc=$?
  [ "$rc" = 1 ] || fail "a tick whose restart is not over exits $rc, not 1"
  is_state deactivating; logged_times 1 '⏳ Django restart still running'
  tick_exits 1; tick_exits 1; is_state deactivating
  logged_times 1 "⏸️ Django not restarted (unit_busy)"; logged_times 0 "$RESTARTED"
  until_true 30 answers
  tick_exits 0
  logged_times 1 "$RESTARTING"; logged_times 1 "$RESTARTED"; lives_are 1
}

a_restart_that_never_heals_stays_within_backoff_and_budget() {
  local flags=(--verify 2s --backoff-first 30s --backoff-max 30s --budget-restarts 2 --budget-window 1h) end
  tick_exits 0   # or it would be one that was never healthy
  hang_for_ever
  end=$(($(now_ms) + 120000))
  until has_logged '(budget)'; do
    (($(now_ms) < end)) || fail "never held for the budget"
    tick_exits 1 "${flags[@]}"
  done
  for _ in 1 2 3; do tick_exits 1 "${flags[@]}"; done
  logged_times 2 "$RESTARTING"; lives_are 2; logged_times 2 '❌ Django restart failed (HTTP 000)'
  logged_times 0 "$RESTARTED"; has_logged '(backoff)' || fail "no backoff"
  # Stamps are compared with 10 s of slack; the first wait is 30 s.
  [ "$(seconds_between_restarts)" -ge 19 ] || fail "the second restart came too soon"
  unhang_for_ever; host exec systemctl kill -s KILL "$UNIT"; host exec systemctl restart "$UNIT"; until_true 10 answers
  tick_exits 0 "${flags[@]}"; has_logged '✅ Django recovered' || fail "no recovery told"
}
seconds_between_restarts() {
  log | sed -nE "s/^([-0-9]+ [:0-9]+) - 🔄.*/\1/p" | { read -r a; read -r b; echo $(($(date -d "$b" +%s) - $(date -d "$a" +%s))); }
}

# second_tick_in_the_background: hung for the first time, a tick; then one that restarts it and is still waiting for the stop.
second_tick_in_the_background() {
  hang; tick_exits 1
  unhang_run >/dev/null 2>&1 & second=$!
  until_true 20 active_state_is deactivating
}
second_tick_exits() { # second_tick_exits STATUS
  rc=0; wait "$second" || rc=$?
  [ "$rc" = "$1" ] || fail "the tick in the background exits $rc, not $1"
}

a_stop_by_somebody_during_our_restart_wins() {
  slow_to_stop 5
  local second; second_tick_in_the_background
  host exec systemctl stop "$UNIT"; second_tick_exits 1
  for _ in 1 2 3 4; do tick_exits 1; done
  is_state inactive; same_life; logged_times 1 "$RESTARTING"; logged_times 0 "$RESTARTED"
}

kill_9_in_the_middle_of_a_restart_costs_no_second_one() {
  slow_to_stop 8
  local second; second_tick_in_the_background
  host exec pkill -KILL -x unhang; wait "$second" || true
  is_state deactivating
  tick_exits 1; is_state deactivating; logged_times 1 "⏸️ Django not restarted (unit_busy)"
  until_true 20 answers
  tick_exits 0; tick_exits 0
  lives_are 1; logged_times 1 "$RESTARTING"; logged_times 1 "$RESTARTED"
}

a_restart_that_a_reboot_cut_short_stays_spent() {
  slow_to_stop 8
  local second; second_tick_in_the_background
  host exec pkill -KILL -x unhang; wait "$second" || true
  host reboot; settled
  tick_exits 0 --budget-restarts 1; lives_are 0
  hang
  for _ in 1 2 3; do tick_exits 1 --budget-restarts 1; done
  logged_times 1 "⏸️ Django not restarted (budget)"; logged_times 1 "$RESTARTING"; same_life
  # The host's uptime is not the age of what happened before the reboot (in a container it is even another machine's).
  if log | grep -qE 'healthy after .*(min|h)\b'; then fail "told to have taken longer than this scenario does"; fi
  local minutes; minutes=$(minutes_until_the_budget_allows)
  [ "$minutes" -ge 59 ] || fail "the restart before the reboot is forgotten after $minutes minutes, not after 1h"
}
# From the restart to what the log names as the next one possible; both are HH:MM.
minutes_until_the_budget_allows() {
  local from to
  from=$(log | sed -nE 's/^[-0-9]+ ([0-9]+:[0-9]+):.*🔄.*/\1/p')
  to=$(log | sed -nE 's/.*\(budget\).*next restart possible .*([0-9]{2}:[0-9]{2}).*/\1/p')
  echo $((($(date -d "$to" +%s) - $(date -d "$from" +%s) + 86400) / 60 % 1440))
}

a_host_that_has_just_booted_is_left_alone() {
  host reboot; settled
  hang
  for _ in 1 2 3; do boot_grace=2m tick_exits 1; done
  log_is '⏸️ Django not restarted (host_starting)'; same_life
  tick_exits 1; tick_exits 0
  logged_times 1 "$RESTARTED"; lives_are 1
}

# ---------------------------------------------------------------- cron

# The drop-in itself, every minute instead of every second one. Its grace of 30 s stands; the host is younger than
# its boot_grace.
by_cron() { # by_cron [USER COMMAND]
  host exec crontab -u "${1:-root}" - <<CRONTAB
UNHANG_BOOT_GRACE=1s
* * * * * ${2:-/opt/roams/scripts/monitor_django.sh}
CRONTAB
  # The next tick must not meet a unit younger than its grace, nor be the one of a minute that has just begun.
  until_true 60 old_enough_at_the_next_minute
}
old_enough_at_the_next_minute() {
  host exec sh -c 'read -r up _ </proc/uptime; us=$(systemctl show -P ActiveEnterTimestampMonotonic -- "$1"); s=$(date +%S)
    awk "BEGIN { exit !($s >= 3 && $up - $us / 1e6 + 60 - $s > 35) }"' sh "$UNIT"
}
healed_by_cron() {
  until_true 70 has_logged 'Failure 1/2'; same_life
  until_true 110 has_logged "$RESTARTED"
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"
  lives_are 1; answers || fail "it does not answer after the restart"
  local minutes; minutes=$(log | sed -nE 's/^[-0-9]+ [0-9]+:([0-9]+):.*⚠️.*/\1/p' | sort -u | wc -l)
  [ "$minutes" = 2 ] || fail "the failures are not of two cron minutes"
}
cron_heals_a_hang_on_the_second_failed_tick() {
  by_cron; hang; healed_by_cron
}
cron_heals_a_service_whose_processes_are_all_stopped() {
  by_cron; host exec systemctl kill -s STOP "$UNIT"; healed_by_cron
}

# ---------------------------------------------------------------- running them

report() { # what a person needs who was not there
  set +e
  no_trouble
  echo "=== ticks"; echo "$said_so_far"
  echo "=== $LOG"; log
  echo "=== state"; host exec sh -c 'for f in "$1"/* /run/unhang/*; do [ ! -f "$f" ] || { echo "$f:"; cat "$f"; echo; }; done' sh "$STATE"
  echo "=== systemctl show"
  host exec systemctl show -p LoadState,ActiveState,SubState,Result,UnitFileState,Job,InvocationID,NRestarts,MainPID "$UNIT"
  host exec systemctl show -p InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic,ActiveExitTimestampMonotonic,ExecMainExitTimestampMonotonic "$UNIT"
  echo "=== journal"; host exec journalctl -q --no-pager -o short-precise ${cursor:+--after-cursor="$cursor"} -n 60
}

sentence() { echo "${1//_/ }"; }

# one SCENARIO: in a subshell of its own, so that `fail` ends it and nothing else; sets $failed.
# Neither this nor the subshell may stand in an `if` or before `||`: that would switch errexit off inside.
one() {
  local began=$SECONDS rc=0 out; out=$(mktemp)
  set +e
  ( set -e
    trap 'case $? in 0|"$SKIPPED") ;; *) report ;; esac' EXIT
    fresh; "$1" ) >"$out" 2>&1
  rc=$?; set -e
  if [ "$rc" = 0 ]; then
    echo "ok: $(sentence "$1") ($((SECONDS - began)) s)"
  elif [ "$rc" = "$SKIPPED" ]; then
    echo "skipped: $(sentence "$1") ($(cat "$out"))"
  else
    { echo "FAIL: $(sentence "$1") ($((SECONDS - began)) s)"; cat "$out"; echo "=== end of: $(sentence "$1")"; } >"$out.all"
    cat "$out.all"; failed=1   # in one piece, beside those of other hosts
  fi
  rm -f "$out" "$out.all"
}

# on_a_host SUFFIX SCENARIO...: boots one, runs those of them that are wanted.
on_a_host() {
  local suffix=$1 name todo=() failed=0; shift
  for name; do
    if [ ${#only[@]} = 0 ] || among "$name" "${only[@]}"; then todo+=("$name"); fi
  done
  [ ${#todo[@]} -gt 0 ] || return 0
  UNHANG_HOST_DIR+=-$suffix
  trap 'host down' EXIT
  host boot
  host copy "$binary" /usr/local/bin/unhang
  host copy "$repo/contrib/monitor_django.sh" /opt/roams/scripts/monitor_django.sh
  install_app
  for name in "${todo[@]}"; do one "$name"; done
  return "$failed"
}
among() { # among WORD WORD...: is the first one of the others?
  local one=$1 other; shift
  for other; do [ "$other" != "$one" ] || return 0; done
  return 1
}

ALL=("${CRON[@]}" "${QUICK[@]}" "${FILES[@]}" "${SLOW[@]}" "${RIGHTS[@]}" "${TROUBLE[@]}" "${GUARDS[@]}" "${EXAMPLES[@]}")
if [ "${1-}" = --list ]; then printf '%s\n' "${ALL[@]}"; exit; fi
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
binary=$1; only=("${@:2}")
[ -x "$binary" ] || { echo "scenarios: $binary: no such program" >&2; exit 2; }
for name in "${only[@]}"; do
  among "$name" "${ALL[@]}" || { echo "scenarios: $name: no such scenario" >&2; exit 2; }
done

host build   # once, before seven hosts want it
on_a_host cron "${CRON[@]}" & cron=$!
on_a_host quick "${QUICK[@]}" "${FILES[@]}" & quick=$!
on_a_host slow "${SLOW[@]}" & slow=$!
on_a_host rights "${RIGHTS[@]}" & rights=$!
on_a_host trouble "${TROUBLE[@]}" & trouble=$!
export UNHANG_HOST_MORE=$DATABASE,$EXAMPLES_NEED
on_a_host guards "${GUARDS[@]}" & guards=$!
on_a_host examples "${EXAMPLES[@]}" & examples=$!
# Interrupted: the hosts take themselves down.
trap 'kill "$cron" "$quick" "$slow" "$rights" "$trouble" "$guards" "$examples" 2>/dev/null; wait; exit 130' INT TERM
failed=0
for group in "$cron" "$quick" "$slow" "$rights" "$trouble" "$guards" "$examples"; do wait "$group" || failed=1; done
[ "$failed" = 0 ] || echo "scenarios: at least one failed" >&2
exit "$failed"
