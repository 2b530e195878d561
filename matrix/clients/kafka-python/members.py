"""Members of groups that stay, by kafka-python.

It has not KIP-848's protocol; static membership since 2.3, the cooperative assignor since 3.0. Only since 3.0 it tells
the member's id and generation.
"""

import queue
import threading
from concurrent.futures import Future

import kafka
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import IllegalStateError, KafkaError

from admin import to_commit
from driver_base import Unsupported
from kafka_python_family import to_received
from member_state import MemberState
from reaching import reaching

POLL_MS = 100
# While it joins: 3.0 forgets a join that ends between two polls, and joins anew.
JOINING_POLL_MS = 1000
CLOSE_S_MAX = 5
COMMIT_S_MAX = 20

BEFORE_2_1 = "allow_auto_create_topics" not in KafkaConsumer.DEFAULT_CONFIG
# Records that were fetched already are lost when their partition is paused.
LOSES_WHAT_IT_PAUSES = BEFORE_2_1
STABLE = "<stable>"
ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
}
try:
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

    ASSIGNORS["cooperative-sticky"] = CooperativeStickyAssignor
except ImportError:
    pass


class Listener(ConsumerRebalanceListener):
    """3.0 calls these in its own thread."""

    def __init__(self, state, holds):
        self.state = state
        self.holds = holds

    def on_partitions_assigned(self, assigned):
        self.state.give([tuple(place) for place in assigned])

    def on_partitions_revoked(self, revoked):
        self.state.take("revoked", [tuple(place) for place in revoked], self.holds)

    def on_partitions_lost(self, lost):
        self.state.take("lost", [tuple(place) for place in lost])


class Member:
    """A consumer with a thread of its own, which does all: the library is for one thread at a time."""

    def __init__(self, settings, topics):
        self.state = MemberState()
        self.commits = queue.SimpleQueue()
        self.closing = False
        self.settings = settings
        self.topics = topics
        self.consumer = None
        # 3.0 goes on where it was with what it gets back, unless the assignor is cooperative.
        eager = settings["partition_assignment_strategy"] != [ASSIGNORS.get("cooperative-sticky")]
        self.holds = eager and hasattr(KafkaConsumer, "group_metadata")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            # It asks the brokers already: `openMember` does not wait for them.
            self.consumer = reaching(KafkaConsumer, **self.settings)
            self.consumer.subscribe(self.topics, listener=Listener(self.state, self.holds))
            while not self.closing:
                self.commit_what_is_asked()
                self.hold_back()
                self.poll()
        except Exception as error:  # The member is of no more use: who asks for it is told.
            print("member:", repr(error))
            self.state.fail(error)
        finally:
            self.refuse_commits()
            if self.consumer is not None:
                self.consumer.close(autocommit=False)

    def poll(self):
        try:
            found = self.consumer.poll(JOINING_POLL_MS if self.is_joining() else POLL_MS)
        except KafkaError as error:
            if not getattr(error, "retriable", False):
                raise
            print("member:", repr(error))
            return
        self.look()
        pairs = [
            (tuple(place), to_received(record)) for place, records in found.items() for record in records
        ]
        if pairs:
            self.state.receive(pairs)

    def is_joining(self):
        if hasattr(self.consumer, "group_metadata"):
            return self.consumer.group_metadata().state != STABLE
        return not self.state.assigned

    def look(self):
        if hasattr(self.consumer, "group_metadata"):
            metadata = self.consumer.group_metadata()
            self.state.member_id = metadata.member_id
            self.state.generation = metadata.generation_id if metadata.state == STABLE else None

    def hold_back(self):
        if LOSES_WHAT_IT_PAUSES:
            return
        full = self.state.is_full()
        places = self.consumer.assignment()
        if full and places - self.consumer.paused():
            self.consumer.pause(*places)
        elif not full and self.consumer.paused():
            self.consumer.resume(*self.consumer.paused())

    def commit(self, wanted):
        answer = Future()
        self.commits.put((wanted, answer))
        try:
            answer.result(COMMIT_S_MAX)
        finally:
            answer.cancel()

    def commit_what_is_asked(self):
        while not self.commits.empty():
            wanted, answer = self.commits.get()
            # Who asked may have given up.
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                offsets = to_commit(wanted())
                if offsets:
                    self.consumer.commit(offsets)
                answer.set_result(None)
            except Exception as error:  # It is the answer to who asked.
                answer.set_exception(error)

    def refuse_commits(self):
        while not self.commits.empty():
            _, answer = self.commits.get()
            if answer.set_running_or_notify_cancel():
                answer.set_exception(IllegalStateError("the member has ended"))

    def stop(self):
        self.closing = True

    def close(self):
        self.stop()
        self.thread.join(CLOSE_S_MAX)


def open_member(base_settings, args):
    return Member({**base_settings(args["group"], args.get("from", "earliest")), **membership(args)}, args["topics"])


def membership(args):
    if args.get("protocol", "classic") == "consumer":
        raise Unsupported("kafka-python has no setting for the group protocol of KIP-848")
    assignor = args.get("assignor", "range")
    if assignor not in ASSIGNORS:
        raise Unsupported(f"kafka-python {kafka.__version__} has no {assignor} assignor")
    if assignor == "sticky" and BEFORE_2_1:
        raise Unsupported(
            f"kafka-python {kafka.__version__}'s sticky assignor asks an iterator for its length, "
            "which works in Python 2 only"
        )
    instance = {}
    if "instanceId" in args:
        if "group_instance_id" not in KafkaConsumer.DEFAULT_CONFIG:
            raise Unsupported(f"kafka-python {kafka.__version__} has no setting group_instance_id")
        instance = {"group_instance_id": args["instanceId"]}
    return {
        **instance,
        "partition_assignment_strategy": [ASSIGNORS[assignor]],
        "session_timeout_ms": args.get("sessionTimeoutMs", 10_000),
        "heartbeat_interval_ms": args.get("heartbeatIntervalMs", 500),
    }
