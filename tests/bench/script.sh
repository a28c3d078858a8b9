#!/bin/bash
# What unhang takes the place of, in the shape that such scripts have: a count in a file, curl, a restart. Only for
# tests/bench/run, which gives the URL and the folder, and never lets the count reach its limit.
URL=$1
COUNT_FILE=$2/script-count
LOG_FILE=$2/script.log
LIMIT=1000000

log() { echo "$(date '+%Y-%m-%d %H:%M:%S') - $1" >>"$LOG_FILE"; }
status() { curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$URL"; }

[ -f "$COUNT_FILE" ] || echo 0 >"$COUNT_FILE"
count=$(cat "$COUNT_FILE")
code=$(status)
if [ "$code" = 200 ]; then
  if [ "$count" != 0 ]; then
    log "well again (was $count failures)"
    echo 0 >"$COUNT_FILE"
  fi
else
  count=$((count + 1))
  echo "$count" >"$COUNT_FILE"
  log "failed (HTTP $code) - Failure $count/$LIMIT"
  if [ "$count" -ge "$LIMIT" ]; then
    log "restarting"
    systemctl restart the-service
    sleep 5
    [ "$(status)" = 200 ] && echo 0 >"$COUNT_FILE"
  fi
fi
