#!/usr/bin/env bash
# Build every image for Lambda and push it: ENV=<name> REGISTRY=<host>/<prefix> [ARCHITECTURE=x86_64|arm64].
#
# Tags are the git commit, for arm64 with that behind it; the digests, by which the functions are deployed, go to .local/<ENV>/images.json.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "push-images: $*" >&2; exit 1; }
[ -n "${ENV:-}" ] || fail "ENV is missing: name the environment, such as ENV=dev"
[ -n "${REGISTRY:-}" ] || fail "REGISTRY is missing: such as REGISTRY=<account>.dkr.ecr.<region>.amazonaws.com/ddb2aurora"
case ${ARCHITECTURE:=x86_64} in
    x86_64) platform=linux/amd64 ;;
    arm64) platform=linux/arm64 ;;
    *) fail "ARCHITECTURE is '$ARCHITECTURE': Lambda has x86_64 and arm64" ;;
esac
commit=$(git rev-parse HEAD)
tag=$commit
# Tags of a repository on AWS cannot be moved, so one commit needs one for each architecture.
[ "$ARCHITECTURE" = x86_64 ] || tag=$commit-$ARCHITECTURE
# What is pushed is what its tag says.
[ -z "$(git status --porcelain -- images pipelines .dockerignore)" ] || fail "images/ or pipelines/ have changes that are not committed"

host=${REGISTRY%%/*}
case $host in
    *.dkr.ecr.*.amazonaws.com | *.dkr.ecr.*.amazonaws.com.cn)
        region=$(cut -d. -f4 <<< "$host")
        aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "$host" > /dev/null
        ;;
esac

to=.local/$ENV
mkdir -p "$to"
digests=()
for file in images/*/Dockerfile; do
    stage=$(basename "$(dirname "$file")")
    image=$REGISTRY/$stage
    # A run that was cut short has pushed some. Their tags cannot be moved, and a second build may have another digest.
    pushed=$(docker buildx imagetools inspect "$image:$tag" 2> /dev/null | awk '$1 == "Digest:" {print $2; exit}') || pushed=
    if [ -n "$pushed" ]; then
        echo "push-images: $image@$pushed was there"
        digests+=("\"$stage\": \"$image@$pushed\"")
        continue
    fi
    # Lambda takes a single manifest: no list with a provenance beside it.
    docker buildx build --quiet --load --provenance=false --platform "$platform" --tag "$image:$tag" --file "$file" \
        --build-arg PYTHON_IMAGE --build-arg "REVISION=$commit" --build-arg "RDS_CA_URL=${RDS_CA_URL-https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem}" \
        --secret "id=ca,src=${CA_FILE:-/dev/null}" . > /dev/null || fail "$stage cannot be built"
    docker push --quiet "$image:$tag" > /dev/null || fail "$image:$tag cannot be pushed"
    digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image:$tag" | grep -F "$image@")
    echo "push-images: $digest"
    digests+=("\"$stage\": \"$digest\"")
done
(IFS=,; printf '{"commit": "%s", "architecture": "%s", "images": {%s}}\n' "$commit" "$ARCHITECTURE" "${digests[*]}") | python3 -m json.tool > "$to/images.json.partial"
mv "$to/images.json.partial" "$to/images.json"
echo "push-images: the digests are in $to/images.json"
