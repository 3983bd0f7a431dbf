# shellcheck shell=bash
# What must be installed, and the tools that are installed into a folder of their own.

readonly DIESEL_CLI_VERSION=2.3.14
readonly TYPOS_VERSION=1.52.0

# Installs Debian packages where that is possible without asking; otherwise says what to install.
need_packages() {
    local why=$1
    shift
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "$why; installing $*"
        install_packages "$@" || { apt update && install_packages "$@"; }
    else
        die "$why. On Debian or Ubuntu: sudo apt-get install $*"
    fi
}

install_packages() {
    apt install --yes --no-install-recommends "$@"
}

# One at a time: stages that run beside each other may need something at the same moment.
apt() {
    DEBIAN_FRONTEND=noninteractive flock /run/lock/diesel_event_store.apt apt-get "$@"
}

check_toolchain() {
    command -v cargo >/dev/null || die "cargo is missing. Install Rust with rustup: https://rustup.rs"
    cargo fmt --version >/dev/null 2>&1 || die "rustfmt is missing. Install it: rustup component add rustfmt"
    cargo clippy --version >/dev/null 2>&1 || die "clippy is missing. Install it: rustup component add clippy"
    command -v cc >/dev/null || need_packages "a C compiler is missing" gcc libc6-dev
    command -v pkg-config >/dev/null || need_packages "pkg-config is missing" pkg-config
    pkg-config --exists sqlite3 || need_packages "the system's SQLite has no development files" libsqlite3-dev
    pkg-config --exists libpq || need_packages "PostgreSQL's client library has no development files" libpq-dev
    pkg-config --exists libmariadb || pkg-config --exists mysqlclient ||
        need_packages "MariaDB's client library has no development files" libmariadb-dev
    on "$(rustc --version)"
    # Fails if Cargo.lock does not fit Cargo.toml.
    cargo fetch --locked --target "$(rustc -vV | sed -n 's/^host: //p')"
}

# Builds it where that has not been done yet.
install_diesel_cli() {
    if [ -z "${DIESEL_CLI:-}" ]; then
        mkdir -p "$TOOLS"
        DIESEL_CLI=$TOOLS/diesel-$DIESEL_CLI_VERSION-all/bin/diesel
        # One at a time: a stage may need it while another, beside it, still builds it.
        (flock 9 && build_diesel_cli) 9>"$TOOLS/diesel.lock"
    fi
    export DIESEL_CLI
    on "$("$DIESEL_CLI" --version | tr --squeeze-repeats '[:space:]' ' ')"
}

# Without optimisation: it is used for seconds, and compiles in half the time.
build_diesel_cli() {
    [ -x "$DIESEL_CLI" ] || cargo install diesel_cli --locked --version "$DIESEL_CLI_VERSION" --debug \
        --root "${DIESEL_CLI%/bin/diesel}" --target-dir "$TOOLS/build" \
        --no-default-features --features sqlite-bundled,postgres,mysql
}

# Python's packages have it as a program; to compile it takes minutes.
install_typos() {
    local folder=$TOOLS/typos-$TYPOS_VERSION
    TYPOS=$folder/bin/typos
    [ ! -x "$TYPOS" ] || return 0
    python3 -c 'import venv, ensurepip' 2>/dev/null || need_packages "Python's venv is missing" python3-venv
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet "typos==$TYPOS_VERSION"
}
