"""Driver of kafka-python (matrix/driver/messages.ts).

What the library cannot express is answered `unsupported`: a record without both key and value, a header without a
value, KIP-848's protocol, a topic's name with other characters than Apache Kafka allows; in older versions idempotence
and reading committed records only (before 2.2), deletion of records and the sticky assignor (before 2.1), static
members (before 2.3), the cooperative assignor (before 3.0).
"""

import logging
import threading
import time

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from admin import make_admin, to_commit
from driver_base import DriverError, Unsupported, serve
from kafka_python_family import library_log, name_of, record_fields, to_received
from member_state import Members, deadline_of, offsets_by_place
from members import open_member
from reaching import REACH_S_MAX, reaching
from security import security_settings

BATCH_BYTES_MAX = 4 * 1024 * 1024
REQUEST_BYTES_MAX = 100_000_000
POLL_MS_MAX = 60_000
OPEN_S_MAX = 10
LOG_IN_MS = 1500

if "isolation_level" not in KafkaConsumer.DEFAULT_CONFIG:
    # Before 2.2 it says only there why a commit failed.
    logging.getLogger("kafka.coordinator.consumer").setLevel(logging.DEBUG)

settings = {}
admin_client = None
producers = {}
consumers = {}
running = set()
lock = threading.RLock()
admin_lock = threading.Lock()

VERSION = tuple(int(part) for part in kafka.__version__.split(".")[:2])


def checked(op):
    """The library refuses, before it asks a broker, names of topics that only Kafka on Pulsar has."""

    def run(args):
        try:
            return op(args)
        except (TypeError, ValueError) as error:
            if "is illegal, it contains a character other than" in str(error):
                raise Unsupported(f"kafka-python {kafka.__version__} refuses it itself: {error}") from None
            raise

    return run


def known(kind, wanted):
    """Of the settings, those that this version of the library has."""
    return {name: value for name, value in wanted.items() if name in kind.DEFAULT_CONFIG}


def configure(args):
    global admin_client
    members.close_all()
    library_log.refused = False
    with lock:
        for producer in producers.values():
            in_background(lambda producer=producer: producer.close(timeout=0))
        for consumer in list(running):
            in_background(consumer.close)
        if admin_client is not None:
            in_background(admin_client.close)
        producers.clear()
        consumers.clear()
        running.clear()
        settings.clear()
        settings.update(
            {
                **security_settings(args.get("security") or {}),
                "bootstrap_servers": args["bootstrap"],
                "client_id": args["clientId"],
                "reconnect_backoff_ms": 20,
                **known(KafkaConsumer, {"bootstrap_timeout_ms": LOG_IN_MS if "security" in args else REACH_S_MAX * 1000}),
                # Often: only now and then 3.0 hears why it was refused, before the connection ends.
                "reconnect_backoff_max_ms": 100,
                "retry_backoff_ms": 20,
            }
        )
        admin_client = None


def in_background(run):
    def quietly():
        try:
            run()
        except Exception as error:  # Nobody asked: it only goes to the log.
            print("while closing:", repr(error))

    threading.Thread(target=quietly, daemon=True).start()


def admin():
    global admin_client
    with admin_lock:
        if admin_client is None:
            admin_client = make_admin(dict(settings))
        return admin_client


def create_topics(args):
    return {"topics": admin().create_topics(args["topics"])}


def delete_topics(args):
    return {"topics": admin().delete_topics(args["names"])}


def create_partitions(args):
    admin().create_partitions(args["topic"], args["count"])


def delete_records(args):
    admin().delete_records(place_of(args), int(args["before"]))


def describe_configs(args):
    return {"configs": admin().describe_configs(args["topic"])}


def alter_configs(args):
    admin().alter_configs(args["topic"], args["configs"])


def list_topics(_args):
    return {"names": sorted(admin().list_topics())}


def metadata(args):
    return admin().metadata(args["topics"])


def list_offsets(args):
    offset, timestamp = admin().offset_at(place_of(args), args["at"])
    return {"offset": str(offset), **({"timestamp": str(timestamp)} if timestamp >= 0 else {})}


def place_of(args):
    return TopicPartition(args["topic"], args.get("partition", 0))


