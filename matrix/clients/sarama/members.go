package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

const (
	closeTimeout = 3 * time.Second
	endTogether  = 10 * time.Millisecond
	rejoinAfter  = 100 * time.Millisecond
)

// groupMember is the library's handler of a group's sessions.
type groupMember struct {
	state      *memberState
	client     sarama.Client
	group      sarama.ConsumerGroup
	name       string
	instanceID *string
	// One that keeps its session while partitions come and go.
	cooperative bool
	stopped     context.Context
	stop        context.CancelFunc

	mutex   sync.Mutex
	session sarama.ConsumerGroupSession
	// Claims of a cooperative member that ended, and were not told of yet.
	ended []place
}

func openMember(args arguments) (member, error) {
	if args.text("protocol") == "consumer" {
		return nil, unsupported("sarama has no group protocol but the classic one")
	}
	strategy, err := strategyOf(args.textOr("assignor", "range"))
	if err != nil {
		return nil, err
	}
	settings, brokers := settingsNow()
	group := &settings.Consumer.Group
	group.Session.Timeout = milliseconds(args, "sessionTimeoutMs", 10_000)
	group.Heartbeat.Interval = milliseconds(args, "heartbeatIntervalMs", 500)
	group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	settings.Consumer.Offsets.Initial = sarama.OffsetOldest
	if args.text("from") == "latest" {
		settings.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	open := &groupMember{name: args.text("group"), cooperative: args.text("assignor") == "cooperative-sticky"}
	open.state = newMemberState(open.identity)
	if args.has("instanceId") {
		group.InstanceId = args.text("instanceId")
		open.instanceID = &group.InstanceId
	}
	if open.client, err = sarama.NewClient(brokers, settings); err != nil {
		return nil, err
	}
	if open.group, err = sarama.NewConsumerGroupFromClient(open.name, open.client); err != nil {
		open.client.Close()
		return nil, err
	}
	open.stopped, open.stop = context.WithCancel(context.Background())
	go open.watch()
	go open.run(args.texts("topics"))
	return open, nil
}

func milliseconds(args arguments, name string, fallback int) time.Duration {
	if args.has(name) {
		fallback = args.number(name)
	}
	return time.Duration(fallback) * time.Millisecond
}

// run joins again after each rebalance, as sarama has its users do.
func (open *groupMember) run(topics []string) {
	for open.stopped.Err() == nil {
		err := open.group.Consume(open.stopped, topics, open)
		if errors.Is(err, sarama.ErrClosedConsumerGroup) {
			return
		}
		if err != nil {
			open.meet(err)
			time.Sleep(rejoinAfter)
		}
	}
}

func (open *groupMember) watch() {
	for err := range open.group.Errors() {
		open.meet(err)
	}
}

func (open *groupMember) meet(err error) {
	fmt.Fprintln(os.Stderr, "member:", err)
	if fatalToMembers[nameOf(err)] {
		open.state.fail(err)
	}
}

/* ---- The library's handler ----------------------------------------------------------------------------------------- */

func (open *groupMember) Setup(session sarama.ConsumerGroupSession) error {
	open.mutex.Lock()
	open.session = session
	open.mutex.Unlock()
	open.follow(session)
	return nil
}

func (open *groupMember) Cleanup(sarama.ConsumerGroupSession) error {
	if all := open.state.all(); len(all) > 0 {
		open.state.take("revoked", all)
	}
	return nil
}

// follow gives and takes what the session has come to have.
func (open *groupMember) follow(session sarama.ConsumerGroupSession) {
	open.mutex.Lock()
	defer open.mutex.Unlock()
	given, kept := []place{}, map[place]bool{}
	had := map[place]bool{}
	for _, each := range open.state.all() {
		had[each] = true
	}
	for topic, partitions := range session.Claims() {
		for _, partition := range partitions {
			at := place{topic, partition}
			kept[at] = true
			if !had[at] {
				given = append(given, at)
			}
		}
	}
	taken := []place{}
	for at := range had {
		if !kept[at] {
			taken = append(taken, at)
		}
	}
	if len(taken) > 0 {
		open.state.take("revoked", taken)
	}
	open.state.give(given)
}

// giveUp tells of claims that end together as of one event. The library waits for it before it joins again.
func (open *groupMember) giveUp(ended place) {
	open.mutex.Lock()
	open.ended = append(open.ended, ended)
	open.mutex.Unlock()
	time.Sleep(endTogether)
	open.mutex.Lock()
	defer open.mutex.Unlock()
	if len(open.ended) > 0 {
		open.state.take("revoked", open.ended)
		open.ended = nil
	}
}

func (open *groupMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	if open.cooperative {
		open.follow(session)
		defer func() {
			if session.Context().Err() == nil {
				open.giveUp(place{claim.Topic(), claim.Partition()})
			}
		}()
	}
	for {
		select {
		case message, isOpen := <-claim.Messages():
			if !isOpen || !open.state.waitForRoom(session.Context().Done()) {
				return nil
			}
			open.state.receive(received(message))
		case <-session.Context().Done():
			return nil
		}
	}
}

/* ---- The driver's side --------------------------------------------------------------------------------------------- */

func (open *groupMember) current() sarama.ConsumerGroupSession {
	open.mutex.Lock()
	defer open.mutex.Unlock()
	return open.session
}

func (open *groupMember) identity() identity {
	if session := open.current(); session != nil {
		return identity{session.MemberID(), session.GenerationID()}
	}
	return identity{"", -1}
}

func (open *groupMember) view() *memberState { return open.state }

func (open *groupMember) commit(offsets []committedOffset) error {
	session := open.current()
	if session == nil {
		return sarama.ErrUnknownMemberId
	}
	request := &sarama.OffsetCommitRequest{
		Version:                 commitVersion,
		ConsumerGroup:           open.name,
		ConsumerID:              session.MemberID(),
		ConsumerGroupGeneration: session.GenerationID(),
		RetentionTime:           -1,
	}
	if open.instanceID != nil {
		request.Version, request.GroupInstanceId = staticCommitVersion, open.instanceID
	}
	return commitBy(open.client, request, offsets)
}

// close leaves the group (a static member only goes), without committing.
func (open *groupMember) close() error {
	open.stop()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		open.group.Close()
		open.client.Close()
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
