#!/usr/bin/env bash
# record.sh - what `systemctl show` and `systemctl restart` really say in each state that unhang tells apart.
# Makes every state on a booted host and writes recorded/STATE.txt: the fixtures of the parser's tests.
#
#   only-v2 sh -c 'host.sh boot && record.sh; host.sh down'     (v2: with v1 nothing can be frozen)
#
# Runs itself a second time inside of the host (`record.sh inside`), where it makes units and states.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# The question unhang asks, as it asks it.
PROPS=Id,Names,LoadState,ActiveState,SubState,Result,UnitFileState,CanStart,Job,InvocationID,NRestarts,FreezerState
PROPS+=,Type,RemainAfterExit,ConditionResult,ConditionTimestampMonotonic,InactiveExitTimestampMonotonic
PROPS+=,ActiveEnterTimestampMonotonic,ActiveExitTimestampMonotonic,ExecMainExitTimestampMonotonic
PROPS+=,RuntimeMaxUSec,TimeoutStartUSec,TimeoutStopUSec,Wants,Requires,Requisite,BindsTo,Conflicts,ConflictedBy

OUT=/var/tmp/recorded
UNITS=/usr/lib/systemd/system   # not /etc: a unit file there cannot be masked

# show STATE UNIT...: records the answer; an exit status other than 0 and stderr go to commands.md.
show() {
  local state=$1 rc=0; shift
  systemctl show -p "$PROPS" -- "$@" >"$OUT/$state.txt" 2>"$OUT/stderr" || rc=$?
  if [ "$rc" != 0 ] || [ -s "$OUT/stderr" ]; then note "show: $state" "$rc" "$OUT/stderr"; fi
  rm "$OUT/stderr"
}

# note TITLE STATUS STDERR_FILE
note() {
  { printf '\n### %s\n\nexit status %s, stderr%s\n' "$1" "$2" "$([ -s "$3" ] && echo ':' || echo ' empty')"
    [ ! -s "$3" ] || sed 's/^/    /; 1s/^/\n/' "$3"; } >>"$OUT/commands.md"
}

# tried TITLE CMD...: runs CMD and notes its end.
tried() {
  local title=$1 rc=0; shift
  "$@" >"$OUT/tried" 2>&1 || rc=$?
  note "$title" "$rc" "$OUT/tried"; rm "$OUT/tried"
}

# unit NAME [LINE...]: a service (or whatever its suffix says) with these lines in its own section.
unit() {
  local name=$1 section; shift
  section=$(case $name in *.socket) echo Socket ;; *) echo Service ;; esac)
  { echo "[Unit]"; printf '%s\n' "$@" | grep -E "$UNIT_KEYS" || true
    echo "[$section]"; printf '%s\n' "$@" | grep -vE "$UNIT_KEYS|^WantedBy=|^Alias=" || true
    echo "[Install]"; printf '%s\n' "$@" | grep -E '^WantedBy=|^Alias=' || echo WantedBy=multi-user.target
  } >"$UNITS/$name"
}
UNIT_KEYS='^(Condition[A-Za-z]*|Wants|Requires|Requisite|BindsTo|Conflicts|After|StartLimit[A-Za-z]*)='

until_is() { # until_is UNIT PROPERTY VALUE
  for _ in $(seq 200); do
    [ "$(systemctl show -P "$2" -- "$1")" != "$3" ] || return 0
    sleep 0.05
  done
  echo "record: $1: $2 never became $3" >&2; systemctl status --no-pager -- "$1" >&2 || true; exit 1
}
# A shell must have set its trap before it is stopped: SIGTERM (bit 14) is ignored or caught.
until_trapped() {
  local unit
  for unit; do
    for _ in $(seq 200); do
      if traps_term "$(systemctl show -P MainPID -- "$unit")"; then continue 2; fi
      sleep 0.05
    done
    echo "record: $unit: never set its trap" >&2; exit 1
  done
}
traps_term() {
  local mask
  while read -r mask; do
    if (((0x$mask >> 14) & 1)); then return; fi
  done < <(sed -nE 's/^Sig(Ign|Cgt):\t//p' "/proc/$1/status")
  return 1
}
quietly() { "$@" >/dev/null 2>&1 || true; }

