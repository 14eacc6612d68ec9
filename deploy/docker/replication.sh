#!/bin/sh
# Run once by the image's entry point on a new database: lets the standby in, with the password.
echo "host replication all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
