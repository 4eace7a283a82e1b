#!/usr/bin/env bash
# Exit 0 when this machine has a MySQL or MariaDB server program; install one first when it has none and we may.
#
# Only the program is wanted: nothing here may start a server for the whole machine, now or at the next boot. On Debian and
# Ubuntu that is the package mariadb-server-core, which has no service; the other package managers start nothing themselves.
#
# SYSTEM_ROOT is put before the absolute folders that are searched; the tests of this script set it.
set -euo pipefail

root=${SYSTEM_ROOT:-}
# The same folders as in local_aws.services.database_binary.
folders=(/usr/sbin /usr/libexec /usr/local/sbin /usr/local/bin /usr/local/mysql/bin /usr/local/opt/m*/bin /opt/homebrew/opt/m*/bin)

have_database() {
    local name folder
    for name in mysqld mariadbd; do
        if command -v "$name" > /dev/null; then return 0; fi
        for folder in "${folders[@]}"; do
            if [ -x "$root$folder/$name" ]; then return 0; fi
        done
    done
    return 1
}

as_root=()
may_install() { # as root, or with a sudo that asks for no password
    if [ "$(id -u)" = 0 ]; then return 0; fi
    as_root=(sudo -n)
    command -v sudo > /dev/null && sudo -n true 2> /dev/null
}

quietly() { # show a command's output only when it fails
    local output
    if output=$("$@" 2>&1); then return 0; fi
    printf '%s\n' "$output" >&2
    return 1
}

core_package() { # its name carries a version on older releases: mariadb-server-core-10.6
    apt-cache pkgnames mariadb-server-core | sort -V | tail -n 1
}

install_with_apt() {
    local apt=("${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive apt-get -qq) server
    server=$(core_package)
    # The client's core package holds a program that the server's initialisation calls.
    if [ -n "$server" ] && "${apt[@]}" install -y --no-install-recommends "$server" "${server/server/client}" > /dev/null 2>&1; then
        return 0
    fi
    # The lists of packages are missing or too old.
    quietly "${apt[@]}" update
    server=$(core_package)
    server=${server:-mariadb-server-core}
    quietly "${apt[@]}" install -y --no-install-recommends "$server" "${server/server/client}"
}

install_database() {
    case $1 in
        apt-get) install_with_apt ;;
        dnf) quietly "${as_root[@]+"${as_root[@]}"}" dnf -q -y --setopt=install_weak_deps=False install mariadb-server ;;
        apk) quietly "${as_root[@]+"${as_root[@]}"}" apk add --quiet --update-cache mariadb mariadb-client ;;
        brew) quietly brew install --quiet mysql ;;
    esac
}

if have_database; then exit 0; fi

for manager in apt-get dnf apk brew; do
    if ! command -v "$manager" > /dev/null; then continue; fi
    # Homebrew refuses to run as root, and needs no root.
    if [ "$manager" != brew ] && ! may_install; then continue; fi
    echo "ensure-database: no MySQL or MariaDB server program here; installing one with $manager (it is not started)"
    if install_database "$manager" && have_database; then exit 0; fi
    echo "ensure-database: $manager could not install one" >&2
    break
done

cat >&2 <<'HELP'
ensure-database: a MySQL or MariaDB server program is needed; install one and try again:
  Debian, Ubuntu:  sudo apt-get install mariadb-server
  Fedora, RHEL:    sudo dnf install mariadb-server
  Alpine:          sudo apk add mariadb
  macOS:           brew install mysql
HELP
exit 1
