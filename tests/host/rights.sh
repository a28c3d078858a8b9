# shellcheck shell=bash
# rights.sh - scenarios without root, behind Unix sockets, and for the log file. Sourced by scenarios.sh, whose words
# they use. Those without root have a host of their own, where the user unhang comes to be.
#
# What stands in single quotes is for the shell inside of the host; the scenarios are called by their names.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317

RIGHTS=(
  a_user_whom_polkit_lets_heals_a_hang_from_its_own_crontab
  the_polkit_rule_lets_a_user_restart_the_listed_unit_and_nothing_else
  without_leave_a_restart_is_told_once_and_not_counted_as_one
  on_a_host_without_polkit_a_restart_is_told_once_and_not_counted_as_one
  a_user_heals_a_hang_by_sudo_with_exact_words
  a_run_by_hand_in_a_login_session_and_one_of_cron_have_one_lock
  a_unit_of_the_users_own_is_healed_without_a_session_and_stays_stopped_when_somebody_stops_it
  what_root_watches_a_user_may_ask_about_and_is_told_what_it_may_not_do
  a_log_that_the_user_cannot_write_is_told_with_the_cure
  a_socket_that_the_user_may_not_open_is_told_with_the_right_that_is_missing
)
# As root.
FILES=(
  a_hang_behind_a_unix_socket_is_healed
  a_socket_that_is_gone_while_its_service_is_stopped_restarts_nothing
  a_log_that_was_rotated_goes_on_in_the_new_file
)

# ---------------------------------------------------------------- words

HOME_OF_USER=/home/unhang
UNHANG=/usr/local/bin/unhang   # which is not in cron's PATH
FORBIDDEN='⏸️ Django not restarted (not_permitted)'

# as USER PATH CMD...: with the environment that cron gives, and no login session.
as() {
  local user=$1 path=$2; shift 2
  host exec sh -c 'user=$1; shift; exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"' sh "$user" \
    env -i -C / HOME="/home/$user" LOGNAME="$user" SHELL=/bin/sh PATH="$path" LC_ALL=C "$@"
}
user() { as unhang /usr/bin:/bin "$@"; }

# without_root: from now on, ticks are those of the user unhang, with a plan, state and log of its own; nobody has
# given it leave to restart anything.
without_root() {
  no_leave
  host exec sh -c 'id -u unhang >/dev/null 2>&1 || adduser --quiet --system --group --shell /bin/sh --home "$1" unhang
    find "$1" -mindepth 1 -delete; test ! -e "/run/user/$(id -u unhang)"' sh "$HOME_OF_USER" || fail "there is a login session"
  LOG=$HOME_OF_USER/django.log STATE=$HOME_OF_USER/.local/state/unhang
  plan_of_the_user "http://127.0.0.1:8000/health"
  RUN=(user "$UNHANG" run)
}
no_leave() { # and polkit is there to be asked
  host exec sh -c 'rm -f /etc/polkit-1/rules.d/50-unhang.rules /etc/sudoers.d/unhang; rm -rf /etc/unhang /usr/local/libexec/unhang
    crontab -u unhang -r 2>/dev/null
    for f; do if [ -e "$f.away" ]; then mv "$f.away" "$f"; systemctl daemon-reload; systemctl reload -q dbus; fi; done' sh "${POLKIT[@]}"
}
plan() { # plan FILE OWNER URL LOG
  host exec sh -c 'mkdir -p "$(dirname "$1")" && cat >"$1" && chown -R "$2:" "$(dirname "$1")"' sh "$1" "$2" <<CONFIG
[service.roams-django]
name = "Django"
url = "$3"
log_file = "$4"
CONFIG
}
plan_of_the_user() { # plan_of_the_user URL
  plan "$HOME_OF_USER/.config/unhang/unhang.toml" unhang "$1" "$LOG"
}
leave_by_polkit() {
  host copy "$repo/contrib/polkit-1/rules.d/50-unhang.rules" /etc/polkit-1/rules.d/50-unhang.rules
  # polkit reads its rules anew when they change, in its own time.
  until_true 10 user /usr/bin/systemctl reset-failed -- "$UNIT" 2>/dev/null
}
refused() { # refused CMD...
  local said
  if said=$("$@" 2>&1); then fail "not refused: $*"; fi
  case $said in *'Interactive authentication required'*|*'Access denied'*|*'a password is required'*) ;; *) fail "$*: $said" ;; esac
}
says() { # says STATUS TEXT CMD...: exits with STATUS, and TEXT stands in what it says.
  local status=$1 text=$2 is=0; shift 2
  said=$("$@" 2>&1) || is=$?
  [ "$is" = "$status" ] || fail "$* exits $is, not $status: $said"
  case $said in *"$text"*) ;; *) fail "$* does not say \"$text\": $said" ;; esac
}

