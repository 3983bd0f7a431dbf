# shellcheck shell=bash
# MySQL: the one by Oracle, whose programs have the names that MariaDB's also have.

check_mysql() {
    need mysql mysql-client
}

# `/usr/sbin/mysqld  Ver 9.7.4-2 for Linux …`. The arguments are what the command must begin with.
installed_mysql() {
    "$@" mysqld --version | sed '/MariaDB/d; s/.* Ver \([0-9.]*\).*/\1/'
}

create_mysql() {
    local folder=$1
    shift
    become_one_of mysql nobody
    make_folder "$folder"
    install_mysql "$folder"
    remember_mysql mysql "$folder" "$(free_ports 1)" --innodb-flush-log-at-trx-commit=2 --sync-binlog=0 --server-id=1 "$@"
}

install_mysql() {
    local folder=$1
    # Where names are not looked up, 127.0.0.1 is not `localhost`, whose root is made without being asked for.
    cat >"$folder/first.sql" <<SQL
CREATE USER root@'%' IDENTIFIED BY '';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE DATABASE test;
SQL
    "${as_user[@]}" mysqld --no-defaults --initialize-insecure --datadir="$folder/data" --tmpdir="$folder" \
        --secure-file-priv= --init-file="$folder/first.sql" >"$folder/log" 2>&1 || give_up "$folder" "cannot be created"
}

# Binary logs are written as MariaDB writes them: what a process has written outlives it.
remember_mysql() {
    local kind=$1 folder=$2 port=$3
    shift 3
    # The socket's path is relative to the data: a path from the root may be longer than a socket's can be.
    remember "$folder" "$kind" "$port" mysqld --no-defaults --datadir="$folder/data" --tmpdir="$folder" \
        --bind-address=127.0.0.1 --port="$port" --socket=mysqld.sock --skip-name-resolve --mysqlx=OFF \
        --secure-file-priv= --max-connections=300 --max-allowed-packet=64M --log-bin=binlog "$@"
}

url_of_mysql() {
    url_of_mariadb "$1"
}

answers_mysql() {
    ask_mysql "$1" 'SELECT 1' >/dev/null 2>&1
}

# What the server in the folder answers, without headings.
ask_mysql() {
    run_beside "$1" mysql --no-defaults --host=127.0.0.1 --port="$(cat "$1/port")" --user=root \
        --skip-column-names --batch --execute="$2"
}
