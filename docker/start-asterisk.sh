#!/bin/sh
# start-asterisk.sh ASTERISK.CONF: waits until autocom has written the configuration for the first time, then
# becomes Asterisk. Later starts find it there, with or without autocom.
set -eu
until [ -r "$1" ]; do
    echo "waiting for autocom to write $1"
    sleep 2
done
exec asterisk -f -C "$1"
