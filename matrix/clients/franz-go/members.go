package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	commitTimeout = 20 * time.Second
	closeTimeout  = 3 * time.Second
)

var balancers = map[string]kgo.GroupBalancer{
	"range":              kgo.RangeBalancer(),
	"roundrobin":         kgo.RoundRobinBalancer(),
	"sticky":             kgo.StickyBalancer(),
	"cooperative-sticky": kgo.CooperativeStickyBalancer(),
}

func isFatal(err error) bool { return fatalToMembers[nameOf(err)] }

type groupMember struct {
	state   *memberState
	client  *kgo.Client
	stopped context.Context
	stop    context.CancelFunc
}

// OnGroupManageError makes it a hook of the library's: older releases tell nobody else.
func (open *groupMember) OnGroupManageError(err error) { open.failAt(err) }

var _ kgo.HookGroupManageError = &groupMember{}

func (open *groupMember) failAt(err error) {
	if isFatal(err) {
		open.state.fail(err)
	}
}

func openMember(args arguments) (member, error) {
	stopped, stop := context.WithCancel(context.Background())
	open := &groupMember{stopped: stopped, stop: stop}
	open.state = newMemberState(func() identity {
		memberID, generation := open.client.GroupMetadata()
		return identity{memberID, generation}
	})
	options := append(groupOptions(args.text("group"), args.texts("topics"), args.textOr("from", "earliest")),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, given map[string][]int32) {
			open.state.give(placesOf(given))
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, taken map[string][]int32) {
			open.state.take("revoked", placesOf(taken))
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, taken map[string][]int32) {
			open.state.take("lost", placesOf(taken))
		}),
		kgo.BlockRebalanceOnPoll(),
		kgo.WithHooks(open),
	)
	if args.has("instanceId") {
		options = append(options, kgo.InstanceID(args.text("instanceId")))
	}
	if args.text("protocol") == "consumer" {
		more, err := serverSide()
		if err != nil {
			return nil, err
		}
		options = append(options, more...)
	} else {
		options = append(options,
			kgo.Balancers(balancers[args.textOr("assignor", "range")]),
			kgo.SessionTimeout(milliseconds(args, "sessionTimeoutMs", 10_000)),
			kgo.HeartbeatInterval(milliseconds(args, "heartbeatIntervalMs", 500)),
		)
	}
	made, err := newClient(options...)
	if err != nil {
		stop()
		return nil, err
	}
	open.client = made
	go open.run()
	return open, nil
}

func groupOptions(group string, topics []string, from string) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topics...),
		kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(resetTo(from)),
		kgo.FetchMaxWait(fetchWait),
	}
}

func milliseconds(args arguments, name string, fallback int) time.Duration {
	if args.has(name) {
		fallback = args.number(name)
	}
	return time.Duration(fallback) * time.Millisecond
}

func placesOf(partitions map[string][]int32) []place {
	places := []place{}
	for topic, all := range partitions {
		for _, partition := range all {
			places = append(places, place{topic, partition})
		}
	}
	return places
}

// run takes records until the member closes. While it takes none, the library stays in the group all the same.
func (open *groupMember) run() {
	for open.state.waitForRoom(open.stopped.Done()) {
		polled := open.client.PollRecords(open.stopped, waitingRecordsMax)
		records := []*receivedRecord{}
		polled.EachRecord(func(record *kgo.Record) { records = append(records, received(record)) })
		open.state.receive(records...)
		open.client.AllowRebalance()
		if open.stopped.Err() != nil || polled.IsClientClosed() {
			return
		}
		for _, each := range polled.Errors() {
			open.failAt(each.Err)
		}
	}
}

func (open *groupMember) view() *memberState { return open.state }

func (open *groupMember) commit(offsets []committedOffset) error {
	limited, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	return commitAs(limited, open.client, offsets)
}

// commitAs commits in the client's generation. Metadata is put into the library's request: its map of offsets has none.
func commitAs(limited context.Context, self *kgo.Client, offsets []committedOffset) error {
	wanted := map[string]map[int32]kgo.EpochOffset{}
	metadata := map[place]string{}
	for _, each := range offsets {
		if wanted[each.Topic] == nil {
			wanted[each.Topic] = map[int32]kgo.EpochOffset{}
		}
		wanted[each.Topic][each.Partition] = kgo.EpochOffset{Epoch: -1, Offset: each.offset}
		metadata[each.place] = each.metadata
	}
	limited = kgo.PreCommitFnContext(limited, func(request *kmsg.OffsetCommitRequest) error {
		for _, topic := range request.Topics {
			for index := range topic.Partitions {
				partition := &topic.Partitions[index]
				partition.Metadata = kmsg.StringPtr(metadata[place{topic.Topic, partition.Partition}])
			}
		}
		return nil
	})
	var failure error
	self.CommitOffsetsSync(limited, wanted,
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
			if failure = err; err == nil {
				failure = commitError(response)
			}
		})
	return failure
}

// close leaves the group (a static member only goes), without committing.
func (open *groupMember) close() error {
	open.stop()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		open.client.CloseAllowingRebalance()
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
	return nil
}

func consumeInGroup(args arguments) (any, error) {
	limited, cancel := context.WithDeadline(context.Background(), args.deadline(20_000))
	defer cancel()
	options := groupOptions(args.text("group"), []string{args.text("topic")}, args.textOr("from", "earliest"))
	self, err := newClient(options...)
	if err != nil {
		return nil, err
	}
	defer self.Close()
	records := []*receivedRecord{}
	positions := map[place]int64{}
	for count := args.number("count"); len(records) < count && limited.Err() == nil; {
		polled := self.PollRecords(limited, count-len(records))
		polled.EachRecord(func(record *kgo.Record) {
			records = append(records, received(record))
			positions[place{record.Topic, record.Partition}] = record.Offset + 1
		})
		for _, each := range polled.Errors() {
			if isFatal(each.Err) {
				return nil, each.Err
			}
		}
	}
	offsets := []committedOffset{}
	for at, offset := range positions {
		offsets = append(offsets, committedOffset{place: at, offset: offset})
	}
	if len(offsets) > 0 {
		committing, cancel := context.WithTimeout(context.Background(), commitTimeout)
		defer cancel()
		err = commitAs(committing, self, offsets)
	}
	return map[string]any{"records": records}, err
}
