#!/usr/bin/env bash
# Exit 0 when a Docker engine answers here and `docker compose` and `docker buildx` are there; see to it first where we may.
#
# On Debian and Ubuntu the engine comes from the package docker.io. Compose v2 and buildx are not packaged for Debian 12, so
# they are taken out of Debian 13's packages, which need no newer library; nothing else of that release is installed.
set -euo pipefail
cd "$(dirname "$0")/../../.."

work=.local/engine
plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
ready_within_seconds=60

say() { echo "engine: $*"; }
fail() { echo "engine: $*" >&2; exit 1; }

have_plugins() { docker compose version > /dev/null 2>&1 && docker buildx version > /dev/null 2>&1; }
answers() { docker info > /dev/null 2>&1; }

if answers && have_plugins; then exit 0; fi

as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo > /dev/null || ! sudo -n true 2> /dev/null; then
        fail "no Docker engine answers, and this user may not install or start one; install Docker Engine with the Compose and buildx plugins"
    fi
    as_root=(sudo -n)
fi
root() { "${as_root[@]+"${as_root[@]}"}" "$@"; }
quietly() { # show a command's output only when it fails
    local output
    if output=$("$@" 2>&1); then return 0; fi
    printf '%s\n' "$output" >&2
    return 1
}
mkdir -p "$work"

if ! answers && ! { command -v dockerd && command -v iptables; } > /dev/null; then
    command -v apt-get > /dev/null || fail "no Docker engine answers, and there is no apt-get to install one with; install Docker Engine"
    say "installing the packages docker.io and iptables"
    install=(env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends docker.io iptables)
    if ! root "${install[@]}" > /dev/null 2>&1; then
        quietly root apt-get -qq update
        quietly root "${install[@]}" || fail "apt-get could not install docker.io and iptables"
    fi
fi

if ! have_plugins; then
    command -v dpkg-deb > /dev/null || fail "docker compose (v2) or docker buildx is missing, and there is no dpkg-deb to unpack them with"
    say "getting docker compose and docker buildx out of Debian 13's packages"
    mirror=$(deploy/local/offline-images/debian-mirror.sh)
    apt=$PWD/$work/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/unpacked"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$apt/sources.list"
    scoped=(-qq -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    quietly apt-get "${scoped[@]}" update || fail "the package lists of Debian 13 could not be read from $mirror"
    for package in docker-compose docker-buildx; do
        (cd "$apt" && quietly apt-get "${scoped[@]}" download "$package") || fail "the package $package could not be downloaded"
        dpkg-deb -x "$apt/$package"_*.deb "$apt/unpacked"
    done
    mkdir -p "$plugins"
    cp "$apt"/unpacked/usr/libexec/docker/cli-plugins/* "$plugins/"
    rm -rf "$apt"
    have_plugins || fail "docker compose or docker buildx does not run, though they were put into $plugins"
fi

if answers; then exit 0; fi
log=$work/dockerd.log
say "no engine answers; starting dockerd (log: $log; stop it with: kill \$(cat /var/run/docker.pid))"
# A dead engine leaves its process id behind, which may be another process's by now.
if [ -f /var/run/docker.pid ] && ! [ "$(ps -o comm= -p "$(cat /var/run/docker.pid)" || true)" = dockerd ]; then root rm -f /var/run/docker.pid; fi
root setsid nohup dockerd > "$log" 2>&1 < /dev/null &
deadline=$((SECONDS + ready_within_seconds))
until answers; do
    if [ "$SECONDS" -ge "$deadline" ]; then
        tail -n 20 "$log" >&2
        fail "dockerd does not answer after $ready_within_seconds s"
    fi
    sleep 0.5
done
say "dockerd answers"
