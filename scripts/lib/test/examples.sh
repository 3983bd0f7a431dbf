# shellcheck shell=bash
# The examples, each in a folder of its own, as its first user runs it.

readonly REAL_LOG=../shared/data/receipt.jsonl.gz

stage_examples() {
    step "The diesel command" install_diesel_cli
    step "PostgreSQL" need_postgres
    step "MariaDB" need_mariadb
    step "Examples" run_examples
    step "The example of PostgreSQL" server_example postgres_basic "$TEST_POSTGRES_URL" "${POSTGRES[@]}"
    step "The example of MySQL" server_example mysql_basic "$TEST_MYSQL_URL" "${MYSQL[@]}"
    step "The example of asynchronous connections" async_example
    step "The lines of Python in the docs" run_python_lines
}

# Runs an example in a folder of its own, as its first user does.
example() {
    local name=$1
    shift
    mkdir -p "$work/$name"
    (cd "$work/$name" && "$target/debug/examples/$name" "$@")
}

# An example twice, for its first and its second user, with nothing but the features for its database.
server_example() {
    local name=$1 server=$2
    shift 2
    cargo build --quiet "$@" --example "$name"
    in_a_database "$server" example_twice "$name"
}

example_twice() {
    example "$1"
    example "$1"
}

# Does it with a DATABASE_URL, whose database exists until then.
in_a_database() {
    local -x DATABASE_URL=${1%/*}/des_example_$$
    shift
    mkdir -p "$work/empty"
    (cd "$work/empty" && "$DIESEL_CLI" database setup --no-default-migration --migration-dir .)
    "$@"
    "$DIESEL_CLI" database drop
}

any_database() {
    example any_database any.db "$DATABASE_URL"
}

# Without libpq, which the program would be linked to if another feature asked for it.
async_example() {
    cargo build --quiet --features async-postgres --example async_postgres
    if ldd "$target/debug/examples/async_postgres" | grep --quiet libpq; then
        die "async_postgres is linked to libpq"
    fi
    in_a_database "$TEST_POSTGRES_URL" example_twice async_postgres
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
    (mkdir "$work/first" && cd "$work/first" && cargo run --manifest-path "$root/Cargo.toml" --example basic)
    cargo build "${EVERYTHING[@]}" --examples
    example_twice basic
    example bank_account
    example order_service
    cargo test --quiet "${EVERYTHING[@]}" --example order_service
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
    in_a_database "$TEST_POSTGRES_URL" any_database
    in_a_database "$TEST_MYSQL_URL" any_database

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

python_lines() {
    awk '/^```/ { inside = ($0 == "```python"); next } inside' "docs/$1.md"
}

event_store() {
    DATABASE_URL=$work/replayed.db "$target/debug/diesel-event-store" "$@"
}

# What an auditor does: the lines find the chain that was sealed, also where events have been archived since.
run_python_lines() {
    local chain
    command -v python3 >/dev/null || need_packages "Python is missing" python3
    cargo build --quiet "${EVERYTHING[@]}" --bins
    chain=$(event_store seal | sed --quiet 's/^chain //p')
    event_store archive --before 30 "$work/archive.jsonl" --yes
    event_store export "$work/audit.jsonl"
    python_lines tamper-evidence >"$work/chain.py"
    python_lines moving >"$work/whole.py"
    [ "$(python3 "$work/chain.py" "$work/audit.jsonl" 30)" = "$chain" ] || die "chain.py prints another chain"
    python3 "$work/whole.py" "$work/audit.jsonl"
    sed --in-place '/^{"global_position":/s/Order changed/Order edited/' "$work/audit.jsonl"
    if python3 "$work/whole.py" "$work/audit.jsonl" 2>"$work/complaint"; then
        die "the lines of Python do not notice a change"
    fi
    grep --quiet AssertionError "$work/complaint" || die "$(cat "$work/complaint")"
}