def produce(args):
    deadline = deadline_of(args, 15_000)
    producer = named_producer(args)
    fields = [record_fields(record, "kafka-python") for record in args["records"]]
    places = []
    if args.get("oneBatch", True):
        futures = [producer.send(args["topic"], **each) for each in fields]
        # It does not linger for what was sent before it.
        producer.flush(timeout=max(0.001, deadline - time.monotonic()))
        places = [sent_to(future, args, deadline) for future in futures]
    else:
        for each in fields:
            future = producer.send(args["topic"], **each)
            producer.flush(timeout=max(0.001, deadline - time.monotonic()))
            places.append(sent_to(future, args, deadline))
    return {"records": places}


def sent_to(future, args, deadline):
    sent = future.get(timeout=max(0.001, deadline - time.monotonic()))
    # Without an answer the library counts within the batch.
    told = args.get("acks", "all") != "0" and sent.offset >= 0
    return {"partition": sent.partition, **({"offset": str(sent.offset)} if told else {})}


def named_producer(args):
    with lock:
        name = args.get("producer", "default")
        if name not in producers:
            producers[name] = make_producer(args)
        return producers[name]


def make_producer(args):
    idempotent = args.get("idempotent", False)
    if idempotent and "enable_idempotence" not in KafkaProducer.DEFAULT_CONFIG:
        raise Unsupported(f"kafka-python {kafka.__version__} has no setting enable_idempotence")
    if args.get("acks") == "0" and (2, 1) <= VERSION < (3, 0):
        raise Unsupported(f"kafka-python {kafka.__version__} may leave a last record of acks 0 unsent")
    compression = args.get("compression", "none")
    timeout_ms = args.get("timeoutMs", 15_000)
    wanted = {
        "acks": {"0": 0, "1": 1, "all": "all"}[args.get("acks", "all")],
        "compression_type": None if compression == "none" else compression,
        "enable_idempotence": idempotent,
        "retries": 100,
        # A batch is closed by flush(), not by time.
        "linger_ms": 1000,
        "batch_size": BATCH_BYTES_MAX,
        "buffer_memory": 256 * BATCH_BYTES_MAX,
        # The broker's limit is what counts.
        "max_request_size": REQUEST_BYTES_MAX,
        "max_block_ms": min(timeout_ms, 5000),
        "request_timeout_ms": min(timeout_ms, 10_000),
        "delivery_timeout_ms": max(timeout_ms, 11_000),
    }
    return reaching(KafkaProducer, **settings, **known(KafkaProducer, wanted))


class Reader:
    """One partition, by assignment."""

    def __init__(self, place, offset, reset="none", extra=None):
        self.place = place
        self.lock = threading.Lock()
        self.received = []
        self.consumer = reaching(KafkaConsumer, **consumer_settings(None, reset), **(extra or {}))
        with lock:
            running.add(self.consumer)
        self.consumer.assign([place])
        self.consumer.seek(place, offset)

    def step(self, seconds):
        found = self.consumer.poll(timeout_ms=min(POLL_MS_MAX, max(0, int(seconds * 1000))))
        for records in found.values():
            self.received.extend(to_received(record) for record in records)

    def open(self, deadline):
        """Until the first answer to a fetch: records, or the place of the end."""
        with self.lock:
            while not self.received and self.consumer.highwater(self.place) is None:
                if time.monotonic() > deadline:
                    raise DriverError("TIMEOUT", "nothing was fetched in time")
                self.step(0.05)

    def take(self, count, end, deadline):
        with self.lock:
            while True:
                enough = count is not None and len(self.received) >= count
                ended = end is not None and self.consumer.position(self.place) >= end
                left = deadline - time.monotonic()
                if enough or ended or left <= 0:
                    taken = self.received[:count]
                    del self.received[: len(taken)]
                    return taken
                self.step(left)

    def seek(self, offset):
        with self.lock:
            self.received.clear()
            self.consumer.seek(self.place, offset)

    def close(self):
        with lock:
            running.discard(self.consumer)
        in_background(self.consumer.close)


def consumer_settings(group, reset):
    wanted = {
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": reset,
        "fetch_max_wait_ms": 100,
        "check_crcs": True,
        "allow_auto_create_topics": False,
    }
    return {**settings, **known(KafkaConsumer, wanted)}


