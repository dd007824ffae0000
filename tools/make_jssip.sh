#!/bin/bash
# make_jssip.sh [VERSION]: the SIP library of the page `/phone` as one file, from npm: JsSIP (MIT) and what it needs.
#
# Writes jssip.min.js and jssip-license.txt under src/autocom/web/static/phone/. Node and npm are needed for this
# alone; the result is committed, so neither a browser nor the tests load anything from elsewhere.
set -euo pipefail
VERSION=${1:-3.13.8}
ESBUILD=0.28.2
PAGE=$(cd "$(dirname "$0")/../src/autocom/web/static/phone" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
npm install --silent --no-audit --no-fund --ignore-scripts=false "jssip@$VERSION" "esbuild@$ESBUILD" >/dev/null
echo "window.JsSIP = require('jssip');" > entry.js
npx esbuild entry.js --bundle --minify --format=iife --legal-comments=none --log-level=warning --outfile=bundle.js \
  --metafile=meta.json
parts=$(node -e "
  const names = new Set(Object.keys(require('./meta.json').inputs).map((file) => (/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) || [])[1]).filter(Boolean));
  console.log([...names].sort((a, b) => (b === 'jssip') - (a === 'jssip') || a.localeCompare(b)).join(' '))")
{
  echo "/* JsSIP $VERSION and its dependencies ($(echo "${parts#jssip }" | sed 's/ /, /g')): MIT, see jssip-license.txt beside this file. */"
  cat bundle.js
} > "$PAGE/jssip.min.js"
{
  echo "jssip.min.js is a bundle of the packages below, all under the MIT licence. Made by tools/make_jssip.sh."
  for part in $parts; do
    echo; echo
    echo "==== $part $(node -p "require('./node_modules/$part/package.json').version") ===="
    echo
    find "node_modules/$part" -maxdepth 1 -iname 'licen[sc]e*' -exec cat {} +
    [ "$(node -p "require('./node_modules/$part/package.json').license")" = MIT ] || { echo "$part is not MIT" >&2; exit 1; }
  done
} > "$PAGE/jssip-license.txt"
echo "jssip $VERSION: $(wc -c < "$PAGE/jssip.min.js") bytes; $parts"
