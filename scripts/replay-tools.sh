#!/usr/bin/env bash
# Finds or brings the name servers that replays and tests need, and leaves them under var/replay-tools/bin:
# BIND (named), Knot (knotd, knotc) and Unbound (unbound). As root (or with passwordless sudo): Debian's packages.
# As an ordinary user: the same packages, unpacked under var/replay-tools. Does nothing when they are there.
set -euo pipefail
cd "$(dirname "$0")/.."

HOME_OF_IT=$PWD/var/replay-tools
BIN=$HOME_OF_IT/bin
ROOT=$HOME_OF_IT/root
PACKAGES="bind9 knot unbound"
PROGRAMS="named knotd knotc unbound"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "replay-tools: $*" >&2; }

die() {
    say "$*"
    say "Install BIND (named), Knot DNS (knotd, knotc) and Unbound yourself, so that they stand in PATH. Without them the replays and their tests fail."
    exit 1
}

starts() {
    case $1 in
    unbound) [ -x "$BIN/unbound" ] && "$BIN/unbound" -V >/dev/null 2>&1 ;;
    *) [ -x "$BIN/$1" ] && "$BIN/$1" -V >/dev/null 2>&1 ;;
    esac
}

all_start() {
    local name
    for name in $PROGRAMS; do starts "$name" || return 1; done
}

installed() {
    local name
    [ -z "${STANDFAST_REPLAY_TOOLS_UNPACKED:-}" ] || return 1 # used to try the unpacked way on a machine that has the packages
    for name in $PROGRAMS; do command -v "$name" >/dev/null || return 1; done
}

# Copies, not links: AppArmor's profiles bind to the path /usr/sbin/... and would forbid a server its temporary folder.
take_installed() {
    local name
    mkdir -p "$BIN"
    for name in $PROGRAMS; do
        rm -f "$BIN/$name"
        cp "$(readlink -f "$(command -v "$name")")" "$BIN/$name"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

install_packages() {
    say "installing Debian's $PACKAGES"
    as_root apt-get update -qq >&2 || say "package lists could not be renewed; trying with those that are here"
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES >"$HOME_OF_IT/install.log" 2>&1 ||
        die "apt-get could not install $PACKAGES; its output is in $HOME_OF_IT/install.log"
    # The packages start their services; nobody asked for a name server on port 53.
    if [ -d /run/systemd/system ]; then
        as_root systemctl disable --now named knot unbound >>"$HOME_OF_IT/install.log" 2>&1 ||
            say "the services named, knot and unbound could not be switched off; see $HOME_OF_IT/install.log"
    fi
}

# apt with lists and cache of its own, as an ordinary user may not write the system's.
own_apt() {
    apt-get -qq -o Dir::State="$HOME_OF_IT/apt/state" -o Dir::Cache="$HOME_OF_IT/apt/cache" -o Debug::NoLocking=1 \
        -o Dir::State::status="${STANDFAST_DPKG_STATUS:-/var/lib/dpkg/status}" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Install-Recommends=0 "$@"
}

unpack_packages() {
    local wanted package
    say "unpacking Debian's $PACKAGES under var/replay-tools (no root here)"
    rm -rf "$ROOT" "$HOME_OF_IT/apt"
    mkdir -p "$HOME_OF_IT"/apt/{state/lists/partial,cache/archives/partial} "$ROOT" "$BIN"
    own_apt update >&2 || die "the package lists could not be fetched"
    # shellcheck disable=SC2086
    own_apt -s install $PACKAGES >"$HOME_OF_IT/plan" || die "apt-get does not know $PACKAGES"
    # Only the servers and the libraries: the C library and what belongs to the machine stay its own.
    wanted=$(awk '$1 == "Inst" && $2 ~ /^(bind9|bind9-libs|knot|unbound|lib.*)$/ && $2 !~ /^(libc6|libc-bin|libc-l10n)$/ { print $2 }' "$HOME_OF_IT/plan")
    # A package that is installed already is not in the plan; its files are wanted all the same.
    for package in $PACKAGES bind9-libs; do
        grep -qx "$package" <<<"$wanted" || wanted="$wanted $package"
    done
    # shellcheck disable=SC2086
    (cd "$HOME_OF_IT/apt/cache/archives" && own_apt download $wanted >&2) || die "the packages could not be fetched"
    for package in "$HOME_OF_IT"/apt/cache/archives/*.deb; do dpkg -x "$package" "$ROOT"; done
    rm -rf "$HOME_OF_IT/apt"
    write_starters
}

write_starters() {
    local libraries name
    libraries=$(find "$ROOT" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
    for name in $PROGRAMS; do
        rm -f "$BIN/$name"
        cat >"$BIN/$name" <<SH
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$(find "$ROOT/usr/sbin" "$ROOT/usr/bin" -name "$name" -type f | head -1)" "\$@"
SH
        chmod +x "$BIN/$name"
    done
}

mkdir -p "$HOME_OF_IT"
if all_start; then
    [ -n "${QUIET:-}" ] || say "named, knotd, knotc and unbound are there, in var/replay-tools/bin"
    exit 0
fi
if installed; then
    take_installed
elif ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    die "no BIND, Knot and Unbound here, and no apt-get to fetch them"
elif [ -z "${STANDFAST_REPLAY_TOOLS_UNPACKED:-}" ] && may_install; then
    install_packages
    installed || die "the packages are installed, but $PROGRAMS do not all stand in PATH"
    take_installed
else
    unpack_packages
fi
for name in $PROGRAMS; do
    starts "$name" || die "$BIN/$name is there but does not start: run it with -V to see why"
done
say "$("$BIN/named" -V 2>/dev/null | head -1), $("$BIN/knotd" -V 2>/dev/null | head -1), Unbound $("$BIN/unbound" -V 2>/dev/null | sed -n 's/^Version //p'), in var/replay-tools/bin"
