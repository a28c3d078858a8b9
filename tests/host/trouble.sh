# shellcheck shell=bash
# trouble.sh - scenarios in which systemd, the boot, the clock or the limits give trouble. Sourced by scenarios.sh,
# whose words they use; they have a host of their own.
#
# What stands in single quotes is for the shell inside of the host; the scenarios are called by their names.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317

TROUBLE=(
  a_hang_is_not_judged_while_systemd_cannot_be_reached_and_root_needs_no_message_bus_to_heal_it
  a_hang_is_not_judged_while_pid_1_does_not_answer_and_is_healed_after_that
  a_pid_1_that_falls_silent_during_our_restart_costs_no_second_one
  a_daemon_reexec_during_our_restart_is_no_failure_of_it
  a_run_killed_right_before_its_restart_and_a_reboot_into_the_day_before_lose_and_hold_nothing
  a_run_killed_right_after_its_restart_and_a_reboot_lose_nothing
  a_clock_set_by_a_day_neither_keeps_a_hang_from_being_healed_nor_moves_what_holds_a_restart
  a_hang_is_healed_with_little_left_of_tasks_descriptors_and_memory
)

# ---------------------------------------------------------------- words

# by [CMD...]: from now on CMD starts unhang.
by() {
  BY=("$@")
  RUN=(host exec "$@" unhang run "${PLAN[@]}")
}
BY=()
why() { host exec "${BY[@]}" unhang why "${PLAN[@]}" "$@"; }
why_says() { # why_says TEXT
  local all; all=$(why)
  case $all in *"$1"*) ;; *) fail "why does not say \"$1\": $all" ;; esac
}

# Also after a scenario that failed half-way: nothing can be asked of a systemd that stands still.
no_trouble() {
  host signal CONT
  if host exec test -e "$PRIVATE.away"; then host exec mv "$PRIVATE.away" "$PRIVATE"; fi
  if [ -n "${bus_is_down-}" ]; then host exec systemctl start dbus.socket dbus.service; bus_is_down=; fi
}
# Where systemctl finds systemd when it is root's; for others there is the bus.
PRIVATE=/run/systemd/private

bus_down() { bus_is_down=1; host exec systemctl stop dbus.socket dbus.service 2>/dev/null; }

# ends_within SECONDS CMD...
ends_within() {
  local limit=$1 began took; shift
  began=$(now_ms)
  "$@"
  took=$(($(now_ms) - began))
  ((took < limit * 1000)) || fail "took $took ms, and may take $limit s: $*"
}

DAY=86400
# by_a_clock SECONDS: from now on unhang sees a wall clock that was set so far ahead, and all else as it is.
by_a_clock() { ahead=$1; by wallclock "$ahead"; }
# date_of LOG_LINE SECONDS: so much later, as `why` tells it.
date_of() {
  local at; at=$(host exec date -d "${1%% - *}" +%s); at=$(host exec date -d "@$((at + $2))" '+%F %H:%M')
  echo "${at#"$(host exec date +%F) "}"
}
date_by_that_clock() { host exec wallclock "$ahead" date "$@"; }
with_clocks() {
  host copy "$here/wallclock" /usr/local/bin/wallclock
  host exec wallclock 0 true || skip "no program can be traced here"
}
# possible_within SECONDS REASON [FLAG...]: held for that reason, and no longer than that by the clock that is seen.
possible_within() {
  local limit=$1 reason=$2 told to left; shift 2
  told=$(why "$@")
  case $told in *"held by: $reason "*"not before "*) ;; *) fail "not held by $reason: $told" ;; esac
  to=${told##*not before }; to=${to%%,*}
  left=$(($(date_by_that_clock -d "$to" +%s) - $(date_by_that_clock +%s)))
  # What is told is a minute, without its seconds.
  ((left > -60 && left <= limit)) || fail "held for $left s more, not for $limit s at most: $told"
}

# ---------------------------------------------------------------- systemd is not to be reached

