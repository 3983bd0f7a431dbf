# shellcheck shell=bash
# What applications may combine: features, and versions of the compiler and of other packages.

stage_features() {
    step "cargo hack" install_cargo_hack
    step "Lints, system SQLite" lint "${SYSTEM_SQLITE[@]}"
    step "Lints, PostgreSQL alone" lint "${POSTGRES[@]}"
    step "Lints, MySQL alone" lint "${MYSQL[@]}"
    step "Lints, every pair of features" lint_pairs
    step "Documentation, PostgreSQL alone" document "${POSTGRES[@]}"
    step "Documentation, MySQL alone" document "${MYSQL[@]}"
}

# Nothing compiles without a database, so pairs of other features are tried beside one.
lint_pairs() {
    local pairs=(cargo hack clippy --feature-powerset --depth 2)
    "${pairs[@]}" --exclude-features default --at-least-one-of sqlite,postgres,mysql -- -D warnings
    "${pairs[@]}" --include-features r2d2,derive,schema-lock,metrics,tracing --features sqlite -- -D warnings
}

stage_oldest() {
    step "The lowest versions of dependencies" check_lowest_versions
    step "The oldest compiler" check_oldest_compiler
}

# In a copy, which has another Cargo.lock. The switch makes the stable compiler's cargo take an option that is not stable.
check_lowest_versions() {
    local copy=$target/lowest
    rm -rf "$copy"
    mkdir -p "$copy"
    tar --create --exclude=./target --exclude=./.git . | tar --extract --directory="$copy"
    (
        cd "$copy"
        RUSTC_BOOTSTRAP=1 cargo update -Z direct-minimal-versions
        CARGO_TARGET_DIR=$target cargo check "${ALL[@]}"
    )
}

# The lint `incompatible_msrv` has looked for newer functions of the standard library. Only the compiler itself knows of
# everything else.
check_oldest_compiler() {
    local version
    version=$(sed --quiet 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if command -v rustup >/dev/null &&
        rustup toolchain install "$version" --profile minimal --no-self-update; then
        rustup run "$version" cargo check --locked "${ALL[@]}"
        on "$(rustup run "$version" rustc --version)"
    else
        omitted "the compiler $version itself: rustup cannot get it here"
    fi
}
