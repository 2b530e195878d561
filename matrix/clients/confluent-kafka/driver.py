"""Driver of confluent-kafka, librdkafka for Python (matrix/driver/messages.ts).

What the library cannot express is answered `unsupported`: a timestamp of 0, which librdkafka takes for "now"; in older
versions deletion of records (before 2.6), metadata of topics that are not there (before 2.3), KIP-848's protocol (before
librdkafka had it). Before 2.3 offsets come from a consumer, before 2.2 settings are altered all together.
"""

import threading
import time
import uuid
from concurrent.futures import FIRST_COMPLETED, Future, wait

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import ConsumerGroupTopicPartitions, admin as admin_api
from confluent_kafka.admin import AdminClient, ConfigEntry, ConfigResource, NewPartitions, NewTopic, ResourceType

from driver_base import DriverError, Unsupported, from_base64, serve, to_base64
from members import Groups
from security import security_settings

TIMEOUT_S = 10
MESSAGE_BYTES_MAX = 100_000_000

settings = {}
admin_client = None
producers = {}
consumers = {}
running = set()
lock = threading.RLock()
BROKEN_OFF = KafkaError(KafkaError._TRANSPORT).str()
# Done as soon as a broker refused who we are: librdkafka goes on trying, and its calls time out.
refused = Future()

# Settings by the version of librdkafka, in bytes: major, minor, patch, and one more.
FETCH_QUEUE = {"fetch.queue.backoff.ms": 20} if confluent_kafka.libversion()[1] >= 0x02020000 else {}

# Names of the protocol where librdkafka has its own, by its code.
NAMES = {
    -1: "UNKNOWN_SERVER_ERROR",
    2: "CORRUPT_MESSAGE",
    3: "UNKNOWN_TOPIC_OR_PARTITION",
    4: "INVALID_FETCH_SIZE",
    6: "NOT_LEADER_OR_FOLLOWER",
    10: "MESSAGE_TOO_LARGE",
    11: "STALE_CONTROLLER_EPOCH",
    14: "COORDINATOR_LOAD_IN_PROGRESS",
    15: "COORDINATOR_NOT_AVAILABLE",
    16: "NOT_COORDINATOR",
    17: "INVALID_TOPIC_EXCEPTION",
    18: "RECORD_LIST_TOO_LARGE",
    36: "TOPIC_ALREADY_EXISTS",
    KafkaError._TIMED_OUT: "TIMEOUT",
    KafkaError._MSG_TIMED_OUT: "TIMEOUT",
    KafkaError._TIMED_OUT_QUEUE: "TIMEOUT",
    KafkaError._UNKNOWN_TOPIC: "UNKNOWN_TOPIC_OR_PARTITION",
    KafkaError._UNKNOWN_PARTITION: "UNKNOWN_TOPIC_OR_PARTITION",
    KafkaError._AUTO_OFFSET_RESET: "OFFSET_OUT_OF_RANGE",
    KafkaError._AUTHENTICATION: "SASL_AUTHENTICATION_FAILED",
    KafkaError._FENCED: "PRODUCER_FENCED",
}
# What librdkafka takes for fatal.
FATAL_NAMES = (
    "FENCED_INSTANCE_ID",
    "FENCED_MEMBER_EPOCH",
    "UNRELEASED_INSTANCE_ID",
    "UNSUPPORTED_ASSIGNOR",
    "GROUP_MAX_SIZE_REACHED",
    "INVALID_REQUEST",
    "UNSUPPORTED_VERSION",
    "GROUP_AUTHORIZATION_FAILED",
    "OUT_OF_ORDER_SEQUENCE_NUMBER",
    "UNKNOWN_PRODUCER_ID",
    "INVALID_PRODUCER_EPOCH",
)
# As far as this version knows them.
FATAL_CODES = [getattr(KafkaError, name) for name in FATAL_NAMES if hasattr(KafkaError, name)]
# How librdkafka fails when it cannot reach any broker.
UNREACHABLE = ("TIMEOUT", "_TRANSPORT", "_ALL_BROKERS_DOWN", "_RESOLVE")


