#!/usr/bin/env bash
# Makes a stand-in for docker.io/library/python:3.11-slim in a folder's own container storage, of Debian's packages and of
# the CPython that runs the tests: so Dockerfiles are built as they are, with no registry of images at hand.
# usage: base.sh FOLDER PYTHON
set -euo pipefail
D=$(realpath -m "${1:?a folder}"); PYTHON=${2:?a Python}; mkdir -p "$D"
cat > "$D/storage.conf" <<END
[storage]
driver = "${STORAGE_DRIVER:-overlay}"
graphroot = "$D/root"
runroot = "$D/run"
END
cat > "$D/containers.conf" <<END
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=2000:2000"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
healthcheck_events = false
END
export CONTAINERS_STORAGE_CONF=$D/storage.conf CONTAINERS_CONF=$D/containers.conf BUILDAH_ISOLATION=chroot
. /etc/os-release
# As slim images are: without documentation. Nobody waits for the disk, since what is half made is made anew.
mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --include=ca-certificates,netbase,tzdata,libssl3,libsqlite3-0,libffi8,zlib1g,libbz2-1.0,liblzma5,libreadline8,libexpat1,libncursesw6,libuuid1,libtirpc3,libnsl2,libcrypt1 "$VERSION_CODENAME" "$D/slim.tar"
read -r P V < <("$PYTHON" -c 'import sys; print(sys.base_prefix, "%d.%d" % sys.version_info[:2])')
mkdir -p "$D/py/usr/local/lib/python$V/site-packages"
(cd "$P" && tar -cf - --exclude="lib/python$V/site-packages" --exclude="lib/python$V/test" --exclude=__pycache__ \
  --exclude="lib/python$V/tkinter" --exclude="lib/python$V/idlelib" --exclude=EXTERNALLY-MANAGED "bin/python$V" $(ls -d lib/libpython* 2>/dev/null) \
  "lib/python$V" include) | tar -C "$D/py/usr/local" -xf -
for name in python python3; do ln -sf "python$V" "$D/py/usr/local/bin/$name"; done
c=$(buildah from scratch)
buildah add -q "$c" "$D/slim.tar" / >/dev/null
buildah copy -q "$c" "$D/py/usr/local" /usr/local >/dev/null
buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --env LANG=C.UTF-8 --cmd python3 "$c"
buildah run "$c" -- /bin/sh -c 'ldconfig && python -m ensurepip >/dev/null 2>&1 && ln -sf pip3 /usr/local/bin/pip'
buildah commit -q --rm "$c" "docker.io/library/python:$V-slim" >/dev/null
rm -rf "$D/slim.tar" "$D/py"