def consume(args):
    deadline = deadline_of(args, 15_000)
    place = place_of(args)
    start = start_offset(place, args.get("from", "earliest"))
    end = None
    if args.get("until") == "end":
        end, _ = admin().offset_at(place, "latest")
        if start == end:
            return {"records": []}
    reader = Reader(place, start, args.get("reset", "none"), reading(args))
    try:
        return {"records": reader.take(args.get("count"), end, deadline)}
    finally:
        reader.close()


def reading(args):
    extra = {}
    if args.get("readCommitted", False):
        if "isolation_level" not in KafkaConsumer.DEFAULT_CONFIG:
            raise Unsupported(f"kafka-python {kafka.__version__} has no setting isolation_level")
        extra["isolation_level"] = "read_committed"
    if "maxPartitionBytes" in args:
        extra["max_partition_fetch_bytes"] = args["maxPartitionBytes"]
    return extra


def start_offset(place, start):
    return int(start["offset"]) if isinstance(start, dict) else admin().offset_at(place, start)[0]


def open_consumer(args):
    place = place_of(args)
    reader = Reader(place, start_offset(place, args.get("from", "latest")))
    reader.open(time.monotonic() + OPEN_S_MAX)
    with lock:
        consumers[args["consumer"]] = reader


def open_named(args):
    with lock:
        reader = consumers.get(args["consumer"])
    if reader is None:
        raise DriverError("NoSuchConsumer", f"no consumer {args['consumer']} is open")
    return reader


def poll(args):
    return {"records": open_named(args).take(args["count"], None, deadline_of(args, 15_000))}


def seek(args):
    open_named(args).seek(int(args["offset"]))


def close_consumer(args):
    with lock:
        reader = consumers.pop(args["consumer"], None)
    if reader is not None:
        reader.close()


def consume_in_group(args):
    deadline = deadline_of(args, 20_000)
    consumer = reaching(KafkaConsumer, **consumer_settings(args["group"], args.get("from", "earliest")))
    with lock:
        running.add(consumer)
    try:
        consumer.subscribe([args["topic"]])
        records, positions = [], {}
        while len(records) < args["count"] and time.monotonic() < deadline:
            left_ms = max(0, int((deadline - time.monotonic()) * 1000))
            found = consumer.poll(timeout_ms=left_ms, max_records=args["count"] - len(records))
            for place, batch in found.items():
                records.extend(to_received(record) for record in batch)
                positions[tuple(place)] = (batch[-1].offset + 1, "")
        if positions:
            consumer.commit(to_commit(positions))
        return {"records": records}
    finally:
        with lock:
            running.discard(consumer)
        consumer.close(autocommit=False)


def committed(args):
    """By a consumer, which waits for a coordinator; the admin client does not."""
    consumer = reaching(KafkaConsumer, **consumer_settings(args["group"], "none"))
    try:
        found = consumer.committed(place_of(args), metadata=True)
    finally:
        in_background(consumer.close)
    if found is None or found.offset < 0:
        return {"offset": "-1"}
    return {"offset": str(found.offset), "metadata": found.metadata}


def all_committed(args):
    found = admin().all_committed(args["group"])
    offsets = [
        {"topic": place.topic, "partition": place.partition, "offset": str(at.offset), "metadata": at.metadata}
        for place, at in sorted(found.items())
        if at.offset >= 0
    ]
    return {"offsets": offsets}


def commit(args):
    admin().commit(args["group"], to_commit(offsets_by_place(args["offsets"])))


members = Members(lambda args: open_member(consumer_settings, args))

OPS = {
    "configure": configure,
    "createTopics": create_topics,
    "deleteTopics": delete_topics,
    "createPartitions": create_partitions,
    "deleteRecords": delete_records,
    "describeConfigs": describe_configs,
    "alterConfigs": alter_configs,
    "listTopics": list_topics,
    "metadata": metadata,
    "listOffsets": list_offsets,
    "produce": produce,
    "consume": consume,
    "openConsumer": open_consumer,
    "poll": poll,
    "seek": seek,
    "closeConsumer": close_consumer,
    "consumeInGroup": consume_in_group,
    "committed": committed,
    "allCommitted": all_committed,
    "commit": commit,
    "openMember": members.open,
    "assignment": members.assignment,
    "memberPoll": members.poll,
    "memberCommit": members.commit,
    "closeMember": members.close,
}

serve("kafka-python", kafka.__version__, "kafka", {name: checked(op) for name, op in OPS.items()}, name_of)
