# shellcheck shell=bash
# examples.sh - scenarios of the configurations in contrib/examples, each as it is, beside the processes that it is about:
# Django on gunicorn and uvicorn, nginx, PostgreSQL. Sourced by scenarios.sh, whose words they use, as those of guards.sh;
# they have a host of their own. The other examples are in tests/services.
#
# What stands in single quotes is for the shell inside of the host; the scenarios are called by their names.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317

EXAMPLES=(
  the_example_of_roams_heals_a_hang_and_names_a_database_that_is_away
  the_example_of_whit_takes_no_start_for_good_that_dies_eight_seconds_later
  the_example_of_telegram_bot_restarts_the_one_part_that_fails
)
# Debian's packages besides those of guards.sh, whose host has them too: so there is one tarball.
EXAMPLES_NEED=nginx,uvicorn

# ---------------------------------------------------------------- words

# example NAME LOG: the plan is that file from now on, as it is; its service logs to LOG.
example() {
  LOG=/var/log/$2-monitor.log
  by_file <"$repo/contrib/examples/$1.toml"
  host exec unhang config check >/dev/null || fail "config check refuses the example of $1"
}
# in_log NAME CMD...: CMD is about the log of another service.
in_log() { local LOG=/var/log/$1-monitor.log; "${@:2}"; }

# install_systems: a Django project that has the health endpoints of them all. An instance hangs while $RUN/hang is there,
# which a restart takes away, and answers what $RUN/says holds (the status of HTTP, then the body), if that is there.
install_systems() {
  local app; app=$(mktemp -d); chmod 755 "$app"
  mkdir "$app/systems"; touch "$app/systems/__init__.py"
  cat >"$app/systems/settings.py" <<'PY'
import os
SECRET_KEY = "test only, and as long as a check of it wants it to be: 0123456789abcdefghijklmnopqrstuvwxyz"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "systems.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
SECURE_SSL_REDIRECT = "SSL_REDIRECT" in os.environ
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "USER": "roams", "NAME": "roams"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PY
  cat >"$app/systems/urls.py" <<'PY'
import os, time
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.urls import path

RUN = os.environ.get("RUN", "/nowhere")

def database():
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return {"status": "ok", "latency_ms": round((time.monotonic() - began) * 1000, 2)}
    except Exception:
        return {"status": "error", "latency_ms": None}

def answer(body, status=200):
    while os.path.exists(RUN + "/hang"):
        time.sleep(1)
    try:
        with open(RUN + "/says") as file:
            status, text = file.read().split(" ", 1)
        return HttpResponse(text, status=int(status), content_type="application/json")
    except FileNotFoundError:
        return JsonResponse(body, status=status)

def health(request):
    return answer({"status": "healthy", "service": os.path.basename(RUN)})

def detailed(request):
    told = database()
    good = told["status"] == "ok"
    return answer({"status": "healthy" if good else "degraded", "checks": {"database": told}}, 200 if good else 503)

def api_health(request):
    return answer({"status": "healthy", "database": "connected", "debug": False, "version": "1.0.0"})

urlpatterns = [path("health/", health), path("health", health), path("health/detailed/", detailed), path("api/health/", api_health),
               path("api/health", api_health)]
PY
  local kind
  for kind in wsgi asgi; do
    printf 'import os\nfrom django.core.%s import get_%s_application\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "systems.settings")\napplication = get_%s_application()\n' \
      "$kind" "$kind" "$kind" >"$app/systems/$kind.py"
  done
  printf '%s\n' 'import os, sys' 'from django.core.management import execute_from_command_line' \
    'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "systems.settings")' 'execute_from_command_line(sys.argv)' >"$app/manage.py"
  host copy "$app" /srv/systems; rm -rf "$app"
}

# Whatever the scenario before has left behind.
no_examples() {
  no_guards
  host exec sh -c 'cd /run/systemd/system && systemctl stop whit mongod "telegram-*" roams-opcua editor nginx
    rm -f whit.service mongod.service telegram-*.service roams-opcua.service; systemctl daemon-reload
    systemctl reset-failed' 2>/dev/null || true
}

# unit_of NAME COMMAND [LINE...]: a service of the host, whose RuntimeDirectory has its name; and it runs.
unit_of() {
  local name=$1 command=$2; shift 2
  host exec sh -c 'cat >"/run/systemd/system/$1.service"' sh "$name" < <(printf '%s\n' '[Service]' "ExecStart=$command" \
    'WorkingDirectory=/srv/systems' "RuntimeDirectory=$name" "Environment=RUN=/run/$name PYTHONUNBUFFERED=1" 'TimeoutStopSec=2' "$@")
  host exec systemctl daemon-reload; host exec systemctl start "$name"
}
gunicorn_at() { echo "/usr/bin/gunicorn --bind 127.0.0.1:$1 --workers 2 --timeout 0 --graceful-timeout 1 systems.wsgi"; }
uvicorn_at() { echo "/usr/bin/uvicorn --host 127.0.0.1 --port $1 --log-level warning systems.asgi:application"; }
reached() { host exec curl -fs -o /dev/null -m 2 "$@"; }
hangs() { host exec touch "/run/$1/hang"; }                                  # hangs NAME
told_to_say() { host exec sh -c 'echo "$2" >"/run/$1/says"' sh "$1" "$2"; }          # told_to_say NAME STATUS_AND_BODY
says_as_ever() { host exec rm "/run/$1/says"; }

