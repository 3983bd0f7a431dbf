# shellcheck shell=bash
# What every run has: a place for what it leaves behind, an end that clears up, and a report.

readonly ALL=(--all-features)
# All packages at once, so that everything is compiled once.
readonly EVERYTHING=(--workspace "${ALL[@]}")

die() {
    echo "$1" >&2
    exit 1
}

# Paths that the caller gave are meant from where the caller stands.
absolute() {
    case $1 in
        /*) echo "$1" ;;
        *) echo "$PWD/$1" ;;
    esac
}

# Gigabytes that must be free where a run leaves its files, and of memory, for them to lie in memory.
readonly ROOM=6

# In memory where there is room: a database of PostgreSQL is 300 files, and nothing is to outlive the run.
place_for_work() {
    local free available
    free=$(df --output=avail --block-size=1G /dev/shm 2>/dev/null | tail --lines=1)
    available=$(sed --quiet 's/^MemAvailable: *\([0-9]*\)[0-9]\{6\} kB/\1/p' /proc/meminfo 2>/dev/null)
    if [ -z "${TMPDIR:-}" ] && [ "${free:-0}" -ge "$ROOM" ] && [ "${available:-0}" -ge "$ROOM" ]; then
        echo /dev/shm
    else
        echo "${TMPDIR:-/tmp}"
    fi
}

begin() {
    [ -z "${CARGO_TARGET_DIR:-}" ] || CARGO_TARGET_DIR=$(absolute "$CARGO_TARGET_DIR")
    [ -z "${SERVER_SYSTEMS:-}" ] || SERVER_SYSTEMS=$(absolute "$SERVER_SYSTEMS")
    case ${DIESEL_CLI:-} in */*) DIESEL_CLI=$(absolute "$DIESEL_CLI") ;; esac
    cd "$library/../../.."
    root=$PWD
    target=${CARGO_TARGET_DIR:-$root/target}
    work=$(mktemp --directory --tmpdir="$(place_for_work)")
    chmod go+x "$work"  # servers may run as other users
    export TOOLS=${TOOLS:-$target/tools} # of all stages, also of those beside the others
    export TMPDIR=$work # whatever a test leaves behind goes with it
    export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0} # most of what it builds, it builds once
    export CARGO_PROFILE_DEV_DEBUG=${CARGO_PROFILE_DEV_DEBUG:-0} # a quarter of the time that tests take to compile
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Says what it does, and does it.
step() {
    current=$1
    shift
    echo "==> [$SECONDS s] $current"
    "$@"
}

# A line of what is said at the end.
report() {
    echo "$1" >>"$work/report"
}

finish() {
    local status=$?
    trap '' INT TERM
    end_beside
    kill_servers
    echo
    [ ! -s "$work/report" ] || { echo "What has run:" && cat "$work/report"; }
    [ ! -s "$work/versions" ] || { echo "On:" && sort --unique "$work/versions"; }
    [ ! -s "$work/omitted" ] || { echo "What has not run:" && cat "$work/omitted"; }
    rm -rf "$work"
    if [ "$status" -eq 0 ]; then
        echo "All passed in $SECONDS s"
    else
        echo "FAILED: $current (after $SECONDS s)" >&2
    fi
}

# For the report: on what it has run, and what could not be run here.
on() {
    echo "  $1" >>"$work/versions"
}

omitted() {
    echo "NOT RUN: $1"
    echo "  $1" >>"$work/omitted"
}
