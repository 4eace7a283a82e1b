#!/usr/bin/env bash
# up | down | seed ITEMS: the compose stack, as the Makefile uses it. `down` leaves images only.
set -euo pipefail
cd "$(dirname "$0")/../.."

environment=.local/env
project=$(docker compose config --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["name"])')
up_within_seconds=120
settled_within_seconds=300

write_environment() { # with the names that the embedded stack has too
    mkdir -p .local
    (
        umask 077
        cat > "$environment" <<END
AWS_ENDPOINT_URL=http://127.0.0.1:${LOCALSTACK_PORT:-4566}
AWS_ENDPOINT_URL_FIREHOSE=http://127.0.0.1:${FIREHOSE_PORT:-4573}
AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:${LAMBDA_PORT:-4574}
AWS_REGION=us-east-1
AWS_DEFAULT_REGION=us-east-1
AWS_ACCESS_KEY_ID=not-a-key
AWS_SECRET_ACCESS_KEY=not-a-secret
MYSQL_HOST=127.0.0.1
MYSQL_PORT=${MYSQL_PORT:-3306}
MYSQL_USER=root
MYSQL_PASSWORD=not-a-password
MYSQL_DATABASE=Demo
DB_HOST=127.0.0.1
DB_PORT=${MYSQL_PORT:-3306}
DB_USER=root
DB_PASSWORD=not-a-password
DB_TLS=off
PIPELINE=${PIPELINE:-web_analytics}
BUCKET_NAME=ddb2aurora-local
DELIVERY_STREAM_NAME=${PIPELINE:-web_analytics}
AURORA_LOADER_FUNCTION=${PIPELINE:-web_analytics}-aurora-loader
STREAM_PROCESSOR_FUNCTION=${PIPELINE:-web_analytics}-stream-processor
LOADER_FAILURES_QUEUE_URL=http://127.0.0.1:${LOCALSTACK_PORT:-4566}/000000000000/${PIPELINE:-web_analytics}-aurora-loader-failures
END
    )
}

case ${1:-} in
    up)
        started=$SECONDS
        if ! docker compose up --build --detach --wait --wait-timeout "$up_within_seconds" --quiet-pull > .local/compose.log 2>&1; then
            tail -n 20 .local/compose.log >&2
            echo "up: the containers did not become healthy; what they said: make logs; to end them: make down" >&2
            exit 1
        fi
        write_environment
        echo "the containers are healthy after $((SECONDS - started)) s. To use them:  set -a; . $environment; set +a"
        cat "$environment"
        ;;
    down)
        docker compose --profile operator down --volumes --remove-orphans --timeout 5 > /dev/null 2>&1
        rm -f "$environment"
        for kind in container volume network; do
            left=$(docker "$kind" ls --quiet --filter "label=com.docker.compose.project=$project")
            if [ -n "$left" ]; then echo "down: of $project there is still a $kind: $left" >&2; exit 1; fi
        done
        echo "the containers are gone, and nothing of them is left but their images"
        ;;
    seed)
        started=$SECONDS
        operator=(docker compose --progress quiet run --rm --no-TTY --no-deps)
        # Nothing broken: an item that breaks the schema never becomes a row, and here the counts are compared.
        "${operator[@]}" operator seed --items "${2:-1000}" --broken 0
        "${operator[@]}" --entrypoint python3 operator - "$settled_within_seconds" < deploy/local/src/local_aws/stack/await_rows.py
        echo "written and loaded in $((SECONDS - started)) s"
        ;;
    *)
        echo "usage: $0 up|down|seed ITEMS" >&2
        exit 2
        ;;
esac
