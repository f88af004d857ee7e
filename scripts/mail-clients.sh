#!/usr/bin/env bash
# Finds or brings the mail client that tests of the SMTP API need, and leaves it in var/tools/mail-clients/bin: swaks.
# Debian's package unpacked, with or without root: it is one Perl program. TLS with it needs Net::SSLeay.
set -euo pipefail
cd "$(dirname "$0")/.."

HOME_OF_IT=$PWD/var/tools/mail-clients
SWAKS=$HOME_OF_IT/bin/swaks

say() { echo "mail-clients: $*" >&2; }

die() {
    say "$*"
    say "Install swaks (with Net::SSLeay) yourself, so that it stands in PATH. Without it tests of the SMTP API fail."
    exit 1
}

starts() { [ -x "$1" ] && "$1" --version >/dev/null 2>&1 && "$1" --support 2>/dev/null | grep -q '^Basic TLS supported\|TLS.* supported'; }

# apt with lists and cache of its own, as an ordinary user may not write the system's.
own_apt() {
    apt-get -qq -o Dir::State="$HOME_OF_IT/apt/state" -o Dir::Cache="$HOME_OF_IT/apt/cache" -o Debug::NoLocking=1 \
        -o Dir::State::status="${STANDFAST_DPKG_STATUS:-/var/lib/dpkg/status}" -o APT::Sandbox::User="$(id -un)" "$@"
}

unpack() {
    local package
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || die "no swaks here, and no apt-get to fetch it"
    say "unpacking Debian's swaks and Net::SSLeay under var/tools"
    rm -rf "$HOME_OF_IT"
    mkdir -p "$HOME_OF_IT"/apt/{state/lists/partial,cache/archives/partial} "$HOME_OF_IT"/{bin,root}
    own_apt update >&2 || die "the package lists could not be fetched"
    (cd "$HOME_OF_IT/apt/cache/archives" && own_apt download swaks libnet-ssleay-perl >&2) || die "the packages could not be fetched"
    for package in "$HOME_OF_IT"/apt/cache/archives/*.deb; do dpkg -x "$package" "$HOME_OF_IT/root"; done
    rm -rf "$HOME_OF_IT/apt"
    libraries=$(find "$HOME_OF_IT/root" -type d \( -path '*/perl5' -o -path '*/perl5/5.*' \) | paste -sd:)
    cat >"$SWAKS" <<SH
#!/bin/sh
export PERL5LIB="$libraries\${PERL5LIB:+:\$PERL5LIB}"
exec "$HOME_OF_IT/root/usr/bin/swaks" "\$@"
SH
    chmod +x "$SWAKS"
}

if ! starts "$SWAKS"; then
    if found=$(command -v swaks) && starts "$found"; then
        mkdir -p "$HOME_OF_IT/bin"
        ln -sfn "$found" "$SWAKS"
    else
        unpack
        starts "$SWAKS" || die "$SWAKS is there but does not start, or speaks no TLS: run it with --support to see why"
    fi
fi
