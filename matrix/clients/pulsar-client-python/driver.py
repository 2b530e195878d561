"""Driver of pulsar-client for Python, the C++ client underneath (matrix/driver/messages.ts).

What the library cannot express is answered `unsupported`: keys and ordering keys that are not text, an empty key, a
sequence id of 0 after the first message. It shows neither the index of a message, nor its sequence id, nor the bytes
of its key; the last message id it tells to consumers only, so that op uses a subscription of its own. Older versions
lack more: each is asked for by the name of its argument or accessor.
"""

import inspect
import json
import os
import tempfile
import threading
import time
import uuid
from datetime import timedelta

import _pulsar
import pulsar

from driver_base import DriverError, Unsupported, from_base64, serve, to_base64

OPERATION_TIMEOUT_S = 8
# With a token: the library tries again until then, also when it was told that the token is wrong.
SECURED_TIMEOUT_S = 5
BATCH_BYTES_MAX = 4 * 1024 * 1024
POLL_MS_MAX = 60_000

# Null values can be sent since they can be told.
TELLS_NULL = hasattr(pulsar.Message, "has_null_value")

lock = threading.RLock()
client = None
producers = {}
consumers = {}
readers = {}

COMPRESSION = {
    "none": pulsar.CompressionType.NONE,
    "lz4": pulsar.CompressionType.LZ4,
    "zlib": pulsar.CompressionType.ZLib,
    "zstd": pulsar.CompressionType.ZSTD,
    "snappy": pulsar.CompressionType.SNAPPY,
}
TYPES = {
    "exclusive": pulsar.ConsumerType.Exclusive,
    "failover": pulsar.ConsumerType.Failover,
    "shared": pulsar.ConsumerType.Shared,
    "key_shared": pulsar.ConsumerType.KeyShared,
}
# Names of the protocol where the library has its own.
NAMES = {
    "Timeout": "TIMEOUT",
    "BrokerMetadataError": "MetadataError",
    "BrokerPersistenceError": "PersistenceError",
    "ServiceUnitNotReady": "ServiceNotReady",
    "TopicTerminated": "TopicTerminatedError",
    "TooManyLookupRequestException": "TooManyRequests",
}


def name_of(error):
    name = type(error).__name__
    return NAMES.get(name, name)


def configure(args):
    global client
    with lock:
        if client is not None:
            # Closing waits for the broker: the next scenario does not.
            threading.Thread(target=quietly, args=(client.close,), daemon=True).start()
        producers.clear()
        consumers.clear()
        readers.clear()
        security = args.get("security") or {}
        client = pulsar.Client(
            args["serviceUrl"],
            operation_timeout_seconds=SECURED_TIMEOUT_S if "token" in security else OPERATION_TIMEOUT_S,
            connection_timeout_ms=5000,
            **security_settings(security),
            logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Warn),
        )
    return {}


def security_settings(security):
    settings = {}
    if "token" in security:
        settings["authentication"] = pulsar.AuthenticationToken(security["token"])
    if "caPath" in security:
        settings["tls_trust_certs_file_path"] = security["caPath"]
        settings["tls_validate_hostname"] = True
    return settings


def known(function, **wanted):
    """Arguments that not every version has. @raises Unsupported of the first that this one lacks"""
    parameters = inspect.signature(function).parameters
    for name in wanted:
        if name not in parameters:
            raise Unsupported(f"pulsar-client {pulsar.__version__} has no argument {name} of {function.__qualname__}()")
    return wanted


def quietly(run):
    try:
        run()
    except Exception as error:  # Nobody asked: it only goes to the log.
        print("while closing:", error)


class RawSchema(pulsar.schema.Schema):
    """Registers a schema and passes bytes, encoded already, through."""

    def __init__(self, schema_type, definition, name):
        super().__init__(bytes, schema_type, definition, name)

    def encode(self, obj):
        return obj

    def decode(self, data):
        return data


