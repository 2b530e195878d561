package main

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

var types = map[string]pulsar.SubscriptionType{
	"exclusive":  pulsar.Exclusive,
	"failover":   pulsar.Failover,
	"shared":     pulsar.Shared,
	"key_shared": pulsar.KeyShared,
}

// consumer keeps the messages that were received: acknowledging one of a batch needs the batch's own state.
type consumer struct {
	pulsar.Consumer
	mutex    sync.Mutex
	received map[string]pulsar.Message
}

func keyOf(id pulsar.MessageID, batchIndex int32) string {
	return strconv.FormatInt(id.LedgerID(), 10) + ":" + strconv.FormatInt(id.EntryID(), 10) + ":" +
		strconv.Itoa(int(batchIndex))
}

func subscribe(args arguments) (any, error) {
	options := pulsar.ConsumerOptions{
		Topic:                          args.text("topic"),
		SubscriptionName:               args.text("subscription"),
		Type:                           types[args.textOr("type", "exclusive")],
		SubscriptionInitialPosition:    pulsar.SubscriptionPositionEarliest,
		ReadCompacted:                  args.flag("compacted"),
		ReceiverQueueSize:              args.number("receiverQueueSize"),
		EnableBatchIndexAcknowledgment: args.flag("batchIndexAck"),
		NackRedeliveryDelay:            time.Duration(args.number("negativeAckDelayMs")) * time.Millisecond,
		// What was acknowledged is so when the op answers.
		AckWithResponse: true,
	}
	if args.text("from") == "latest" {
		options.SubscriptionInitialPosition = pulsar.SubscriptionPositionLatest
	}
	made, err := pulsarClient().Subscribe(options)
	if err != nil {
		return nil, err
	}
	consumers.put(args.text("consumer"), &consumer{Consumer: made, received: map[string]pulsar.Message{}})
	return nil, nil
}

// takeUpTo takes messages until so many came, nothing more is there, or the deadline.
func takeUpTo(count int, deadline time.Time, more func() bool, next func(context.Context) (pulsar.Message, error)) (
	[]pulsar.Message, error) {
	limited, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	taken := []pulsar.Message{}
	for len(taken) < count && more() {
		message, err := next(limited)
		if errors.Is(err, context.DeadlineExceeded) || limited.Err() != nil {
			break
		}
		if err != nil {
			return nil, err
		}
		taken = append(taken, message)
	}
	return taken, nil
}

func always() bool { return true }

func told(messages []pulsar.Message) any {
	all := []any{}
	for _, message := range messages {
		all = append(all, toldOne(message))
	}
	return map[string]any{"messages": all}
}

func toldOne(message pulsar.Message) any {
	value := message.Payload()
	if value == nil {
		value = []byte{}
	}
	properties := message.Properties()
	if properties == nil {
		properties = map[string]string{}
	}
	seen := map[string]any{
		"id":              fromID(message.ID()),
		"topic":           message.Topic(),
		"key":             textOrNull(message.Key()),
		"orderingKey":     nil,
		"value":           value,
		"knowsNull":       false,
		"properties":      properties,
		"eventTime":       millisecondsOf(message.EventTime()),
		"publishTime":     millisecondsOf(message.PublishTime()),
		"producerName":    message.ProducerName(),
		"redeliveryCount": message.RedeliveryCount(),
	}
	if key := message.OrderingKey(); key != "" {
		seen["orderingKey"] = []byte(key)
	}
	if index := message.Index(); index != nil {
		seen["index"] = strconv.FormatUint(*index, 10)
	}
	return seen
}

// The library gives the empty text where there is no key.
func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// The library gives the year 1, or 1970, where there is no event time.
func millisecondsOf(at time.Time) string {
	if at.IsZero() {
		return "0"
	}
	return strconv.FormatInt(at.UnixMilli(), 10)
}

func receive(args arguments) (any, error) {
	open, err := consumers.get(args.text("consumer"), "Handle")
	if err != nil {
		return nil, err
	}
	messages, err := takeUpTo(args.number("count"), args.deadline(15_000), always, open.Receive)
	open.mutex.Lock()
	defer open.mutex.Unlock()
	for _, message := range messages {
		open.received[keyOf(message.ID(), batchIndexOf(message.ID()))] = message
	}
	return told(messages), err
}