def name_of(error):
    cause = error.args[0] if isinstance(error, KafkaException) and error.args else error
    if not isinstance(cause, KafkaError):
        return type(error).__name__
    if cause.code() == KafkaError._FATAL:
        return fatal_name(cause)
    name = NAMES.get(cause.code(), cause.name())
    return NAMES[KafkaError._AUTHENTICATION] if name in UNREACHABLE and refused.done() else name


def fatal_name(error):
    """Of the error behind: the library tells it in librdkafka's words only."""
    behind = [KafkaError(code) for code in FATAL_CODES if KafkaError(code).str() in error.str()]
    return behind[0].name() if behind else error.name()


def is_refusal(error):
    """A connection that ends during the handshake librdkafka tells as a refusal too, and connects anew."""
    return error.code() == KafkaError._AUTHENTICATION and BROKEN_OFF not in error.str()


def is_failure(error):
    """Whether a member cannot go on: other errors librdkafka gets over by itself."""
    return error.fatal() or error.code() == KafkaError._FATAL or is_refusal(error) or error.name().endswith("AUTHORIZATION_FAILED")


def error_callback(refused_now):
    """Of the clients of one configuration: those of an earlier one may be refused still."""

    def on_error(error):
        print("client:", error)
        if is_refusal(error) and not refused_now.done():
            refused_now.set_result(error)

    return on_error


def configure(args):
    global admin_client, refused
    groups.close_all()
    with lock:
        for producer in producers.values():
            producer.purge()
        for consumer in list(running):
            threading.Thread(target=consumer.close, daemon=True).start()
        producers.clear()
        consumers.clear()
        running.clear()
        settings.clear()
        refused = Future()
        settings.update(
            {
                **security_settings(args.get("security") or {}),
                "error_cb": error_callback(refused),
                "bootstrap.servers": args["bootstrap"],
                "client.id": args["clientId"],
                # One that was refused goes on trying for as long as it is there.
                "reconnect.backoff.ms": 1000 if (args.get("security") or {}).get("sasl") else 20,
                "reconnect.backoff.max.ms": 1000,
                "topic.metadata.refresh.fast.interval.ms": 20,
                "socket.timeout.ms": 10_000,
                "log.connection.close": False,
            }
        )
        admin_client = None
    return {}


def admin():
    global admin_client
    with lock:
        if admin_client is None:
            admin_client = AdminClient(dict(settings))
            threading.Thread(target=serve_events, args=(admin_client,), daemon=True).start()
        return admin_client


def serve_events(client):
    while client is admin_client:
        client.poll(0.5)


def each(futures):
    """What became of each topic of several."""
    return {"topics": [outcome(name, future) for name, future in futures.items()]}


def outcome(name, future):
    try:
        answer_of(future)
        return {"name": name}
    except Exception as error:  # The error of one topic is part of the answer.
        return {"name": name, "error": name_of(error)}


def only(futures):
    return answer_of(next(iter(futures.values())))


def in_background(run):
    answer = Future()

    def settle():
        try:
            answer.set_result(run())
        except Exception as error:  # It is the answer to who asked.
            answer.set_exception(error)

    threading.Thread(target=settle, daemon=True).start()
    return answer


def answer_of(future):
    wait({future, refused}, TIMEOUT_S, FIRST_COMPLETED)
    if refused.done() and not future.done():
        raise KafkaException(refused.result())
    return future.result(0)


def create_topics(args):
    topics = [
        NewTopic(topic["name"], topic["partitions"], 1, config=topic.get("configs") or {}) for topic in args["topics"]
    ]
    return each(admin().create_topics(topics, operation_timeout=TIMEOUT_S))


def delete_topics(args):
    return each(admin().delete_topics(args["names"], operation_timeout=TIMEOUT_S))


def create_partitions(args):
    only(admin().create_partitions([NewPartitions(args["topic"], args["count"])], operation_timeout=TIMEOUT_S))


def delete_records(args):
    if not hasattr(AdminClient, "delete_records"):
        raise Unsupported(f"confluent-kafka {confluent_kafka.__version__} has no AdminClient.delete_records")
    only(admin().delete_records([TopicPartition(args["topic"], args["partition"], int(args["before"]))]))


def describe_configs(args):
    entries = only(admin().describe_configs([ConfigResource(ResourceType.TOPIC, args["topic"])]))
    return {"configs": {name: entry.value for name, entry in entries.items()}}