def schema_of(args):
    wanted = args.get("schema")
    if wanted is None:
        return pulsar.schema.BytesSchema()
    if wanted["type"] == "string":
        return RawSchema(_pulsar.SchemaType.STRING, None, "STRING")
    schema_type = _pulsar.SchemaType.JSON if wanted["type"] == "json" else _pulsar.SchemaType.AVRO
    return RawSchema(schema_type, json.loads(wanted["definition"]), wanted["type"].upper())


class KeptProducer:
    def __init__(self, args):
        extra = {}
        if "encryptionPublicKey" in args:
            extra["encryption_key"] = "kop"
            extra["crypto_key_reader"] = key_reader(args["encryptionPublicKey"])
        if args.get("oneBatch", False) and not args.get("chunking", False):
            extra["batching_enabled"] = True
            # A batch is closed by flush(), not by time or count.
            extra["batching_max_publish_delay_ms"] = 60_000
            extra["batching_max_messages"] = 1_000_000
            extra["batching_max_allowed_size_in_bytes"] = BATCH_BYTES_MAX
        self.producer = client.create_producer(
            args["topic"],
            producer_name=args.get("producerName"),
            schema=schema_of(args),
            send_timeout_millis=args.get("timeoutMs", 15_000),
            compression_type=COMPRESSION[args.get("compression", "none")],
            max_pending_messages=100_000,
            block_if_queue_full=True,
            chunking_enabled=args.get("chunking", False),
            **extra,
        )
        self.lock = threading.Lock()
        self.sent_any = False


def key_reader(public_key):
    path = os.path.join(tempfile.mkdtemp(prefix="kop-driver-"), "public.pem")
    with open(path, "w", encoding="utf-8") as file:
        file.write(public_key)
    return pulsar.CryptoKeyReader(path, "")


def produce(args):
    name = args.get("producer", "default")
    key = (name, args["topic"])
    with lock:
        kept = producers.get(key)
    if kept is None:
        kept = KeptProducer(args)
        with lock:
            producers[key] = kept
    with kept.lock:
        return send_all(kept, args)


def send_all(kept, args):
    fields = [message_fields(message, kept.sent_any or index > 0) for index, message in enumerate(args["messages"])]
    results = [None] * len(fields)
    left = threading.Semaphore(0)

    def sent(index):
        def callback(result, message_id):
            results[index] = (result, message_id)
            left.release()

        return callback

    for index, (content, options) in enumerate(fields):
        kept.producer.send_async(content, sent(index), **options)
        kept.sent_any = True
    kept.producer.flush()
    deadline = time.monotonic() + args.get("timeoutMs", 15_000) / 1000
    for _ in fields:
        if not left.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise DriverError("TIMEOUT", "no receipt in time")
    for result, _ in results:
        if result != pulsar.Result.Ok:
            raise DriverError(NAMES.get(result.name, result.name), str(result))
    return {"ids": [from_id(message_id) for _, message_id in results]}


def message_fields(message, sent_any):
    if message["value"] is None and not TELLS_NULL:
        raise Unsupported(f"pulsar-client {pulsar.__version__} for Python sends no null values")
    if "keyBytes" in message:
        raise Unsupported("pulsar-client for Python has keys of text only")
    options = {"properties": message.get("properties") or {}}
    if "key" in message:
        if message["key"] == "":
            raise Unsupported("pulsar-client for Python takes an empty key for none")
        options["partition_key"] = message["key"]
    if "orderingKey" in message:
        options.update(known(pulsar.Producer.send_async, ordering_key=ordering_key(message["orderingKey"])))
    if "eventTime" in message:
        options["event_timestamp"] = int(message["eventTime"])
    if "deliverAfterMs" in message:
        options["deliver_after"] = timedelta(milliseconds=message["deliverAfterMs"])
    if "sequenceId" in message:
        options["sequence_id"] = int(message["sequenceId"])
        if options["sequence_id"] == 0 and sent_any:
            raise Unsupported("pulsar-client for Python takes a sequence id of 0 for none")
    return from_base64(message["value"]), options


