# shellcheck shell=bash
# guards.sh - scenarios in which a restart would help nobody: somebody is at work, a database is away, many fail at
# once, or the host itself is in distress. Sourced by scenarios.sh, whose words they use; they have a host of their own,
# with PostgreSQL.
#
# What stands in single quotes is for the shell inside of the host; the scenarios are called by their names.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317

GUARDS=(
  a_deploy_that_is_killed_half_way_is_left_alone_while_it_runs_and_its_hang_is_healed_after_it
  a_deploy_whose_unhang_is_killed_half_way_is_left_alone_until_then_and_its_hang_is_healed_after_that
  a_service_whose_database_is_away_is_left_alone_and_so_is_the_database
  services_that_fail_at_once_are_one_incident_restarted_one_by_one_until_all_are_healed
  restarts_in_vain_of_services_that_failed_at_once_hold_the_next_one_however_the_clock_is_set
  a_reload_that_heals_leaves_the_life_of_the_service_as_it_is
  what_escalate_lists_is_done_once_each_and_then_a_person_is_needed
  a_pause_ends_when_it_was_meant_to_however_the_clock_is_set
  a_crash_is_not_healed_while_the_host_lacks_memory_and_is_healed_after_that
)
# Debian's packages that only this host has.
DATABASE=postgresql,python3-psycopg2

# ---------------------------------------------------------------- words

