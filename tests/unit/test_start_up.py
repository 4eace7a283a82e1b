"""
What a function loads when it starts: each module costs time at a cold start, and a package that is needed rarely most.

Only modules that are ours or installed are counted; those of Python itself differ from version to version.
"""

import json
import subprocess
import sys

import pytest

SDK = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
# The packages that a handler may load, and how many modules all of them have; more of them are a slower start.
WANTED = {
    "firehose_transformer.handler": (("ddb2aurora", "firehose_transformer", "msgspec", "pybase64"), 54),
    "stream_processor.handler": (("ddb2aurora", "msgspec", "stream_processor", *SDK), 198),
    "aurora_loader.handler": (("aurora_loader", "ddb2aurora", "msgspec", "pymysql", *SDK), 246),
}
# Installed here for other things, and taken by the above where they find them; the images do not have them.
NOT_IN_IMAGES = {"__mp_main__", "_cffi_backend", "_openssl", "certifi", "cryptography", "typing_extensions"}
IMPORT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(handler: str) -> list[str]:
    """Return the modules that are not Python's own and that a new process has loaded with *handler*."""
    # -I: nothing of this process, such as its coverage.
    done = subprocess.run([sys.executable, "-I", "-c", IMPORT, handler], capture_output=True, text=True, check=True)
    empty = subprocess.run([sys.executable, "-I", "-c", IMPORT, "json"], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout)) - set(json.loads(empty.stdout))
    others = sys.stdlib_module_names | NOT_IN_IMAGES
    return sorted(name for name in modules if name.partition(".")[0] not in others)


@pytest.mark.parametrize("handler", WANTED)
def test_a_handler_loads_no_package_that_it_does_not_need_at_once(handler):
    packages, most = WANTED[handler]

    found = loaded_by(handler)

    assert sorted({name.partition(".")[0] for name in found}) == sorted(packages)
    assert len(found) <= most
