"""What the driver asks of KafkaAdminClient, of its two kinds: 3.0 changed nearly every method and answer."""

import re
import threading

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import KafkaError, for_code

from driver_base import Unsupported
from kafka_python_family import broker_of, name_of, offset_and_metadata, topic_of
from reaching import reaching

TIMEOUT_MS = 10_000


def make_admin(settings):
    """@raises whatever the library does when it cannot reach a broker"""
    kind = CurrentAdmin if hasattr(KafkaAdminClient, "alter_group_offsets") else AdminBefore3
    return kind(settings)


class Admin:
    """The client is for one thread at a time before 3.0."""

    def __init__(self, settings):
        self.settings = settings
        self.lock = threading.RLock()
        self.client = reaching(KafkaAdminClient, **settings, request_timeout_ms=TIMEOUT_MS)

    def close(self):
        with self.lock:
            self.client.close()


class CurrentAdmin(Admin):
    def create_topics(self, topics):
        wanted = {
            topic["name"]: {
                "num_partitions": topic["partitions"],
                "replication_factor": 1,
                "configs": topic.get("configs") or {},
            }
            for topic in topics
        }
        return topic_outcomes(wanted, self.client.create_topics(wanted, raise_errors=False))

    def delete_topics(self, names):
        return topic_outcomes(names, self.client.delete_topics(names, raise_errors=False))

    def create_partitions(self, topic, count):
        self.client.create_partitions({topic: count})

    def delete_records(self, place, before):
        self.client.delete_records({place: before})

    def describe_configs(self, topic):
        found = self.client.describe_configs([topic_resource(topic)], config_filter="all")
        return {name: config["value"] for name, config in found["topic"][topic].items()}

    def alter_configs(self, topic, configs):
        found = self.client.alter_configs([topic_resource(topic, configs)], raise_on_unknown=False)
        # "OK", or an error in words that begin with Kafka's code.
        outcome = found["topic"][topic]
        code = re.match(r"\[Error (-?\d+)\]", outcome)
        if code:
            raise for_code(int(code[1]))(outcome)

    def list_topics(self):
        return self.client.list_topics()

    def metadata(self, names):
        brokers = [broker_of(broker) for broker in self.client.describe_cluster()["brokers"]]
        return {"brokers": brokers, "topics": [topic_of(topic, for_code) for topic in self.client.describe_topics(names)]}

    def offset_at(self, place, at):
        spec = {"earliest": kafka.OffsetSpec.EARLIEST, "latest": kafka.OffsetSpec.LATEST}
        wanted = spec[at] if isinstance(at, str) else int(at["timestamp"])
        found = self.client.list_partition_offsets({place: wanted})[place]
        return found.offset, found.timestamp

    def commit(self, group, offsets):
        outcomes = self.client.alter_group_offsets(group, offsets)
        for error in outcomes.values():
            if error is not None and error.errno != 0:
                raise error("the commit was refused")

    def all_committed(self, group):
        return self.client.list_group_offsets({group: None})[group]


class AdminBefore3(Admin):
    """It raises the first topic's error for a whole request, so each topic has a request of its own."""

    def __init__(self, settings):
        super().__init__(settings)
        self.offsets_consumer = None

    def create_topics(self, topics):
        return [
            self.outcome(
                topic["name"],
                lambda topic=topic: self.client.create_topics(
                    [NewTopic(topic["name"], topic["partitions"], 1, topic_configs=topic.get("configs") or {})]
                ),
            )
            for topic in topics
        ]

    def delete_topics(self, names):
        return [self.outcome(name, lambda name=name: self.client.delete_topics([name])) for name in names]

    def outcome(self, name, run):
        try:
            with self.lock:
                run()
            return {"name": name}
        except KafkaError as error:  # The error of one topic is part of the answer.
            return {"name": name, "error": name_of(error)}

    def create_partitions(self, topic, count):
        with self.lock:
            self.client.create_partitions({topic: NewPartitions(count)})

    def delete_records(self, place, before):
        if not hasattr(self.client, "delete_records"):
            raise Unsupported(f"kafka-python {kafka.__version__} has no KafkaAdminClient.delete_records")
        with self.lock:
            self.client.delete_records({place: before})

    def describe_configs(self, topic):
        with self.lock:
            responses = self.client.describe_configs([topic_resource(topic)])
        (resource,) = responses[0].resources
        raise_for(resource[0])
        return {entry[0]: entry[1] for entry in resource[4]}

    def alter_configs(self, topic, configs):
        with self.lock:
            response = self.client.alter_configs([topic_resource(topic, configs)])
        raise_for(response.resources[0][0])

    def list_topics(self):
        with self.lock:
            return self.client.list_topics()

    def metadata(self, names):
        with self.lock:
            brokers = [broker_of(broker) for broker in self.client.describe_cluster()["brokers"]]
            return {"brokers": brokers, "topics": [topic_of(topic, for_code) for topic in self.client.describe_topics(names)]}

    def offset_at(self, place, at):
        """The admin client has none of this; a consumer has."""
        with self.lock:
            consumer = self.consumer_for_offsets()
            if at == "earliest":
                return consumer.beginning_offsets([place])[place], -1
            if at == "latest":
                return consumer.end_offsets([place])[place], -1
            found = consumer.offsets_for_times({place: int(at["timestamp"])})[place]
            return (-1, -1) if found is None else (found.offset, found.timestamp)

    def consumer_for_offsets(self):
        if self.offsets_consumer is None:
            self.offsets_consumer = reaching(KafkaConsumer, **self.settings, group_id=None, request_timeout_ms=TIMEOUT_MS)
        return self.offsets_consumer

    def commit(self, group, offsets):
        """By a consumer that was assigned what it commits of: the admin client cannot."""
        consumer = reaching(KafkaConsumer, **self.settings, group_id=group, enable_auto_commit=False)
        try:
            consumer.assign(list(offsets))
            consumer.commit(offsets)
        finally:
            consumer.close()

    def all_committed(self, group):
        with self.lock:
            return self.client.list_consumer_group_offsets(group)

    def close(self):
        super().close()
        with self.lock:
            if self.offsets_consumer is not None:
                self.offsets_consumer.close()


def raise_for(code):
    if code != 0:
        raise for_code(code)()


def topic_outcomes(names, response):
    """In the order of the names."""
    codes = {topic["name"]: topic["error_code"] for topic in response["topics"]}
    return [
        {"name": name} if codes[name] == 0 else {"name": name, "error": name_of(for_code(codes[name]))}
        for name in names
    ]


def topic_resource(topic, configs=None):
    return ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)


def to_commit(offsets):
    """`offsets`: place to a pair of offset and metadata."""
    return {
        TopicPartition(*place): offset_and_metadata(OffsetAndMetadata, offset, metadata)
        for place, (offset, metadata) in offsets.items()
    }