# ---------------------------------------------------------------- leave to restart

a_user_whom_polkit_lets_heals_a_hang_from_its_own_crontab() {
  without_root; leave_by_polkit
  by_cron unhang "$UNHANG run"
  hang; healed_by_cron
  host exec test -e "$STATE/roams-django.lock" || fail "no lock beside the state"
  host exec sh -c 'test ! -e /var/lib/unhang && test ! -e /run/unhang' || fail "something was kept where root keeps it"
}

the_polkit_rule_lets_a_user_restart_the_listed_unit_and_nothing_else() {
  without_root; leave_by_polkit
  user systemctl --no-ask-password restart "$UNIT"; settled
  local verb
  for verb in stop start try-restart reload-or-restart kill freeze mask disable; do
    refused user systemctl --no-ask-password "$verb" "$UNIT"
  done
  refused user systemctl --no-ask-password restart cron.service
  refused user systemctl --no-ask-password reset-failed
  refused user systemctl --no-ask-password daemon-reload
  refused as nobody /usr/bin:/bin systemctl --no-ask-password restart "$UNIT"
  is_state active; same_life
}

without_leave_a_restart_is_told_once_and_not_counted_as_one() {
  without_root
  hang
  for _ in 1 2 3 4; do tick_exits 1; done
  log_is "$FAILED_1" "$FAILED_2" "$FORBIDDEN"; same_life
  has_logged 'may not restart roams-django.service' || fail "the log does not say who may not what"
  says 0 'held by: not_permitted' user "$UNHANG" why
  says 0 '; 0 of 5 restarts' user "$UNHANG" why
  leave_by_polkit
  tick_exits 0; log_is "$FAILED_1" "$FAILED_2" "$FORBIDDEN" "$RESTARTING" "$RESTARTED"; lives_are 1
}

# systemd says it in other words then.
on_a_host_without_polkit_a_restart_is_told_once_and_not_counted_as_one() {
  without_root
  host exec sh -c 'systemctl stop polkit; for f; do mv "$f" "$f.away"; done; systemctl daemon-reload; systemctl reload -q dbus' sh "${POLKIT[@]}"
  hang
  for _ in 1 2 3; do tick_exits 1; done
  log_is "$FAILED_1" "$FAILED_2" "$FORBIDDEN"; same_life
  has_logged 'Access denied' || fail "the log does not say what systemd said"
  no_leave
}
POLKIT=(/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service /usr/lib/systemd/system/polkit.service)

a_user_heals_a_hang_by_sudo_with_exact_words() {
  without_root
  host copy "$repo/contrib/libexec/unhang/systemctl" /usr/local/libexec/unhang/systemctl
  host copy "$repo/contrib/sudoers.d/unhang" /root/sudoers
  local path=/usr/local/libexec/unhang:/usr/bin:/bin
  RUN=(as unhang "$path" "$UNHANG" run)
  hang
  for _ in 1 2 3; do tick_exits 1; done
  log_is "$FAILED_1" "$FAILED_2" "$FORBIDDEN"
  host exec sh -c 'visudo -cqf /root/sudoers && install -m 440 /root/sudoers /etc/sudoers.d/unhang'
  tick_exits 0; log_is "$FAILED_1" "$FAILED_2" "$FORBIDDEN" "$RESTARTING" "$RESTARTED"; lives_are 1
  settled
  refused user sudo -n systemctl stop "$UNIT"
  refused user sudo -n systemctl restart "$UNIT"
  refused user sudo -n systemctl --no-ask-password --job-mode=fail restart -- "$UNIT" cron.service
  refused user sudo -n systemctl --no-ask-password --job-mode=fail restart -- cron.service
  refused user sudo -n "$UNHANG" run
  same_life
}

# ---------------------------------------------------------------- places and what a user may see

