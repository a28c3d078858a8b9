#!/bin/sh
# Takes the place of monitor_django.sh: copy it over the old file. The crontab line and the log stay as they are.
# README.md says what it does differently, and the way back.

LOG_FILE="/var/log/roams-django-monitor.log"
MAX_FAILURES=2
# Ignored, and safe to remove: anybody may write to /tmp. The count is kept in /var/lib/unhang.
# shellcheck disable=SC2034
FAILURE_COUNT_FILE="/tmp/django_health_failures"

# cron's PATH is /usr/bin:/bin.
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export PATH

if ! command -v unhang >/dev/null; then
    echo "$0: unhang is not installed in $PATH; nothing was probed" >&2
    exit 127
fi

# `monitor_django.sh status` and the other commands know these settings too.
[ $# -gt 0 ] || set -- run
exec unhang "$@" --name Django --unit roams-django.service --url http://localhost:8000/health/ \
    --max-failures "$MAX_FAILURES" --log-file "$LOG_FILE"