# begun NAME...: notes the lives of these units; lived NAME...: and they are the same ones.
declare -A begun=()
begun() { local name; for name; do begun[$name]=$(property InvocationID "$name"); done; }
lived() {
  local name
  for name; do [ "$(property InvocationID "$name")" = "${begun[$name]}" ] || fail "$name was restarted"; done
}
anew() { [ "$(property InvocationID "$1")" != "${begun[$1]}" ] || fail "$1 was not restarted"; }

# ---------------------------------------------------------------- ROAMS

the_example_of_roams_heals_a_hang_and_names_a_database_that_is_away() {
  no_examples; install_systems; postgres_runs
  host exec sh -c 'mkdir -p /opt/roams/backups && head -c 20000 /dev/zero >/opt/roams/backups/db_20260207.sql.gz'
  unit_of roams-opcua '/bin/sleep infinity'
  override <<DROPIN
[Service]
DynamicUser=no
WorkingDirectory=/srv/systems
Environment=RUN=/run/roams
ExecStart=
ExecStart=$(gunicorn_at 8000)
MemoryHigh=400M
MemoryMax=500M
DROPIN
  host exec systemctl restart "$UNIT"; until_true 20 reached http://localhost:8000/health/detailed/
  until_true 20 older_than_grace
  begun "$UNIT" roams-opcua "$POSTGRES"
  example roams roams-django

  tick_exits 0; [ -z "$said$(log)" ] || fail "a healthy run is not silent"
  hang; tick_exits 1; lived "$UNIT"
  tick_exits 0; anew "$UNIT"
  tells '⚠️ Django health check failed (HTTP 000) - Failure 1/2*' '⚠️ Django warning: detailed: *' '⚠️ Django *Failure 2/2*' '🔄 Restarting Django service...' \
    '✅ Django restarted successfully: *'

  # /health/ touches no database.
  tick_exits 0; begun "$UNIT"; host exec sh -c 'rm "$1"' sh "$LOG"
  host exec systemctl stop "$POSTGRES"
  tick_exits 1
  tells '⚠️ Django warning: detailed: *database: error*'
  lived "$UNIT"
  [ "$(property ActiveState "$POSTGRES")" = inactive ] || fail "PostgreSQL was started"
  # And a hang is left alone meanwhile.
  hang; tick_exits 1; tick_exits 1; lived "$UNIT"
  logged_times 1 '⏸️ Django not restarted (upstream)'
  host exec systemctl start "$POSTGRES"; until_true 20 host exec pg_isready -q -h 127.0.0.1
  host exec rm /run/roams/hang; tick_exits 0; lived "$UNIT"

  # It restarted the service of a unit that is active, and cared for no other.
  host exec systemctl kill -s KILL roams-opcua; until_true 10 is_now failed roams-opcua
  tick_exits 1; tick_exits 0; anew roams-opcua
  host exec touch -d '2 days ago' /opt/roams/backups/db_20260207.sql.gz
  tick_exits 0; has_logged '⚠️ Django warning: backup: ' || fail "nobody is told that there was no backup"
}

# ---------------------------------------------------------------- WHIT

