# Runs a server in a folder of its own until standard input ends, and prints the folder once it answers: PROGRAMS ROLE.
set -e
folder=$(mktemp -d /tmp/scorewatch-postgres-XXXXXX)
cd "$folder"
chmod 755 .
{
    "$1/initdb" --pgdata data --username "$2" --auth trust --encoding UTF8 --locale C
    "$1/postgres" -D data -k "$folder" -c listen_addresses= -c max_connections=400 -c shared_buffers=64MB -c max_wal_size=256MB &
} >log 2>&1
server=$!
until "$1/pg_isready" --quiet --host "$folder"; do kill -0 "$server"; done
echo "$folder"
cat >/dev/null || true
kill -INT "$server" || true
wait "$server" || true
rm -rf "$folder"
