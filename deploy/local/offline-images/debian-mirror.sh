#!/usr/bin/env bash
# Print the mirror of Debian's packages that this machine uses, or DEBIAN_MIRROR where that is set.
set -euo pipefail

mirror=${DEBIAN_MIRROR:-}
if [ -z "$mirror" ]; then
    # The first of the machine's own sources that is Debian's main archive, not its security updates.
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
        awk '$NF == "main" && $1 ~ /\/debian\/?$/ {print $1; exit}')
fi
if [ -z "$mirror" ]; then
    echo "debian-mirror: the machine's apt sources name no Debian archive; name one with DEBIAN_MIRROR=" >&2
    exit 1
fi
echo "$mirror"
