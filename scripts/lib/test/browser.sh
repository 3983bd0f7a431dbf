# shellcheck shell=bash
# The pages of the command in a real browser. Their tests are a workspace of their own.

readonly BROWSER_SUITE=(--manifest-path crates/browser_suite/Cargo.toml)

stage_browse() {
    step "Chromium" need_chromium
    step "The command" cargo build "${EVERYTHING[@]}" --bins
    step "Formatting" cargo fmt "${BROWSER_SUITE[@]}" --check
    step "Lints" in_browser_suite clippy --all-targets -- -D warnings
    step "Pages in Chromium" in_browser_suite test
}

in_browser_suite() {
    local command=$1
    shift
    CARGO_TARGET_DIR=$target DIESEL_EVENT_STORE=$target/debug/diesel-event-store \
        cargo "$command" "${BROWSER_SUITE[@]}" --locked "$@"
}

# Without a font, pages would be white.
need_chromium() {
    if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
        need_packages "Chromium or its driver is missing" chromium chromium-driver fonts-dejavu-core
    fi
    on "$(chromium --version)"
}
