# shellcheck shell=bash
# The benches, each once, in the build that the tests have made: it is about whether they work, not about speed.

stage_benches() {
    step "Benches, once each" cargo test "${ALL[@]}" --bench '*'
    step "PostgreSQL" need_postgres
    step "MariaDB" need_mariadb
    step "Benches of servers, once each" cargo test --package server_benches --benches
    step "Plots" check_plots
}

# They are what was measured last.
check_plots() {
    mkdir "$work/plots"
    cp docs/plots/*.csv "$work/plots"
    cargo run --quiet --package plots -- "$work/plots"
    diff --recursive --brief "$work/plots" docs/plots || die "the plots are others: scripts/plot-performance --redraw"
}
