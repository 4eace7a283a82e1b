#!/usr/bin/env bash
# Build stand-ins for the public base images out of package registries alone: for machines that reach Debian's packages,
# PyPI and the npm registry, and no image registry. They get the public tags, so nothing else knows the difference.
#
# What was built is kept under .local/offline-images, and is built again only when its recipe has changed. A base that the
# engine has already, pulled or built by hand, is left alone. Arguments name what to build: python mysql localstack registry.
set -euo pipefail
cd "$(dirname "$0")/../../.."

recipes=deploy/local/offline-images
cache=.local/offline-images
ca=${CA_FILE:-/etc/ssl/certs/ca-certificates.crt}
label=ddb2aurora.stand-in
mkdir -p "$cache"
set -a
# shellcheck source=images/bases.env
. images/bases.env
set +a

say() { echo "offline-images: $*"; }
fail() { echo "offline-images: $*" >&2; exit 1; }
quietly() { # step name, command…: show its output only when it fails, and name the step
    local step=$1 log
    log=$cache/$(tr -c "a-z0-9\n" - <<< "$1" | cut -c1-40).log
    shift
    if "$@" > "$log" 2>&1; then rm -f "$log"; return 0; fi
    tail -n 30 "$log" >&2
    fail "$step failed (whole output: $log)"
}

recipe_of() { # the hash of all that decides what an image holds
    cat images/bases.env "$recipes/build.sh" $(find "$recipes/$1" -type f 2> /dev/null | sort) | sha256sum | cut -c1-16
}
is_done() { # image, recipe: the engine has it, from this recipe or from somebody else
    local found
    found=$(docker image inspect --format "{{if .Config.Labels}}{{index .Config.Labels \"$label\"}}{{end}}" "$1" 2> /dev/null) || return 1
    [ -z "$found" ] || [ "$found" = "$2" ]
}

root_file_system() { # name, suite, packages: a Debian of these packages alone, as a tar file
    local mirror tar=$cache/$1-$(sha256sum <<< "$*" | cut -c1-16).tar
    if [ ! -f "$tar" ]; then
        if ! command -v mmdebstrap > /dev/null; then
            quietly "installing the package mmdebstrap" apt-get -qq install -y --no-install-recommends mmdebstrap
        fi
        say "$1: getting $3 out of Debian's $2" >&2
        rm -f "$cache/$1"-*.tar
        # No manuals. The unstable suite is read from a snapshot on some mirrors, whose lists are past their date.
        mirror=$("$recipes/debian-mirror.sh")
        quietly "$1: the packages $3" mmdebstrap --variant=minbase --include="$3" \
            --aptopt='Acquire::Check-Valid-Until "false"' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
            "$2" "$tar.partial.tar" "$mirror"
        mv "$tar.partial.tar" "$tar"
    fi
    echo "$tar"
}

build() { # name, tag, arguments of docker build
    local name=$1 tag=$2 recipe=$3
    shift 3
    quietly "$name: docker build" env DOCKER_BUILDKIT=1 docker build --progress plain --network host --tag "$tag" \
        --secret "id=ca,src=$ca" --label "$label=$recipe" "$@" "$recipes/$name"
}

python() {
    local tar
    tar=$(root_file_system python trixie python3,python3-venv,python3-pip,ca-certificates)
    quietly "python: docker import" docker import --change "LABEL $label=$1" --change 'CMD ["python3"]' "$tar" "$PYTHON_IMAGE"
}
mysql() {
    local tar
    tar=$(root_file_system mysql sid mysql-server-core,mysql-client-core,ca-certificates)
    quietly "mysql: docker import" docker import "$tar" ddb2aurora-mysql-packages
    build mysql "$MYSQL_IMAGE" "$1" --build-arg BASE=ddb2aurora-mysql-packages
}
registry() {
    local tar
    tar=$(root_file_system registry trixie docker-registry)
    quietly "registry: docker import" docker import "$tar" ddb2aurora-registry-packages
    build registry "$REGISTRY_IMAGE" "$1" --build-arg BASE=ddb2aurora-registry-packages
}
localstack() { build localstack "$LOCALSTACK_IMAGE" "$1" --build-arg "BASE=$PYTHON_IMAGE"; }

if [ $# = 0 ]; then set -- python mysql localstack registry; fi
for name in "$@"; do
    case $name in
        python) tag=$PYTHON_IMAGE ;;
        mysql) tag=$MYSQL_IMAGE ;;
        localstack) tag=$LOCALSTACK_IMAGE ;;
        registry) tag=$REGISTRY_IMAGE ;;
        *) fail "there is no recipe $name; there are: python mysql localstack registry" ;;
    esac
    recipe=$(recipe_of "$name")
    if is_done "$tag" "$recipe"; then
        say "$tag is there"
        continue
    fi
    started=$SECONDS
    "$name" "$recipe"
    say "$tag built in $((SECONDS - started)) s ($(docker image inspect --format '{{.Size}}' "$tag" | numfmt --to=iec))"
done
# Tells the Makefile that these tags are stand-ins, which have no public digest.
if docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$PYTHON_IMAGE" 2> /dev/null | grep -q .; then
    touch "$cache/built"
fi
