#!/bin/bash
# get-asterisk.sh [DEST]: a real Asterisk in a folder. No root, no docker, nothing installed.
#
# Debian's testing and unstable carry Asterisk 22; its stable releases and Ubuntu carry none. The
# packages and every library they need, libc included, are fetched with the machine's own apt
# (signatures checked with Debian's keyring), unpacked under DEST/root and run by their own loader,
# so the release of this machine does not matter: any Debian or Ubuntu, amd64 or arm64.
#
#   DEST/bin/asterisk  runs it        DEST/env  MODDIR=, DATADIR=, VERSION=
#
# DEST defaults to AUTOCOM_ASTERISK_HOME, then autocom/asterisk in the user's cache. Done already,
# or Asterisk 22.10.1 or newer on PATH: says so and exits 0. Several runs at one time are safe.
# Environment: MIRROR (a Debian archive; default: those this machine's apt knows), SUITES, FULL=1
# (every dependency, not only what the modules we load need).
set -euo pipefail
export LC_ALL=C

MINIMUM=22.10.1
DEST=$(realpath -m "${1:-${AUTOCOM_ASTERISK_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/autocom/asterisk}}")
SUITES=${SUITES:-forky sid}
# what links only these: no LDAP, ODBC, Perl, SNMP …
WANTED='asterisk|asterisk-modules|libc6|libgcc-s1|libstdc\+\+6|zlib1g|lib(bsd|md|cap|crypt|edit|gsm|jansson|opus|opusfile|ogg|srtp2-|systemd|tinfo|uuid|zstd|xslt1\.|nspr|nss|sqlite3-|ssl|xml2-?|uriparser|crypt)[0-9.]*(t64)?'
# one module of each kind that we load: each must find all its libraries in the folder
PROVEN='chan_pjsip res_pjsip_transport_websocket res_rtp_asterisk res_srtp res_ari_channels app_stasis_broadcast res_agi res_musiconhold codec_g722 codec_resample codec_opus_open_source codec_gsm bridge_softmix format_wav res_http_websocket res_timing_timerfd pbx_config res_sorcery_astdb res_crypto'

START=$(date +%s%N)
say() { local t=$((($(date +%s%N) - START) / 100000000)); printf 'asterisk: %3d.%ds  %s\n' $((t / 10)) $((t % 10)) "$*"; }
die() { echo "asterisk: $*" >&2; exit 1; }
enough() { [ -n "$1" ] && [ "$(printf '%s\n%s\n' "$MINIMUM" "$1" | sort -V | head -1)" = "$MINIMUM" ]; }
version_of() { "$1" -V 2>/dev/null | sed -n 's/^Asterisk \([0-9][0-9.]*\).*/\1/p'; }
ready() { [ -x "$DEST/bin/asterisk" ] && [ -r "$DEST/env" ] && enough "$(version_of "$DEST/bin/asterisk")"; }

if ready; then say "already there: $DEST"; exit 0; fi
if SYSTEM=$(command -v asterisk) && enough "$(version_of "$SYSTEM")"; then say "using the system's own: $SYSTEM"; exit 0; fi
for tool in apt-get apt-config dpkg dpkg-deb flock tar; do
  command -v $tool >/dev/null || die "no $tool here: install Asterisk $MINIMUM or newer yourself, or unpack one and name its folder in AUTOCOM_ASTERISK_HOME"
done
ARCH=$(dpkg --print-architecture)
case $ARCH in
  amd64) TRIPLET=x86_64-linux-gnu LOADER=ld-linux-x86-64.so.2 ;;
  arm64) TRIPLET=aarch64-linux-gnu LOADER=ld-linux-aarch64.so.1 ;;
  *) die "no Asterisk prepared for $ARCH: install Asterisk $MINIMUM or newer yourself" ;;
esac

mkdir -p "$(dirname "$DEST")"
exec 9> "$DEST.lock"
if ! flock -n 9; then say "waiting: another run is fetching it"; flock 9; fi
if ready; then say "already there: $DEST"; exit 0; fi

