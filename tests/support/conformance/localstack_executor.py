"""
Run LocalStack's functions inside its own process, where it cannot make containers.

This file is not imported here: LocalStack loads it as a plug-in of `localstack.lambda.runtime_executor`.
"""

import importlib.util
import json
import traceback
from pathlib import Path

from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor


class InProcessExecutor(RuntimeExecutor):
    """Call the handler of a zip function; an error is answered as Lambda answers it."""

    def start(self, env_vars):
        module, _, name = env_vars["_HANDLER"].rpartition(".")
        path = Path(self.function_version.config.code.get_unzipped_code_location(), f"{module}.py")
        spec = importlib.util.spec_from_file_location(module, path)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        self._handler = getattr(loaded, name)

    def stop(self):
        pass

    def get_address(self):
        return "127.0.0.1"

    def get_endpoint_from_executor(self):
        return "127.0.0.1"

    def get_runtime_endpoint(self):
        return "http://127.0.0.1:4566"

    def invoke(self, payload):
        try:
            answer, failed = self._handler(json.loads(payload["payload"]), None), False
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its answer
            trace = traceback.format_exception(error)
            answer = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}
            failed = True
        return InvocationResult(payload["invoke-id"], json.dumps(answer).encode(), is_error=failed, logs="")

    def get_logs(self):
        return ""

    @classmethod
    def prepare_version(cls, function_version):
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        pass


class InProcessPlugin(RuntimeExecutorPlugin):
    name = "in-process"

    def load(self, *_arguments, **_options):
        return InProcessExecutor
