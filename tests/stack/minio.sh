#!/usr/bin/env bash
# minio.sh build             MinIO's server, built once from the Go module proxy into the cache; prints its path
# minio.sh start DIR         starts it on 127.0.0.1 and a free port, data in DIR; prints the URL
# minio.sh stop DIR          ends it
#
# The keys are $MINIO_ROOT_USER and $MINIO_ROOT_PASSWORD (surfadmin, surfsecret1). `build` needs go 1.24 or
# newer and about 3 minutes and 1.5 GB once; its own module and build cache is removed behind it.
set -euo pipefail
. "$(dirname "$0")/server.sh"

version=v0.0.0-20260212201848-7aac2a2c5b7c
cache=${XDG_CACHE_HOME:-$HOME/.cache}/surfboard
binary=$cache/minio-$version/minio
: "${MINIO_ROOT_USER:=surfadmin}" "${MINIO_ROOT_PASSWORD:=surfsecret1}"

build() {
    [ -x "$binary" ] && return
    command -v go >/dev/null || die "MinIO is built by go, which is not here: apt-get install golang"
    mkdir -p "$cache"
    exec 9>"$cache/minio.lock"
    flock 9 # two tests at once build it once
    [ -x "$binary" ] && return
    local folder
    folder=$(mktemp -d "$cache/minio-build.XXXXXX")
    echo "building MinIO $version, once (log: $cache/minio.log)" >&2
    local status=0
    CGO_ENABLED=0 GOBIN=$folder/bin GOPATH=$folder/path GOCACHE=$folder/cache GOFLAGS=-modcacherw \
        nice -n 19 go install -p "${MINIO_BUILD_JOBS:-$(nproc)}" -trimpath \
        "github.com/minio/minio@$version" >"$cache/minio.log" 2>&1 9>&- || status=$?
    if [ "$status" = 0 ]; then
        mkdir -p "${binary%/*}"
        mv "$folder/bin/minio" "$binary"
    fi
    rm -rf "$folder"
    [ "$status" = 0 ] || die "MinIO did not build: $(tail -n 1 "$cache/minio.log")"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    local dir=$1 port
    mkdir -p "$dir/data"
    port=$(free_port)
    MINIO_ROOT_USER=$MINIO_ROOT_USER MINIO_ROOT_PASSWORD=$MINIO_ROOT_PASSWORD HOME=$dir \
        MINIO_UPDATE=off setsid "$binary" server "$dir/data" --quiet --address "127.0.0.1:$port" \
        --console-address "127.0.0.1:$(free_port)" >"$dir/minio.log" 2>&1 </dev/null &
    echo $! >"$dir/minio.pid"
    await_ready "$dir" "http://127.0.0.1:$port/minio/health/live"
    echo "http://127.0.0.1:$port"
}

case ${1:-} in
build)
    build
    echo "$binary"
    ;;
start)
    build
    start "$2"
    ;;
stop) stop "$2" ;;
*) die "build | start DIR | stop DIR" ;;
esac
