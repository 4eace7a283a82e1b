"""A stand-in for the one operation of Lambda's API that an operator calls: Invoke."""

from local_aws.lambda_api.invoke import Served
from local_aws.lambda_api.server import LambdaServer

__all__ = ["LambdaServer", "Served"]
