# shellcheck shell=bash
# The watched service: a Django application on gunicorn, as roams-django.service. Sourced; needs a function `host`.

# install_app: the application itself, and its unit enabled and running.
install_app() {
  local app; app=$(mktemp -d); chmod 755 "$app"
  mkdir "$app/roams"; touch "$app/roams/__init__.py"
  cat >"$app/roams/settings.py" <<'PY'
import os
SECRET_KEY = "test only"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "roams.urls"
if "ROAMS_DATABASE" in os.environ:
    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "USER": "roams",
                             "NAME": os.environ["ROAMS_DATABASE"]}}
PY
  cat >"$app/roams/urls.py" <<'PY'
import os, time
from django.db import connection
from django.http import JsonResponse
from django.urls import path

# One lies in the unit's RuntimeDirectory, which systemd empties on every stop: so a restart heals this hang.
# One in /srv/roams outlives restarts.
HANGS = os.environ.get("ROAMS_HANGS", "/run/roams/hang /srv/roams/hang").split()

def health(request):
    while any(os.path.exists(flag) for flag in HANGS):
        time.sleep(1)
    if "ROAMS_DATABASE" in os.environ:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok", "pid": os.getpid()})

urlpatterns = [path("health", health), path("health/", health)]
PY
  cat >"$app/roams/wsgi.py" <<'PY'
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roams.settings")
application = get_wsgi_application()
PY
  host copy "$app" /srv/roams; rm -rf "$app"
  install_unit
  host exec systemctl enable -q --now roams-django
}

# install_unit: the unit as shipped. In /usr/lib, since a unit file in /etc cannot be masked.
install_unit() {
  host exec sh -c 'cat >/usr/lib/systemd/system/roams-django.service' <<'UNIT'
[Unit]
Description=Roams Django application
[Service]
Type=notify
WorkingDirectory=/srv/roams
RuntimeDirectory=roams
DynamicUser=yes
# One sync worker: one stuck request hangs the service. --timeout 0: gunicorn's own worker timeout
# (30 s) would otherwise replace the stuck worker before the watchdog does.
ExecStart=/usr/bin/gunicorn --bind 127.0.0.1:8000 --workers 1 --timeout 0 --graceful-timeout 2 roams.wsgi
TimeoutStopSec=4
[Install]
WantedBy=multi-user.target
UNIT
  host exec systemctl daemon-reload
}
