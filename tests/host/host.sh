#!/usr/bin/env bash
# host.sh - a throw-away Debian test host with a REAL systemd as PID 1, real cron, Django and
# gunicorn, for end-to-end tests. Needs root and no Docker; PID 1 of this machine need not be systemd.
#
#   host.sh build            make the cached root file system (skipped when it is there)
#   host.sh boot             start a pristine host from it, wait until systemd says 'running'
#   host.sh reboot           shut it down and start it again with the files it has
#   host.sh exec CMD...      run CMD as root inside (stdin, stdout, exit status pass through)
#   host.sh signal NAME      send a signal to PID 1, from outside: no process of the host itself could STOP it
#   host.sh copy SRC DST     copy a file or a folder's contents to DST inside (atomic for a file)
#   host.sh down             shut it down; leaves no process, mount, cgroup or folder behind
#   host.sh room MB          print a folder with so much room for hosts: /dev/shm, else /var/tmp
#
# UNHANG_HOST_DIR    state of one host; another folder = another, independent host (default /dev/shm/unhang-host:
#                    in memory, some 260 MB; unpacked there in half a second, on disk in up to 7)
# UNHANG_HOST_CACHE  where the root file system's tarball, 70 MB, is kept   (default ~/.cache/unhang-host)
# UNHANG_HOST_MAX_S  the host shuts itself down after so many seconds        (default 3600)
# UNHANG_HOST_MORE   Debian packages besides, parted by commas; they make a second, larger tarball from the first one
set -euo pipefail

# In memory where that can be had: a container may have 64 MB there only, or no leave to execute.
room() {
  local free options
  free=$(df -m --output=avail /dev/shm 2>/dev/null | tail -n 1) || free=0
  options=$(findmnt -n -o OPTIONS -T /dev/shm 2>/dev/null) || options=noexec
  case ,$options, in *,noexec,*) free=0 ;; esac
  if [ "${free:-0}" -ge "$1" ]; then echo /dev/shm; else echo /var/tmp; fi
}

# A host that is up already decides for itself, however little room there is left.
if [ -z "${UNHANG_HOST_DIR-}" ]; then
  for UNHANG_HOST_DIR in /dev/shm/unhang-host /var/tmp/unhang-host "$(room 400)/unhang-host"; do
    [ ! -d "$UNHANG_HOST_DIR" ] || break
  done
fi
UNHANG_HOST_CACHE=${UNHANG_HOST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/unhang-host}
UNHANG_HOST_MAX_S=${UNHANG_HOST_MAX_S:-3600}
SUITE=bookworm
PKGS=systemd,systemd-sysv,dbus,cron,python3,python3-venv,python3-django,gunicorn,curl,iproute2,procps,polkitd,sudo,logrotate
MORE=${UNHANG_HOST_MORE:-}
# A tarball's name carries what it was made of, so a changed list makes a new one.
tarball() { echo "$UNHANG_HOST_CACHE/rootfs-$SUITE-$(printf %s "$1" | sha256sum | cut -c1-12).tar.zst"; }
BASE=$(tarball "$PKGS") TAR=$(tarball "$PKGS${MORE:+,$MORE}")
ROOT=$UNHANG_HOST_DIR/rootfs LOG=$UNHANG_HOST_DIR/console.log
NAME=unhang-$(printf %s "$UNHANG_HOST_DIR" | sha256sum | cut -c1-8)   # its cgroups' and machine's name
CGROUP=/sys/fs/cgroup

die() { echo "host: $*" >&2; exit 1; }

# --- the root file system ---

# In the root file system's own folder, given as $1.
# shellcheck disable=SC2016
CUSTOMIZE='cd "$1/etc"; echo testhost >hostname; echo "127.0.0.1 localhost testhost" >hosts
  touch default/locale; tr -d - </proc/sys/kernel/random/uuid >machine-id
  for u in console-getty.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer fstrim.timer; do ln -sf /dev/null systemd/system/$u; done'

EXCLUDED=('/usr/share/man/*' '/usr/share/doc/*' '/usr/share/locale/*' '/usr/lib/*/libLLVM-*' '/usr/lib/postgresql/*/bitcode/*')

# The first one, into which more is installed: in a third of the time of a whole one. What is excluded is said anew; and
# apt inside is quicker than --include here.
UNPACK_BASE="tar -C \"\$1\" --zstd --exclude=./etc/dpkg/dpkg.cfg.d/99mmdebstrap -xpf '$BASE'"
INSTALL_MORE="chroot \"\$1\" apt-get -q -y install ${MORE//,/ } >/dev/null"