CONFIG=/etc/unhang/unhang.toml
# by_file: from now on the plan is what stands on stdin; its services log to $LOG.
by_file() {
  host exec sh -c 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod 644 "$1"' sh "$CONFIG"
  PLAN=(); by "${BY[@]}"
}
django_requires() { # django_requires LIST [LINE...]: the plan of one service, and what more there is
  local list=$1; shift
  by_file < <(printf '%s\n' '[service.roams-django]' 'name = "Django"' "url = \"$URL\"" "log_file = \"$LOG\"" \
    "requires = $list" "$@")
}
# Whatever the scenario before has left behind.
no_guards() {
  host exec sh -c 'pkill -KILL -x deploy; systemctl stop "roams@*.service" hog.service "$2"
    systemctl reset-failed "roams@*.service" hog.service "$2"; rm -rf "$1" /var/log/*-monitor.log' sh "${CONFIG%/*}" "$POSTGRES" 2>/dev/null \
    || true
}

# tells PATTERN...: the log's lines, without their times, are these, one by one.
tells() {
  local wanted line lines
  mapfile -t lines < <(log | sed -E 's/^[-0-9]+ [:0-9]+ - //')
  [ ${#lines[@]} = $# ] || fail "the log has ${#lines[@]} lines, not $#"
  for line in "${lines[@]}"; do
    wanted=$1; shift
    # shellcheck disable=SC2053
    [[ $line == $wanted ]] || fail "the log says \"$line\", not \"$wanted\""
  done
}

# ---------------------------------------------------------------- a deploy

# deploying: what is deployed does not answer, and the deploy goes on for ever; it is in the background now. Django had
# failed once before.
deploying() {
  no_guards; django_requires '[]'
  host exec sh -c 'printf "#!/bin/sh\ntouch /run/roams/hang.deployed\nwhile :; do sleep 1; done\n" >/usr/local/bin/deploy
    chmod 755 /usr/local/bin/deploy'
  hang; tick_exits 1
  host exec unhang paused roams-django --reason 'release 7' -- deploy >/dev/null 2>&1 & paused=$!
  until_true 10 host exec test -e /run/roams/hang.deployed
  for _ in 1 2 3; do tick_exits 1; done
  tells '⚠️ Django *Failure 1/2*' '⏸️ Django paused until *: by root, "release 7", while deploy runs' "$HELD_BY_DEPLOY"
  same_life
}
HELD_BY_DEPLOY='⏸️ Django not restarted (paused): paused by root, "release 7", while PID * runs; *'
# A full count, although it had failed before.
healed_after_a_full_count() {
  tick_exits 1; same_life
  tick_exits 0; lives_are 1; answers || fail "it does not answer after the restart"
}
COUNTED_ANEW=('⚠️ Django *Failure 2/2: *1 of 2 in a row' '⚠️ Django *Failure 3/2: *2 of 2 in a row' '🔄 Restarting Django *' '✅ Django restarted *')

a_deploy_that_is_killed_half_way_is_left_alone_while_it_runs_and_its_hang_is_healed_after_it() {
  local paused rc=0; deploying
  host exec pkill -KILL -x deploy
  wait "$paused" || rc=$?
  [ "$rc" = 137 ] || fail "unhang paused ends with $rc, not 137"
  healed_after_a_full_count
  tells '*Failure 1/2*' '⏸️ Django paused *' "$HELD_BY_DEPLOY" '▶️ Django resumed: deploy: killed by signal 9 after *' "${COUNTED_ANEW[@]}"
}

a_deploy_whose_unhang_is_killed_half_way_is_left_alone_until_then_and_its_hang_is_healed_after_that() {
  local paused; deploying
  host exec pkill -KILL -x unhang; wait "$paused" || true
  host exec pgrep -x deploy >/dev/null || fail "the deploy was killed too"
  healed_after_a_full_count
  tells '*Failure 1/2*' '⏸️ Django paused *' "$HELD_BY_DEPLOY" "${COUNTED_ANEW[@]}"
}

# ---------------------------------------------------------------- other means than a restart

climbing() { # climbing RUNGS: and one act follows upon the other without a wait
  no_guards; django_requires '[]' "escalate = $1" 'backoff = { first = "0s", max = "0s" }' 'verify = "1s"'
}

a_reload_that_heals_leaves_the_life_of_the_service_as_it_is() {
  override <<<$'[Service]\nExecReload=+/bin/rm -f /run/roams/hang'
  again
  climbing '["reload", "restart"]'
  hang; tick_exits 1
  tick_exits 0; same_life
  tells '*Failure 1/2*' '*Failure 2/2*' '🔄 Reloading Django service...' '✅ Django reloaded successfully: *'
  # What a reload does not heal, a restart may.
  override <<<$'[Service]\nExecReload=/bin/true'
  hang; tick_exits 1
  tick_exits 1; same_life
  tick_exits 1; tick_exits 0; lives_are 1
}

what_escalate_lists_is_done_once_each_and_then_a_person_is_needed() {
  # It has no ExecReload=. systemd is to start it again after a kill, too: neither start gets in the way of the other.
  override <<<$'[Service]\nRestart=always'
  again
  climbing '["reload", "restart", "kill", ["/usr/bin/touch", "/run/failed-over"]]'
  tick_exits 0; hang_for_ever
  for _ in 1 2 3 4 5 6 7 8 9 10; do tick_exits 1; done
  tells '*Failure 1/2*' \
    '*Failure 2/2*' '🔄 Restarting Django service...' '❌ Django restart failed *' '*Failure 3/2*' \
    '*Failure 4/2*' '🔄 Killing and restarting Django service...' '❌ Django kill and restart failed *' '*Failure 5/2*' \
    '*Failure 6/2*' '🔄 Running /usr/bin/touch for Django service...' '❌ Django command failed *' '*Failure 7/2*' \
    '*Failure 8/2*' '⏸️ Django not restarted (escalation_exhausted): *'
  host exec rm /run/failed-over || fail "the command was not run"
  until_true 10 active_state_is active
  unhang_for_ever; tick_exits 0
}

# ---------------------------------------------------------------- a database

POSTGRES=postgresql@15-main.service
# postgres_runs: the peer of a real one: a role and a database; asked without a password, by this host alone.
postgres_runs() {
  host exec sh -c 'cd /
    grep -q "^host roams" /etc/postgresql/*/main/pg_hba.conf \
      || sed -i "1i host roams roams 127.0.0.1/32 trust" /etc/postgresql/*/main/pg_hba.conf
    systemctl start "$1"
    as() { setpriv --reuid postgres --regid postgres --clear-groups psql -qXAtc "$1"; }
    [ "$(as "SELECT 1 FROM pg_roles WHERE rolname = \$\$roams\$\$")" = 1 ] || { as "CREATE ROLE roams LOGIN"; as "CREATE DATABASE roams OWNER roams"; }' \
    sh "$POSTGRES"
}
with_postgres() {
  postgres_runs
  override <<DROPIN
[Unit]
Wants=$POSTGRES
After=$POSTGRES
[Service]
Environment=ROAMS_DATABASE=roams
DROPIN
  again
}

a_service_whose_database_is_away_is_left_alone_and_so_is_the_database() {
  no_guards; with_postgres
  django_requires '["postgres"]' '[service.postgres]' 'url = "tcp:127.0.0.1:5432"' 'restart = []'
  tick_exits 0
  host exec systemctl stop "$POSTGRES"; away_and_back inactive
  # One that nobody stopped, and that a restart of Django would start.
  host exec systemctl kill -s KILL "$POSTGRES"; away_and_back failed
  hang; tick_exits 1; tick_exits 0; lives_are 1
}
away_and_back() { # away_and_back ACTIVE_STATE
  local began; began=$(property InactiveExitTimestampMonotonic "$POSTGRES")
  until_true 10 is_now "$1" "$POSTGRES"
  [ "$(host exec curl -s -o /dev/null -m 5 -w '%{http_code}' "$URL")" = 500 ] || fail "Django does without PostgreSQL"
  host exec rm -f "$LOG"
  for _ in 1 2 3 4; do tick_exits 1; done
  tells '⏸️ Django not restarted (upstream): it requires postgres, which fails its probe (refused)'
  same_life
  is_now "$1" "$POSTGRES" || fail "PostgreSQL is not $1 any more"
  [ "$(property InactiveExitTimestampMonotonic "$POSTGRES")" = "$began" ] || fail "PostgreSQL was started"
  host exec systemctl start "$POSTGRES"; until_true 10 answers
  tick_exits 0; has_logged '✅ Django recovered' || fail "no recovery told"
  same_life
}
is_now() { [ "$(property ActiveState "$2")" = "$1" ]; }

# ---------------------------------------------------------------- many at once

# three_roams [LINE...]: three instances of Django, each with a hang of its own; but wiki hangs when blog does, as if it
# waited for that. The lines are for [host].
three_roams() {
  local name port=8000
  host exec sh -c 'cd /run/systemd/system && mkdir -p roams@8003.service.d
    sed -e s/8000/%i/ -e "s/^RuntimeDirectory=.*/&-%i\nEnvironment=\"ROAMS_HANGS=\/run\/roams-%i\/hang \/srv\/roams\/hang\"/" "$1" >roams@.service
    printf "[Service]\nEnvironment=\"ROAMS_HANGS=/run/roams-8001/hang /srv/roams/hang\"\n" >roams@8003.service.d/hangs.conf
    systemctl daemon-reload; systemctl start roams@8001 roams@8002 roams@8003' sh "/usr/lib/systemd/system/$UNIT"
  by_file < <(printf '%s\n' '[host]' "$@"
    for name in blog shop wiki; do
      port=$((port + 1))
      printf '%s\n' "[service.$name]" "unit = \"roams@$port.service\"" "url = \"http://127.0.0.1:$port/health\"" "log_file = \"$LOG\""
    done)
  for port in 8001 8002 8003; do of_roams "$port" first_life_of "$port"; done
}
first_life_of() { settled; first[$1]=$first_life; }
# of_roams PORT CMD...: CMD is about that one.
of_roams() {
  local UNIT=roams@$1.service URL=http://127.0.0.1:$1/health first_life=${first[$1]-}
  "${@:2}"
}
roams_hang() { host exec touch /run/roams-8001/hang /run/roams-8002/hang; }
lives_of_roams() { # lives_of_roams N N N
  local port
  for port in 8001 8002 8003; do of_roams "$port" lives_are "$1"; shift; done
}
TOGETHER=(
  '⚠️ blog *Failure 1/2*' '⚠️ blog failed together with shop, wiki (3 of 3): all are instances of roams@'
  '⚠️ shop *Failure 1/2*' '⚠️ shop failed together with blog, wiki (3 of 3): all are instances of roams@'
  '⚠️ wiki *Failure 1/2*' '⚠️ wiki failed together with blog, shop (3 of 3): all are instances of roams@'
  '⚠️ blog *Failure 2/2*' '⚠️ shop *Failure 2/2*' '⚠️ wiki *Failure 2/2*'
)

