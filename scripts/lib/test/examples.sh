# shellcheck shell=bash
# The examples, each in a folder of its own, as its first user runs it.

readonly REAL_LOG=../shared/data/receipt.jsonl.gz

stage_examples() {
    step "The diesel command" install_diesel_cli
    step "PostgreSQL" need_postgres
    step "MariaDB" need_mariadb
    step "Examples" run_examples
}

# With what examples are built.
features=("${ALL[@]}")

# Runs an example in a folder of its own, as its first user does.
example() {
    local name=$1
    shift
    mkdir -p "$work/$name"
    (cd "$work/$name" && cargo run --quiet --manifest-path "$root/Cargo.toml" "${features[@]}" --example "$name" -- "$@")
}

# An example twice, for its first and its second user, with nothing but the features for its database; and the one for
# all databases, in a database of its own.
server_examples() {
    local name=$1 server=$2
    shift 2
    local features=("$@")
    local -x DATABASE_URL=${server%/*}/des_example_$$
    mkdir -p "$work/empty"
    (cd "$work/empty" && "$DIESEL_CLI" database setup --no-default-migration --migration-dir .)
    example "$name"
    example "$name"
    features=("${ALL[@]}")
    example any_database any.db "$DATABASE_URL"
    "$DIESEL_CLI" database drop
}

# Without libpq, which the program would be linked to if another feature asked for it.
async_example() {
    local -x DATABASE_URL=${TEST_POSTGRES_URL%/*}/des_example_$$
    cargo build --quiet --features async-postgres --example async_postgres
    if ldd "$target/debug/examples/async_postgres" | grep --quiet libpq; then
        die "async_postgres is linked to libpq"
    fi
    (cd "$work/empty" && "$DIESEL_CLI" database setup --no-default-migration --migration-dir .)
    "$target/debug/examples/async_postgres"
    "$target/debug/examples/async_postgres"
    "$DIESEL_CLI" database drop
}

# Thirty events of three aggregates that interleave.
generate_log() {
    local i
    for i in {1..30}; do
        printf '{"aggregate_type": "Order", "aggregate_id": "%d", "event_type": "Order changed",' $((i % 3))
        printf ' "created_at": "2026-01-02T03:04:%02d.%06dZ", "payload": {"b": %d, "a": [1.50, "\\u0000"]}}\n' "$i" "$i" "$i"
    done
}

# What the description of the data says about it.
replay_real_log() {
    local fact
    example replay_log "$root/$REAL_LOG" | tee "$work/replayed"
    for fact in "Events: *8577" "Aggregates: *1434" "Event types: *27" "Longest: *PermitApplication/case-9289 with 25"; do
        grep --quiet --line-regexp "$fact" "$work/replayed" || die "replay_log should have found: $fact"
    done
}

run_examples() {
    example basic
    example basic
    example bank_account
    example order_service
    cargo test --quiet "${ALL[@]}" --example order_service
    example same_transaction
    example with_tracing
    example group_commit
    example projection
    example stop_resume
    example multiple_projections
    example scoped_projection
    example partitioned
    example scaling
    example mails
    example live_dashboard 2
    example schema_lock
    server_examples postgres_basic "$TEST_POSTGRES_URL" "${POSTGRES[@]}"
    async_example
    server_examples mysql_basic "$TEST_MYSQL_URL" "${MYSQL[@]}"

    generate_log >"$work/log.jsonl"
    gzip --keep "$work/log.jsonl"
    example replay_log "$work/log.jsonl"
    example replay_log "$work/log.jsonl.gz" "$work/replayed.db"
    if [ -e "$REAL_LOG" ]; then
        replay_real_log
    fi

    echo "not an event" >>"$work/log.jsonl"
    if example replay_log "$work/log.jsonl" 2>"$work/complaint"; then
        die "replay_log has accepted a line that is no event"
    fi
    grep --quiet "line 31: " "$work/complaint" || die "replay_log does not name the line: $(cat "$work/complaint")"
}
