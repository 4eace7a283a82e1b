#!/usr/bin/env bash
# Write the digest of each base image, as its registry gives it now, to images/bases.lock.env; builds then start from those.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=images/bases.lock.env
trap 'rm -f "$lock.partial"' EXIT
echo "# The bases with their digests; made by \`make lock-images\`." > "$lock.partial"
while IFS='=' read -r name image; do
    # The digest of the index, which covers every architecture.
    if ! digest=$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}' 2> .local/lock-images.log); then
        echo "lock-images: the registry of $image does not answer: $(tail -n 1 .local/lock-images.log)" >&2
        echo "lock-images: $lock is as it was" >&2
        exit 1
    fi
    echo "$name=$image@$digest" >> "$lock.partial"
    echo "lock-images: $image is $digest"
done < <(grep -E '^[A-Z_]+=' images/bases.env)
mv "$lock.partial" "$lock"
