# shellcheck shell=bash
# What applications may combine: features, and versions of the compiler and of other packages.

stage_features() {
    step "Lints, system SQLite" lint_library "${SYSTEM_SQLITE[@]}"
    step "Lints, PostgreSQL alone" lint_library "${POSTGRES[@]}"
    step "Lints, MySQL alone" lint_library "${MYSQL[@]}"
    step "Lints, asynchronous PostgreSQL alone" lint_library "${ASYNC_POSTGRES[@]}"
    step "Lints, asynchronous MySQL alone" lint_library "${ASYNC_MYSQL[@]}"
    step "Lints, asynchronous connections alone, with everything else" lint_asynchronous
    step "Lints, the command with each database alone" lint_command
    step "Lints, every pair of features" lint_pairs
    step "Asynchronous connections need no client library" refuse_client_libraries
    step "Documentation, PostgreSQL alone" document "${POSTGRES[@]}"
    step "Documentation, MySQL alone" document "${MYSQL[@]}"
    step "Documentation, asynchronous PostgreSQL alone" document "${ASYNC_POSTGRES[@]}"
    step "Documentation, asynchronous MySQL alone" document "${ASYNC_MYSQL[@]}"
}

# What users can ask for.
all_features() {
    sed --quiet '/^\[features\]/,/^\[dependencies\]/s/^\([a-z][a-z0-9-]*\) = .*/\1/p' Cargo.toml |
        grep --invert-match --line-regexp default
}

# Without any database.
other_features() {
    all_features | grep --invert-match --extended-regexp 'sqlite|postgres|mysql|bundled'
}

lint_library() {
    cargo clippy --lib "$@" -- -D warnings
}

# What needs a connection that blocks is not there.
lint_asynchronous() {
    local database others
    others=$(other_features | paste --serial --delimiters=,)
    for database in async-postgres async-mysql; do
        lint_library --no-default-features --features "$database,$others"
    done
}

# It is installed with SQLite by default.
lint_command() {
    local database
    for database in postgres mysql; do
        cargo clippy --package diesel_event_store_cli --no-default-features --features "$database" -- -D warnings
    done
}

lint_pairs() {
    local features combination
    mapfile -t features < <(all_features)
    for combination in $(combinations "${features[@]}"); do
        echo "$combination"
        lint_library --no-default-features --features "$combination"
    done
}

# A few combinations that have every two features together, each without the other, and neither of them. With all
# features, which have been linted, each feature is in half of them, and no two are in the same ones (Kleitman and
# Spencer, Families of k-independent sets, 1973).
combinations() {
    local names=("$@") others=3 row at masks combination
    until mapfile -t masks < <(halves "$others") && [ "${#masks[@]}" -ge "${#names[@]}" ]; do
        others=$((others + 1))
    done
    for ((row = 0; row < others; row++)); do
        combination=""
        for at in "${!names[@]}"; do
            (((masks[at] >> row) & 1)) && combination+=,${names[at]}
        done
        [[ $combination =~ ,(async-)?(sqlite|postgres|mysql) ]] || combination+=,sqlite
        echo "${combination#,}"
    done
}

# Which of so many combinations, and one more that has all, a feature can be in: half of them, as bits.
halves() {
    local mask left bits
    for ((mask = 0; mask < 1 << $1; mask++)); do
        for ((left = mask, bits = 0; left > 0; left >>= 1)); do
            bits=$((bits + (left & 1)))
        done
        [ "$bits" -ne $((($1 + 1) / 2 - 1)) ] || echo "$mask"
    done
}

# An application gets what `cargo tree` lists without what tests need.
refuse_client_libraries() {
    if cargo tree "${ASYNC_SERVERS[@]}" --edges normal,build --prefix none |
        grep --extended-regexp '^(pq|mysqlclient|libsqlite3)-sys '; then
        die "the features async-postgres and async-mysql bring a client library along"
    fi
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
