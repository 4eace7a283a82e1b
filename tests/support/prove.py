"""
The demonstration's proof, as `python prove.py PIPELINE`, on what the SDK's variables and MYSQL_... lead to.

Prints what it found as a JSON document; status 1 when source and target do not agree.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

import pymysql

from ddb2aurora.pipeline_file import read_pipeline_file
from local_aws.demo.proof import prove
from local_aws.stack.clients import Clients


def main() -> int:
    environment = dict(os.environ)  # noqa: TID251 - a process of its own
    pipeline = read_pipeline_file(Path(sys.argv[1]))
    connection = pymysql.connect(
        host=environment["MYSQL_HOST"],
        port=int(environment["MYSQL_PORT"]),
        user=environment["MYSQL_USER"],
        password=environment["MYSQL_PASSWORD"],
        ssl_ca=environment["AWS_CA_BUNDLE"],
        ssl_verify_identity=True,
        charset="utf8mb4",
    )
    with contextlib.closing(connection):
        proof = prove(pipeline, clients=Clients(environment), bucket=environment["BUCKET_NAME"], connection=connection)
    counts = {"items": proof.items, "equal_rows": proof.equal_rows, "rejected_items": proof.rejected_items}
    print(json.dumps({**counts, "problems": proof.problems}))  # noqa: T201 - what this script is for
    return 0 if proof.holds else 1


if __name__ == "__main__":
    sys.exit(main())