a_hang_is_not_judged_while_systemd_cannot_be_reached_and_root_needs_no_message_bus_to_heal_it() {
  bus_down
  hang; tick_exits 1
  host exec mv "$PRIVATE" "$PRIVATE.away"
  if host exec systemctl show -P ActiveState "$UNIT" 2>/dev/null; then fail "systemd can be reached"; fi
  for _ in 1 2; do tick_exits 1; done
  log_is "$FAILED_1" "$NOT_JUDGED"
  host exec mv "$PRIVATE.away" "$PRIVATE"
  healed_at_last
  no_trouble
}
NOT_JUDGED='❓ Django not judged (unit_unknown)'
healed_at_last() {
  same_life
  tick_exits 0; lives_are 1
  log_is "$FAILED_1" "$NOT_JUDGED" "$FAILED_2" "$RESTARTING" "$RESTARTED"
}

# systemctl itself would wait for minutes.
a_hang_is_not_judged_while_pid_1_does_not_answer_and_is_healed_after_that() {
  hang; tick_exits 1
  host signal STOP
  for _ in 1 2; do ends_within 20 tick_exits 1; done
  log_is "$FAILED_1" "$NOT_JUDGED"
  host signal CONT
  healed_at_last
}

# ---------------------------------------------------------------- during our restart

a_pid_1_that_falls_silent_during_our_restart_costs_no_second_one() {
  override <<'DROPIN'
[Service]
ExecStart=
ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 --workers 1 --timeout 0 --graceful-timeout 100 roams.wsgi
TimeoutStopSec=2
TimeoutStartSec=5
DROPIN
  again
  local second; second_tick_in_the_background
  host signal STOP
  ends_within 40 second_tick_exits 1
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" '⏳ Django restart not verified yet'
  has_logged 'not verified yet: no answer from systemctl' || fail "the log does not say why"
  ends_within 20 tick_exits 1; logged_times 1 "$NOT_JUDGED"
  host signal CONT
  until_true 20 answers
  tick_exits 0; tick_exits 0
  lives_are 1; logged_times 1 "$RESTARTING"; logged_times 1 "$RESTARTED"; logged_times 0 '❌'
}

# systemctl loses its connection and fails; systemd goes on.
a_daemon_reexec_during_our_restart_is_no_failure_of_it() {
  slow_to_stop 6
  local second; second_tick_in_the_background
  host exec systemctl daemon-reexec
  is_state deactivating
  second_tick_exits 0
  tick_exits 0
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"; lives_are 1
}

# ---------------------------------------------------------------- and a reboot

# deadly BEFORE|AFTER WORD: the next tick is killed before or after its systemctl that is given this word.
deadly() {
  local act='kill -KILL $PPID; exit'
  [ "$1" = BEFORE ] || act="/usr/bin/systemctl \"\$@\"; $act"
  host exec sh -c 'mkdir -p /root/deadly; cat >/root/deadly/systemctl; chmod 755 /root/deadly/systemctl' <<WRAPPER
#!/bin/sh
case " \$* " in *" $2 "*) $act ;; esac
exec /usr/bin/systemctl "\$@"
WRAPPER
  by env PATH=/root/deadly:/usr/local/bin:/usr/bin:/bin
  tick_exits 137
  by
  host exec python3 -m json.tool "$STATE/roams-django.json" /dev/null || fail "the state cannot be read"
}

a_run_killed_right_before_its_restart_and_a_reboot_into_the_day_before_lose_and_hold_nothing() {
  with_clocks
  local ahead=-$DAY
  hang; tick_exits 1
  deadly BEFORE reset-failed; same_life; log_is "$FAILED_1" "$FAILED_2"
  host reboot; settled; by_a_clock "$ahead"
  # How long ago the last failure was, nobody knows; so one is not counted.
  hang; tick_exits 1; tick_exits 1
  log_is "$FAILED_1" "$FAILED_2" '⏳ Django not answering yet (HTTP 000)' "$FAILED_1"
  # What was intended is spent, though nothing came of it, and not for a day longer.
  tick_exits 1 --budget-restarts 1; possible_within 3600 budget --budget-restarts 1; same_life
  tick_exits 0; lives_are 1; logged_times 1 "$RESTARTING"; logged_times 1 "$RESTARTED"
  why_says '2 of 5 restarts within 1 h'
}

