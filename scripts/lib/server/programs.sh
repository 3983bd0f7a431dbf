# shellcheck shell=bash
# Which programs a server is made of, and as which user they run.

# Debian keeps the programs of a server out of the way.
PATH=$PATH:/usr/sbin:/sbin:$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail --lines=1)

need() {
    command -v "$1" >/dev/null || die "$1 is missing. On Debian or Ubuntu: sudo apt-get install $2"
}

# Says what is missing.
check() {
    local kind=$1
    if is_here "$kind"; then
        "check_${kind%%-*}"
    else
        check_other_debian "$kind"
    fi
}

# Whether the programs on the PATH are of this kind. Without a version, any one will do.
is_here() {
    local name=${1%%-*} wanted=${1#*-} found
    case $1 in
        *-*) ;;
        mysql | group) wanted='' ;;
        *) return 0 ;;
    esac
    [ ! -d "/usr/lib/postgresql/$wanted/bin" ] || PATH=/usr/lib/postgresql/$wanted/bin:$PATH
    found=$("installed_$name" 2>/dev/null) || return 1
    is_version "$found" "$wanted"
}

# `9.7.4` is a 9.7, and any version is one if none is named.
is_version() {
    case $1 in
        '') return 1 ;;
        "$2" | "$2".*) ;;
        *) [ -z "$2" ] ;;
    esac
}

# Fills `programs` with what every command must begin with to be of the right version.
find_programs() {
    local kind=$1 folder=$2
    if is_here "$kind"; then
        is_elsewhere=false programs=(env "PATH=$PATH")
    else
        is_elsewhere=true
        use_other_debian "$kind" "$folder"
    fi
}

# Fills `user` with the first of these that exists, and `as_user` with what its commands must begin with. `user` stays
# empty if we are not root: then the server is our own.
become_one_of() {
    user='' as_user=("${programs[@]}")
    [ "$(id -u)" -eq 0 ] || return 0
    need setpriv util-linux
    # The only one that another Debian has under the same number.
    if "$is_elsewhere"; then set -- nobody; fi
    for user in "$@"; do
        if id "$user" >/dev/null 2>&1; then
            as_user+=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups --)
            return
        fi
    done
    die "there is no user to run the server as: tried $*"
}

# A program of the version and the user of the server in the folder. Our own folder may be closed to that user.
run_beside() (
    local folder=$1 prefix
    shift
    mapfile -d '' -t prefix <"$folder/prefix"
    cd /
    "${prefix[@]}" "$@"
)
