# shellcheck shell=bash
# What can be said of the sources without running them.

stage_lint() {
    step "Formatting" cargo fmt --all --check
    step "Spelling" check_spelling
    step "Shell scripts" check_scripts
    step "Lints, default features" lint
    step "Lints, all features, all packages" lint "${EVERYTHING[@]}"
}

# `diesel_cli` is named because it is no test by default, so it is none of `--all-targets`.
lint() {
    cargo clippy --all-targets --test diesel_cli "$@" -- -D warnings
}

check_spelling() {
    install_typos
    "$TYPOS"
}

check_scripts() {
    command -v shellcheck >/dev/null || need_packages "shellcheck is missing" shellcheck
    # The parts in `scripts/lib` are checked where they are used.
    # shellcheck disable=SC2046 # They are several.
    shellcheck --external-sources --check-sourced .ci/* $(find scripts -maxdepth 1 -type f)
}

stage_docs() {
    step "Documentation, default" document
    step "Documentation, all features" document "${ALL[@]}"
}

document() {
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps "$@"
}

stage_package() {
    step "Package" check_package
}

check_package() {
    local file files
    files=$(cargo package --list --allow-dirty)
    for file in README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE build.rs diesel*.toml src/schema/*.rs \
        $(find migrations -name '*.sql') docs/plots/*.svg examples/basic.rs; do
        grep --quiet --line-regexp --fixed-strings "$file" <<<"$files" || die "$file is missing in the package"
    done
    echo "$(wc -l <<<"$files") files"
}