build() {
  local here; here=$(dirname "$0")
  "$here/need" systemd-nspawn systemd-container; "$here/need" mmdebstrap; "$here/need" zstd
  mkdir -p "$UNHANG_HOST_CACHE"
  # Two hosts that boot at once build it once. The lock's descriptor ends with this subshell.
  ( flock 9; [ -s "$BASE" ] || build_tarball "$BASE" --variant=minbase --include="$PKGS" --customize-hook="$CUSTOMIZE" ) 9>"$BASE.lock"
  [ -n "$MORE" ] || return 0
  ( flock 9; [ -s "$TAR" ] || build_tarball "$TAR" --variant=custom --setup-hook="$UNPACK_BASE" --customize-hook="$INSTALL_MORE" ) 9>"$TAR.lock"
}

build_tarball() { # build_tarball FILE HOW...
  local try; file=$1; shift
  # Unpacking in memory takes about a third of the time it takes on disk (dpkg syncs a lot).
  tmp=$(mktemp -d "$(room 1000)/unhang-host-build.XXXXXX"); chmod 755 "$tmp"
  trap 'rm -rf "$tmp" "$file.new.tar.zst"' EXIT
  # No mirror is named: mmdebstrap takes Debian's default one, with updates and security.
  # A few tries, since a download can fail for no lasting reason.
  for try in 1 2 3; do
    if TMPDIR=$tmp mmdebstrap --quiet "$@" "${EXCLUDED[@]/#/--dpkgopt=path-exclude=}" \
      "$SUITE" "$file.new.tar.zst"; then mv "$file.new.tar.zst" "$file"; return; fi
    echo "host: mmdebstrap: try $try of 3 failed" >&2; sleep 5
  done
  die "mmdebstrap failed"
}

# --- who is who ---

# ours PID: is it of this host's own cgroups?  leader: the host's PID 1, as this machine numbers it; only
# a process that is number 1 of a PID namespace counts, so exec can't run CMD on this machine by mistake.
ours() { grep -qsP "/$NAME(/|\$)" "/proc/$1/cgroup"; }
leader() {
  local l; l=$(cat "$UNHANG_HOST_DIR/leader" 2>/dev/null) && ours "$l" \
    && grep -qsP '^NSpid:\t\d+\t1$' "/proc/$l/status" && echo "$l"
}

inside() { # as a login of root's would see it; nothing of the caller's environment gets in
  local l; l=$(leader) || die "the host is not up (see $LOG)"
  nsenter -t "$l" -a env -i -C /root HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# --- cgroups ---

# The cgroups made for this host: a child of the caller's own cgroup in each hierarchy that systemd inside
# shall manage. With v2 alone that is one; else v1 controllers, beside a v2 that may be empty.
cgroups_wanted() {
  local ctl path
  while IFS=: read -r _ ctl path; do
    if only_v2; then
      [ -n "$ctl" ] || echo "$CGROUP${path%/}/$NAME"
      continue
    fi
    ctl=${ctl#name=}; ctl=${ctl:-unified}
    case $ctl in memory|cpu|cpuacct|pids|systemd|unified) ;; *) continue ;; esac
    [ ! -d "$CGROUP/$ctl" ] || echo "$CGROUP/$ctl${path%/}/$NAME"
  done </proc/self/cgroup
}
only_v2() { [ "$(stat -f -c %T "$CGROUP")" = cgroup2fs ]; }
# Quiet: cgroups of others may go away while it looks.
cgroups_made() { find "$CGROUP" -mindepth 1 -type d -name "$NAME" -prune 2>/dev/null; }

# enter CGROUP: moves this very process there.
enter() { echo "$BASHPID" >"$1/cgroup.procs"; }

# A launcher's place. v2 lets no cgroup have both processes and controllers in its children, so the launcher
# (`timeout`) sits in a leaf beside the cgroup that nspawn takes; nspawn itself then parts into supervisor and payload.
# Controllers are passed down where that can be had: not from a cgroup that still has processes, unless it is the root.
enter_cgroups() {
  local d c
  for d in $(cgroups_wanted); do
    mkdir -p "$d" || die "cannot make $d: is $CGROUP mounted read-only?"
    if only_v2; then
      mkdir -p "$d/launcher" "$d/host"; enter "$d/launcher"
      for c in memory pids cpu; do
        { echo "+$c" >"${d%/*}/cgroup.subtree_control" && echo "+$c" >"$d/cgroup.subtree_control"; } 2>/dev/null || true
      done
      NSPAWN_CGROUP=$d/host
    else
      enter "$d"
    fi
  done
  ours "$BASHPID" || die "not in cgroups of its own"   # never let systemd manage this machine's
}

# --- boot and down ---

