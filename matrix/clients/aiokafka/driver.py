"""Driver of aiokafka (matrix/driver/messages.ts).

What the library cannot express is answered `unsupported`: a record without both key and value, a header without a
value, the cooperative assignor, KIP-848's protocol, metadata of topics that are not there; before 0.11 the deletion of
records.
"""

import asyncio
import time

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from admin import Admin, to_commit
from driver_base import DriverError, serve
from kafka_python_family import library_log, name_of, record_fields, to_received
from loop import in_background, in_loop
from member_state import Members, deadline_of, offsets_by_place
from members import open_member
from security import security_settings

BATCH_BYTES_MAX = 4 * 1024 * 1024
REQUEST_BYTES_MAX = 100_000_000
POLL_MS_MAX = 60_000
OPEN_S_MAX = 10
TIMEOUT_MS_MAX = 10_000

# All of these belong to the loop: nothing else touches them.
settings = {}
kept = {"admin": None}
producers = {}
consumers = {}
running = set()


async def configure(args):
    members.close_all()
    library_log.refused = False
    for client in [*(made for made in producers.values() if made.done()), *running]:
        in_background(stop(client))
    if kept["admin"] is not None:
        in_background(stop(kept["admin"]))
    producers.clear()
    consumers.clear()
    running.clear()
    settings.clear()
    settings.update(
        {
            **security_settings(args.get("security") or {}),
            "bootstrap_servers": args["bootstrap"],
            "client_id": args["clientId"],
            "retry_backoff_ms": 20,
        }
    )
    kept["admin"] = None


async def stop(client):
    """`client`: a consumer, or what makes a producer or an admin client."""
    if isinstance(client, AIOKafkaConsumer):
        await client.stop()
        return
    made = await client
    await (made.close() if isinstance(made, Admin) else made.stop())


async def admin():
    """One for all: who comes while it starts waits for it; one that could not start is made anew."""
    starting = kept["admin"]
    if starting is None or (starting.done() and starting.exception() is not None):
        starting = asyncio.ensure_future(started_admin())
        kept["admin"] = starting
    return await asyncio.shield(starting)


async def started_admin():
    made = Admin(dict(settings))
    try:
        await made.start()
    except BaseException:
        await made.close()
        raise
    return made


async def create_topics(args):
    return {"topics": await (await admin()).create_topics(args["topics"])}


async def delete_topics(args):
    return {"topics": await (await admin()).delete_topics(args["names"])}


async def create_partitions(args):
    await (await admin()).create_partitions(args["topic"], args["count"])


async def delete_records(args):
    await (await admin()).delete_records(place_of(args), int(args["before"]))


async def describe_configs(args):
    return {"configs": await (await admin()).describe_configs(args["topic"])}


async def alter_configs(args):
    await (await admin()).alter_configs(args["topic"], args["configs"])


async def list_topics(_args):
    return {"names": sorted(await (await admin()).list_topics())}


async def metadata(args):
    return await (await admin()).metadata(args["topics"])


async def list_offsets(args):
    offset, timestamp = await (await admin()).offset_at(place_of(args), args["at"])
    return {"offset": str(offset), **({"timestamp": str(timestamp)} if timestamp >= 0 else {})}


def place_of(args):
    return TopicPartition(args["topic"], args.get("partition", 0))


async def produce(args):
    try:
        return await asyncio.wait_for(send_all(args), args.get("timeoutMs", 15_000) / 1000)
    except asyncio.TimeoutError:
        raise DriverError("TIMEOUT", "no acknowledgement in time") from None


async def send_all(args):
    producer = await named_producer(args)
    fields = [record_fields(record, "aiokafka") for record in args["records"]]
    acknowledged = args.get("acks", "all") != "0"
    if not args.get("oneBatch", True):
        return {"records": [sent_to(await (await producer.send(args["topic"], **each)), acknowledged) for each in fields]}
    # Its task that sends has its turn when this one waits: in between all of them went into one batch.
    futures = [await producer.send(args["topic"], **each) for each in fields]
    return {"records": [sent_to(sent, acknowledged) for sent in await asyncio.gather(*futures)]}