the_example_of_whit_takes_no_start_for_good_that_dies_eight_seconds_later() {
  no_examples; install_systems; postgres_runs
  local backend=/var/www/whit/backend certificate=/etc/letsencrypt/live/whit.example/fullchain.pem
  host exec sh -c 'mkdir -p "$1/venv/bin" "${2%/*}" /var/log/gunicorn && ln -sf /usr/bin/python3 "$1/venv/bin/python"
    cp -r /srv/systems/. "$1"; echo RUN=/run/whit >"$1/.env"; chmod 600 "$1/.env"; echo started >/var/log/gunicorn/error.log; cat >"$2"' sh "$backend" "$certificate" \
    < <(openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=whit.example -keyout /dev/null 2>/dev/null)
  unit_of whit "/bin/sh -c 'test ! -e /srv/dies || (sleep 8; kill \$\$\$\$) & exec $(gunicorn_at 8003)'" \
    Environment=SSL_REDIRECT=yes StandardError=append:/var/log/gunicorn/error.log
  host exec systemctl restart nginx
  until_true 20 reached -H 'X-Forwarded-Proto: https' http://127.0.0.1:8003/api/health/
  sleep 1.2   # its grace
  begun whit "$POSTGRES" nginx
  example whit whit

  tick_exits 0; [ -z "$said$(log)$(in_log whit-nginx log)" ] || fail "a healthy run is not silent"
  # A body that says so, under 500.
  told_to_say whit '500 {"status":"unhealthy","error":"no such table"}'
  tick_exits 1; tells '⚠️ whit *Failure 1/3: *'
  says_as_ever whit
  for _ in 1 2 3 4 5 6 7 8 9; do tick_exits 0; logged_times 0 recovered; done
  tick_exits 0; logged_times 1 '✅ whit recovered'; lived whit

  # As it was then: it answers, and gets a SIGTERM after eight seconds.
  host exec touch /srv/dies; hangs whit
  tick_exits 1; tick_exits 1; lived whit
  host exec sh -c 'echo broken >/etc/nginx/conf.d/broken.conf'
  tick_exits 1; anew whit
  logged_times 1 '🔄 Restarting whit'; logged_times 0 '✅ whit restarted'
  logged_times 1 '❌ whit restart failed (HTTP 000): whit.service is down'
  # nginx runs on with the configuration that it has: a restart would have ended it.
  in_log whit-nginx tells '⚠️ nginx warning: config: *broken*'; lived nginx "$POSTGRES"
  host exec rm /etc/nginx/conf.d/broken.conf /srv/dies
}

# ---------------------------------------------------------------- telegram-bot

the_example_of_telegram_bot_restarts_the_one_part_that_fails() {
  no_examples; install_systems
  # MongoDB is in no Debian: something that listens in its place, of its name, and somebody who asks it.
  host exec sh -c 'cp "$(readlink -f /usr/bin/python3)" /usr/bin/mongod; cat >/srv/mongod.py
    printf "%s\n" "#!/usr/bin/python3" "import socket" "socket.create_connection((\"127.0.0.1\", 27017), 2).recv(1); print(1)" >/usr/bin/mongosh
    chmod 755 /usr/bin/mongosh
    mkdir -p /backups; echo dump >/backups/mongodb-20260207.archive' <<'PY'
import socket
listening = socket.create_server(("127.0.0.1", 27017))
while True:
    connection, _ = listening.accept()
    connection.send(b"1")
PY
  unit_of mongod '/usr/bin/mongod /srv/mongod.py'
  unit_of telegram-api "$(uvicorn_at 8002)"; unit_of telegram-web "$(uvicorn_at 8003)"
  unit_of telegram-bot "/usr/bin/python3 -c 'import time; print(\"bot began\"); time.sleep(10000)' bot/main.py"
  until_true 20 reached http://127.0.0.1:8002/health; until_true 20 reached http://127.0.0.1:8003/api/health
  until_true 20 host exec mongosh; sleep 1.2   # their grace
  local all=(mongod telegram-api telegram-web telegram-bot); begun "${all[@]}"
  example telegram-bot telegram-bot

  tick_exits 0; [ -z "$said" ] || fail "a healthy run is not silent"
  # The bot's own logs are read from here on; what others say is not, nor is an editor taken for the bot.
  host exec sh -c 'echo "Error SIGTERM Terminated" >/tmp/api.log; echo "ERROR of another" | systemd-cat -t another'
  host exec systemd-run -q --unit=editor /usr/bin/python3 -c 'import time; time.sleep(1000)' python bot/main.py
  tick_exits 0; [ -z "$said" ] || fail "what is not the bot's own is read"

  host exec systemctl kill -s KILL telegram-bot; until_true 10 is_now failed telegram-bot
  tick_exits 1; tick_exits 0
  in_log telegram-bot tells '⚠️ bot *Failure 1/2*' '⚠️ bot *Failure 2/2*' '🔄 Restarting bot service...' '✅ bot restarted successfully: *'
  lived mongod telegram-api telegram-web; anew telegram-bot; begun telegram-bot

  # "unhealthy" under 200.
  told_to_say telegram-web '200 {"status":"unhealthy","reason":"api_v2: refused"}'
  tick_exits 1; tick_exits 0
  in_log telegram-web tells '⚠️ web *Failure 1/2: *api_v2: refused' '⚠️ web *Failure 2/2: *' '🔄 Restarting web service...' '✅ web restarted successfully: *'
  lived mongod telegram-api telegram-bot; anew telegram-web; begun telegram-web

  # A database that hangs: it is restarted where it runs, and what requires it is left alone.
  host exec systemctl kill -s STOP mongod; hangs telegram-api
  tick_exits 1; tick_exits 1
  in_log telegram-mongodb tells '⚠️ mongodb *Failure 1/2: *' '⚠️ mongodb *Failure 2/2: *' '🔄 Restarting mongodb service...' '✅ mongodb restarted *'
  in_log telegram-api tells '⏸️ api not restarted (upstream): it requires mongodb, *'
  lived telegram-api telegram-web telegram-bot; anew mongod
}
