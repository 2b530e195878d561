package main

import (
	"sync"
	"time"
)

// So many records wait for memberPoll: beyond that a member takes no more.
const waitingRecordsMax = 5000

// memberState is what the operations see of a member of a group that stays: its library tells it what happens, from
// goroutines of its own.
type memberState struct {
	mutex sync.Mutex
	// Closed, and made anew, whenever something changed.
	changed   chan struct{}
	assigned  map[place]bool
	history   []map[string]any
	waiting   []*receivedRecord
	positions map[place]int64
	// How many a memberPoll that waits asks for.
	wanted  int
	failure error
	// As the library tells it now: it may change while all that is assigned stays.
	identity func() identity
}

// Who a member is; a generation below 0 is not known.
type identity struct {
	memberID   string
	generation int32
}

func newMemberState(who func() identity) *memberState {
	return &memberState{
		changed:   make(chan struct{}),
		assigned:  map[place]bool{},
		history:   []map[string]any{},
		positions: map[place]int64{},
		identity:  who,
	}
}

func (state *memberState) tell() {
	close(state.changed)
	state.changed = make(chan struct{})
}

func (state *memberState) remember(event string, places []place) {
	if len(places) > 0 {
		state.history = append(state.history, map[string]any{"event": event, "partitions": inOrder(places)})
	}
	state.tell()
}

func (state *memberState) give(places []place) {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	state.failure = nil
	for _, each := range places {
		state.assigned[each] = true
	}
	state.remember("assigned", places)
}

// take: event is "revoked" or "lost".
func (state *memberState) take(event string, places []place) {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	for _, each := range places {
		delete(state.assigned, each)
		delete(state.positions, each)
	}
	kept := []*receivedRecord{}
	for _, record := range state.waiting {
		if state.assigned[record.place] {
			kept = append(kept, record)
		}
	}
	state.waiting = kept
	state.remember(event, places)
}

// receive keeps records of what is assigned.
func (state *memberState) receive(records ...*receivedRecord) {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	for _, record := range records {
		if state.assigned[record.place] {
			state.waiting = append(state.waiting, record)
		}
	}
	state.tell()
}

// fail: the member is of no more use until it is given partitions again; who asks for it is told.
func (state *memberState) fail(err error) {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	state.failure = err
	state.tell()
}

// waitForRoom holds the library back while more records wait than a member keeps. False: it was stopped meanwhile.
func (state *memberState) waitForRoom(stopped <-chan struct{}) bool {
	for {
		state.mutex.Lock()
		full := len(state.waiting) >= max(waitingRecordsMax, state.wanted)
		changed := state.changed
		state.mutex.Unlock()
		if !full {
			return true
		}
		select {
		case <-changed:
		case <-stopped:
			return false
		}
	}
}

// waitUntil gives up at the deadline; the mutex is held, but for the waiting.
func (state *memberState) waitUntil(done func() bool, deadline time.Time) error {
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	for !done() {
		if state.failure != nil {
			return state.failure
		}
		changed := state.changed
		state.mutex.Unlock()
		select {
		case <-changed:
			state.mutex.Lock()
		case <-late.C:
			state.mutex.Lock()
			return nil
		}
	}
	return nil
}

func (state *memberState) assignment(count int, deadline time.Time) (any, error) {
	if err := state.waitForCount(count, deadline); err != nil {
		return nil, err
	}
	for {
		who := state.identity()
		seen := state.seen(who)
		// Another generation meanwhile: what was seen may be of either.
		if state.identity() == who {
			return seen, nil
		}
	}
}

func (state *memberState) waitForCount(count int, deadline time.Time) error {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	return state.waitUntil(func() bool { return len(state.assigned) == count }, deadline)
}

func (state *memberState) seen(who identity) any {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	places := []place{}
	for each := range state.assigned {
		places = append(places, each)
	}
	seen := map[string]any{"partitions": inOrder(places), "history": append([]map[string]any{}, state.history...)}
	if who.memberID != "" {
		seen["memberId"] = who.memberID
	}
	if who.generation >= 0 {
		seen["generation"] = who.generation
	}
	return seen
}

func (state *memberState) poll(count int, deadline time.Time) (any, error) {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	state.wanted = count
	state.tell()
	err := state.waitUntil(func() bool { return len(state.waiting) >= count }, deadline)
	state.wanted = 0
	if err != nil {
		return nil, err
	}
	taken := append([]*receivedRecord{}, state.waiting[:min(count, len(state.waiting))]...)
	state.waiting = append([]*receivedRecord{}, state.waiting[len(taken):]...)
	for _, record := range taken {
		state.positions[record.place] = record.offset + 1
	}
	state.tell()
	return map[string]any{"records": taken}, nil
}

// all that is assigned now.
func (state *memberState) all() []place {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	places := []place{}
	for each := range state.assigned {
		places = append(places, each)
	}
	return places
}

// The places after what memberPoll answered with.
func (state *memberState) polled() []committedOffset {
	state.mutex.Lock()
	defer state.mutex.Unlock()
	offsets := []committedOffset{}
	for at, offset := range state.positions {
		offsets = append(offsets, committedOffset{place: at, offset: offset})
	}
	return offsets
}

// How a library has a member: the rest is the same for all.
type member interface {
	view() *memberState
	commit(offsets []committedOffset) error
	close() error
}

// memberOps are the operations of members, given how one is opened.
func memberOps(members *handles[member], open func(args arguments) (member, error)) map[string]op {
	found := func(args arguments) (member, error) { return members.get(args.text("member"), "Member") }
	return map[string]op{
		"openMember": func(args arguments) (any, error) {
			opened, err := open(args)
			if err == nil {
				members.put(args.text("member"), opened)
			}
			return nil, err
		},
		"assignment": func(args arguments) (any, error) {
			at, err := found(args)
			if err != nil {
				return nil, err
			}
			return at.view().assignment(args.number("count"), args.deadline(20_000))
		},
		"memberPoll": func(args arguments) (any, error) {
			at, err := found(args)
			if err != nil {
				return nil, err
			}
			return at.view().poll(args.number("count"), args.deadline(15_000))
		},
		"memberCommit": func(args arguments) (any, error) {
			at, err := found(args)
			if err != nil {
				return nil, err
			}
			offsets := at.view().polled()
			if args.has("offsets") {
				if offsets, err = givenOffsets(args); err != nil {
					return nil, err
				}
			}
			if len(offsets) == 0 {
				return nil, nil
			}
			return nil, at.commit(offsets)
		},
		"closeMember": func(args arguments) (any, error) {
			at, err := members.remove(args.text("member"), "Member")
			if err != nil {
				return nil, err
			}
			return nil, at.close()
		},
	}
}