def alter_configs(args):
    if not hasattr(AdminClient, "incremental_alter_configs"):
        only(admin().alter_configs([ConfigResource(ResourceType.TOPIC, args["topic"], set_config=args["configs"])]))
        return
    set_one = admin_api.AlterConfigOpType.SET
    entries = [ConfigEntry(name, value, incremental_operation=set_one) for name, value in args["configs"].items()]
    resource = ConfigResource(ResourceType.TOPIC, args["topic"], incremental_configs=entries)
    only(admin().incremental_alter_configs([resource]))


def list_topics(_args):
    found = in_background(lambda: admin().list_topics(timeout=TIMEOUT_S))
    return {"names": sorted(answer_of(found).topics)}


def metadata(args):
    if not hasattr(AdminClient, "describe_topics"):
        return metadata_of_all(args["topics"])
    cluster = answer_of(admin().describe_cluster())
    futures = admin().describe_topics(confluent_kafka.TopicCollection(args["topics"]))
    return {
        "brokers": [{"id": node.id, "host": node.host, "port": node.port} for node in cluster.nodes],
        "topics": [topic_metadata(name, future) for name, future in futures.items()],
    }


def topic_metadata(name, future):
    try:
        topic = answer_of(future)
    except Exception as error:  # The error of one topic is part of the answer.
        return {"name": name, "error": name_of(error), "partitions": []}
    partitions = [
        {"index": partition.id, "leader": partition.leader.id if partition.leader else -1}
        for partition in sorted(topic.partitions, key=lambda partition: partition.id)
    ]
    return {"name": name, "topicId": str(topic.topic_id), "internal": topic.is_internal, "partitions": partitions}


def metadata_of_all(names):
    """Of a list of everything: asking for single topics would create them."""
    cluster = answer_of(in_background(lambda: admin().list_topics(timeout=TIMEOUT_S)))
    if not set(names) <= set(cluster.topics):
        raise Unsupported(f"confluent-kafka {confluent_kafka.__version__} has no AdminClient.describe_topics")
    return {
        "brokers": [{"id": node.id, "host": node.host, "port": node.port} for node in cluster.brokers.values()],
        "topics": [listed_topic(cluster.topics[name]) for name in names],
    }


def listed_topic(topic):
    partitions = [{"index": index, "leader": partition.leader} for index, partition in sorted(topic.partitions.items())]
    error = {} if topic.error is None else {"error": name_of(topic.error)}
    return {"name": topic.topic, **error, "partitions": partitions}


def list_offsets(args):
    offset, timestamp = offset_at(args["topic"], args["partition"], args["at"])
    return {"offset": str(offset), **({"timestamp": str(timestamp)} if timestamp >= 0 else {})}


def offset_at(topic, partition, at):
    """Offset and timestamp; -1: none."""
    if not hasattr(AdminClient, "list_offsets"):
        return answer_of(in_background(lambda: offset_by_consumer(topic, partition, at))), -1
    if at == "earliest":
        spec = admin_api.OffsetSpec.earliest()
    elif at == "latest":
        spec = admin_api.OffsetSpec.latest()
    else:
        spec = admin_api.OffsetSpec.for_timestamp(int(at["timestamp"]))
    info = only(admin().list_offsets({TopicPartition(topic, partition): spec}))
    return info.offset, info.timestamp


def offset_by_consumer(topic, partition, at):
    consumer = Consumer(consumer_settings(str(uuid.uuid4()), "error"))
    try:
        if isinstance(at, str):
            marks = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT_S)
            return marks[0 if at == "earliest" else 1]
        (found,) = consumer.offsets_for_times([TopicPartition(topic, partition, int(at["timestamp"]))], timeout=TIMEOUT_S)
        if found.error is not None:
            raise KafkaException(found.error)
        return max(found.offset, -1)
    finally:
        consumer.close()


def produce(args):
    producer = named_producer(args)
    records = args["records"]
    places = [None] * len(records)
    failures = []
    deadline = time.monotonic() + args.get("timeoutMs", 15_000) / 1000

    def send(index, record):
        def delivered(error, message):
            if error is not None:
                failures.append(KafkaException(error))
                places[index] = {}
            else:
                places[index] = place_of(message)

        producer.produce(args["topic"], on_delivery=delivered, **record_fields(record))

    for index, record in enumerate(records):
        send(index, record)
        if not args.get("oneBatch", True):
            wait_for(producer, lambda at=index: places[at] is not None, deadline)
    wait_for(producer, lambda: all(place is not None for place in places), deadline)
    if failures:
        raise failures[0]
    return {"records": places}


