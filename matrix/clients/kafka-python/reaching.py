"""Clients of the library, which reach for a broker while they are made."""

import time

from kafka.errors import KafkaTimeoutError

from kafka_python_family import library_log

REACH_S_MAX = 10


def reaching(kind, **settings):
    """Makes one. 3.0 tries to log in for its whole time when it is refused: it has little, and more if it was not.

    @raises whatever the library does when it cannot reach a broker
    """
    deadline = time.monotonic() + REACH_S_MAX
    while True:
        try:
            return kind(**settings)
        except KafkaTimeoutError:
            if library_log.refused or time.monotonic() > deadline:
                raise
