# shellcheck shell=bash
# Group Replication: three nodes of MySQL, one of which takes writes. If it fails, another one does.

# Three nodes of one machine are one group.
readonly GROUP=6f0a6f3e-6d5c-4bb1-9a3c-0d6b1f6c1d2e

check_group() {
    check_mysql
}

installed_group() {
    installed_mysql "$@"
}

create_group() {
    local folder=$1 ports number seeds='' node port
    shift
    become_one_of mysql nobody
    make_folder "$folder"
    ports=$(free_ports 6)
    for number in 1 2 3; do
        seeds+=127.0.0.1:$((ports + 2 * number - 1)),
    done
    for number in 1 2 3; do
        node=$folder/node$number
        port=$((ports + 2 * number - 2))
        make_folder "$node"
        if [ "$number" -eq 1 ]; then
            install_mysql "$node"
        else
            cp --archive "$folder/node1/data" "$node/data"
            rm "$node/data/auto.cnf"
        fi
        # A node that is started again joins the others by itself.
        remember_mysql group "$node" "$port" --server-id="$number" --report-host=127.0.0.1 --report-port="$port" \
            --gtid-mode=ON --enforce-gtid-consistency=ON --super-read-only=ON \
            --plugin-load-add=group_replication.so --group-replication-group-name="$GROUP" \
            --group-replication-start-on-boot=ON --group-replication-local-address="127.0.0.1:$((port + 1))" \
            --group-replication-group-seeds="${seeds%,}" --group-replication-recovery-get-public-key=ON \
            --group-replication-member-expel-timeout=0 "$@"
    done
}

url_of_group() {
    url_of_mariadb "$1"
}

# A node answers when it may be used, or when it waits for the command to join.
answers_group() {
    local answer
    answer=$(ask_mysql "$1" "SELECT @@group_replication_start_on_boot = 0 OR EXISTS (
        SELECT 1 FROM performance_schema.replication_group_members
        WHERE member_id = @@server_uuid AND member_state = 'ONLINE')" 2>/dev/null)
    [ "$answer" = 1 ]
}

# The node that has all transactions begins, and the others join it.
launch_group() {
    local folder=$1 node best=$1/node1
    for node in "$folder"/node*; do
        launch "$node" --group-replication-start-on-boot=OFF
        ask_mysql "$node" "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'root', SOURCE_PASSWORD = ''
            FOR CHANNEL 'group_replication_recovery'"
        if has_more "$node" "$best"; then best=$node; fi
    done
    ask_mysql "$best" "SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION;
        SET GLOBAL group_replication_bootstrap_group = OFF"
    for node in "$folder"/node*; do
        [ "$node" = "$best" ] || ask_mysql "$node" "START GROUP_REPLICATION"
        ask_mysql "$node" "SET GLOBAL group_replication_start_on_boot = ON"
        wait_for_answer "$node"
    done
}

has_more() {
    local transactions
    transactions=$(ask_mysql "$2" "SELECT @@GLOBAL.gtid_executed")
    [ -n "$(ask_mysql "$1" "SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, '$transactions')")" ]
}