def wait_for(producer, done, deadline):
    """flush() sends without lingering; the callbacks run in it, or in another request's."""
    while not done():
        left = deadline - time.monotonic()
        if refused.done():
            raise KafkaException(refused.result())
        if left <= 0:
            raise DriverError("TIMEOUT", "no acknowledgement in time")
        producer.flush(min(left, 0.5))


def record_fields(record):
    fields = {
        "key": from_base64(record["key"]),
        "value": from_base64(record["value"]),
        "headers": [(name, from_base64(value)) for name, value in record.get("headers") or []],
    }
    if "partition" in record:
        fields["partition"] = record["partition"]
    if "timestamp" in record:
        if int(record["timestamp"]) == 0:
            raise Unsupported("librdkafka takes a timestamp of 0 for the present time")
        fields["timestamp"] = int(record["timestamp"])
    return fields


def place_of(message):
    offset = message.offset()
    place = {"partition": message.partition()}
    if offset is not None and offset >= 0:
        place["offset"] = str(offset)
    return place


def named_producer(args):
    with lock:
        name = args.get("producer", "default")
        if name not in producers:
            producers[name] = Producer(
                {
                    **settings,
                    "acks": {"0": 0, "1": 1, "all": -1}[args.get("acks", "all")],
                    "compression.codec": args.get("compression", "none"),
                    "enable.idempotence": args.get("idempotent", False),
                    # A batch is closed by flush(), not by time.
                    "linger.ms": 1000,
                    "batch.num.messages": 1_000_000,
                    # The broker's limit is what counts.
                    "message.max.bytes": MESSAGE_BYTES_MAX,
                    "message.timeout.ms": args.get("timeoutMs", 15_000),
                    "topic.metadata.propagation.max.ms": 3000,
                    "retry.backoff.ms": 20,
                }
            )
        return producers[name]


class Reader:
    """One partition, by assignment. An end of partition is an event of librdkafka's."""

    def __init__(self, topic, partition, offset, reset="error", extra=None):
        self.place = TopicPartition(topic, partition, offset)
        self.lock = threading.Lock()
        self.received = []
        self.position = offset
        self.at_end = False
        self.consumer = Consumer(consumer_settings(str(uuid.uuid4()), reset, extra))
        with lock:
            running.add(self.consumer)
        self.consumer.assign([self.place])

    def step(self, seconds):
        """Takes one event. Answers whether there was one."""
        message = self.consumer.poll(seconds)
        if message is None:
            return False
        error = message.error()
        if error is None:
            self.at_end = False
            self.position = message.offset() + 1
            self.received.append(to_received(message))
        elif error.code() == KafkaError._PARTITION_EOF:
            self.at_end = True
        else:
            raise KafkaException(error)
        return True

    def take(self, count, end, deadline):
        with self.lock:
            while True:
                enough = count is not None and len(self.received) >= count
                ended = end is not None and (self.position >= end or self.at_end)
                left = deadline - time.monotonic()
                if enough or ended or left <= 0:
                    taken = self.received[:count]
                    del self.received[: len(taken)]
                    return taken
                self.step(left)

    def seek(self, offset):
        with self.lock:
            self.received.clear()
            self.at_end = False
            self.position = offset
            self.consumer.seek(TopicPartition(self.place.topic, self.place.partition, offset))

    def close(self):
        with lock:
            running.discard(self.consumer)
        threading.Thread(target=self.consumer.close, daemon=True).start()


def consumer_settings(group, reset, extra=None):
    return {
        **settings,
        "group.id": group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": reset,
        "fetch.wait.max.ms": 100,
        "fetch.error.backoff.ms": 20,
        **FETCH_QUEUE,
        "check.crcs": True,
        **(extra or {}),
    }


