#!/bin/sh
# Installs the Debian packages that tests and benchmarks use, where root or a password-less sudo allows;
# says what is missing where not. Never fails: tests that need a missing program skip and say so.
# Arguments are programs that are needed too, each of a package of its name.
set -u

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
for program; do
    need "$program" "$program"
done
need curl curl
need wrk wrk
need h2load nghttp2-client
# Debian keeps PostgreSQL's programs out of PATH, a folder a version.
set -- /usr/lib/postgresql/*/bin/initdb
[ -x "$1" ] || need initdb postgresql
need chromium-headless-shell chromium-headless-shell
need ip iproute2
need iptables iptables

[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing programs; install what your system calls:$missing" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "missing Debian packages, and no root here to install them: sudo apt-get install$missing" >&2
    exit 0
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # both are lists of words
{ $as_root apt-get install -y -qq $missing || { $as_root apt-get update -qq && $as_root apt-get install -y -qq $missing; }; } \
    >/dev/null 2>&1 || echo "could not install$missing; what needs them is skipped" >&2
