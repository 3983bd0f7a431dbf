# shellcheck shell=bash
# Servers that are not installed: their programs come from another Debian, which is put into a folder of its own.

readonly GALERA=mariadb-server,galera-4,rsync,iproute2

# The name of the folder, the suite and the packages.
other_debian() {
    case $1 in
        postgres-15) echo postgres-15 bookworm postgresql-15 ;;
        postgres-17) echo postgres-17 trixie postgresql-17 ;;
        postgres-18) echo postgres-18 sid postgresql-18 ;;
        mariadb-10.11 | galera-10.11) echo mariadb-10.11 bookworm "$GALERA" ;;
        mariadb-11.8 | galera-11.8) echo mariadb-11.8 trixie "$GALERA" ;;
        mysql | mysql-9.7 | group | group-9.7) echo mysql sid mysql-server-core,mysql-client-core ;;
        *) return 1 ;;
    esac
}

check_other_debian() {
    local kind=$1 missing
    other_debian "$kind" >/dev/null || die "$kind is not installed, and scripts/server does not know where to get it"
    missing=$(missing_for_debian)
    [ -z "$missing" ] || die "$kind is not installed. Put its programs on the PATH; or let scripts/server install them in a \
folder of its own, as root on Debian: $missing"
}

missing_for_debian() {
    if [ "$(id -u)" -ne 0 ]; then
        echo "this is not root"
    elif ! command -v debootstrap >/dev/null; then
        echo "debootstrap is missing (apt-get install debootstrap)"
    elif ! unshare --mount true 2>/dev/null; then
        echo "this machine lets root mount nothing"
    elif [ -z "$(mirror)" ]; then
        echo "apt has no source of Debian here"
    fi
}

# From where this Debian has its own packages.
# shellcheck disable=SC2016 # apt fills them in.
mirror() {
    apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        sed --quiet 's/^Debian Debian //p' | head --lines=1
}

# What a program is started by in the other system. It sees /proc, /dev, the names of this machine and the server's
# folder where they are here. Nobody else sees these mounts, and they end with the program.
# shellcheck disable=SC2016 # The other shell fills them in.
readonly ENTER='
    system=$1 folder=$2
    shift 2
    mkdir -p "$system$folder"
    touch "$system/etc/hosts"
    mount --rbind /proc "$system/proc"
    mount --rbind /dev "$system/dev"
    mount --bind /etc/hosts "$system/etc/hosts"
    mount --bind "$folder" "$system$folder"
    exec chroot "$system" "$@"'
readonly OWN_MOUNTS=(unshare --mount --propagation private --)

# Fills `programs`.
use_other_debian() {
    local kind=$1 folder=$2 name suite packages system
    read -r name suite packages < <(other_debian "$kind")
    system=$(systems)/$name
    install_debian "$system" "$suite" "$packages"
    programs=("${OWN_MOUNTS[@]}" sh -euc "$ENTER" enter "$system" "$folder" env
        "PATH=/usr/lib/postgresql/${kind#*-}/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    mkdir -p "$folder"
    check_version "$kind" "$suite"
}

systems() {
    local target=${CARGO_TARGET_DIR:-$library/../../../target}
    mkdir -p "${SERVER_SYSTEMS:=$target/servers}"
    cd "$SERVER_SYSTEMS" && pwd
}

# Once. Others who want the same wait until it is there. A half is not taken for the whole.
install_debian() (
    local system=$1 suite=$2 packages=$3
    exec 9>"$system.lock"
    flock 9
    [ ! -d "$system" ] || return 0
    echo "scripts/server: installing $packages of Debian $suite into $system" >&2
    rm -rf --one-file-system "$system.part"
    env --unset=TMPDIR "${OWN_MOUNTS[@]}" debootstrap --variant=minbase --include="$packages" "$suite" "$system.part" "$(mirror)" \
        >"$system.log" 2>&1 9>&- || {
        tail --lines=20 "$system.log" >&2
        die "$suite could not be installed; all that was said is in $system.log"
    }
    rm -rf "$system.part/var/cache/apt/archives"
    mv "$system.part" "$system"
)

# A suite that has no end goes on to newer versions.
check_version() {
    local kind=$1 suite=$2 found
    case $kind in *-*) ;; *) return 0 ;; esac
    found=$("installed_${kind%%-*}" "${programs[@]}")
    is_version "$found" "${kind#*-}" || die "Debian $suite has another version than $kind: $found"
}
