# A simulated Microsoft cloud with 36 customers, and receivers, on loopback: that of `scorewatch demo`. For other scripts to source.

fail() {
    echo "FAILED $*" >&2
    exit 1
}

passed=0
ok() {
    passed=$((passed + 1))
    echo "ok $*"
}

# patiently SECONDS WHAT COMMAND…: waits until the command succeeds.
patiently() {
    local seconds=$1 what=$2 until
    shift 2
    until=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || fail "$what: not within $seconds s"
        sleep 0.2
    done
}

# start_world BINARY FOLDER: starts the cloud; its configuration is then in $world, with a store of its own.
start_world() {
    mkdir -p "$2"
    TMPDIR=$2 "$1" demo --keep --stay >"$2/log" 2>&1 </dev/null &
    world_pid=$!
    patiently 180 "the simulated cloud" grep -q "^The dashboard stays open" "$2/log"
    world=$(echo "$2"/scorewatch-demo-*)
}

stop_world() {
    [ -z "${world_pid:-}" ] || kill -INT "$world_pid" 2>/dev/null || true
    world_pid=
}
