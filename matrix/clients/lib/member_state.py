"""What a driver knows of a member of a group: what it was given and lost, and what it received and handed out."""

import threading
import time

from driver_base import DriverError

# So many records wait for `memberPoll`: beyond that a member pauses.
WAITING_RECORDS_MAX = 5000


class MemberState:
    """Shared between the thread in which the library runs and those of the requests."""

    def __init__(self):
        self.changed = threading.Condition()
        self.assigned = set()
        self.history = []
        # Pairs of a place, topic and partition, and a record as `memberPoll` answers it.
        self.waiting = []
        # The same of places that were revoked, where the library would go on behind them if it gets the place back.
        self.held = []
        # How many a `memberPoll` that waits asks for.
        self.wanted = 0
        self.positions = {}
        # Of the same places: it would never hand out again what it has handed out already.
        self.held_positions = {}
        self.failure = None
        self.member_id = None
        self.generation = None

    def is_full(self):
        return len(self.waiting) >= max(WAITING_RECORDS_MAX, self.wanted)

    def give(self, places):
        with self.changed:
            self.failure = None
            self.assigned.update(places)
            self.waiting[:0] = [pair for pair in self.held if pair[0] in self.assigned]
            for place, position in self.held_positions.items():
                if place in self.assigned:
                    self.positions.setdefault(place, position)
            self.let_go()
            self.tell("assigned", places)

    def take(self, event, places, hold=False):
        """`hold`: keeps what was received and handed out of them for the case that they come back at once."""
        with self.changed:
            self.assigned.difference_update(places)
            if hold:
                self.held.extend(pair for pair in self.waiting if pair[0] in places)
                self.held_positions.update((place, self.positions[place]) for place in places if place in self.positions)
            else:
                self.let_go()
            for place in places:
                self.positions.pop(place, None)
            self.waiting[:] = [pair for pair in self.waiting if pair[0] in self.assigned]
            self.tell(event, places)

    def let_go(self):
        self.held.clear()
        self.held_positions.clear()

    def tell(self, event, places):
        # What is known of the generation is of before: the driver tells it anew.
        self.generation = None
        if places:
            self.history.append({"event": event, "partitions": places_of(places)})
        self.changed.notify_all()

    def receive(self, pairs):
        with self.changed:
            self.waiting.extend(pair for pair in pairs if pair[0] in self.assigned)
            self.changed.notify_all()

    def fail(self, error):
        with self.changed:
            self.failure = error
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
            seen = {"partitions": places_of(self.assigned), "history": list(self.history)}
            if self.member_id:
                seen["memberId"] = self.member_id
            if self.generation is not None and self.generation >= 0:
                seen["generation"] = self.generation
            return seen

    def poll(self, count, deadline):
        with self.changed:
            self.wanted = count
            try:
                self.wait(lambda: len(self.waiting) >= count, deadline)
            finally:
                self.wanted = 0
            taken = self.waiting[:count]
            del self.waiting[: len(taken)]
            for place, record in taken:
                self.positions[place] = int(record["offset"]) + 1
        return [{"topic": place[0], **record} for place, record in taken]

    def consumed(self):
        """Place to the next offset, of what `memberPoll` answered with; with what the library still holds in a rebalance."""
        with self.changed:
            return {**self.held_positions, **self.positions}


def places_of(places):
    return [{"topic": topic, "partition": partition} for topic, partition in sorted(places)]


class Members:
    """The ops of members that stay. `open_member(args)` makes one with `state`, `commit(wanted)`, `stop()`, `close()`.

    `wanted()`, called when the library commits, tells place to a pair of offset and metadata: what was consumed of a place
    that has gone to another meanwhile must not be committed.
    """

    def __init__(self, open_member):
        self.open_member = open_member
        self.members = {}

    def open(self, args):
        self.members[args["member"]] = self.open_member(args)

    def assignment(self, args):
        return self.named(args).state.assignment(args["count"], deadline_of(args, 20_000))

    def poll(self, args):
        return {"records": self.named(args).state.poll(args["count"], deadline_of(args, 15_000))}

    def commit(self, args):
        """Of the given offsets, or of what was consumed."""
        member = self.named(args)

        def wanted():
            if "offsets" in args:
                return offsets_by_place(args["offsets"])
            return {place: (offset, "") for place, offset in member.state.consumed().items()}

        if wanted():
            member.commit(wanted)

    def close(self, args):
        member = self.named(args)
        del self.members[args["member"]]
        member.close()

    def close_all(self):
        """Ends all of them; waits for none."""
        for member in self.members.values():
            member.stop()
        self.members.clear()

    def named(self, args):
        member = self.members.get(args["member"])
        if member is None:
            raise DriverError("NoSuchMember", f"no member {args['member']} is open")
        return member


def offsets_by_place(offsets):
    return {
        (wanted["topic"], wanted.get("partition", 0)): (int(wanted["offset"]), wanted.get("metadata", ""))
        for wanted in offsets
    }


def deadline_of(args, fallback_ms):
    return time.monotonic() + args.get("timeoutMs", fallback_ms) / 1000
