# shellcheck shell=bash
# The benches, each once, in the build that the tests have made: it is about whether they work, not about speed.

stage_benches() {
    step "PostgreSQL" need_postgres
    step "MariaDB" need_mariadb
    step "Benches, once each" cargo test "${EVERYTHING[@]}" --bench '*'
    step "Plots" check_plots
}

# They are what was measured last.
check_plots() {
    mkdir "$work/plots"
    cp docs/plots/*.csv "$work/plots"
    cargo run --quiet --package plots -- "$work/plots"
    diff --recursive --brief "$work/plots" docs/plots || die "the plots are others: scripts/plot-performance --redraw"
}