# A Type=notify service that gets ready, unless a file says otherwise.
notify_program() {
  cat >/usr/local/bin/notifier <<'SH'
#!/bin/bash
# Reads /run/notifier: "" = ready at once; "wait" = never ready; "exit N"; "deaf" = never ready, ignores SIGTERM.
# (exec keeps it the main process; systemd-notify needs NotifyAccess=all.)
case $(cat /run/notifier 2>/dev/null) in
  wait) exec sleep infinity ;;
  exit*) exit "$(cut -d' ' -f2 /run/notifier)" ;;
  deaf) trap '' TERM; while :; do sleep 0.2; done ;;
  bad) trap 'exit 1' TERM; while :; do sleep 0.1; done ;;
  *) systemd-notify --ready; trap 'exit 0' TERM; while :; do sleep 0.1; done ;;
esac
SH
  chmod 755 /usr/local/bin/notifier
}

plain_states() {
  unit plain.service ExecStart='/bin/sleep infinity'
  unit enabled.service ExecStart='/bin/sleep infinity' WantedBy=multi-user.target Alias=other.service
  unit exit1.service "ExecStart=/bin/bash -c 'trap \"exit 1\" TERM; while :; do sleep 0.1; done'"
  unit stuck.service "ExecStart=/bin/bash -c 'trap \"\" TERM; while :; do sleep 0.1; done'" TimeoutStopSec=1
  systemctl daemon-reload; quietly systemctl enable enabled
  show never-started plain.service
  show never-started-enabled enabled.service
  systemctl start plain enabled exit1 stuck
  until_trapped exit1 stuck
  show running plain.service
  show running-enabled-alias other.service
  systemctl stop enabled exit1 stuck
  show stopped enabled.service
  show stopped-exit-code exit1.service
  show stopped-timeout stuck.service
  quietly systemctl reset-failed stuck
  show stopped-timeout-reset-failed stuck.service
  systemctl stop plain
  show stopped-disabled plain.service   # disabled and inactive: systemd forgets every stamp
  systemctl start enabled; systemctl kill -s TERM enabled; until_is enabled.service ActiveState inactive
  show killed-term enabled.service      # kill(1): SIGTERM counts as a clean end
  show not-found nosuch.service
}

hung_states() {
  # The real thing: gunicorn with a stuck worker, then stopped by a person.
  systemctl start roams-django
  show running-gunicorn roams-django.service
  systemctl kill -s STOP roams-django
  show hung-sigstop roams-django.service
  systemctl stop roams-django
  show hung-stopped roams-django.service
  systemctl reset-failed roams-django; systemctl start roams-django
  touch /run/roams/hang; curl -s -m 0.5 http://127.0.0.1:8000/health >/dev/null || true
  show hung-flag roams-django.service
  systemctl stop roams-django
  show hung-flag-stopped roams-django.service
  # As before, but systemd loses patience before gunicorn does: the usual end of a hung service.
  mkdir -p /run/systemd/system/roams-django.service.d
  printf '[Service]\nTimeoutStopSec=1\n' >/run/systemd/system/roams-django.service.d/stop.conf
  systemctl daemon-reload; systemctl start roams-django
  touch /run/roams/hang; curl -s -m 0.5 http://127.0.0.1:8000/health >/dev/null || true
  systemctl stop roams-django
  show hung-flag-stopped-timeout roams-django.service
  rm -r /run/systemd/system/roams-django.service.d; systemctl daemon-reload
  quietly systemctl reset-failed roams-django
}

