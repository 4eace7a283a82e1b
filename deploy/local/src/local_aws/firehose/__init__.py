"""
Stand in for Data Firehose: its API with Direct PUT streams to S3, buffering, transformation, error objects, backup.

It keeps the rules that AWS documents and refuses with InvalidArgumentException what it does not do. Role ARNs are
accepted and not evaluated.
"""

from local_aws.firehose.engine import Engine
from local_aws.firehose.ids import Ids
from local_aws.firehose.server import FirehoseServer
from local_aws.firehose.services import Services
from local_aws.firehose.statistics import Statistics

__all__ = ["Engine", "FirehoseServer", "Ids", "Services", "Statistics"]
