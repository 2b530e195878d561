"""What the driver asks of AIOKafkaAdminClient, and of a consumer for what that cannot do."""

import asyncio

import aiokafka
from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAuthorizationFailedError, for_code

from driver_base import Unsupported
from kafka_python_family import broker_of, library_log, name_of, offset_and_metadata, topic_of

TIMEOUT_MS = 10_000
# So long it may go on after a broker has refused it the topic: rights may be on their way.
UNAUTHORIZED_S = 1


class Admin:
    def __init__(self, settings):
        self.settings = settings
        self.client = AIOKafkaAdminClient(**settings, request_timeout_ms=TIMEOUT_MS)
        self.offsets_consumer = None

    async def start(self):
        await self.client.start()

    async def close(self):
        await self.client.close()
        if self.offsets_consumer is not None:
            await self.offsets_consumer.stop()

    async def create_topics(self, topics):
        wanted = [
            NewTopic(topic["name"], topic["partitions"], 1, topic_configs=topic.get("configs") or {})
            for topic in topics
        ]
        return topic_outcomes([topic["name"] for topic in topics], await self.client.create_topics(wanted))

    async def delete_topics(self, names):
        return topic_outcomes(names, await self.client.delete_topics(names))

    async def create_partitions(self, topic, count):
        response = await self.client.create_partitions({topic: NewPartitions(count)})
        raise_for(codes_of(response)[topic])

    async def delete_records(self, place, before):
        if not hasattr(self.client, "delete_records"):
            raise Unsupported(f"aiokafka {aiokafka.__version__} has no AIOKafkaAdminClient.delete_records")
        from aiokafka.admin import RecordsToDelete

        await self.client.delete_records({place: RecordsToDelete(before)})

    async def describe_configs(self, topic):
        responses = await self.client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        resource = responses[0].resources[0]
        raise_for(resource[0])
        return {entry[0]: entry[1] for entry in resource[4]}

    async def alter_configs(self, topic, configs):
        responses = await self.client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)])
        raise_for(responses[0].resources[0][0])

    async def list_topics(self):
        return await self.client.list_topics()

    async def metadata(self, names):
        there = await self.client.list_topics()
        if not set(names) <= set(there):
            raise Unsupported("AIOKafkaAdminClient.describe_topics asks for the creation of topics that are not there")
        cluster = await self.client.describe_cluster()
        topics = await self.client.describe_topics(names)
        return {
            "brokers": [broker_of(broker) for broker in cluster["brokers"]],
            "topics": [topic_of(topic, for_code) for topic in topics],
        }

    async def offset_at(self, place, at):
        return await unless_unauthorized(place.topic, self.offset_by_consumer(place, at))

    async def offset_by_consumer(self, place, at):
        """The admin client has none of this."""
        consumer = await self.consumer_for_offsets()
        if at == "earliest":
            return (await consumer.beginning_offsets([place]))[place], -1
        if at == "latest":
            return (await consumer.end_offsets([place]))[place], -1
        found = (await consumer.offsets_for_times({place: int(at["timestamp"])}))[place]
        return (-1, -1) if found is None else (found.offset, found.timestamp)

    async def consumer_for_offsets(self):
        if self.offsets_consumer is None:
            consumer = AIOKafkaConsumer(**self.settings, group_id=None, request_timeout_ms=TIMEOUT_MS)
            await consumer.start()
            self.offsets_consumer = consumer
        return self.offsets_consumer

    async def all_committed(self, group, places=None):
        return await self.client.list_consumer_group_offsets(group, partitions=places)


async def unless_unauthorized(topic, asking):
    """A consumer goes on asking for a topic that it may not see, and tells so in its log alone."""
    library_log.unauthorized.discard(topic)
    asked = asyncio.ensure_future(asking)
    while not asked.done():
        await asyncio.wait({asked}, timeout=UNAUTHORIZED_S)
        if not asked.done() and topic in library_log.unauthorized:
            asked.cancel()
            raise TopicAuthorizationFailedError(topic)
    return asked.result()


def raise_for(code):
    if code != 0:
        raise for_code(code)()


def codes_of(response):
    """By topic; the answers to creation and to deletion name the field differently."""
    errors = response.topic_errors if hasattr(response, "topic_errors") else response.topic_error_codes
    return {error[0]: error[1] for error in errors}


def topic_outcomes(names, response):
    codes = codes_of(response)
    return [
        {"name": name} if codes[name] == 0 else {"name": name, "error": name_of(for_code(codes[name]))}
        for name in names
    ]


def to_commit(offsets):
    """`offsets`: place to a pair of offset and metadata."""
    return {
        TopicPartition(*place): offset_and_metadata(OffsetAndMetadata, offset, metadata)
        for place, (offset, metadata) in offsets.items()
    }
