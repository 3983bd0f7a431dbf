# shellcheck shell=bash
# Database servers, each started when a stage first needs it.

need_postgres() {
    start_server TEST_POSTGRES_URL postgres postgresql
}

need_mariadb() {
    start_server TEST_MYSQL_URL mariadb mariadb-server
}

need_mysql() {
    start_server TEST_ORACLE_MYSQL_URL mysql debootstrap
}

need_galera() {
    start_server TEST_GALERA_URLS galera mariadb-server galera-4 rsync iproute2
}

# Keeps the one that the caller gives.
start_server() {
    local variable=$1 kind=$2 version
    shift 2
    if [ -z "${!variable:-}" ]; then
        install_server "$kind" "$@"
        export "$variable=$(scripts/server start "$kind" "$work/$kind")"
    fi
    version=$(scripts/server version "${!variable}") || version="unknown version"
    on "$version"
    echo "$variable=${!variable} ($version)"
}

# A package of a server is installed with a complaint where its service cannot be started, but it is not the service that
# is needed.
install_server() {
    local kind=$1
    shift
    scripts/server check "$kind" 2>/dev/null ||
        need_packages "$(scripts/server check "$kind" 2>&1)" "$@" ||
        scripts/server check "$kind"
}

# Those that a test has started and left behind, too.
kill_servers() {
    local file
    find "$work" -name command -type f 2>/dev/null | while read -r file; do
        scripts/server kill "${file%/command}" || true
    done
}
