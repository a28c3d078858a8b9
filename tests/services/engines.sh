# shellcheck shell=bash
# A real Docker and a real Podman of one's own: in namespaces that end with the part of tests/services/run that sources
# this, where all they keep is in memory, and every port is free. No image is downloaded: the containers run what is
# installed here, of which they see /usr.

services=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${ENGINES-}" != inside ]; then
  # Neither runc nor crun takes cgroups of both versions.
  ENGINES=inside exec "$services/../host/only-v2" unshare --net --mount --pid --fork --kill-child=KILL --mount-proc \
    "$services/${0##*/}" "$(realpath "${1:?BINARY}")" "${@:2}"
fi
# In memory, and away with the namespace.
mount -t tmpfs tmpfs /run
# shellcheck source=tests/services/stage.sh
TMPDIR=/run . "$services/stage.sh"

ip link set lo up
for folder in /dev/shm /opt /etc/containers /usr/local/lib /var/log; do mount -t tmpfs tmpfs "$folder"; done
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/podman/run"\ngraphroot = "/run/podman/root"\n' >/etc/containers/storage.conf
printf '[containers]\ncgroups = "disabled"\nnetns = "host"\nseccomp_profile = "unconfined"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nruntime = "crun"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n' \
  >/etc/containers/containers.conf
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json

docker_begins() {
  rm -f /run/docker.pid
  dockerd --data-root /run/docker-root --exec-root /run/docker --pidfile /run/docker.pid --iptables=false --ip6tables=false \
    --bridge=none --storage-driver vfs --default-ulimit nofile=1024:1024 --cgroup-parent "$(sed -n 's/^0:://p' /proc/self/cgroup)/docker" >>"$dir/dockerd.log" 2>&1 &
  dockerd=$!; pids+=("$dockerd"); disown "$dockerd"
  up "$dockerd" docker version || fail "dockerd"
}
docker_begins

# All of a root file system but /usr.
root=$dir/root; mkdir -p "$root"/{usr,etc,dev,proc,sys,tmp,run,var,srv}; chmod 1777 "$root/tmp"
ln -s usr/bin usr/sbin usr/lib "$root"; ln -s usr/lib64 "$root/lib64"
cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "$root/etc"
tar -C "$root" -c . | docker import - here >/dev/null
# shellcheck disable=SC2034
docker_began=$SECONDS   # its first event
tar -C "$root" -c . | podman import - localhost/here >/dev/null 2>&1

web=$services/web.py app=$dir/app
mkdir -m 777 "$app"; cp "$web" "$app"
