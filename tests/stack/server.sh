# server.sh: sourced by minio.sh and weed.sh: a server of the tests, its pid in DIR/NAME.pid, its log in DIR/NAME.log.
name=$(basename "$0" .sh)

die() {
    echo "$name.sh: $*" >&2
    exit 1
}

# await_ready DIR URL: until the URL answers; dies with the log's end when the server does.
await_ready() {
    local tries
    for tries in $(seq 300); do
        curl -sf -o /dev/null "$2" && break
        kill -0 "$(cat "$1/$name.pid")" 2>/dev/null || die "it ended: $(tail -n 3 "$1/$name.log")"
        [ "$tries" -lt 300 ] || die "it does not get ready: $(tail -n 3 "$1/$name.log")"
        sleep 0.1
    done
}

stop() {
    local pid tries
    [ -f "$1/$name.pid" ] || return 0
    pid=$(cat "$1/$name.pid")
    kill "$pid" 2>/dev/null || true
    for tries in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    [ "$tries" -lt 100 ] || kill -9 "$pid" 2>/dev/null || true
    rm -f "$1/$name.pid"
}
