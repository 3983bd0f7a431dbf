# shellcheck shell=bash
# The migrations, as the real `diesel` command applies them.

stage_tools() {
    step "The diesel command" install_diesel_cli
}

stage_cli() {
    step "The diesel command" install_diesel_cli
    step "PostgreSQL" need_postgres
    step "MariaDB" need_mariadb
    step "Migrations, diesel command" cargo test "${EVERYTHING[@]}" --test diesel_cli
}
