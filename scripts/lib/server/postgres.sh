# shellcheck shell=bash
# PostgreSQL.

check_postgres() {
    need postgres postgresql
    need initdb postgresql
    need psql postgresql-client
}

# `postgres (PostgreSQL) 17.6 (…)`. The arguments are what the command must begin with.
installed_postgres() {
    "$@" postgres --version | cut --delimiter=' ' --fields=3
}

create_postgres() {
    local folder=$1 port locale=(--locale=C)
    shift
    become_one_of postgres nobody
    make_folder "$folder"
    # Names are ordered as people order them, as on most servers, so that nothing comes to rely on the order of bytes.
    if "${as_user[@]}" initdb --help | grep --quiet -e --icu-locale; then
        locale=(--locale=C.UTF-8 --locale-provider=icu --icu-locale=en)
    fi
    "${as_user[@]}" initdb --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --no-sync \
        "${locale[@]}" >"$folder/log" 2>&1 || give_up "$folder" "cannot be created"
    port=$(free_ports 1)
    # Without fsync: what a process has written outlives it, and no test takes the machine's power away.
    remember "$folder" postgres "$port" postgres -D "$folder/data" -p "$port" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c dynamic_shared_memory_type=mmap -c fsync=off -c max_connections=200 -c max_prepared_transactions=20 \
        -c wal_level=replica -c max_wal_senders=5 "$@"
}

url_of_postgres() {
    echo "postgres://postgres@127.0.0.1:$1/postgres"
}

answers_postgres() {
    run_beside "$1" psql --no-psqlrc --quiet --command='SELECT 1' "$(url "$1")" >/dev/null 2>&1
}

version_of_postgres() {
    echo "PostgreSQL $(psql --no-psqlrc --tuples-only --no-align --command='SHOW server_version' "$1")"
}

# A killed PostgreSQL leaves a piece of shared memory, and its number as that of a process which may seem to exist until
# somebody has asked how it ended.
clear_away() {
    local lock=$1/data/postmaster.pid id
    [ -e "$lock" ] || return 0
    if read -r _ id < <(sed --quiet 7p "$lock"); then
        ipcrm --shmem-id "$id" 2>/dev/null || true
    fi
    rm -f "$lock"
}