a_run_killed_right_after_its_restart_and_a_reboot_lose_nothing() {
  hang; tick_exits 1
  deadly AFTER restart; lives_are 1; log_is "$FAILED_1" "$FAILED_2" "$RESTARTING"
  host reboot; settled
  tick_exits 0; why_says '1 of 5 restarts within 1 h'
  log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" '✅ Django recovered (was 2 failures)'
  hang
  for _ in 1 2 3; do tick_exits 1; done
  logged_times 1 '⏸️ Django not restarted (backoff)'; logged_times 1 "$RESTARTING"; same_life
  tick_exits 0 --backoff-first 1s; lives_are 1; logged_times 2 "$RESTARTING"
  why_says '2 of 5 restarts within 1 h'
}

# ---------------------------------------------------------------- the clock is set

a_clock_set_by_a_day_neither_keeps_a_hang_from_being_healed_nor_moves_what_holds_a_restart() {
  with_clocks
  local ahead
  for ahead in $DAY -$DAY; do hung_while_the_clock_is_set; done
  lives_are 2; logged_times 2 "$FAILED_1"; logged_times 2 "$FAILED_2"
  hang; tick_exits 1
  for ahead in $DAY -$DAY; do
    by_a_clock "$ahead"
    tick_exits 1; possible_within 240 backoff
    tick_exits 1 --budget-restarts 2; possible_within 3600 budget --budget-restarts 2
  done
  logged_times 2 "$RESTARTING"
  until_true 30 restarted_by_a_clock_that_is_set_each_time
  lives_are 3
}
hung_while_the_clock_is_set() {
  local told
  hang; by; tick_exits 1
  by_a_clock "$ahead"; tick_exits 0 --backoff-first 1s
  told=$(log | tail -n 1)
  [[ $told =~ ^"$(date_by_that_clock +%F) ".*"$RESTARTED: healthy after "[0-9.]+" s"$ ]] || fail "told: $told"
  # By the clock of whoever asks, however it stood then.
  by; why_says "the last at $(date_of "$(log | grep -F "$RESTARTING" | tail -n 1)" "$((-ahead))"): healed"
  until_true 20 older_than_grace
}
restarted_by_a_clock_that_is_set_each_time() {
  by_a_clock $((-ahead)); tick --backoff-first 1s --budget-restarts 1 --budget-window 20s
  [ "$rc" = 0 ]
}

# ---------------------------------------------------------------- little left

LIMITS=(TasksMax=16 LimitNOFILE=16 MemoryMax=32M)
a_hang_is_healed_with_little_left_of_tasks_descriptors_and_memory() {
  limited sh -c '[ "$(ulimit -n)" = 16 ]' || fail "the limit of descriptors does not hold"
  ! limited sh -c 'for i in $(seq 20); do sleep 0.1 & done; wait' || skip "TasksMax does not hold here"
  ! limited python3 -c 'b"x" * 50_000_000' || skip "MemoryMax does not hold here"
  installed_for_the_timer
  host exec sh -c 'mkdir "$1"; cat >"$1/limits.conf"; systemctl daemon-reload' sh /etc/systemd/system/unhang.service.d \
    < <(printf '%s\n' '[Service]' "${LIMITS[@]}")
  RUN=(true); hang
  host exec systemctl start unhang.service; log_is "$FAILED_1"; same_life
  host exec systemctl start unhang.service; log_is "$FAILED_1" "$FAILED_2" "$RESTARTING" "$RESTARTED"; lives_are 1
  no_timer
}
limited() { host exec systemd-run -q --wait --pipe "${LIMITS[@]/#/--property=}" "$@" 2>/dev/null; }