# cron has no XDG_RUNTIME_DIR, and /run/user/UID is there while somebody is logged in only.
a_run_by_hand_in_a_login_session_and_one_of_cron_have_one_lock() {
  without_root
  hang; user env UNHANG_TIMEOUT=8s "$UNHANG" run --boot-grace 1s >/dev/null 2>&1 & local first=$!
  until_true 5 locked
  host exec sh -c 'install -d -o unhang -m 700 "/run/user/$(id -u unhang)"'
  local of_a_session; of_a_session=/run/user/$(host exec id -u unhang)
  says 75 '' user env XDG_RUNTIME_DIR="$of_a_session" "$UNHANG" run
  wait "$first" || true
  says 0 'last run' user env XDG_RUNTIME_DIR="$of_a_session" "$UNHANG" status
  host exec rm -r "$of_a_session"
}

# Its systemd runs without a session, by linger; as under cron, nobody says where.
a_unit_of_the_users_own_is_healed_without_a_session_and_stays_stopped_when_somebody_stops_it() {
  without_root
  local uid first_life; uid=$(host exec id -u unhang)
  host exec loginctl enable-linger unhang
  until_true 20 own_systemctl is-system-running >/dev/null
  host exec sh -c 'cat >/etc/systemd/user/own.service' <<'UNIT_FILE'
[Service]
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 8010
[Install]
WantedBy=default.target
UNIT_FILE
  host exec systemctl --global -q enable own
  own_systemctl daemon-reload; own_systemctl start own
  until_true 10 host exec curl -fs -o /dev/null http://127.0.0.1:8010/; sleep 1.2   # its grace
  printf '[service.own]\nurl = "http://127.0.0.1:8010/"\nscope = "user"\nlog_file = "%s"\n' "$LOG" \
    | user sh -c 'cat >"$HOME/.config/unhang/unhang.toml"'
  tick_exits 0; [ -z "$said" ] || fail "a healthy tick is not silent: $said"
  first_life=$(own_systemctl show -P InvocationID own)
  own_systemctl kill -s STOP own
  tick_exits 1; tick_exits 0
  log_is '⚠️ own health check failed (HTTP 000) - Failure 1/2' '⚠️ own health check failed (HTTP 000) - Failure 2/2' \
    '🔄 Restarting own service...' '✅ own restarted successfully'
  [ "$(own_systemctl show -P InvocationID own)" != "$first_life" ] || fail "the same life"
  own_systemctl stop own
  for _ in 1 2 3; do tick_exits 1; done
  logged_times 1 '⏸️ own not restarted (stopped)'
  [ "$(own_systemctl show -P ActiveState own)" = inactive ] || fail "it was started"
  # Without linger there is nobody to ask.
  host exec sh -c 'loginctl disable-linger unhang; systemctl stop "user@$1.service" "user-runtime-dir@$1.service"' sh "$uid"
  host exec rm "$LOG"
  tick_exits 1; logged_times 1 '❓ own not judged (unit_unknown): '; logged_times 0 Restarting
  host exec sh -c 'systemctl --global -q disable own; rm /etc/systemd/user/own.service'
}
own_systemctl() { user env XDG_RUNTIME_DIR="/run/user/$(host exec id -u unhang)" systemctl --user "$@"; }

locked() { host exec sh -c 'test -e "$1" && ! flock -n "$1" true' sh "$STATE/roams-django.lock"; }

what_root_watches_a_user_may_ask_about_and_is_told_what_it_may_not_do() {
  without_root
  host exec rm -r "$HOME_OF_USER/.config"
  plan /etc/unhang/unhang.toml root "$URL" /var/log/roams-django-monitor.log
  says 0 'not seen yet' user "$UNHANG" status
  says 3 'run it as root' user "$UNHANG" run
  host exec unhang run
  says 0 'healthy' user "$UNHANG" status
  says 0 'next restart' user "$UNHANG" why
  says 0 '/etc/unhang/unhang.toml:3' user "$UNHANG" config show
  says 0 'ok: 1 service' user "$UNHANG" config check
  says 0 'healthy (ok)' user "$UNHANG" run --dry-run
  says 0 'OK' user "$UNHANG" check
  says 3 'run it as root' user "$UNHANG" run
  says 3 'run it as root' user "$UNHANG" reset roams-django
  host exec chmod 600 /var/lib/unhang/roams-django.json
  says 0 'roams-django  not known' user "$UNHANG" status
  says 3 'Permission denied: run it as root' user "$UNHANG" run --dry-run
  host exec chmod 700 /var/lib/unhang
  says 0 'roams-django  not known' user "$UNHANG" status
  says 0 'run it as root' user "$UNHANG" status
  host exec chmod 600 /etc/unhang/unhang.toml
  says 2 'cannot be read: Permission denied (run it as root' user "$UNHANG" status
  host exec rm -r /etc/unhang /var/lib/unhang
}

