# shellcheck shell=bash
# The tests. The name of one that needs a server has `postgres`, `mysql` or `galera` in it; all others run without.

# Tests wait for most of their time: for a server, for a lock, for another thread.
readonly THREADS=(--test-threads "$((2 * $(nproc)))")

stage_sqlite() {
    on "SQLite of $(cargo tree "${ALL[@]}" --depth 0 --invert libsqlite3-sys | head --lines=1)"
    step "Tests that need no server" test_without_servers "${EVERYTHING[@]}" --tests -- \
        --skip postgres --skip mysql --skip galera --skip group_replication \
        --skip between_servers "${THREADS[@]}"
    step "Doctests" test_without_servers "${EVERYTHING[@]}" --doc
    step "Doctests, default features" test_without_servers --doc
    step "Conformance, system SQLite" test_on_system_sqlite
}

# As it is for somebody who has nothing but the toolchain.
test_without_servers() {
    env --unset=TEST_POSTGRES_URL --unset=TEST_MYSQL_URL --unset=TEST_GALERA_URLS cargo test "$@"
}

test_on_system_sqlite() {
    local tree
    tree=$(cargo tree "${SYSTEM_SQLITE[@]}" --edges normal,build,dev,features --invert libsqlite3-sys)
    if grep --quiet 'libsqlite3-sys feature "bundled"' <<<"$tree"; then
        die "SQLite is bundled although the feature is off"
    fi
    on "SQLite $(pkg-config --modversion sqlite3) of the system"
    cargo test "${SYSTEM_SQLITE[@]}" --test conformance -- "${THREADS[@]}"
}

stage_postgres() {
    step "PostgreSQL" need_postgres
    step "Tests of PostgreSQL" cargo test "${EVERYTHING[@]}" --tests -- postgres "${THREADS[@]}"
}

stage_mariadb() {
    step "MariaDB" need_mariadb
    step "Tests of MySQL, on MariaDB" cargo test "${EVERYTHING[@]}" --tests -- mysql "${THREADS[@]}"
}

stage_mysql() {
    step "MySQL" need_mysql
    step "Tests of MySQL, on MySQL" test_on_mysql
}

test_on_mysql() {
    TEST_MYSQL_URL=$TEST_ORACLE_MYSQL_URL \
        cargo test "${EVERYTHING[@]}" --test conformance --test mysql -- mysql:: "${THREADS[@]}"
}

stage_moves() {
    step "PostgreSQL" need_postgres
    step "MariaDB" need_mariadb
    step "Moves between servers" cargo test "${EVERYTHING[@]}" --test conformance --test command -- \
        between_servers "${THREADS[@]}"
}

stage_galera() {
    step "Galera" need_galera
    step "Tests of Galera" cargo test "${EVERYTHING[@]}" --test galera
}