services_that_fail_at_once_are_one_incident_restarted_one_by_one_until_all_are_healed() {
  local first=(); no_guards; three_roams
  roams_hang; tick_exits 1; tick_exits 0
  tells "${TOGETHER[@]}" '🔄 Restarting blog *' '✅ blog restarted *' '🔄 Restarting shop *' '✅ shop restarted *' \
    '✅ wiki recovered (was 2 failures): it answered just before the restart'
  lives_of_roams 1 1 0
  [ "$(property ActiveExitTimestampMonotonic roams@8002.service)" -gt "$(property ActiveEnterTimestampMonotonic roams@8001.service)" ] \
    || fail "shop was stopped before blog was up again"
}

restarts_in_vain_of_services_that_failed_at_once_hold_the_next_one_however_the_clock_is_set() {
  with_clocks
  local first=() ahead began; no_guards; three_roams 'budget = { restarts = 2, window = "1h" }'
  hang_for_ever; tick_exits 1
  began=$(now_ms); tick_exits 1 --verify 1s
  tells "${TOGETHER[@]}" '🔄 Restarting blog *' '❌ blog *' '🔄 Restarting shop *' '❌ shop *' "$HELD_TOGETHER"
  for ahead in $DAY -$DAY; do by_a_clock "$ahead"; tick_exits 1; done
  lives_of_roams 1 1 0
  # The one that was held is the next one, when it was meant to be: the others have their backoff.
  host exec sed -i 's/1h/20s/' "$CONFIG"
  until_true 30 restarted_by_that_clock wiki
  (($(now_ms) - began >= 20000)) || fail "held for $(($(now_ms) - began)) ms, not for 20 s"
  lives_of_roams 1 1 1
}
HELD_TOGETHER='⏸️ wiki not restarted (common_cause): it failed together with others, and restarting some of them did not help; *'
restarted_by_that_clock() { tick --verify 1s; has_logged "🔄 Restarting $1 "; }

