package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	closeTimeout = 3 * time.Second
	refetchAfter = 50 * time.Millisecond
)

var balancers = map[string]kafka.GroupBalancer{
	"range":      kafka.RangeGroupBalancer{},
	"roundrobin": kafka.RoundRobinGroupBalancer{},
}

// groupMember is a member by the library's ConsumerGroup: one generation after another, each with its partitions.
type groupMember struct {
	state   *memberState
	group   *kafka.ConsumerGroup
	name    string
	first   int64
	stopped context.Context
	stop    context.CancelFunc

	mutex      sync.Mutex
	generation *kafka.Generation
}

func openMember(args arguments) (member, error) {
	assignor := args.textOr("assignor", "range")
	balancer, known := balancers[assignor]
	switch {
	case args.text("protocol") == "consumer":
		return nil, unsupported("kafka-go has no group protocol but the classic one")
	case args.has("instanceId"):
		return nil, unsupported("kafka-go's ConsumerGroup has no static members")
	case !known:
		return nil, unsupported("kafka-go has no " + assignor + " balancer")
	}
	open := &groupMember{name: args.text("group"), first: kafka.FirstOffset}
	if args.text("from") == "latest" {
		open.first = kafka.LastOffset
	}
	open.state = newMemberState(open.identity)
	at := now()
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                open.name,
		Brokers:           []string{at.bootstrap},
		Dialer:            at.dialer,
		Topics:            args.texts("topics"),
		GroupBalancers:    []kafka.GroupBalancer{balancer},
		SessionTimeout:    milliseconds(args, "sessionTimeoutMs", 10_000),
		HeartbeatInterval: milliseconds(args, "heartbeatIntervalMs", 500),
		JoinGroupBackoff:  100 * time.Millisecond,
		StartOffset:       open.first,
		ErrorLogger:       complaints,
	})
	if err != nil {
		return nil, err
	}
	open.group = group
	open.stopped, open.stop = context.WithCancel(context.Background())
	go open.run()
	return open, nil
}

func milliseconds(args arguments, name string, fallback int) time.Duration {
	if args.has(name) {
		fallback = args.number(name)
	}
	return time.Duration(fallback) * time.Millisecond
}

func (open *groupMember) run() {
	for open.stopped.Err() == nil {
		generation, err := open.group.Next(open.stopped)
		if errors.Is(err, kafka.ErrGroupClosed) || open.stopped.Err() != nil {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "member:", err)
			if fatalToMembers[nameOf(err)] {
				open.state.fail(err)
			}
			continue
		}
		open.follow(generation)
	}
}

// follow reads what the generation gives, until it ends.
func (open *groupMember) follow(generation *kafka.Generation) {
	open.mutex.Lock()
	open.generation = generation
	open.mutex.Unlock()
	given := []place{}
	var reading sync.WaitGroup
	ended := make(chan struct{})
	for topic, assignments := range generation.Assignments {
		for _, each := range assignments {
			given = append(given, place{topic, int32(each.ID)})
		}
	}
	open.state.give(given)
	for topic, assignments := range generation.Assignments {
		for _, each := range assignments {
			reading.Add(1)
			generation.Start(func(lasting context.Context) {
				defer reading.Done()
				open.read(lasting, place{topic, int32(each.ID)}, each.Offset)
			})
		}
	}
	// The generation waits for all that it started: what it gave is taken before the next one begins.
	generation.Start(func(lasting context.Context) {
		defer close(ended)
		<-lasting.Done()
		reading.Wait()
		open.state.take("revoked", given)
	})
	<-ended
}

func (open *groupMember) read(lasting context.Context, at place, offset int64) {
	reading := &reader{place: at, position: offset, bytesMax: fetchBytesMax}
	for lasting.Err() == nil {
		if reading.position < 0 {
			if start, err := offsetAt(at, open.first); err == nil {
				reading.position = start
			}
		} else if err := reading.step(lasting); err == nil {
			open.state.receive(reading.waiting...)
			reading.waiting = nil
			if open.state.waitForRoom(lasting.Done()) {
				continue
			}
		}
		select {
		case <-time.After(refetchAfter):
		case <-lasting.Done():
		}
	}
}

func (open *groupMember) current() *kafka.Generation {
	open.mutex.Lock()
	defer open.mutex.Unlock()
	return open.generation
}

func (open *groupMember) identity() identity {
	if generation := open.current(); generation != nil {
		return identity{generation.MemberID, generation.ID}
	}
	return identity{"", -1}
}

func (open *groupMember) view() *memberState { return open.state }

// commit is by the library's request: the generation's own call has no metadata.
func (open *groupMember) commit(offsets []committedOffset) error {
	generation := open.current()
	if generation == nil {
		return kafka.UnknownMemberId
	}
	return commitAs(open.name, generation.MemberID, generation.ID, offsets)
}

// close leaves the group, without committing.
func (open *groupMember) close() error {
	open.stop()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		open.group.Close()
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
	return nil
}

func consumeInGroup(args arguments) (any, error) {
	args["topics"] = []any{args.text("topic")}
	open, err := openMember(args)
	if err != nil {
		return nil, err
	}
	defer open.close()
	records, err := open.view().poll(args.number("count"), args.deadline(20_000))
	if err != nil {
		return nil, err
	}
	if offsets := open.view().polled(); len(offsets) > 0 {
		err = open.commit(offsets)
	}
	return records, err
}
