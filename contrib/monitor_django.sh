#!/bin/sh
# Takes the place of monitor_django.sh: copy it over the old file. The crontab line and the log stay as they are.
# unhang(8) lists the differences and the way back: COMING FROM monitor_django.sh.

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

# As variables, so that every command knows these settings, also `monitor_django.sh paused NAME -- ./deploy.sh`: flags
# behind the -- would be the deploy script's. A flag that is typed wins over its variable.
export UNHANG_NAME="Django"
export UNHANG_UNIT="roams-django.service"
export UNHANG_URL="http://localhost:8000/health/"
export UNHANG_MAX_FAILURES="$MAX_FAILURES"
export UNHANG_LOG_FILE="$LOG_FILE"

[ $# -gt 0 ] || set -- run
exec unhang "$@"
