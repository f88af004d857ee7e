#!/usr/bin/env bash
# Finds or installs Chromium for the browser tests, and leaves var/tools/chromium/chromium, which starts it.
# As root (or with passwordless sudo): Debian's package. As an ordinary user: the same packages, unpacked under var/tools.
set -euo pipefail
cd "$(dirname "$0")/.."

HOME_OF_IT=$PWD/var/tools/chromium
STARTER=$HOME_OF_IT/chromium
ROOT=$HOME_OF_IT/root

say() { echo "browser: $*" >&2; }

die() {
    say "$*"
    say "Install Chromium yourself, or name it: STANDFAST_CHROMIUM=/path/to/chromium make test. Without it the browser tests fail."
    exit 1
}

starts() { [ -x "$1" ] && "$1" --headless --no-sandbox --version >/dev/null 2>&1; }

installed() {
    local name
    [ -z "${STANDFAST_CHROMIUM_UNPACKED:-}" ] || return 1 # used to try the unpacked way on a machine that has the package
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

link_to() {
    mkdir -p "$HOME_OF_IT"
    ln -sfn "$1" "$STARTER"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

install_package() {
    say "installing Debian's chromium"
    as_root apt-get update -qq >&2 || say "package lists could not be renewed; trying with those that are here"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >"$HOME_OF_IT.log" 2>&1 ||
        die "apt-get could not install chromium; its output is in $HOME_OF_IT.log"
}

# apt with lists and cache of its own, as an ordinary user may not write the system's.
own_apt() {
    apt-get -qq -o Dir::State="$HOME_OF_IT/apt/state" -o Dir::Cache="$HOME_OF_IT/apt/cache" -o Debug::NoLocking=1 \
        -o Dir::State::status="${STANDFAST_DPKG_STATUS:-/var/lib/dpkg/status}" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Install-Recommends=0 "$@"
}

unpack_package() {
    local missing
    say "unpacking Debian's chromium under var/tools (no root here)"
    mkdir -p "$HOME_OF_IT"/apt/{state/lists/partial,cache/archives/partial} "$ROOT"
    own_apt update >&2 || die "the package lists could not be fetched"
    # The C library belongs to the machine: a second one beside it breaks every program that meets both.
    own_apt -s install chromium >"$HOME_OF_IT/plan" || die "apt-get does not know chromium"
    missing=$(awk '$1 == "Inst" && $2 !~ /^(libc6|libc-bin|libc-l10n|locales)$/ { print $2 }' "$HOME_OF_IT/plan")
    [ -n "$missing" ] || die "apt-get found nothing to fetch"
    # shellcheck disable=SC2086
    (cd "$HOME_OF_IT/apt/cache/archives" && own_apt download $missing >&2) || die "the packages could not be fetched"
    for package in "$HOME_OF_IT"/apt/cache/archives/*.deb; do dpkg -x "$package" "$ROOT"; done
    rm -rf "$HOME_OF_IT/apt"
    write_starter
}

write_starter() {
    local libraries
    libraries=$(find "$ROOT" -name '*.so*' -path '*/lib/*' -not -path '*/lib/chromium/*' -printf '%h\n' | sort -u | paste -sd:)
    cat >"$HOME_OF_IT/fonts.conf" <<XML
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>$ROOT/usr/share/fonts</dir>
  <cachedir>$HOME_OF_IT/fontcache</cachedir>
  <include ignore_missing="yes">$ROOT/etc/fonts/conf.d</include>
</fontconfig>
XML
    rm -f "$STARTER"
    cat >"$STARTER" <<SH
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
[ -d /etc/fonts ] || export FONTCONFIG_FILE="$HOME_OF_IT/fonts.conf"
exec "$ROOT/usr/lib/chromium/chromium" "\$@"
SH
    chmod +x "$STARTER"
}

mkdir -p var/tools
if [ -n "${STANDFAST_CHROMIUM:-}" ]; then
    starts "$STANDFAST_CHROMIUM" || die "STANDFAST_CHROMIUM=$STANDFAST_CHROMIUM does not start"
    link_to "$STANDFAST_CHROMIUM"
elif ! starts "$STARTER"; then
    if found=$(installed); then
        link_to "$found"
    elif ! command -v apt-get >/dev/null; then
        die "no Chromium here and no apt-get to fetch it"
    elif [ -z "${STANDFAST_CHROMIUM_UNPACKED:-}" ] && may_install; then
        install_package
        link_to "$(installed)"
    else
        unpack_package
    fi
    starts "$STARTER" || die "Chromium is at $STARTER but does not start: run it with --headless --no-sandbox --version to see why"
    say "$("$STARTER" --no-sandbox --version 2>/dev/null)"
fi
