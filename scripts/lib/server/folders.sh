# shellcheck shell=bash
# Where a server keeps what it owns, and on which port it listens.

# Below the ports that systems give to outgoing connections, which could take one while a server is restarted.
readonly FIRST_PORT=10000 LAST_PORT=15990

absolute() {
    case $1 in
        /*) echo "$1" ;;
        *) echo "$PWD/$1" ;;
    esac
}

make_folder() {
    local folder=$1
    case $folder in *[[:space:]]*) die "MariaDB's programs take no spaces in a path: $folder" ;; esac
    mkdir -p "$folder"
    [ -z "$(ls -A "$folder")" ] || die "$folder is not empty"
    [ -n "$user" ] || return 0
    chown "$user:" "$folder"
    "${as_user[@]}" test -w "$folder" ||
        die "$user cannot reach $folder: every folder above it must let others pass (chmod o+x)"
}

is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The first of so many free ports in a row.
free_ports() {
    local count=$1 first port
    while true; do
        first=$((FIRST_PORT + (RANDOM * 32768 + RANDOM) % (LAST_PORT - FIRST_PORT)))
        for ((port = first; port < first + count; port++)); do
            is_free "$port" || continue 2
        done
        echo "$first"
        return
    done
}

# Everything that is needed to start it again. What comes before the command is needed for other programs, too.
remember() {
    local folder=$1 kind=$2 port=$3
    shift 3
    echo "$kind" >"$folder/kind"
    echo "$port" >"$folder/port"
    printf '%s\0' "${as_user[@]}" >"$folder/prefix"
    printf '%s\0' "$@" >"$folder/command"
}
