#!/bin/bash
# step.sh NAME COMMAND…: runs a long step quietly. One line when it starts, one with the seconds it took; a
# step that fails shows the end of what it said and ends with its exit code.
set -uo pipefail
name=$1
shift
mkdir -p .cache
log=$(mktemp ".cache/step.XXXXXX")
trap 'rm -f "$log"' EXIT
started=$(date +%s%N)
elapsed() { local ms=$((($(date +%s%N) - started) / 1000000)); printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100)); }

[ -t 1 ] && printf '  …      %s' "$name"
if [ -t 1 ]; then clear_line=$'\r\e[K'; else clear_line=; printf '  …      %s\n' "$name"; fi
"$@" >"$log" 2>&1 &
command=$!
trap 'kill "$command" 2>/dev/null; wait "$command" 2>/dev/null; exit 130' INT TERM
# wait is cut short by a trapped signal only; the status is the command's own
wait "$command"
status=$?
if [ "$status" -eq 0 ]; then
    printf '%s%5ss  %s\n' "$clear_line" "$(elapsed)" "$name"
else
    printf '%s%5ss  %s: failed (%d)\n' "$clear_line" "$(elapsed)" "$name" "$status"
    tail -n 200 "$log"
fi >&1
exit "$status"