end_states() {
  unit crash.service "ExecStart=/bin/sh -c 'sleep 0.2; exit 3'"
  unit crash2.service "ExecStart=/bin/sh -c 'sleep 0.2; exit 3'"
  unit slowpost.service "ExecStart=/bin/sh -c 'sleep 0.2; exit 3'" ExecStopPost='/bin/sleep 1'
  unit end0.service "ExecStart=/bin/sh -c 'sleep 0.2'"
  unit end0enabled.service "ExecStart=/bin/sh -c 'sleep 0.2'"
  unit longlife.service ExecStart='/bin/sleep infinity' RuntimeMaxSec=1
  unit autorestart.service "ExecStart=/bin/sh -c 'sleep 0.2; exit 1'" Restart=always RestartSec=1h
  unit autorestart2.service "ExecStart=/bin/sh -c 'sleep 0.2; exit 1'" Restart=always RestartSec=1h
  unit pre.service "ExecStartPre=/bin/sh -c 'test ! -e /run/pre-fails'" ExecStart='/bin/sleep infinity'
  unit loop.service "ExecStart=/bin/sh -c 'sleep 0.1; exit 1'" Restart=always RestartSec=100ms StartLimitBurst=3 StartLimitIntervalSec=1h
  unit limit.service ExecStart='/bin/sleep infinity' StartLimitBurst=3 StartLimitIntervalSec=1h
  systemctl daemon-reload; quietly systemctl enable end0enabled crash slowpost autorestart2 loop limit pre
  systemctl start crash crash2 slowpost autorestart2 end0 end0enabled longlife autorestart loop
  until_is crash.service ActiveState failed; show crashed crash.service
  until_is crash2.service ActiveState failed; show crashed-disabled crash2.service
  until_is slowpost.service SubState stop-post; show crashed-deactivating slowpost.service
  until_is slowpost.service ActiveState failed; show crashed-after-stop-post slowpost.service
  until_is end0.service ActiveState inactive; show exited-disabled end0.service
  until_is end0enabled.service ActiveState inactive; show exited end0enabled.service
  until_is longlife.service ActiveState failed; show runtime-max longlife.service
  until_is autorestart.service SubState auto-restart; show auto-restart autorestart.service
  systemctl stop autorestart; show auto-restart-stopped-disabled autorestart.service
  until_is autorestart2.service SubState auto-restart
  systemctl stop autorestart2; show auto-restart-stopped autorestart2.service
  until_is loop.service ActiveState failed; show start-limit-crash-loop loop.service
  tried "restart: crash loop at its start limit" systemctl --no-ask-password --job-mode=fail restart -- loop.service
  show start-limit-crash-loop-restarted loop.service
  systemctl start plain; systemctl kill -s KILL plain; until_is plain.service ActiveState failed; show crashed-sigkill plain.service
  systemctl reset-failed plain
  systemctl start limit; systemctl restart limit; systemctl restart limit
  show start-limit-spent-active limit.service
  tried "restart: active, but its start limit is spent" systemctl --no-ask-password --job-mode=fail restart -- limit.service
  show start-limit-hit limit.service
  touch /run/pre-fails; quietly systemctl start pre; show execstartpre-failed-first pre.service
  rm /run/pre-fails; systemctl start pre; touch /run/pre-fails
  tried "restart: ExecStartPre fails" systemctl --no-ask-password --job-mode=fail restart -- pre.service
  show execstartpre-failed pre.service
}

start_states() {
  unit notify.service Type=notify NotifyAccess=all ExecStart=/usr/local/bin/notifier TimeoutStartSec=1 TimeoutStopSec=1
  unit slow.service Type=notify NotifyAccess=all ExecStart=/usr/local/bin/notifier TimeoutStopSec=1
  unit slow2.service Type=notify NotifyAccess=all ExecStart=/usr/local/bin/notifier TimeoutStopSec=1
  unit slow3.service Type=notify NotifyAccess=all ExecStart=/usr/local/bin/notifier TimeoutStopSec=1
  unit waiting.service ExecStart='/bin/sleep infinity' After=slow.service
  systemctl daemon-reload; quietly systemctl enable notify slow slow2 slow3 waiting

  echo wait >/run/notifier; quietly systemctl start notify; show start-timeout-first notify.service
  systemctl reset-failed notify
  : >/run/notifier; systemctl start notify; echo wait >/run/notifier
  tried "restart: start times out" systemctl --no-ask-password --job-mode=fail restart -- notify.service
  show start-timeout notify.service
  : >/run/notifier; systemctl start notify; echo exit 1 >/run/notifier
  tried "restart: main process exits 1 while starting" systemctl --no-ask-password --job-mode=fail restart -- notify.service
  show start-exit-1 notify.service
  systemctl reset-failed notify; : >/run/notifier; systemctl start notify; echo exit 0 >/run/notifier
  tried "restart: main process exits 0 while starting" systemctl --no-ask-password --job-mode=fail restart -- notify.service
  show start-exit-0 notify.service

  # Starting, with and without an earlier life, and stopped by a person meanwhile.
  echo wait >/run/notifier; systemctl start --no-block slow; until_is slow.service ActiveState activating
  show activating-first slow.service
  systemctl start --no-block waiting; show waiting-for-dependency waiting.service; systemctl stop waiting
  systemctl stop slow; show starting-stopped-first slow.service
  echo bad >/run/notifier; systemctl start --no-block slow2; until_is slow2.service ActiveState activating
  until_trapped slow2; systemctl stop slow2; show starting-stopped-first-exit-code slow2.service
  echo deaf >/run/notifier; systemctl start --no-block slow3; until_is slow3.service ActiveState activating
  until_trapped slow3; systemctl stop slow3; show starting-stopped-first-timeout slow3.service
  systemctl reset-failed slow2 slow3

  : >/run/notifier; systemctl start slow slow2 slow3
  echo wait >/run/notifier; systemctl restart --no-block slow; until_is slow.service ActiveState activating
  show activating slow.service
  systemctl stop slow; show starting-stopped slow.service
  echo bad >/run/notifier; systemctl restart --no-block slow2; until_is slow2.service ActiveState activating
  until_trapped slow2; systemctl stop slow2; show starting-stopped-exit-code slow2.service
  echo deaf >/run/notifier; systemctl restart --no-block slow3; until_is slow3.service ActiveState activating
  until_trapped slow3; systemctl stop slow3; show starting-stopped-timeout slow3.service
}