def consume(args):
    deadline = time.monotonic() + args.get("timeoutMs", 15_000) / 1000
    topic, partition = args["topic"], args.get("partition", 0)
    start = start_offset(topic, partition, args.get("from", "earliest"))
    end = None
    if args.get("until") == "end":
        end, _ = offset_at(topic, partition, "latest")
        if start == end:
            return {"records": []}
    extra = {"isolation.level": "read_committed" if args.get("readCommitted") else "read_uncommitted"}
    if "maxPartitionBytes" in args:
        extra["max.partition.fetch.bytes"] = args["maxPartitionBytes"]
    reset = args.get("reset", "none")
    reader = Reader(topic, partition, start, "error" if reset == "none" else reset, extra)
    try:
        return {"records": reader.take(args.get("count"), end, deadline)}
    finally:
        reader.close()


def start_offset(topic, partition, start):
    return int(start["offset"]) if isinstance(start, dict) else offset_at(topic, partition, start)[0]


def open_consumer(args):
    topic, partition = args["topic"], args.get("partition", 0)
    reader = Reader(topic, partition, start_offset(topic, partition, args.get("from", "latest")))
    # The first event, a record or the end of the partition, says that it fetches.
    with reader.lock:
        reader.step(TIMEOUT_S)
    with lock:
        consumers[args["consumer"]] = reader


def open_named(args):
    with lock:
        reader = consumers.get(args["consumer"])
    if reader is None:
        raise DriverError("NoSuchConsumer", f"no consumer {args['consumer']} is open")
    return reader


def poll(args):
    deadline = time.monotonic() + args.get("timeoutMs", 15_000) / 1000
    return {"records": open_named(args).take(args["count"], None, deadline)}


def seek(args):
    open_named(args).seek(int(args["offset"]))


def close_consumer(args):
    with lock:
        reader = consumers.pop(args["consumer"], None)
    if reader is not None:
        reader.close()


def consume_in_group(args):
    deadline = time.monotonic() + args.get("timeoutMs", 20_000) / 1000
    consumer = Consumer(consumer_settings(args["group"], args.get("from", "earliest")))
    with lock:
        running.add(consumer)
    try:
        consumer.subscribe([args["topic"]])
        records, positions = [], {}
        while len(records) < args["count"] and time.monotonic() < deadline:
            message = consumer.poll(deadline - time.monotonic())
            if message is None or (message.error() and message.error().code() == KafkaError._PARTITION_EOF):
                continue
            if message.error():
                raise KafkaException(message.error())
            records.append(to_received(message))
            positions[message.partition()] = message.offset() + 1
        places = [TopicPartition(args["topic"], partition, offset) for partition, offset in positions.items()]
        if places:
            consumer.commit(offsets=places, asynchronous=False)
        return {"records": records}
    finally:
        with lock:
            running.discard(consumer)
        consumer.close()


READS_MAX = 5


def offsets_of(wanted):
    """Reads again what the library cannot decode: it takes bytes behind the metadata's end for a part of it."""
    for left in reversed(range(READS_MAX)):
        try:
            return only(admin().list_consumer_group_offsets([wanted])).topic_partitions
        except UnicodeDecodeError:
            if left == 0:
                raise


def committed(args):
    place = TopicPartition(args["topic"], args.get("partition", 0))
    found = offsets_of(ConsumerGroupTopicPartitions(args["group"], [place]))[0]
    if found.error is not None:
        raise KafkaException(found.error)
    return {"offset": str(found.offset if found.offset >= 0 else -1), "metadata": found.metadata}


TIMESTAMP_TYPES = {confluent_kafka.TIMESTAMP_CREATE_TIME: "create", confluent_kafka.TIMESTAMP_LOG_APPEND_TIME: "append"}


def to_received(message):
    kind, timestamp = message.timestamp()
    received = {
        "partition": message.partition(),
        "offset": str(message.offset()),
        "timestamp": str(timestamp),
        "key": to_base64(message.key()),
        "value": to_base64(message.value()),
        "headers": [[name, to_base64(value)] for name, value in message.headers() or []],
    }
    if kind in TIMESTAMP_TYPES:
        received["timestampType"] = TIMESTAMP_TYPES[kind]
    return received


groups = Groups(consumer_settings, admin, only, is_failure, to_received)

OPS = {
    **groups.ops(),
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
}

serve("confluent-kafka", confluent_kafka.__version__, "kafka", OPS, name_of)
