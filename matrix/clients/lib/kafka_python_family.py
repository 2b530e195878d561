"""What the drivers of kafka-python and of aiokafka, once its fork, have in common."""

import logging
import re

from driver_base import Unsupported, from_base64, to_base64

# Names of the protocol where the libraries have older ones or their own, by Kafka's error code.
NAMES = {
    -1: "UNKNOWN_SERVER_ERROR",
    6: "NOT_LEADER_OR_FOLLOWER",
    10: "MESSAGE_TOO_LARGE",
    13: "NETWORK_EXCEPTION",
    14: "COORDINATOR_LOAD_IN_PROGRESS",
    15: "COORDINATOR_NOT_AVAILABLE",
    16: "NOT_COORDINATOR",
    17: "INVALID_TOPIC_EXCEPTION",
}
# Of errors that are the client's own.
NAMES_OF_CLASSES = {
    "KafkaTimeoutError": "TIMEOUT",
    "ConsumerTimeout": "TIMEOUT",
    "TimeoutError": "TIMEOUT",
    "AuthenticationFailedError": "SASL_AUTHENTICATION_FAILED",
}
# How a client fails that could not log in: why, only the library's log tells.
UNREACHABLE = ("TIMEOUT", "NoBrokersAvailable", "KafkaConnectionError", "NodeNotReadyError", "IncompatibleBrokerVersion")
TIMESTAMP_TYPES = {0: "create", 1: "append"}
ASSIGNORS = ("range", "roundrobin", "sticky", "cooperative-sticky")


class LibraryLog(logging.Handler):
    """What the libraries tell in their log alone: that a broker refused who we are, or a topic, and why a commit failed."""

    def __init__(self):
        super().__init__()
        self.refused = False
        self.unauthorized = set()
        self.commit_error = None

    def emit(self, record):
        text = record.getMessage()
        if "SaslAuthenticationFailed" in text:
            self.refused = True
        unauthorized = re.match(r"Topic (\S+) is not authorized", text)
        if unauthorized:
            self.unauthorized.add(unauthorized[1])
        if text.startswith("OffsetCommit"):
            given = record.args if isinstance(record.args, tuple) else ()
            self.commit_error = next((one for one in given if is_error_of_kafka(one)), self.commit_error)


library_log = LibraryLog()
logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
logging.getLogger().addHandler(library_log)


def is_error_of_kafka(error):
    kind = error if isinstance(error, type) else type(error)
    # An exception of Python's own has a number of the system's.
    return issubclass(kind, Exception) and not issubclass(kind, OSError) and isinstance(getattr(kind, "errno", None), int)


def name_of(error):
    """The protocol's name of a library's exception, or of its class."""
    kind = error if isinstance(error, type) else type(error)
    if is_error_of_kafka(error):
        return NAMES.get(kind.errno, getattr(kind, "message", kind.__name__))
    if kind.__name__ == "CommitFailedError" and isinstance(error, Exception):
        reasons = [*error.args, error.__cause__, error.__context__, library_log.commit_error]
        reason = next(filter(is_error_of_kafka, reasons), None)
        return kind.__name__ if reason is None else name_of(reason)
    name = NAMES_OF_CLASSES.get(kind.__name__, kind.__name__)
    return "SASL_AUTHENTICATION_FAILED" if name in UNREACHABLE and library_log.refused else name


def broker_of(broker):
    """kafka-python 3.0 asks newer brokers for their cluster in another way, whose answer calls the id otherwise."""
    number = broker["node_id"] if "node_id" in broker else broker["broker_id"]
    return {"id": number, "host": broker["host"], "port": broker["port"]}


def topic_of(topic, for_code):
    """kafka-python 3.0 took the protocol's newer names of these fields. `for_code`: the library's, to its exceptions."""
    name = topic["name"] if "name" in topic else topic["topic"]
    if topic["error_code"] != 0:
        return {"name": name, "error": name_of(for_code(topic["error_code"])), "partitions": []}
    topic_id = {"topicId": str(topic["topic_id"])} if topic.get("topic_id") else {}
    partitions = [partition_of(partition, for_code) for partition in topic["partitions"]]
    in_order = sorted(partitions, key=lambda partition: partition["index"])
    return {"name": name, **topic_id, "internal": topic["is_internal"], "partitions": in_order}


def partition_of(partition, for_code):
    if "partition_index" in partition:
        found = {"index": partition["partition_index"], "leader": partition["leader_id"]}
    else:
        found = {"index": partition["partition"], "leader": partition["leader"]}
    code = partition["error_code"]
    return found if code == 0 else {**found, "error": name_of(for_code(code))}


def record_fields(record, library):
    """Key, value, headers and timestamp as both libraries' `send` takes them."""
    key, value = from_base64(record["key"]), from_base64(record["value"])
    headers = [(name, from_base64(header)) for name, header in record.get("headers") or []]
    if key is None and value is None:
        raise Unsupported(f"{library}'s send() takes no record without both key and value")
    if any(header is None for _, header in headers):
        raise Unsupported(f"{library}'s send() takes no header without a value")
    timestamp = {"timestamp_ms": int(record["timestamp"])} if "timestamp" in record else {}
    partition = {"partition": record["partition"]} if "partition" in record else {}
    return {"key": key, "value": value, "headers": headers, **timestamp, **partition}


def to_received(record):
    received = {
        "partition": record.partition,
        "offset": str(record.offset),
        # One has none where the record has -1.
        "timestamp": str(-1 if record.timestamp is None else record.timestamp),
        "key": to_base64(record.key),
        "value": to_base64(record.value),
        "headers": [[name, to_base64(value)] for name, value in record.headers or []],
    }
    if record.timestamp_type in TIMESTAMP_TYPES:
        received["timestampType"] = TIMESTAMP_TYPES[record.timestamp_type]
    return received


def offset_and_metadata(kind, offset, metadata):
    """`kind`: the library's tuple, which has had a leader epoch since 2.1 of kafka-python."""
    return kind(*[offset, metadata, -1][: len(kind._fields)])


def security_settings(security, token_provider):
    """Settings but for TLS's own. `token_provider`: makes one of a given token, as the library wants it."""
    tls, sasl = "caPath" in security, security.get("sasl")
    if not sasl:
        return {"security_protocol": "SSL"} if tls else {}
    settings = {"security_protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT", "sasl_mechanism": sasl["mechanism"]}
    if sasl["mechanism"] == "OAUTHBEARER":
        settings["sasl_oauth_token_provider"] = token_provider(sasl["token"], sasl.get("extensions") or {})
    else:
        settings["sasl_plain_username"] = sasl["username"]
        settings["sasl_plain_password"] = sasl["password"]
    return settings
