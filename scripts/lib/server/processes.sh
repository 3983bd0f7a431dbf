# shellcheck shell=bash
# Servers as processes: started, waited for, ended.

readonly TIMEOUT=120

# A number that the system has given to another process since is none of ours.
is_running() {
    local folder=$1 pid
    pid=$(cat "$folder/pid" 2>/dev/null) || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep --quiet --fixed-strings "$folder/data"
}

# The processes with these numbers and all that they have started.
with_descendants() {
    local stat pid parent rest
    local -A children
    for stat in /proc/[0-9]*/stat; do
        { read -r rest <"$stat"; } 2>/dev/null || continue
        pid=${rest%% *}
        read -r _ parent _ <<<"${rest##*) }"
        children[$parent]+=" $pid"
    done
    while [ $# -gt 0 ]; do
        pid=$1
        shift
        echo "$pid"
        # shellcheck disable=SC2086 # They are several.
        set -- "$@" ${children[$pid]:-}
    done
}

wait_for_end() {
    local deadline=$((SECONDS + TIMEOUT)) pid
    for pid in "$@"; do
        while [ -e "/proc/$pid" ] && ! grep --quiet '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
            [ "$SECONDS" -lt "$deadline" ] || return 1
            sleep 0.05
        done
    done
}

# First they are stopped, so that none starts one more while the rest are looked for.
kill_processes() {
    local all
    [ $# -gt 0 ] || return 0
    kill -STOP "$@" 2>/dev/null || true
    mapfile -t all < <(with_descendants "$@")
    kill -KILL "${all[@]}" 2>/dev/null || true
    wait_for_end "${all[@]}" || die "processes do not end: ${all[*]}"
}

# Starts what the folder's `command` says, with more arguments, apart from this terminal and this script's output.
launch() {
    local folder=$1 prefix command
    shift
    mapfile -d '' -t prefix <"$folder/prefix"
    mapfile -d '' -t command <"$folder/command"
    # Left by a MySQL that was killed, with the number of a process that is there until somebody collects it.
    rm -f "$folder"/data/*.sock.lock
    # The caller's TMPDIR may be closed to the server's user.
    TMPDIR=$folder setsid "${prefix[@]}" "${command[@]}" "$@" </dev/null >>"$folder/log" 2>&1 &
    echo $! >"$folder/pid"
    wait_for_answer "$folder"
}

wait_for_answer() {
    local folder=$1 deadline=$((SECONDS + TIMEOUT))
    until "answers_$(cat "$folder/kind")" "$folder"; do
        kill -0 "$(cat "$folder/pid")" 2>/dev/null || give_up "$folder" "has ended"
        [ "$SECONDS" -lt "$deadline" ] || give_up "$folder" "has not answered for $TIMEOUT s"
        sleep 0.1
    done
}

give_up() {
    local folder=$1
    echo "The end of $folder/log:" >&2
    tail --lines=40 "$folder/log" >&2
    die "the server in $folder $2"
}

# Whoever is interrupted while a server starts leaves none behind.
abandon() {
    local status=$?
    local started
    mapfile -t started < <(jobs -p)
    [ "$status" -eq 0 ] || kill_processes "${started[@]}"
}
