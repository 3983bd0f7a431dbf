# shellcheck shell=bash
# Stages that run beside the others. What only compiles the crate itself keeps one core busy, and tests wait for servers.

beside= # its process, and its group

# In a target folder of its own: cargo lets nothing else into one that it works in.
begin_beside() {
    CARGO_TARGET_DIR=$target/sources TMPDIR=$work setsid "$library/../../test" "$@" >"$work/beside" 2>&1 &
    beside=$!
}

# Ends everything as soon as one of them has failed.
check_beside() {
    [ -z "$beside" ] || kill -0 "$beside" 2>/dev/null || wait_beside
}

wait_beside() {
    [ -z "$beside" ] || step "Stages beside the others" show_beside
}

# What they have said, once they have ended.
show_beside() {
    local status=0
    wait "$beside" || status=$?
    beside=
    cat "$work/beside"
    return "$status"
}

end_beside() {
    [ -z "$beside" ] || kill -- -"$beside" 2>/dev/null || true
}