# nspawn gives v1 controllers read-only; writable, systemd inside can manage them (in these cgroups of its
# own), so MemoryMax=, CPUQuota= and TasksMax= work. A v2 hierarchy is writable as it comes.
# shellcheck disable=SC2016
INIT='for c in memory cpu cpuacct pids; do
    [ ! -d "/sys/fs/cgroup/$c" ] || mount -o remount,bind,rw "/sys/fs/cgroup/$c"
  done
  exec setpriv --pdeathsig KILL /lib/systemd/systemd'

# Becomes nspawn. timeout ends nspawn's wait, and pdeathsig the host when its parent is killed hard.
# --keep-unit --register=no: no systemd, machined or D-Bus on this machine to ask.
# --private-network: a network namespace with loopback only.
launch() {
  NSPAWN_CGROUP=; enter_cgroups
  # shellcheck disable=SC2016
  exec timeout --foreground -k 30 "$UNHANG_HOST_MAX_S" setpriv --pdeathsig TERM sh -c '
      [ -z "$1" ] || echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$NSPAWN_CGROUP" \
    systemd-nspawn --quiet --settings=no -D "$ROOT" -M "$NAME" --hostname=testhost --keep-unit --register=no \
    --private-network --link-journal=no --resolv-conf=off --timezone=off --console=read-only \
    --kill-signal=SIGRTMIN+3 /bin/sh -c "$INIT"
}

boot() {
  build; down
  [ -d "$ROOT" ] || { mkdir -p "$ROOT"; tar -C "$ROOT" --zstd -xpf "$TAR"; }
  launch >"$LOG" 2>&1 </dev/null &
  local tenths nspawn state='' launcher=$!
  echo "$launcher" >"$UNHANG_HOST_DIR/pid"
  for tenths in $(seq 600); do
    sleep 0.1; kill -0 "$launcher" 2>/dev/null || break
    nspawn=$(pgrep -P "$launcher") || continue
    pgrep -P "$nspawn" >"$UNHANG_HOST_DIR/leader" || continue
    if leader >/dev/null; then state=$(inside systemctl is-system-running 2>/dev/null) || true; fi
    case $state in running) return ;; degraded) inside systemctl --failed --no-pager >&2; break ;; esac
  done
  tail -n 40 "$LOG" >&2; down; die "not up after $((tenths / 10)) s (state: ${state:-none})"
}

copy() {
  # shellcheck disable=SC2016
  if [ -d "$1" ]; then
    tar -C "$1" -cf - . | inside sh -c 'mkdir -p "$1" && tar -C "$1" --no-same-owner -xf -' sh "$2"
  else
    inside sh -c 'mkdir -p "$(dirname "$1")" && cat >"$1.new" && chmod "$2" "$1.new" && mv -T "$1.new" "$1"' \
      sh "$2" "$(stat -c %a -- "$1")" < <(cat -- "$1")
  fi
}

signal() {
  local l; l=$(leader) || die "the host is not up (see $LOG)"
  kill -s "$1" "$l"
}

down() {
  local launcher d
  if leader >/dev/null; then signal CONT; fi
  if launcher=$(cat "$UNHANG_HOST_DIR/pid" 2>/dev/null) && ours "$launcher"; then
    kill -TERM "$launcher"                # timeout hands it to nspawn, which asks for a clean halt
    for _ in $(seq 300); do ours "$launcher" || break; sleep 0.1; done
  fi
  for d in $(cgroups_made); do            # whatever is left in cgroups that only this host was in
    [ ! -e "$d/cgroup.kill" ] || echo 1 >"$d/cgroup.kill"
  done
  for d in $(cgroups_made); do
    for _ in $(seq 50); do find "$d" -depth -type d -exec rmdir {} + 2>/dev/null && break; sleep 0.1; done
    [ ! -d "$d" ] || die "still in use: $d"
  done
  rm -f "$UNHANG_HOST_DIR/pid" "$UNHANG_HOST_DIR/leader"
  [ -z "${keep-}" ] || return 0
  rm -rf "$ROOT" "$LOG"; rmdir "$UNHANG_HOST_DIR" 2>/dev/null || true
}

[ "$(id -u)" = 0 ] || die "must be root"
case ${1-} in
  build|boot|down) "$1" ;;
  room) [ $# = 2 ] || die "room MB"; room "$2" ;;
  reboot) [ -d "$ROOT" ] || die "nothing to reboot"; keep=1; boot ;;
  copy) [ $# = 3 ] || die "copy SRC DST"; copy "$2" "$3" ;;
  signal) [ $# = 2 ] || die "signal NAME"; signal "$2" ;;
  exec) shift; [ $# -gt 0 ] || die "exec CMD..."; inside "$@" ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
