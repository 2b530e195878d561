"""Members of groups that stay, by aiokafka.

It has neither KIP-848's protocol nor the cooperative assignor, and tells neither the member's id nor its generation.
"""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import IllegalStateError

from admin import to_commit
from driver_base import Unsupported
from kafka_python_family import to_received
from loop import loop, run
from member_state import MemberState

POLL_MS = 100
CLOSE_S_MAX = 5
COMMIT_S_MAX = 20
NO_FENCING = "aiokafka has no FencedInstanceIdError: a member whose id another has taken is not told so"

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
}


class Listener(ConsumerRebalanceListener):
    def __init__(self, state):
        self.state = state

    def on_partitions_assigned(self, assigned):
        self.state.give([tuple(place) for place in assigned])

    def on_partitions_revoked(self, revoked):
        self.state.take("revoked", [tuple(place) for place in revoked])


class Member:
    """A consumer with a task that hands over what it receives; the library stays in the group by itself."""

    def __init__(self, settings, topics):
        self.state = MemberState()
        self.settings = settings
        self.topics = topics
        self.consumer = None
        # Another of the same static id has been opened since.
        self.replaced = False
        self.task = asyncio.run_coroutine_threadsafe(self.receive(), loop)

    async def receive(self):
        self.consumer = AIOKafkaConsumer(**self.settings)
        try:
            self.consumer.subscribe(self.topics, listener=Listener(self.state))
            await self.consumer.start()
            while True:
                self.hold_back()
                found = await self.consumer.getmany(timeout_ms=POLL_MS)
                self.state.receive(
                    [(tuple(place), to_received(record)) for place, records in found.items() for record in records]
                )
        except Exception as error:  # The member is of no more use: who asks for it is told.
            print("member:", repr(error))
            self.state.fail(Unsupported(NO_FENCING) if self.replaced else error)
        finally:
            await asyncio.shield(self.consumer.stop())

    def hold_back(self):
        full = self.state.is_full()
        paused = self.consumer.paused()
        if full and self.consumer.assignment() - paused:
            self.consumer.pause(*self.consumer.assignment())
        elif not full and paused:
            self.consumer.resume(*paused)

    def commit(self, wanted):
        if self.replaced:
            raise Unsupported(NO_FENCING)
        if self.consumer is None:
            raise IllegalStateError("the member has not begun")
        run(self.consumer.commit(to_commit(wanted())), COMMIT_S_MAX)

    def stop(self):
        self.task.cancel()

    def close(self):
        ended = asyncio.run_coroutine_threadsafe(self.end(), loop)
        try:
            ended.result(CLOSE_S_MAX)
        except TimeoutError:
            print("member: it takes long to leave")

    async def end(self):
        self.task.cancel()
        if self.consumer is not None:
            await self.consumer.stop()


# The last member of each group and static id.
last_of = {}


def open_member(base_settings, args):
    member = Member({**base_settings(args["group"], args.get("from", "earliest")), **membership(args)}, args["topics"])
    if "instanceId" in args:
        identity = args["group"], args["instanceId"]
        if identity in last_of:
            last_of[identity].replaced = True
        last_of[identity] = member
    return member


def membership(args):
    if args.get("protocol", "classic") == "consumer":
        raise Unsupported("aiokafka has no setting for the group protocol of KIP-848")
    assignor = args.get("assignor", "range")
    if assignor not in ASSIGNORS:
        raise Unsupported(f"aiokafka has no {assignor} assignor")
    return {
        **({"group_instance_id": args["instanceId"]} if "instanceId" in args else {}),
        "partition_assignment_strategy": [ASSIGNORS[assignor]],
        "session_timeout_ms": args.get("sessionTimeoutMs", 10_000),
        "heartbeat_interval_ms": args.get("heartbeatIntervalMs", 500),
    }
