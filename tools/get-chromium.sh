#!/bin/bash
# get-chromium.sh [DEST]: a browser for the tests of the page `/phone`. Debian's Chromium, by the machine's own apt.
#
# As root it is installed; otherwise it and the libraries that are missing are unpacked under DEST, without root:
#
#   DEST/bin/chromium  runs it
#
# DEST defaults to autocom/chromium in the user's cache. Where there is a browser already (CHROMIUM, or chromium or
# google-chrome on PATH) nothing is done. Where none can be had (Ubuntu has it as a snap only) it says so and exits
# 0: everything but the browser's tests runs without it, and they fail with a word of what to install.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

DEST=$(realpath -m "${1:-${XDG_CACHE_HOME:-$HOME/.cache}/autocom/chromium}")
say() { echo "chromium: $*"; }
none() { say "none here, and none to be had ($*): the browser's tests will fail. Install Chromium or Chrome, or name one in CHROMIUM"; exit 0; }

for found in "${CHROMIUM:-}" "$(command -v chromium || true)" "$(command -v google-chrome || true)" "$DEST/bin/chromium"; do
  if [ -n "$found" ] && [ -x "$found" ]; then exit 0; fi
done
for tool in apt-get dpkg-deb; do command -v $tool >/dev/null || none "no $tool"; done

if [ "$(id -u)" = 0 ]; then
  apt-get -qq update || true
  apt-get -qq -y install --no-install-recommends chromium >/dev/null || none "apt-get install chromium failed"
  say "installed: $(command -v chromium)"
  exit 0
fi

mkdir -p "$(dirname "$DEST")"
WORK=$(mktemp -d "$DEST.new.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
mkdir -p "$WORK"/apt/{lists,cache/archives}/partial "$WORK"/debs "$WORK"/root "$WORK"/bin
own=(-o "Dir::State::Lists=$WORK/apt/lists" -o "Dir::Cache=$WORK/apt/cache" -o "APT::Sandbox::User=" -o "Debug::NoLocking=true" -o "Acquire::Languages=none")
apt-get "${own[@]}" -qq update >/dev/null 2>&1 || none "apt-get update failed"
# what this machine lacks, by its own resolver
apt-get "${own[@]}" -qq -y --print-uris install --no-install-recommends chromium > "$WORK/uris" 2>/dev/null || none "apt knows no chromium"
awk '{print $2}' "$WORK/uris" | sed 's/_.*//' | sort -u > "$WORK/names"
(cd "$WORK/debs" && xargs apt-get "${own[@]}" -qq download < "$WORK/names" >/dev/null 2>&1) || none "the download failed"
for deb in "$WORK"/debs/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$WORK/root" --no-same-owner; done
[ -x "$WORK/root/usr/lib/chromium/chromium" ] || none "the package holds no browser"
rm -rf "$WORK"/apt "$WORK"/debs "$WORK"/uris "$WORK"/names
cat > "$WORK/bin/chromium" <<'RUN'
#!/bin/sh
root=$(cd "$(dirname "$0")/../root" && pwd)
export LD_LIBRARY_PATH="$(find "$root/usr/lib" "$root/lib" -maxdepth 1 -type d -name '*-linux-gnu' 2>/dev/null | tr '\n' ':')$LD_LIBRARY_PATH"
exec "$root/usr/lib/chromium/chromium" "$@"
RUN
chmod +x "$WORK/bin/chromium"
rm -rf "$DEST"
mv "$WORK" "$DEST"
trap - EXIT
"$DEST/bin/chromium" --version >/dev/null 2>&1 || { rm -rf "$DEST"; none "the unpacked one does not start"; }
say "unpacked: $DEST"