a_log_that_the_user_cannot_write_is_told_with_the_cure() {
  without_root; leave_by_polkit
  LOG=/var/log/roams-django-monitor.log; plan_of_the_user "$URL"
  hang; tick_exits 1
  case $said in *"cannot write the log $LOG: Permission denied (set log_file to a file in a folder of your own)"*) ;; *) fail "$said" ;; esac
  tick_exits 0; [ -z "$said" ] || fail "told again: $said"
  lives_are 1
  # A home that is nowhere, as system users have it: no place for the state.
  says 3 '--state-dir' user env HOME=/nonexistent "$UNHANG" run --unit "$UNIT" --url "$URL"
}

# ---------------------------------------------------------------- behind a Unix socket

SOCKET=/run/roams/gunicorn.sock
# at_a_socket [LINE...]: gunicorn there, with more lines for [Service]; root's plan asks it.
at_a_socket() {
  override <<DROPIN
[Service]
ExecStart=
ExecStart=/usr/bin/gunicorn --bind unix:$SOCKET --workers 1 --timeout 0 --graceful-timeout 2 ${umask:+--umask "$umask"} roams.wsgi
$(printf '%s\n' "$@")
DROPIN
  URL=unix:$SOCKET:/health/
  answers() { host exec curl -fs -o /dev/null -m 1 --unix-socket "$SOCKET" http://localhost/health/; }
  again
  plan /etc/unhang/unhang.toml root "$URL" "$LOG"
  RUN=(host exec unhang run)
}

a_hang_behind_a_unix_socket_is_healed() {
  no_leave; at_a_socket
  tick_exits 0
  hang; healed_on_the_second_failed_tick
  tick_exits 0; [ -z "$said" ] || fail "a healthy tick is not silent"
  no_leave
}

a_socket_that_is_gone_while_its_service_is_stopped_restarts_nothing() {
  no_leave; at_a_socket
  hang; tick_exits 1
  host exec systemctl stop "$UNIT"
  if host exec test -e "$SOCKET"; then fail "the socket is still there"; fi
  held_for stopped
  says 0 'no_socket' host exec unhang status
  same_life
  no_leave
}

a_socket_that_the_user_may_not_open_is_told_with_the_right_that_is_missing() {
  without_root; leave_by_polkit
  local log=$LOG uid; uid=$(host exec id -u unhang)
  at_a_socket RuntimeDirectoryMode=0700; LOG=$log; plan_of_the_user "$URL"; RUN=(user "$UNHANG" run)
  tick_exits 1; tick_exits 1
  log_is "❓ Django not judged (unknown)"
  has_logged "not permitted to connect to $SOCKET: user $uid lacks search permission (x) on /run/roams" || fail "$(log)"
  umask=0077 at_a_socket DynamicUser=no User=www-data; LOG=$log; RUN=(user "$UNHANG" run)
  host exec rm -r "$STATE"
  tick_exits 1
  has_logged "not permitted to connect to $SOCKET: user $uid lacks write permission on it" || fail "$(log)"
  logged_times 0 Failure; same_life
  # The group may, and the user comes to be of it.
  umask=0007 at_a_socket DynamicUser=no User=www-data; LOG=$log; RUN=(user "$UNHANG" run)
  host exec adduser --quiet unhang www-data
  tick_exits 0
  host exec deluser --quiet unhang www-data
  no_leave
}

# ---------------------------------------------------------------- the log file

a_log_that_was_rotated_goes_on_in_the_new_file() {
  host copy "$repo/contrib/logrotate.d/unhang" /etc/logrotate.d/unhang
  hang; tick_exits 1; log_is "$FAILED_1"
  host exec sh -c 'chmod 644 /etc/logrotate.d/unhang; logrotate -f /etc/logrotate.d/unhang'
  log_is ''; host exec grep -qF 'Failure 1/2' "$LOG.1" || fail "the old line is not in $LOG.1"
  tick_exits 0; log_is "$FAILED_2" "$RESTARTING" "$RESTARTED"
  host exec rm -f "$LOG.1" /etc/logrotate.d/unhang
}
