#!/usr/bin/env bash
# Put a MySQL server under .local/mysql that runs beside whatever this machine has installed, and print its program's path.
#
# Debian packages MySQL for its unstable suite alone. The server and every library it needs, the C library included, are
# unpacked there and nothing is installed; the program runs with the loader of those packages. The mirror is the machine's own.
# A second run finds what the first one got. Needs Debian or Ubuntu's apt, and neither root nor Docker.
set -euo pipefail
cd "$(dirname "$0")/../../.."

home=$PWD/.local/mysql
program=$home/mysqld

fail() { echo "fetch-mysql: $*" >&2; exit 1; }
quietly() { # show a command's output only when it fails
    local output
    if output=$("$@" 2>&1); then return 0; fi
    printf '%s\n' "$output" >&2
    return 1
}

if [ -x "$program" ] && "$program" --no-defaults --version > /dev/null 2>&1; then
    echo "$program"
    exit 0
fi
command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || fail "this needs apt-get and dpkg-deb; name a mysqld of yours with MYSQLD="

mirror=$(deploy/local/offline-images/debian-mirror.sh)

rm -rf "$home"
apt=$home/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$home/root"
trap 'rm -rf "$apt"' EXIT
touch "$apt/status" # no package is installed, so everything that is needed is downloaded
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" > "$apt/sources.list"
# A mirror that is a snapshot has lists past their date.
scoped=(-qq -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::PreferencesParts=/dev/null -o "Dir::State=$apt" -o "Dir::State::Lists=$apt/lists"
    -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none)
quietly apt-get "${scoped[@]}" update || fail "the package lists of sid could not be read from the machine's mirror"
package=$(apt-cache "${scoped[@]}" pkgnames mysql-server-core | sort -V | tail -n 1)
[ -n "$package" ] || fail "sid has no package mysql-server-core"
quietly apt-get "${scoped[@]}" -o Debug::NoLocking=true install -y --no-install-recommends --download-only "$package" ||
    fail "the package $package could not be downloaded"
for archive in "$apt"/cache/archives/*.deb; do
    dpkg-deb -x "$archive" "$home/root"
done

loader=$(find "$home/root" -name 'ld-linux*.so.*' | head -n 1)
[ -n "$loader" ] || fail "the packages hold no dynamic loader"
libraries=$(find "$home/root/usr/lib" -maxdepth 2 -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
# The server takes the place of this shell, so that whoever started it can end it.
cat > "$program.new" << WRAPPER
#!/bin/sh
exec "$loader" --library-path "$libraries" "$home/root/usr/sbin/mysqld" "\$@" \\
    --basedir="$home/root/usr" --lc-messages-dir="$home/root/usr/share/mysql"
WRAPPER
chmod +x "$program.new"
quietly "$program.new" --no-defaults --version || fail "the server does not run"
mv "$program.new" "$program"
echo "$program"