def ordering_key(text):
    try:
        return from_base64(text).decode("utf-8")
    except UnicodeDecodeError:
        raise Unsupported("pulsar-client for Python has ordering keys of text only") from None


def close_producer(args):
    with lock:
        named = [key for key in producers if key[0] == args["producer"]]
        closing = [producers.pop(key) for key in named]
    for kept in closing:
        kept.producer.close()


class KeptConsumer:
    """Keeps the messages that were received: acknowledging one of a batch needs the batch's own state."""

    def __init__(self, consumer):
        self.consumer = consumer
        self.received = {}

    def message(self, message_id):
        return self.received.get(id_key(message_id)) or to_id(message_id)


def subscribe(args):
    options = {}
    if "receiverQueueSize" in args:
        options["receiver_queue_size"] = args["receiverQueueSize"]
    if "negativeAckDelayMs" in args:
        options["negative_ack_redelivery_delay_ms"] = args["negativeAckDelayMs"]
    if args.get("batchIndexAck", False):
        options.update(known(pulsar.Client.subscribe, batch_index_ack_enabled=True))
    earliest = args.get("from", "earliest") == "earliest"
    consumer = client.subscribe(
        args["topic"],
        args["subscription"],
        consumer_type=TYPES[args.get("type", "exclusive")],
        initial_position=pulsar.InitialPosition.Earliest if earliest else pulsar.InitialPosition.Latest,
        is_read_compacted=args.get("compacted", False),
        **options,
    )
    with lock:
        consumers[args["consumer"]] = KeptConsumer(consumer)


def open_consumer(args):
    return opened(consumers, args["consumer"])


def opened(kept, name):
    with lock:
        found = kept.get(name)
    if found is None:
        raise DriverError("NoSuchHandle", f"nothing is open under the name {name}")
    return found


def receive(args):
    kept = open_consumer(args)
    messages = []
    deadline = deadline_of(args)
    while len(messages) < args["count"]:
        message = next_message(kept.consumer.receive, deadline)
        if message is None:
            break
        received = to_received(message)
        kept.received[id_key(received["id"])] = message
        messages.append(received)
    return {"messages": messages}


def next_message(take, deadline):
    """The next message, or None at the deadline."""
    while True:
        left_ms = int((deadline - time.monotonic()) * 1000)
        if left_ms <= 0:
            return None
        try:
            return take(timeout_millis=min(left_ms, POLL_MS_MAX))
        except pulsar.Timeout:
            continue


def deadline_of(args):
    return time.monotonic() + args.get("timeoutMs", 15_000) / 1000


def acknowledge(args):
    kept = open_consumer(args)
    act = kept.consumer.acknowledge_cumulative if args.get("cumulative", False) else kept.consumer.acknowledge
    for message_id in args["ids"]:
        act(kept.message(message_id))


def negative_acknowledge(args):
    kept = open_consumer(args)
    for message_id in args["ids"]:
        kept.consumer.negative_acknowledge(kept.message(message_id))


def redeliver_unacknowledged(args):
    open_consumer(args).consumer.redeliver_unacknowledged_messages()


def seek(args):
    to = args["to"]
    open_consumer(args).consumer.seek(to_id(to["id"]) if "id" in to else int(to["timestamp"]))


def unsubscribe(args):
    with lock:
        kept = consumers.pop(args["consumer"])
    kept.consumer.unsubscribe()


def close_consumer(args):
    with lock:
        kept = consumers.pop(args["consumer"], None)
    if kept is not None:
        kept.consumer.close()


