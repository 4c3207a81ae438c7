#!/usr/bin/env bash
# pg.sh start DIR [SETTING...] | restart DIR | stop DIR: a private Postgres cluster for tests below DIR
# (made if absent), on a unix socket in DIR and nothing else, ready for logical decoding. `start`
# prints the connection string. Not durable.
# As root the server runs as the user postgres, whom Debian's package makes.
set -euo pipefail

verb=$1 dir=$2
shift 2
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || { echo "pg.sh: no Postgres server: apt-get install postgresql" >&2; exit 1; }

as_server=()
if [ "$(id -u)" = 0 ]; then
    as_server=(setpriv --reuid=postgres --regid=postgres --init-groups --)
fi

case $verb in
start)
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$dir"
        chmod 755 "$dir"
    fi
    cd "$dir"
    "${as_server[@]}" "$bin/initdb" -D "$dir/data" -U surf -A trust -E UTF8 --locale=C.UTF-8 -N \
        >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
    cat - <(printf '%s\n' "$@") >>"$dir/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$dir'
fsync = off
shared_buffers = 16MB
max_connections = 30
wal_level = logical
max_replication_slots = 20
max_wal_senders = 20
END
    "${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -t 60 start \
        >/dev/null || { cat "$dir/data/server.log" >&2; exit 1; }
    echo "host=$dir dbname=postgres user=surf"
    ;;
restart)
    "${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -t 60 -m fast \
        restart >/dev/null
    ;;
stop)
    "${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -w -t 60 -m immediate stop >/dev/null || true
    ;;
*)
    echo "usage: pg.sh start|restart|stop DIR" >&2
    exit 2
    ;;
esac