# Everything is made beside DEST (the same file system) and renamed at the end.
WORK=$(mktemp -d "$DEST.new.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
mkdir -p "$WORK"/apt/{lists,cache/archives,log}/partial "$WORK"/apt/etc/{apt.conf.d,preferences.d} "$WORK"/{debs,root}
: > "$WORK/apt/status"

# apt with a state of its own, first over this machine's sources: they may never have been updated
own_state=(-o "Dir::State::Lists=$WORK/apt/lists" -o "Dir::Cache=$WORK/apt/cache" -o "Dir::Log=$WORK/apt/log" -o "APT::Sandbox::User=" -o "Debug::NoLocking=true" -o "Acquire::Languages=none")
system_package() { # NAME: unpack it from this machine's own archive into WORK/from-system
  [ -e "$WORK/updated" ] || { apt-get "${own_state[@]}" -qq update >/dev/null 2>&1 || true; touch "$WORK/updated"; }
  (cd "$WORK" && apt-get "${own_state[@]}" -qq download "$1" >/dev/null 2>&1 && dpkg-deb -x "$1"_*.deb from-system)
}

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
if [ ! -r "$KEYRING" ]; then # Ubuntu carries Debian's keys in its own signed archive
  say "fetching Debian's archive keys"
  system_package debian-archive-keyring || die "no Debian archive keyring here and none to be had: apt-get install debian-archive-keyring"
  KEYRING=$(find "$WORK/from-system" -name 'debian-archive-keyring.[gp]*' | head -1)
fi

archives() { # candidates, best first; which of them is a Debian archive shows at its signature
  if [ -n "${MIRROR:-}" ]; then echo "$MIRROR"; return; fi
  # indextargets knows nothing before the first update; this names what an update would fetch
  apt-get -o Debug::NoLocking=true update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/.*|\1|p"
  sed -n 's/^default_mirror //p' /usr/share/debootstrap/scripts/sid 2>/dev/null || true
  if ! grep -qi '^ID=debian' /etc/os-release && system_package debootstrap; then
    sed -n 's/^default_mirror //p' "$WORK/from-system/usr/share/debootstrap/scripts/sid"
  fi
}

# proxies and the like are the machine's; the rest of its apt configuration is not ours to obey
apt-config dump 2>/dev/null | grep -iE '^Acquire::(https?::|http::Proxy|Retries|ForceIPv4)' > "$WORK/apt/own.conf" || true
cat >> "$WORK/apt/own.conf" <<CONF
APT::Architecture "$ARCH"; APT::Architectures { "$ARCH"; };
Dir::State "$WORK/apt"; Dir::State::Lists "$WORK/apt/lists"; Dir::State::status "$WORK/apt/status";
Dir::Cache "$WORK/apt/cache"; Dir::Log "$WORK/apt/log";
Dir::Etc "$WORK/apt/etc"; Dir::Etc::main ""; Dir::Etc::parts "$WORK/apt/etc/apt.conf.d"; Dir::Etc::preferencesparts "$WORK/apt/etc/preferences.d";
Dir::Etc::sourcelist "$WORK/apt/etc/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::trustedparts "/dev/null";
APT::Sandbox::User ""; APT::Install-Recommends "false"; APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none"; Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false"; Acquire::Retries "3";
DPkg::Post-Invoke { }; Debug::NoLocking "true";
CONF

resolved=
for archive in $(archives | awk '!seen[$0]++'); do
  for suite in $SUITES; do
    echo "deb [arch=$ARCH signed-by=$KEYRING] $archive $suite main" > "$WORK/apt/etc/sources.list"
    say "reading Debian's package list ($suite)"
    APT_CONFIG=$WORK/apt/own.conf apt-get -qq update > "$WORK/update.log" 2>&1 || continue
    offered=$(APT_CONFIG=$WORK/apt/own.conf apt-cache policy asterisk | awk '/Candidate/{print $2}' | sed 's/^[0-9]*://')
    enough "${offered%%[+~-]*}" || continue
    # Debian's own resolver names the closure: what an empty machine would install
    if APT_CONFIG=$WORK/apt/own.conf apt-get -qq -y --print-uris install asterisk asterisk-modules > "$WORK/uris" 2> "$WORK/resolve.log"; then
      resolved=1
      break 2
    fi
  done
done
[ -n "$resolved" ] || die "no Debian archive with Asterisk $MINIMUM reached (network? proxy?): $(tail -1 "$WORK/update.log" 2>/dev/null || echo 'set MIRROR to one')"
export APT_CONFIG=$WORK/apt/own.conf
awk '{print $2}' "$WORK/uris" | sed 's/_.*//' | sort -u > "$WORK/all"
grep -xE "$WANTED" "$WORK/all" > "$WORK/short"

fetch() { # FILE of names: those not yet here
  local name want=()
  while read -r name; do compgen -G "$WORK/debs/${name}_*" >/dev/null || want+=("$name"); done < "$1"
  [ ${#want[@]} = 0 ] || (cd "$WORK/debs" && apt-get -qq download "${want[@]}")
}
unpack() {
  local deb
  for deb in "$WORK"/debs/*.deb; do
    [ -e "$deb.done" ] || dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$WORK/root" --no-same-owner \
      --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./usr/share/man --exclude=./usr/share/lintian --exclude=./usr/lib/systemd
    touch "$deb.done"
  done
}
ROOT=$WORK/root LIBRARIES=usr/lib/$TRIPLET
libraries() { echo "$1/$LIBRARIES:$1/lib/$TRIPLET"; }
links() { # FILE: libraries it does not find in the folder (one of the host's belongs to another libc)
  "$ROOT/$LD" --inhibit-cache --library-path "$(libraries "$ROOT")" --list "$1" 2>&1 |
    sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p; s/.*libraries: \([^:]*\): cannot.*/\1/p; '"\\|$ROOT|d"'; s/^[[:space:]]*\(.*\) => \/.*/\1/p'
}
missing() {
  local module
  { links "$ROOT/usr/sbin/asterisk"
    for module in $PROVEN; do
      if [ -e "$ROOT/$MODULES/$module.so" ]; then links "$ROOT/$MODULES/$module.so"; else echo "module $module"; fi
    done; } | sort -u | tr '\n' ' '
}

if [ "${FULL:-}" = 1 ]; then cp "$WORK/all" "$WORK/short"; fi
say "downloading Asterisk $offered: $(wc -l < "$WORK/short") packages"
fetch "$WORK/short"
say "unpacking $(du -shc "$WORK"/debs/*.deb | tail -1 | cut -f1)"
unpack
MODULES=$(cd "$ROOT" && dirname "$(find usr/lib -name chan_pjsip.so | head -1)")
LD=$LIBRARIES/$LOADER
lacks=$(missing)
if [ -n "${lacks// /}" ]; then
  say "the short list lacks $lacks- downloading the whole closure"
  fetch "$WORK/all"
  unpack
  lacks=$(missing)
  [ -z "${lacks// /}" ] || die "incomplete after the whole closure: $lacks"
fi

mkdir "$WORK/bin"
cat > "$WORK/bin/asterisk" <<RUN
#!/bin/sh
R=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")/root
OPENSSL_CONF=/dev/null OPENSSL_MODULES=\$R/$LIBRARIES/ossl-modules exec "\$R/$LD" --argv0 asterisk --inhibit-cache --library-path "$(libraries '$R')" "\$R/usr/sbin/asterisk" "\$@"
RUN
chmod +x "$WORK/bin/asterisk"
found=$(version_of "$WORK/bin/asterisk")
enough "$found" || die "the unpacked Asterisk does not run here"
printf 'MODDIR=%q\nDATADIR=%q\nVERSION=%q\nARCH=%q\n' "$DEST/root/$MODULES" "$DEST/root/usr/share/asterisk" "$found" "$ARCH" > "$WORK/env"
(cd "$WORK/debs" && ls ./*.deb) | sed 's|^\./||' > "$WORK/packages.txt"
rm -rf "$WORK/apt" "$WORK/debs" "$WORK/from-system" "$WORK"/{all,short,uris,updated,*.log,*.deb} 2>/dev/null || true
chmod 755 "$WORK"
[ ! -e "$DEST" ] || mv -T "$DEST" "$WORK/old"
mv -T "$WORK" "$DEST"
rm -rf "$DEST/old"
trap - EXIT
say "Asterisk $found is ready ($(du -sh "$DEST" | cut -f1))"