def sent_to(sent, acknowledged):
    # Without acknowledgement the library tells nothing.
    if sent is None:
        return {}
    return {"partition": sent.partition, **({"offset": str(sent.offset)} if acknowledged and sent.offset >= 0 else {})}


async def named_producer(args):
    name = args.get("producer", "default")
    starting = producers.get(name)
    if starting is None or (starting.done() and starting.exception() is not None):
        starting = asyncio.ensure_future(started_producer(args))
        producers[name] = starting
    return await asyncio.shield(starting)


async def started_producer(args):
    compression = args.get("compression", "none")
    producer = AIOKafkaProducer(
        **settings,
        acks={"0": 0, "1": 1, "all": "all"}[args.get("acks", "all")],
        compression_type=None if compression == "none" else compression,
        enable_idempotence=args.get("idempotent", False),
        max_batch_size=BATCH_BYTES_MAX,
        # The broker's limit is what counts.
        max_request_size=REQUEST_BYTES_MAX,
        request_timeout_ms=min(args.get("timeoutMs", 15_000), TIMEOUT_MS_MAX),
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


class Reader:
    """One partition, by assignment."""

    def __init__(self, place, consumer):
        self.place = place
        self.consumer = consumer
        self.lock = asyncio.Lock()
        self.received = []

    async def step(self, seconds):
        found = await self.consumer.getmany(timeout_ms=min(POLL_MS_MAX, max(0, int(seconds * 1000))))
        for records in found.values():
            self.received.extend(to_received(record) for record in records)

    async def open(self, deadline):
        """Until the first answer to a fetch: records, or the place of the end."""
        async with self.lock:
            while not self.received and self.consumer.highwater(self.place) is None:
                if time.monotonic() > deadline:
                    raise DriverError("TIMEOUT", "nothing was fetched in time")
                await self.step(0.05)

    async def take(self, count, end, deadline):
        async with self.lock:
            while True:
                enough = count is not None and len(self.received) >= count
                ended = end is not None and await self.consumer.position(self.place) >= end
                left = deadline - time.monotonic()
                if enough or ended or left <= 0:
                    taken = self.received[:count]
                    del self.received[: len(taken)]
                    return taken
                await self.step(left)

    async def seek(self, offset):
        async with self.lock:
            self.received.clear()
            self.consumer.seek(self.place, offset)

    def close(self):
        running.discard(self.consumer)
        in_background(self.consumer.stop())


async def open_reader(place, offset, reset="none", extra=None):
    consumer = await started_consumer({**consumer_settings(None, reset), **(extra or {})})
    # No turn of another task in between: it would look for an offset of its own.
    consumer.assign([place])
    consumer.seek(place, offset)
    return Reader(place, consumer)


async def started_consumer(wanted):
    consumer = AIOKafkaConsumer(**wanted)
    running.add(consumer)
    try:
        await consumer.start()
    except BaseException:
        running.discard(consumer)
        await consumer.stop()
        raise
    return consumer


def consumer_settings(group, reset):
    return {
        **settings,
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": reset,
        "fetch_max_wait_ms": 100,
        "check_crcs": True,
    }


async def consume(args):
    deadline = deadline_of(args, 15_000)
    place = place_of(args)
    start = await start_offset(place, args.get("from", "earliest"))
    end = None
    if args.get("until") == "end":
        end, _ = await (await admin()).offset_at(place, "latest")
        if start == end:
            return {"records": []}
    extra = {"isolation_level": "read_committed" if args.get("readCommitted", False) else "read_uncommitted"}
    if "maxPartitionBytes" in args:
        extra["max_partition_fetch_bytes"] = args["maxPartitionBytes"]
    reader = await open_reader(place, start, args.get("reset", "none"), extra)
    try:
        return {"records": await reader.take(args.get("count"), end, deadline)}
    finally:
        reader.close()


async def start_offset(place, start):
    if isinstance(start, dict):
        return int(start["offset"])
    offset, _ = await (await admin()).offset_at(place, start)
    return offset


async def open_consumer(args):
    place = place_of(args)
    reader = await open_reader(place, await start_offset(place, args.get("from", "latest")))
    await reader.open(time.monotonic() + OPEN_S_MAX)
    consumers[args["consumer"]] = reader


def open_named(args):
    reader = consumers.get(args["consumer"])
    if reader is None:
        raise DriverError("NoSuchConsumer", f"no consumer {args['consumer']} is open")
    return reader


async def poll(args):
    return {"records": await open_named(args).take(args["count"], None, deadline_of(args, 15_000))}


async def seek(args):
    await open_named(args).seek(int(args["offset"]))


async def close_consumer(args):
    reader = consumers.pop(args["consumer"], None)
    if reader is not None:
        reader.close()


async def consume_in_group(args):
    deadline = deadline_of(args, 20_000)
    consumer = await started_consumer(consumer_settings(args["group"], args.get("from", "earliest")))
    try:
        consumer.subscribe([args["topic"]])
        records, positions = [], {}
        while len(records) < args["count"] and time.monotonic() < deadline:
            left_ms = max(0, int((deadline - time.monotonic()) * 1000))
            found = await consumer.getmany(timeout_ms=left_ms, max_records=args["count"] - len(records))
            for place, batch in found.items():
                records.extend(to_received(record) for record in batch)
                positions[tuple(place)] = (batch[-1].offset + 1, "")
        if positions:
            await consumer.commit(to_commit(positions))
        return {"records": records}
    finally:
        running.discard(consumer)
        await consumer.stop()


async def committed(args):
    """By a consumer, which waits for a coordinator; only the admin client knows the metadata."""
    place = place_of(args)
    consumer = await started_consumer(consumer_settings(args["group"], "none"))
    try:
        offset = await consumer.committed(place)
    finally:
        running.discard(consumer)
        in_background(consumer.stop())
    if offset is None:
        return {"offset": "-1"}
    found = (await (await admin()).all_committed(args["group"], [place]))[place]
    return {"offset": str(found.offset), "metadata": found.metadata}


async def all_committed(args):
    found = await (await admin()).all_committed(args["group"])
    offsets = [
        {"topic": place.topic, "partition": place.partition, "offset": str(at.offset), "metadata": at.metadata}
        for place, at in sorted(found.items())
        if at.offset >= 0
    ]
    return {"offsets": offsets}


async def commit(args):
    """By a consumer that was assigned what it commits of: the admin client cannot."""
    offsets = to_commit(offsets_by_place(args["offsets"]))
    consumer = await started_consumer(consumer_settings(args["group"], "earliest"))
    try:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
    finally:
        running.discard(consumer)
        in_background(consumer.stop())


members = Members(lambda args: open_member(consumer_settings, args))

OPS = {
    "configure": in_loop(configure),
    "createTopics": in_loop(create_topics),
    "deleteTopics": in_loop(delete_topics),
    "createPartitions": in_loop(create_partitions),
    "deleteRecords": in_loop(delete_records),
    "describeConfigs": in_loop(describe_configs),
    "alterConfigs": in_loop(alter_configs),
    "listTopics": in_loop(list_topics),
    "metadata": in_loop(metadata),
    "listOffsets": in_loop(list_offsets),
    "produce": in_loop(produce),
    "consume": in_loop(consume),
    "openConsumer": in_loop(open_consumer),
    "poll": in_loop(poll),
    "seek": in_loop(seek),
    "closeConsumer": in_loop(close_consumer),
    "consumeInGroup": in_loop(consume_in_group),
    "committed": in_loop(committed),
    "allCommitted": in_loop(all_committed),
    "commit": in_loop(commit),
    "openMember": members.open,
    "assignment": members.assignment,
    "memberPoll": members.poll,
    "memberCommit": members.commit,
    "closeMember": members.close,
}

serve("aiokafka", aiokafka.__version__, "kafka", OPS, name_of)