job_states() {
  unit busy.service "ExecStart=/bin/bash -c 'trap \"\" TERM; while :; do sleep 0.1; done'" TimeoutStopSec=3
  unit reload.service ExecStart='/bin/sleep infinity' ExecReload='/bin/sleep 2'
  systemctl daemon-reload; systemctl start reload
  systemctl reload --no-block reload; until_is reload.service ActiveState reloading; show reloading reload.service
  quietly systemctl stop reload

  systemctl start busy; until_trapped busy; systemctl stop --no-block busy; until_is busy.service ActiveState deactivating
  show deactivating-stop busy.service
  tried "restart --job-mode=fail: a person's stop job is running" systemctl --no-ask-password --job-mode=fail restart -- busy.service
  until_is busy.service ActiveState failed; show deactivating-stop-ended busy.service

  systemctl reset-failed busy; systemctl start busy; until_trapped busy
  systemctl --no-ask-password --job-mode=fail restart -- busy.service >"$OUT/out" 2>&1 & local p=$! rc=0
  until_is busy.service ActiveState deactivating; show deactivating-restart busy.service
  systemctl stop --no-block busy; wait "$p" || rc=$?
  note "restart --job-mode=fail: canceled by a person's stop meanwhile" "$rc" "$OUT/out"
  until_is busy.service ActiveState failed; show restart-canceled-by-stop busy.service
  systemctl reset-failed busy; systemctl start busy; until_trapped busy
  systemctl --no-ask-password --job-mode=fail restart -- busy.service >"$OUT/out" 2>&1 & p=$! rc=0
  until_is busy.service ActiveState deactivating
  tried "restart --job-mode=fail: a restart job is running already" systemctl --no-ask-password --job-mode=fail restart -- busy.service
  wait "$p" || true; rm "$OUT/out"; quietly systemctl kill -s KILL busy
}

load_states() {
  unit masked.service ExecStart='/bin/sleep infinity'
  unit masked2.service ExecStart='/bin/sleep infinity'
  unit gone.service ExecStart='/bin/sleep infinity'
  unit bad.service ExecStart='/bin/sleep infinity'
  unit cond.service ExecStart='/bin/sleep infinity' ConditionPathExists=/run/condition
  unit cond2.service ExecStart='/bin/sleep infinity' ConditionPathExists=/run/condition
  systemctl daemon-reload; quietly systemctl enable cond cond2 masked
  systemctl start masked masked2 gone bad
  quietly systemctl mask masked; show masked-running masked.service
  tried "restart: masked (running)" systemctl --no-ask-password --job-mode=fail restart -- masked.service
  quietly systemctl stop masked; show masked-stopped masked.service
  rm "$UNITS/gone.service"; echo "[Service]" >"$UNITS/bad.service"; systemctl daemon-reload
  show file-gone-running gone.service; show bad-setting-running bad.service
  tried "restart: unit file gone (running)" systemctl --no-ask-password --job-mode=fail restart -- gone.service
  tried "restart: bad setting in the unit file (running)" systemctl --no-ask-password --job-mode=fail restart -- bad.service
  tried "restart: no such unit" systemctl --no-ask-password --job-mode=fail restart -- nosuch.service
  tried "reset-failed: no such unit" systemctl reset-failed -- nosuch.service
  systemctl start cond; show condition-not-met cond.service
  touch /run/condition; systemctl start cond2; rm /run/condition
  tried "restart: condition no longer met" systemctl --no-ask-password --job-mode=fail restart -- cond2.service
  show condition-not-met-after-life cond2.service
  tried "restart: SYSTEMD_OFFLINE=1 in the environment" env SYSTEMD_OFFLINE=1 systemctl --no-ask-password --job-mode=fail restart -- nosuch.service
}

