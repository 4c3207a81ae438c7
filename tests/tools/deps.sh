#!/bin/sh
# deps.sh [--check] GROUP...: makes sure that what the groups need is installed.
#   build   compiler and libraries      demo   also the Postgres server
#   test    also clang, cmocka, Python  check  also clang-format and clang-tidy
# Debian 12: installs what is missing with apt when it may (root, or sudo without a password), else
# prints the one line to run and fails. Other systems: names what pkg-config and PATH don't find.
# --check only reports.
set -eu

build="gcc make pkg-config libc6-dev libpq-dev libcurl4-openssl-dev libjansson-dev libyaml-dev
    zlib1g-dev libzstd-dev libsnappy-dev libisal-dev libxxhash-dev libssl-dev libutf8proc-dev
    libncurses-dev libreadline-dev"
demo="postgresql-15"
test="clang-14 libclang-rt-14-dev libcmocka-dev libvterm-dev procps psmisc python3 python3-venv git"
check="clang-14 clang-format-14 clang-tidy-14 libcmocka-dev libvterm-dev python3 git"

only_check=
[ "${1:-}" = --check ] && { only_check=1; shift; }
wanted=$build
for group in "$@"; do
    case $group in
    build) ;;
    demo) wanted="$wanted $demo" ;;
    test) wanted="$wanted $demo $test" ;;
    check) wanted="$wanted $check" ;;
    *) echo "deps.sh: unknown group $group (build, demo, test, check)" >&2; exit 2 ;;
    esac
done

# Anything but Debian's package manager: say what is not there, by the names the build looks for.
if ! command -v dpkg-query >/dev/null; then
    missing=
    for tool in gcc make pkg-config; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    for library in libpq libcurl jansson yaml-0.1 zlib libzstd snappy libisal libxxhash libcrypto \
        libutf8proc ncursesw readline; do
        pkg-config --exists "$library" 2>/dev/null || missing="$missing $library"
    done
    [ -z "$missing" ] && exit 0
    echo "not a Debian system; install these, by whatever names it knows them:$missing" >&2
    exit 1
fi

installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p')
missing=
for package in $wanted; do
    printf '%s\n' "$installed" | grep -qxF "$package" && continue
    case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
done
missing=${missing# }
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    as_root=none
fi
if [ -n "$only_check" ] || [ "$as_root" = none ]; then
    echo "missing packages: $missing" >&2
    [ -n "$only_check" ] && { echo "run: make deps" >&2; exit 1; }
    echo "run: sudo apt-get install --no-install-recommends $missing" >&2
    exit 1
fi

# Debian makes and starts a cluster on port 5432 with the server package. Nobody asked for that here:
# Surfboard's own clusters are private ones. The setting holds only while we install.
switch=/etc/postgresql-common/createcluster.d/surfboard.conf
case " $missing " in
*" postgresql-15 "*)
    $as_root mkdir -p "${switch%/*}"
    echo 'create_main_cluster = false' | $as_root tee "$switch" >/dev/null
    trap '$as_root rm -f "$switch"' EXIT
    trap 'exit 130' INT TERM
    ;;
esac
echo "installing: $missing"
log=$(mktemp)
if ! { $as_root apt-get -q update && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y --no-install-recommends install $missing; } >"$log" 2>&1; then
    tail -30 "$log" >&2
    echo "apt failed; its whole output is in $log. Mend it, or run:" >&2
    echo "  apt-get install --no-install-recommends $missing" >&2
    exit 1
fi
rm -f "$log"
