# shellcheck shell=bash
# MariaDB.

check_mariadb() {
    need mariadbd mariadb-server
    need mariadb-install-db mariadb-server
    need mariadb mariadb-client
}

# `mariadbd  Ver 11.8.3-MariaDB-… for …`. The arguments are what the command must begin with.
installed_mariadb() {
    "$@" mariadbd --version | sed --quiet 's/.* Ver \([0-9.]*\)-MariaDB.*/\1/p'
}

create_mariadb() {
    local folder=$1 port
    shift
    become_one_of mysql nobody
    make_folder "$folder"
    install_mariadb "$folder"
    port=$(free_ports 1)
    remember_mariadb "$folder" "$port" "$@"
}

install_mariadb() {
    local folder=$1
    "${as_user[@]}" mariadb-install-db --no-defaults --datadir="$folder/data" --tmpdir="$folder" --skip-name-resolve \
        --auth-root-authentication-method=normal >"$folder/log" 2>&1 || give_up "$folder" "cannot be created"
}

# With the binary log, as in production: row locks and commits are not the same without it.
remember_mariadb() {
    local folder=$1 port=$2
    shift 2
    # The socket's path is relative to the data: a path from the root may be longer than a socket's can be.
    remember "$folder" mariadb "$port" mariadbd --no-defaults --datadir="$folder/data" --tmpdir="$folder" \
        --skip-networking=0 --bind-address=127.0.0.1 --port="$port" --socket=mariadbd.sock --skip-name-resolve \
        --max-connections=300 --max-allowed-packet=64M --innodb-flush-log-at-trx-commit=2 \
        --log-bin=binlog --binlog-format=ROW --server-id=1 "$@"
}

url_of_mariadb() {
    echo "mysql://root@127.0.0.1:$1/test"
}

# A node of a cluster answers when it may be used.
answers_mariadb() {
    local answer
    answer=$(run_beside "$1" mariadb --no-defaults --host=127.0.0.1 --port="$(cat "$1/port")" --user=root \
        --skip-column-names --batch --execute="SELECT @@wsrep_on = 0 OR (
            SELECT COUNT(*) = 2 FROM information_schema.global_status
            WHERE (variable_name, variable_value) IN (('wsrep_ready', 'ON'), ('wsrep_local_state', '4')))" 2>/dev/null)
    [ "$answer" = 1 ]
}

# Of MySQL, too: both speak to the client of the other.
version_of_mariadb() {
    local client version name=MySQL
    client=$(command -v mariadb || command -v mysql) || die "a client is missing: mariadb or mysql"
    version=$("$client" --no-defaults --skip-column-names --batch "$(option_of user "$1")" "$(option_of password "$1")" \
        "$(option_of host "$1")" "$(option_of port "$1")" --execute='SELECT VERSION()')
    case $version in *MariaDB*) name=MariaDB ;; esac
    echo "$name ${version%%-*}"
}

# `mysql://user:password@host:port/database` as options of the client.
option_of() {
    local name=$1 server=${2#*://} user host
    server=${server%%/*}
    user=${server%@*} host=${server##*@}
    case $name in
        user) echo "--user=${user%%:*}" ;;
        password) case $user in *:*) echo "--password=${user#*:}" ;; *) echo --skip-password ;; esac ;;
        host) echo "--host=${host%%:*}" ;;
        port) case $host in *:*) echo "--port=${host##*:}" ;; *) echo --port=3306 ;; esac ;;
    esac
}
