"""Members of groups that stay, by confluent-kafka.

librdkafka has no `sticky` assignor of the eager kind, and tells no generation.
"""

import queue
import threading
import time
from concurrent.futures import Future

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition, libversion

from driver_base import DriverError, Unsupported

POLL_S = 0.02
CLOSE_S_MAX = 5
COMMIT_S_MAX = 20
# So many records wait for `memberPoll`: beyond that a member pauses.
WAITING_RECORDS_MAX = 5000
# librdkafka 2.10, in bytes: what came before does not understand a broker whose protocol is final.
CONSUMER_PROTOCOL_SINCE = 0x020A0000
ASSIGNORS = ("range", "roundrobin", "cooperative-sticky")


class Member:
    """A consumer with a thread of its own, which does all: a call beside a poll may never return."""

    def __init__(self, settings, topics, is_failure, to_received):
        self.changed = threading.Condition()
        self.assigned = {}
        self.history = []
        self.waiting = []
        # How many a `memberPoll` that waits asks for.
        self.wanted = 0
        self.positions = {}
        self.failure = None
        self.member_id = None
        # What the library told within a poll: it counts with the member's id, which only this thread may ask for.
        self.told = []
        self.commits = queue.SimpleQueue()
        self.closing = False
        self.paused = False
        self.is_failure = is_failure
        self.to_received = to_received
        self.consumer = Consumer({**settings, "error_cb": self.on_error})
        self.consumer.subscribe(topics, on_assign=self.on_assign, on_revoke=self.on_revoke, on_lost=self.on_lost)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.closing:
                self.commit_what_is_asked()
                self.hold_back()
                message = self.consumer.poll(POLL_S)
                if self.told:
                    self.apply_told()
                if message is None:
                    continue
                if message.error() is not None:
                    self.on_error(message.error())
                else:
                    self.on_record(message)
        except Exception as error:  # The member is of no more use: who asks for it is told.
            self.fail(error)
        finally:
            self.consumer.close()

    def on_record(self, message):
        with self.changed:
            if (message.topic(), message.partition()) in self.assigned:
                self.waiting.append(message)
                self.changed.notify_all()

    def on_error(self, error):
        print("member:", error)
        if self.is_failure(error):
            self.fail(KafkaException(error))

    def fail(self, error):
        with self.changed:
            self.failure = error
            self.changed.notify_all()

    def hold_back(self):
        full = len(self.waiting) >= max(WAITING_RECORDS_MAX, self.wanted)
        if full != self.paused:
            places = [TopicPartition(*place) for place in list(self.assigned)]
            (self.consumer.pause if full else self.consumer.resume)(places)
            self.paused = full

    # The library itself assigns after these, all or incrementally, as the assignor has it.

    def on_assign(self, _consumer, partitions):
        self.told.append(lambda: self.give(partitions))

    def on_revoke(self, _consumer, partitions):
        self.told.append(lambda: self.take("revoked", partitions))

    def on_lost(self, _consumer, partitions):
        self.told.append(lambda: self.take("lost", partitions))

    def apply_told(self):
        member_id = self.consumer.memberid()
        with self.changed:
            self.member_id = member_id
            for event in self.told:
                event()
            self.told.clear()

    def give(self, partitions):
        self.failure = None
        # What is newly assigned is not paused.
        self.paused = False
        for place in partitions:
            self.assigned[(place.topic, place.partition)] = True
        self.tell("assigned", partitions)

    def take(self, event, partitions):
        for place in partitions:
            self.assigned.pop((place.topic, place.partition), None)
            self.positions.pop((place.topic, place.partition), None)
        kept = [message for message in self.waiting if (message.topic(), message.partition()) in self.assigned]
        self.waiting[:] = kept
        self.tell(event, partitions)

    def tell(self, event, partitions):
        if partitions:
            places = sorted((place.topic, place.partition) for place in partitions)
            self.history.append({"event": event, "partitions": places_of(places)})
        self.changed.notify_all()

    def wait(self, done, deadline):
        while not done():
            if self.failure is not None:
                raise self.failure
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self.changed.wait(left)

    def assignment(self, count, deadline):
        with self.changed:
            self.wait(lambda: len(self.assigned) == count, deadline)
            seen = {"partitions": places_of(sorted(self.assigned)), "history": list(self.history)}
        return {**({"memberId": self.member_id} if self.member_id else {}), **seen}

    def poll(self, count, deadline):
        with self.changed:
            self.wanted = count
            try:
                self.wait(lambda: len(self.waiting) >= count, deadline)
            finally:
                self.wanted = 0
            taken = self.waiting[:count]
            del self.waiting[: len(taken)]
            for message in taken:
                self.positions[(message.topic(), message.partition())] = message.offset() + 1
        return [{"topic": message.topic(), **self.to_received(message)} for message in taken]

    def commit(self, offsets):
        answer = Future()
        self.commits.put((offsets, answer))
        raise_first(answer.result(COMMIT_S_MAX))

    def commit_what_is_asked(self):
        while not self.commits.empty():
            offsets, answer = self.commits.get()
            try:
                if offsets is None:
                    offsets = [TopicPartition(*place, offset) for place, offset in list(self.positions.items())]
                answer.set_result(self.consumer.commit(offsets=offsets, asynchronous=False) if offsets else [])
            except Exception as error:  # It is the answer to who asked.
                answer.set_exception(error)

    def close(self):
        self.closing = True
        self.thread.join(CLOSE_S_MAX)


