package main

import (
	"context"
	"errors"
	"io"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

/* ---- Producing ----------------------------------------------------------------------------------------------------- */

const (
	// The library has no flush: a batch is closed so long after its first record.
	linger = 40 * time.Millisecond
	// The broker's limit is what counts.
	batchBytesMax    = 90_000_000
	batchMessagesMax = 1_000_000
)

var codecs = map[string]kafka.Compression{
	"none":   0,
	"gzip":   kafka.Gzip,
	"snappy": kafka.Snappy,
	"lz4":    kafka.Lz4,
	"zstd":   kafka.Zstd,
}

var acknowledgements = map[string]kafka.RequiredAcks{
	"0":   kafka.RequireNone,
	"1":   kafka.RequireOne,
	"all": kafka.RequireAll,
}

// sending is one record on its way.
type sending struct {
	given     int32
	partition int
	offset    int64
}

// balancer takes a record's partition where one is given, and leaves the others to the library's own.
type balancer struct{ kafka.Hash }

func (own *balancer) Balance(message kafka.Message, partitions ...int) int {
	if on, isOurs := message.WriterData.(*sending); isOurs && on.given >= 0 {
		return int(on.given)
	}
	return own.Hash.Balance(message, partitions...)
}

func openProducer(args arguments) (*kafka.Writer, error) {
	if args.flag("idempotent") {
		return nil, unsupported("kafka-go has no idempotent producer")
	}
	at := now()
	writer := &kafka.Writer{
		Addr:                   kafka.TCP(at.bootstrap),
		Transport:              at.clientOf(args.text("topic")).Transport,
		Balancer:               &balancer{},
		RequiredAcks:           acknowledgements[args.textOr("acks", "all")],
		Compression:            codecs[args.textOr("compression", "none")],
		BatchBytes:             batchBytesMax,
		BatchSize:              1,
		BatchTimeout:           linger,
		WriteBackoffMin:        retryBackoff,
		WriteBackoffMax:        retryBackoff,
		AllowAutoTopicCreation: true,
		ErrorLogger:            complaints,
		Completion: func(messages []kafka.Message, _ error) {
			for _, message := range messages {
				if on, isOurs := message.WriterData.(*sending); isOurs {
					on.partition, on.offset = message.Partition, message.Offset
				}
			}
		},
	}
	if args.flagOr("oneBatch", true) {
		writer.BatchSize = batchMessagesMax
	}
	return writer, nil
}

func produce(args arguments) (any, error) {
	patience, cancel := context.WithTimeout(context.Background(), args.timeout(15_000))
	defer cancel()
	given, err := givenRecords(args)
	if err != nil {
		return nil, err
	}
	writer, err := producers.getOrMake(args.textOr("producer", "default"), func() (*kafka.Writer, error) {
		return openProducer(args)
	})
	if err != nil {
		return nil, err
	}
	all, messages := []*sending{}, []kafka.Message{}
	for _, each := range given {
		if !each.timestamp.IsZero() && each.timestamp.UnixMilli() == 0 {
			return nil, unsupported("kafka-go takes a timestamp of 0 for the present time")
		}
		on := &sending{given: each.partition}
		all, messages = append(all, on), append(messages, messageOf(args.text("topic"), each, on))
	}
	if args.flagOr("oneBatch", true) {
		err = writer.WriteMessages(patience, messages...)
	} else {
		for index := 0; index < len(messages) && err == nil; index++ {
			err = writer.WriteMessages(patience, messages[index])
		}
	}
	if err != nil {
		return nil, err
	}
	places := []map[string]any{}
	for _, on := range all {
		told := map[string]any{"partition": on.partition}
		if args.textOr("acks", "all") != "0" {
			told["offset"] = strconv.FormatInt(on.offset, 10)
		}
		places = append(places, told)
	}
	return map[string]any{"records": places}, nil
}

func messageOf(topic string, given givenRecord, on *sending) kafka.Message {
	message := kafka.Message{Topic: topic, Key: given.key, Value: given.value, Time: given.timestamp, WriterData: on}
	for _, each := range given.headers {
		message.Headers = append(message.Headers, kafka.Header{Key: each.name, Value: each.value})
	}
	return message
}

/* ---- Consuming ----------------------------------------------------------------------------------------------------- */

const (
	fetchWait     = 100 * time.Millisecond
	fetchBytesMax = 10_000_000
)

// reader reads one partition by the library's fetch requests: its Reader neither fails at a place that is not there nor
// says when it is at the end.
type reader struct {
	mutex     sync.Mutex
	place     place
	position  int64
	bytesMax  int64
	committed bool
	waiting   []*receivedRecord
}

// step fetches once.
func (open *reader) step(patience context.Context) error {
	isolation := kafka.ReadUncommitted
	if open.committed {
		isolation = kafka.ReadCommitted
	}
	response, err := now().clientOf(open.place.Topic).Fetch(patience, &kafka.FetchRequest{
		Topic:          open.place.Topic,
		Partition:      int(open.place.Partition),
		Offset:         open.position,
		MinBytes:       1,
		MaxBytes:       open.bytesMax,
		MaxWait:        fetchWait,
		IsolationLevel: isolation,
	})
	if err != nil {
		return err
	}
	if response.Error != nil {
		return response.Error
	}
	for response.Records != nil {
		record, err := response.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// A batch comes whole, also where only its end was asked for.
		if record.Offset < open.position {
			continue
		}
		told, err := received(open.place, record)
		if err != nil {
			return err
		}
		open.position = record.Offset + 1
		open.waiting = append(open.waiting, told)
	}
	return nil
}

func received(at place, record *kafka.Record) (*receivedRecord, error) {
	told := newReceived(at, record.Offset, record.Time, "")
	var err error
	if told.Key, err = kafka.ReadAll(record.Key); err != nil {
		return nil, err
	}
	if told.Value, err = kafka.ReadAll(record.Value); err != nil {
		return nil, err
	}
	for _, each := range record.Headers {
		told.addHeader(each.Key, each.Value)
	}
	return told, nil
}

// take ends with so many records, at the offset `end`, or at the deadline.
func (open *reader) take(count int, end int64, deadline time.Time) ([]*receivedRecord, error) {
	open.mutex.Lock()
	defer open.mutex.Unlock()
	patience, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	for len(open.waiting) < count && open.position < end && patience.Err() == nil {
		if err := open.step(patience); err != nil && patience.Err() == nil && !isOfDeadline(err, deadline) {
			return nil, err
		}
	}
	taken := append([]*receivedRecord{}, open.waiting[:min(count, len(open.waiting))]...)
	open.waiting = open.waiting[len(taken):]
	return taken, nil
}

// isOfDeadline: the library gives a connection less time than its user gave it, so that a fetch may end a little before.
func isOfDeadline(err error, deadline time.Time) bool {
	return nameOf(err) == "TIMEOUT" && time.Until(deadline) < fetchWait
}

func consume(args arguments) (any, error) {
	deadline := args.deadline(15_000)
	at := placeOf(args)
	start, err := startOf(args, "earliest")
	if err != nil {
		return nil, err
	}
	end, count := int64(math.MaxInt64), math.MaxInt32
	if args.has("until") {
		if end, err = offsetAt(at, kafka.LastOffset); err != nil {
			return nil, err
		}
	}
	if args.has("count") {
		count = args.number("count")
	}
	open := &reader{place: at, position: start, bytesMax: fetchBytesMax, committed: args.flag("readCommitted")}
	if args.has("maxPartitionBytes") {
		open.bytesMax = int64(args.number("maxPartitionBytes"))
	}
	records, err := open.take(count, end, deadline)
	if errors.Is(err, kafka.OffsetOutOfRange) && args.textOr("reset", "none") != "none" {
		return nil, unsupported("kafka-go's fetch has no reset of offsets")
	}
	return map[string]any{"records": records}, err
}

func openConsumer(args arguments) (any, error) {
	start, err := startOf(args, "latest")
	if err != nil {
		return nil, err
	}
	open := &reader{place: placeOf(args), position: start, bytesMax: fetchBytesMax}
	patience, cancel := limited()
	defer cancel()
	if err := open.step(patience); err != nil {
		return nil, err
	}
	readers.put(args.text("consumer"), open)
	return nil, nil
}

func poll(args arguments) (any, error) {
	open, err := readers.get(args.text("consumer"), "Consumer")
	if err != nil {
		return nil, err
	}
	records, err := open.take(args.number("count"), math.MaxInt64, args.deadline(15_000))
	return map[string]any{"records": records}, err
}

func seek(args arguments) (any, error) {
	open, err := readers.get(args.text("consumer"), "Consumer")
	if err != nil {
		return nil, err
	}
	offset, err := args.int64("offset")
	if err != nil {
		return nil, err
	}
	open.mutex.Lock()
	defer open.mutex.Unlock()
	open.position, open.waiting = offset, nil
	return nil, nil
}

func closeConsumer(args arguments) (any, error) {
	_, err := readers.remove(args.text("consumer"), "Consumer")
	return nil, err
}
