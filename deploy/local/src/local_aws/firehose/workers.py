"""Take the steps of a stream in threads, each asleep until something is due."""

from collections.abc import Callable
from functools import partial
from threading import Thread

from local_aws.firehose.kinds import Kind
from local_aws.firehose.stream import DeliveryStream

# AWS: up to five transform invocations are outstanding per shard for an S3 destination.
TRANSFORM_WORKERS = 5


class Workers:
    """The threads of one stream."""

    def __init__(self, stream: DeliveryStream, *, transform_workers: int = TRANSFORM_WORKERS) -> None:
        """Start *transform_workers* threads that transform, and one for each kind of object."""
        self._stream = stream
        self._threads = [
            self._thread(f"transform-{number}", stream.transform_due, stream.wait_to_transform)
            for number in range(transform_workers)
        ] + [
            self._thread(kind.value, partial(stream.deliver_due, kind), partial(stream.wait_to_deliver, kind))
            for kind in Kind
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the stream and wait for its threads, each of which ends the step that it is at."""
        self._stream.stop()
        for thread in self._threads:
            thread.join()
        self._stream.close()

    def _thread(self, what: str, step: Callable[[], bool], wait: Callable[[], None]) -> Thread:
        # A daemon: a program that ends without stopping the stand-in crashes it, which is what its journal is for.
        return Thread(target=self._work, args=(step, wait), name=f"firehose-{self._stream.name}-{what}", daemon=True)

    def _work(self, step: Callable[[], bool], wait: Callable[[], None]) -> None:
        while not self._stream.stopped:
            if not step():
                wait()