# ---------------------------------------------------------------- a pause, and the clock

a_pause_ends_when_it_was_meant_to_however_the_clock_is_set() {
  with_clocks
  local ahead began n=0; no_guards; django_requires '[]'
  hang
  for ahead in $DAY -$DAY; do
    n=$((n + 1)); began=$(now_ms)
    host exec unhang pause roams-django --for 6s >/dev/null
    by_a_clock "$ahead"
    tick_exits 1; why_says 'held by: paused by root'; logged_times "$n" '⏸️ Django not restarted (paused)'
    until_true 12 counted_for_the_time "$n"
    (($(now_ms) - began >= 6000)) || fail "the pause of 6 s was over after $(($(now_ms) - began)) ms"
    by
  done
  same_life
}
counted_for_the_time() { tick; [ "$(logged Failure)" -ge "$1" ]; }

# ---------------------------------------------------------------- the host itself

# pressure_of_memory: the share of the last minute in which some task waited for memory, in hundredths of a percent: of the
# whole machine, as everything in /proc/pressure is.
pressure_of_memory() { host exec sed -nE 's/^some .*avg60=0*([0-9]*)\.([0-9]*) .*/\1\2/p' /proc/pressure/memory; }
under_pressure() { (($(pressure_of_memory) >= $1)); }
relieved() { (($(pressure_of_memory) < $1)); }

# hog: little memory, and many that want it: what the kernel remembers of files that are not there. It finds room again
# and again, and nobody is killed. Forked, since sixteen Pythons of their own would not fit.
hog() {
  host exec sh -c 'cat >/root/hog; exec systemd-run -q --unit=hog -p MemoryMax=64M -p RuntimeMaxSec=60 python3 /root/hog' <<'PY'
import itertools, os
for _ in range(15):
    if os.fork() == 0:
        break
for number in itertools.count():
    os.path.exists("/sys/devices/%s-%d-%d" % ("x" * 200, os.getpid(), number))
PY
}

# A crash, for it is told at once: what waits for memory changes from second to second.
a_crash_is_not_healed_while_the_host_lacks_memory_and_is_healed_after_that() {
  local most
  host exec cat /proc/pressure/memory >/dev/null 2>&1 || skip "the kernel does not count what tasks wait for"
  ! limited python3 -c 'b"x" * 50_000_000' || skip "MemoryMax does not hold here"
  no_guards; django_held_when 99; tick_exits 0
  host exec systemctl kill --kill-who=main -s KILL "$UNIT"; until_true 10 active_state_is failed
  tick_exits 1
  most=$(($(pressure_of_memory) / 100 + 3))
  hog; until_true 40 under_pressure $((most * 100))
  most=$(($(pressure_of_memory) / 100)); django_held_when "$most"
  tick_exits 1; tick_exits 1
  host exec systemctl kill -s KILL hog.service
  tells '*Failure 1/2*' '*Failure 2/2*' "⏸️ Django not restarted (host_pressure): *memory_some_avg60 is *%, hold_when says $most%*"
  same_life
  until_true 90 relieved $((most * 100))
  tick_exits 0; lives_are 1; logged_times 1 "$RESTARTED"
}
django_held_when() { # django_held_when PERCENT
  django_requires '[]' '[host]' "hold_when = { memory_some_avg60 = \"$1%\" }"
}