def places_of(places):
    return [{"topic": topic, "partition": partition} for topic, partition in places]


def raise_first(partitions):
    for place in partitions:
        if place.error is not None:
            raise KafkaException(place.error)


def to_offsets(offsets):
    places = []
    for wanted in offsets:
        metadata = {"metadata": wanted["metadata"]} if "metadata" in wanted else {}
        places.append(TopicPartition(wanted["topic"], wanted.get("partition", 0), int(wanted["offset"]), **metadata))
    return places


class Groups:
    """The ops of groups. `base_settings(group, reset)`: of a consumer; `admin`: the driver's, with `only` to wait."""

    def __init__(self, base_settings, admin, only, is_failure, to_received):
        self.base_settings = base_settings
        self.admin = admin
        self.only = only
        self.is_failure = is_failure
        self.to_received = to_received
        self.members = {}

    def ops(self):
        return {
            "commit": self.commit,
            "allCommitted": self.all_committed,
            "openMember": self.open_member,
            "assignment": self.assignment,
            "memberPoll": self.member_poll,
            "memberCommit": self.member_commit,
            "closeMember": self.close_member,
        }

    def commit(self, args):
        wanted = [ConsumerGroupTopicPartitions(args["group"], to_offsets(args["offsets"]))]
        raise_first(self.only(self.admin().alter_consumer_group_offsets(wanted)).topic_partitions)

    def all_committed(self, args):
        wanted = [ConsumerGroupTopicPartitions(args["group"])]
        found = self.only(self.admin().list_consumer_group_offsets(wanted)).topic_partitions
        raise_first(found)
        offsets = [
            {
                "topic": place.topic,
                "partition": place.partition,
                "offset": str(place.offset),
                "metadata": place.metadata,
            }
            for place in sorted(found, key=lambda place: (place.topic, place.partition))
            if place.offset >= 0
        ]
        return {"offsets": offsets}

    def open_member(self, args):
        settings = {
            **self.base_settings(args["group"], args.get("from", "earliest")),
            "enable.partition.eof": False,
            "allow.auto.create.topics": False,
            **membership(args),
        }
        self.members[args["member"]] = Member(settings, args["topics"], self.is_failure, self.to_received)

    def assignment(self, args):
        return self.named(args).assignment(args["count"], deadline_of(args, 20_000))

    def member_poll(self, args):
        return {"records": self.named(args).poll(args["count"], deadline_of(args, 15_000))}

    def member_commit(self, args):
        self.named(args).commit(to_offsets(args["offsets"]) if "offsets" in args else None)

    def close_member(self, args):
        member = self.named(args)
        del self.members[args["member"]]
        member.close()

    def close_all(self):
        """Ends all of them; waits for none."""
        for member in self.members.values():
            member.closing = True
        self.members.clear()

    def named(self, args):
        member = self.members.get(args["member"])
        if member is None:
            raise DriverError("NoSuchMember", f"no member {args['member']} is open")
        return member


def membership(args):
    instance = {"group.instance.id": args["instanceId"]} if "instanceId" in args else {}
    if args.get("protocol", "classic") == "consumer":
        if libversion()[1] < CONSUMER_PROTOCOL_SINCE:
            raise Unsupported(f"librdkafka {libversion()[0]} has group.protocol as a preview of older brokers, if at all")
        return {**instance, "group.protocol": "consumer"}
    assignor = args.get("assignor", "range")
    if assignor not in ASSIGNORS:
        raise Unsupported(f"librdkafka has no {assignor} assignor")
    return {
        **instance,
        "partition.assignment.strategy": assignor,
        "session.timeout.ms": args.get("sessionTimeoutMs", 10_000),
        "heartbeat.interval.ms": args.get("heartbeatIntervalMs", 500),
    }


def deadline_of(args, fallback_ms):
    return time.monotonic() + args.get("timeoutMs", fallback_ms) / 1000