def create_reader(args, default):
    start = args.get("from", default)
    if start == "earliest":
        message_id, inclusive = pulsar.MessageId.earliest, False
    elif start == "latest":
        message_id, inclusive = pulsar.MessageId.latest, False
    else:
        message_id, inclusive = to_id(start["id"]), start["inclusive"]
    options = known(pulsar.Client.create_reader, start_message_id_inclusive=True) if inclusive else {}
    return client.create_reader(args["topic"], message_id, is_read_compacted=args.get("compacted", False), **options)


def has_message_available(reader, deadline):
    """Asks again when the connection was lost meanwhile: the library reconnects, but gives up this question."""
    while True:
        try:
            return reader.has_message_available()
        except pulsar.NotConnected:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def read(args):
    deadline = deadline_of(args)
    reader = create_reader(args, "earliest")
    try:
        count = args.get("count")
        messages = []
        while count is None or len(messages) < count:
            if args.get("until") == "end" and not has_message_available(reader, deadline):
                break
            message = next_message(reader.read_next, deadline)
            if message is None:
                break
            messages.append(to_received(message))
        return {"messages": messages}
    finally:
        reader.close()


def open_reader(args):
    reader = create_reader(args, "latest")
    with lock:
        readers[args["reader"]] = reader


def read_next(args):
    reader = opened(readers, args["reader"])
    deadline = deadline_of(args)
    messages = []
    while len(messages) < args["count"]:
        message = next_message(reader.read_next, deadline)
        if message is None:
            break
        messages.append(to_received(message))
    return {"messages": messages}


def last_message_id(args):
    consumer = client.subscribe(args["topic"], f"last-message-id-{uuid.uuid4()}")
    try:
        message_id = consumer.get_last_message_id()
    finally:
        consumer.unsubscribe()
    return {"id": None if message_id.entry_id() < 0 else from_id(message_id)}


def partitions(args):
    return {"names": client.get_topic_partitions(args["topic"])}


def from_id(message_id):
    return {
        "ledgerId": str(message_id.ledger_id()),
        "entryId": str(message_id.entry_id()),
        "partition": message_id.partition(),
        "batchIndex": message_id.batch_index(),
    }


def to_id(message_id):
    """Of the library's inner kind, which deserializing gives: older versions seek by no other."""
    made = pulsar.MessageId(
        message_id["partition"],
        int(message_id["ledgerId"]),
        int(message_id["entryId"]),
        message_id["batchIndex"],
    )
    return pulsar.MessageId.deserialize(made.serialize())


def id_key(message_id):
    return (message_id["ledgerId"], message_id["entryId"], message_id["batchIndex"])


def to_received(message):
    received = {
        "id": from_id(message.message_id()),
        "topic": message.topic_name(),
        # The library gives '' where there is no key.
        "key": message.partition_key() or None,
        "value": None if TELLS_NULL and message.has_null_value() else to_base64(message.data()),
        "knowsNull": TELLS_NULL,
        "properties": message.properties(),
        "eventTime": str(message.event_timestamp()),
        "publishTime": str(message.publish_timestamp()),
        "redeliveryCount": message.redelivery_count(),
    }
    if hasattr(message, "ordering_key"):
        ordering = message.ordering_key()
        received["orderingKey"] = to_base64(ordering.encode("utf-8")) if ordering else None
    if hasattr(message, "producer_name"):
        received["producerName"] = message.producer_name()
    return received


OPS = {
    "configure": configure,
    "produce": produce,
    "closeProducer": close_producer,
    "subscribe": subscribe,
    "receive": receive,
    "acknowledge": acknowledge,
    "negativeAcknowledge": negative_acknowledge,
    "redeliverUnacknowledged": redeliver_unacknowledged,
    "seek": seek,
    "unsubscribe": unsubscribe,
    "closeConsumer": close_consumer,
    "read": read,
    "openReader": open_reader,
    "readNext": read_next,
    "lastMessageId": last_message_id,
    "partitions": partitions,
}

serve("pulsar-client-python", pulsar.__version__, "pulsar", OPS, name_of)