other_states() {
  unit sock.socket ListenStream=/run/sock.test
  unit sock.service ExecStart=/usr/local/bin/accepts
  unit deafsock.socket ListenStream=/run/deafsock.test
  unit deafsock.service ExecStart='/bin/sleep infinity'
  cat >/usr/local/bin/accepts <<'PY'
#!/usr/bin/python3
import socket
s = socket.socket(fileno=3)
while True: s.accept()
PY
  chmod 755 /usr/local/bin/accepts
  unit upper.service ExecStart='/bin/sleep infinity' Wants=lower.service Requires=lowest.service After=lower.service
  unit lower.service ExecStart='/bin/sleep infinity'
  unit lowest.service ExecStart='/bin/sleep infinity'
  unit rival.service ExecStart='/bin/sleep infinity' Conflicts=plain.service
  unit broken.service ExecStart=/bin/false Type=oneshot
  unit orphan.service ExecStart='/bin/sleep infinity' Requires=broken.service After=broken.service
  unit once.service Type=oneshot ExecStart=/bin/true
  unit remain.service Type=oneshot RemainAfterExit=yes ExecStart=/bin/true
  unit template@.service ExecStart='/bin/sleep infinity'
  systemctl daemon-reload; quietly systemctl enable lower orphan
  systemctl start sock.socket deafsock.socket; show socket-listening sock.service
  python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect("/run/sock.test"); s.close()'
  until_is sock.service ActiveState active; show socket-activated sock.service
  quietly systemctl stop sock.service; show socket-service-stopped sock.service
  # A hung one leaves connections waiting: the stop starts it again at once.
  python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect("/run/deafsock.test")'
  until_is deafsock.service ActiveState active; until_is deafsock.service SubState running
  quietly systemctl stop deafsock.service; until_is deafsock.service ActiveState active; show socket-service-stopped-hung deafsock.service
  systemctl start upper; systemctl stop lower; show wants-and-requires upper.service
  show batch-upper-and-below upper.service lower.service lowest.service
  systemctl start rival; show conflicts rival.service; show conflicted plain.service
  tried "restart: a unit it Requires= fails to start" systemctl --no-ask-password --job-mode=fail restart -- orphan.service
  show dependency-failed orphan.service; show batch-dependency-failed orphan.service broken.service
  systemctl start once remain; show oneshot-done once.service; show oneshot-remain remain.service
  systemctl start template@1; show instance template@1.service
  systemctl start plain enabled
  show batch plain.service nosuch.service enabled.service shutdown.target
  show batch-twice plain.service plain.service other.service enabled.service
  show batch-template-in-it plain.service template@.service enabled.service
  systemctl freeze plain; show frozen plain.service
  (sleep 2; systemctl thaw plain) & tried "restart: frozen, thawed 2 s later" systemctl --no-ask-password --job-mode=fail restart -- plain.service
  show frozen-restarted plain.service; wait
}

inside() {
  rm -rf "$OUT"; mkdir -p "$OUT"; notify_program
  plain_states; hung_states; end_states; start_states; job_states; load_states; other_states
}

if [ "${1-}" = inside ]; then inside; exit; fi
# shellcheck source=tests/host/app.sh
. "$here/app.sh"
host() { "$here/host.sh" "$@"; }
install_app
host copy "$0" /var/tmp/record.sh
host exec bash /var/tmp/record.sh inside
rm -f "$here"/recorded/*.txt
host exec tar -C "$OUT" -cf - . | tar -C "$here/recorded" --no-same-owner -xf -
# What a machine says that was not booted with systemd, if this one is such.
if [ ! -d /run/systemd/system ]; then
  OUT=$(mktemp -d)
  tried "show: not booted with systemd" systemctl show -p "$PROPS" -- roams-django.service
  tried "restart: not booted with systemd" systemctl --no-ask-password --job-mode=fail restart -- roams-django.service
  tried "show: SYSTEMD_OFFLINE=1" env SYSTEMD_OFFLINE=1 systemctl show -p "$PROPS" -- roams-django.service
  cat "$OUT/commands.md" >>"$here/recorded/commands.md"; rm -r "$OUT"
fi
