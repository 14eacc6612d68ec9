#!/bin/sh
# A hot standby of PostgreSQL: copies the primary once, then follows it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  PGPASSWORD=$(cat /run/secrets/database-password)
  export PGPASSWORD
  umask 077
  until pg_basebackup -h postgres -U gateway -D "$PGDATA" -R -X stream; do
    rm -rf "$PGDATA"
    sleep 1
  done
fi
chmod 0700 "$PGDATA"
exec postgres -D "$PGDATA" -c hot_standby=on -c listen_addresses='*'