// onEach does something with each of the ids, by the message that was received where there is one.
func onEach(args arguments, run func(open *consumer, id pulsar.MessageID) error) (any, error) {
	open, err := consumers.get(args.text("consumer"), "Handle")
	if err != nil {
		return nil, err
	}
	for _, each := range args.objects("ids") {
		id, err := toID(each)
		if err != nil {
			return nil, err
		}
		open.mutex.Lock()
		if message, known := open.received[keyOf(id, int32(each.number("batchIndex")))]; known {
			id = message.ID()
		}
		open.mutex.Unlock()
		if err := run(open, id); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func acknowledge(args arguments) (any, error) {
	return onEach(args, func(open *consumer, id pulsar.MessageID) error {
		if args.flag("cumulative") {
			return open.AckIDCumulative(id)
		}
		return open.AckID(id)
	})
}

func negativeAcknowledge(args arguments) (any, error) {
	return onEach(args, func(open *consumer, id pulsar.MessageID) error {
		open.NackID(id)
		return nil
	})
}

func seek(args arguments) (any, error) {
	open, err := consumers.get(args.text("consumer"), "Handle")
	if err != nil {
		return nil, err
	}
	to := args.object("to")
	if to.has("id") {
		if to.object("id").number("batchIndex") < 0 {
			return nil, unsupported("Go's Pulsar client acknowledges, unread, the message that a seek of a consumer names")
		}
		id, err := toID(to.object("id"))
		if err != nil {
			return nil, err
		}
		return nil, open.Seek(id)
	}
	timestamp, err := to.int64("timestamp")
	if err != nil {
		return nil, err
	}
	return nil, open.SeekByTime(time.UnixMilli(timestamp))
}

func unsubscribe(args arguments) (any, error) {
	open, err := consumers.remove(args.text("consumer"), "Handle")
	if err != nil {
		return nil, err
	}
	defer open.Close()
	return nil, open.Unsubscribe()
}

func closeConsumer(args arguments) (any, error) {
	open, err := consumers.remove(args.text("consumer"), "Handle")
	if err == nil {
		open.Close()
	}
	return nil, err
}

/* ---- Readers ------------------------------------------------------------------------------------------------------- */

func newReader(args arguments, fallback string) (pulsar.Reader, error) {
	options := pulsar.ReaderOptions{
		Topic:          args.text("topic"),
		StartMessageID: pulsar.LatestMessageID(),
		ReadCompacted:  args.flag("compacted"),
	}
	if from := args.object("from"); from != nil {
		id, err := toID(from.object("id"))
		if err != nil {
			return nil, err
		}
		options.StartMessageID, options.StartMessageIDInclusive = id, from.flag("inclusive")
	} else if args.textOr("from", fallback) == "earliest" {
		options.StartMessageID = pulsar.EarliestMessageID()
	}
	return pulsarClient().CreateReader(options)
}

func read(args arguments) (any, error) {
	deadline := args.deadline(15_000)
	reader, err := newReader(args, "earliest")
	if err != nil {
		return nil, err
	}
	defer func() { go reader.Close() }()
	count, more := pendingMax, always
	if args.has("count") {
		count = args.number("count")
	}
	var taken pulsar.MessageID
	next := func(limited context.Context) (pulsar.Message, error) {
		message, err := reader.Next(limited)
		if err == nil {
			taken = message.ID()
		}
		return message, err
	}
	if args.has("until") {
		// After a last message in chunks the library says that there is another.
		more = func() bool { return !isLast(taken, reader) && reader.HasNext() }
	}
	messages, err := takeUpTo(count, deadline, more, next)
	return told(messages), err
}

func isLast(taken pulsar.MessageID, reader pulsar.Reader) bool {
	if taken == nil || taken.BatchIdx() >= 0 {
		return false
	}
	last, err := reader.GetLastMessageID()
	return err == nil && taken.LedgerID() == last.LedgerID() && taken.EntryID() == last.EntryID()
}

func openReader(args arguments) (any, error) {
	reader, err := newReader(args, "latest")
	if err == nil {
		readers.put(args.text("reader"), reader)
	}
	return nil, err
}

func readNext(args arguments) (any, error) {
	reader, err := readers.get(args.text("reader"), "Handle")
	if err != nil {
		return nil, err
	}
	messages, err := takeUpTo(args.number("count"), args.deadline(15_000), always, reader.Next)
	return told(messages), err
}

func lastMessageID(args arguments) (any, error) {
	reader, err := newReader(args, "earliest")
	if err != nil {
		return nil, err
	}
	defer func() { go reader.Close() }()
	id, err := reader.GetLastMessageID()
	if err != nil || id.EntryID() < 0 {
		return map[string]any{"id": nil}, err
	}
	return map[string]any{"id": fromID(id)}, nil
}

func partitions(args arguments) (any, error) {
	names, err := pulsarClient().TopicPartitions(args.text("topic"))
	return map[string]any{"names": names}, err
}
