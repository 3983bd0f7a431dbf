# shellcheck shell=bash
# Galera: three nodes of MariaDB, which all take writes.

readonly GALERA_LIBRARIES=(/usr/lib/galera/libgalera_smm.so /usr/lib64/galera-4/libgalera_smm.so)

check_galera() {
    check_mariadb
    need wsrep_sst_rsync mariadb-server
    need rsync rsync
    need ss iproute2
    programs=(env "PATH=$PATH")
    galera_library >/dev/null
}

installed_galera() {
    installed_mariadb "$@"
}

create_galera() {
    local folder=$1 library ports number members=gcomm:// node port
    shift
    become_one_of mysql nobody
    make_folder "$folder"
    library=$(galera_library)
    ports=$(free_ports 12)
    for number in 1 2 3; do
        members+=127.0.0.1:$((ports + 4 * number - 3)),
    done
    for number in 1 2 3; do
        node=$folder/node$number
        port=$((ports + 4 * number - 4))
        make_folder "$node"
        if [ "$number" -eq 1 ]; then
            install_mariadb "$node"
        else
            cp --archive "$folder/node1/data" "$node/data"
        fi
        remember_mariadb "$node" "$port" --innodb-autoinc-lock-mode=2 --log-slave-updates \
            --wsrep-on=ON --wsrep-provider="$library" --wsrep-cluster-name=test --wsrep-cluster-address="${members%,}" \
            --wsrep-node-name="node$number" --wsrep-node-address="127.0.0.1:$((port + 1))" \
            --wsrep-sst-method=rsync --wsrep-sst-receive-address="127.0.0.1:$((port + 3))" \
            --wsrep-provider-options="$(galera_options "$port")" \
            "$@"
    done
}

# Three ports beside the one for clients: of the group, of short state transfers, of whole ones.
galera_options() {
    local group=$(($1 + 1)) transfer=$(($1 + 2))
    printf '%s;' base_host=127.0.0.1 "base_port=$group" "gmcast.listen_addr=tcp://127.0.0.1:$group" \
        "ist.recv_addr=127.0.0.1:$transfer" gcache.size=32M
}

galera_library() {
    local library
    for library in "${GALERA_LIBRARIES[@]}"; do
        if "${programs[@]}" test -e "$library"; then
            echo "$library"
            return
        fi
    done
    die "Galera is missing. On Debian or Ubuntu: sudo apt-get install galera-4"
}

# The node that has seen the most begins, and the others join it.
launch_galera() {
    local folder=$1 node best seqno highest=-2 position begin
    for node in "$folder"/node*; do
        position=$(recovered_position "$node")
        seqno=${position##*:}
        if [ "$seqno" -gt "$highest" ]; then
            highest=$seqno best=$node begin=$position
        fi
    done
    [ ! -e "$best/data/grastate.dat" ] || sed --in-place 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$best/data/grastate.dat"
    launch "$best" --wsrep-new-cluster --wsrep-start-position="$begin"
    for node in "$folder"/node*; do
        [ "$node" = "$best" ] || launch "$node"
    done
}

recovered_position() {
    local node=$1 command position
    mapfile -d '' -t command <"$node/command"
    run_beside "$node" "${command[@]}" --wsrep-recover </dev/null >"$node/recovery" 2>&1 || true
    position=$(sed --quiet 's/.*WSREP: Recovered position:* *//p' "$node/recovery" | tail --lines=1)
    echo "${position:-00000000-0000-0000-0000-000000000000:-1}"
}
