# Runs a server in a folder of its own until standard input ends, and prints the folder once it answers: PROGRAMS ROLE [PRIMARY], where
# PRIMARY is the folder of the socket of a server that it follows.
# Whoever restarts it in between uses `pg_ctl` on the same folder.
set -e
folder=$(mktemp -d /tmp/scorewatch-postgres-XXXXXX)
cd "$folder"
chmod 755 .
{
    if [ -n "$3" ]; then
        "$1/pg_basebackup" --pgdata data --host "$3" --username "$2" --checkpoint fast --write-recovery-conf
    else
        "$1/initdb" --pgdata data --username "$2" --auth trust --encoding UTF8 --locale C
    fi
    cat >>data/postgresql.conf <<SETTINGS
unix_socket_directories = '$folder'
listen_addresses = ''
max_connections = 400
shared_buffers = 64MB
max_wal_size = 256MB
SETTINGS
    "$1/postgres" -D data &
} >log 2>&1
server=$!
until "$1/pg_isready" --quiet --host "$folder"; do kill -0 "$server"; done
echo "$folder"
cat >/dev/null || true
"$1/pg_ctl" --pgdata data --mode fast stop >>log 2>&1 || true
wait "$server" || true
rm -rf "$folder"
