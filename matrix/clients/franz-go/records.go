package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

/* ---- Producing ----------------------------------------------------------------------------------------------------- */

// A batch is closed by flushing, not by time.
const linger = time.Second

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var acknowledgements = map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}

// partitioner takes a record's partition where one is given, and leaves the others to the library's own.
type partitioner struct{ own kgo.Partitioner }

type topicPartitioner struct{ kgo.TopicPartitioner }

func (all partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{all.own.ForTopic(topic)}
}

func (own topicPartitioner) RequiresConsistency(record *kgo.Record) bool {
	return record.Partition >= 0 || own.TopicPartitioner.RequiresConsistency(record)
}

func (own topicPartitioner) Partition(record *kgo.Record, count int) int {
	if record.Partition >= 0 {
		return int(record.Partition)
	}
	return own.TopicPartitioner.Partition(record, count)
}

func (own topicPartitioner) OnNewBatch() {
	if told, cares := own.TopicPartitioner.(kgo.TopicPartitionerOnNewBatch); cares {
		told.OnNewBatch()
	}
}

func openProducer(args arguments) (*kgo.Client, error) {
	options := []kgo.Opt{
		kgo.RequiredAcks(acknowledgements[args.textOr("acks", "all")]),
		kgo.ProducerBatchCompression(codecs[args.textOr("compression", "none")]),
		kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(batchBytesMax),
		kgo.BrokerMaxWriteBytes(2 * batchBytesMax),
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.AllowAutoTopicCreation(),
	}
	if !args.flag("idempotent") {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	return newClient(options...)
}

func produce(args arguments) (any, error) {
	limited, cancel := context.WithTimeout(context.Background(), args.timeout(15_000))
	defer cancel()
	producer, err := producers.getOrMake(args.textOr("producer", "default"), func() (*kgo.Client, error) {
		return openProducer(args)
	})
	if err != nil {
		return nil, err
	}
	given, err := givenRecords(args)
	if err != nil {
		return nil, err
	}
	places := make([]map[string]any, len(given))
	failures := make(chan error, len(given))
	var sending sync.WaitGroup
	for index, each := range given {
		sending.Add(1)
		producer.Produce(limited, recordOf(args.text("topic"), each), func(record *kgo.Record, err error) {
			defer sending.Done()
			if err != nil {
				failures <- err
				return
			}
			places[index] = toldPlace(record, args.textOr("acks", "all"))
		})
		if !args.flagOr("oneBatch", true) {
			producer.Flush(limited)
		}
	}
	producer.Flush(limited)
	if err := waitFor(limited, &sending); err != nil {
		return nil, connectionError(producer, err)
	}
	select {
	case err := <-failures:
		return nil, connectionError(producer, err)
	default:
		return map[string]any{"records": places}, nil
	}
}

// waitFor waits no longer than the context lets one: the library keeps a record that may have been written.
func waitFor(limited context.Context, sending *sync.WaitGroup) error {
	sent := make(chan struct{})
	go func() {
		sending.Wait()
		close(sent)
	}()
	select {
	case <-sent:
		return nil
	case <-limited.Done():
		return timedOut
	}
}

// A producer that cannot reach any broker tells no reason but the time: one more try tells it.
func connectionError(broken *kgo.Client, err error) error {
	if !errors.Is(err, timedOut) && nameOf(err) != "TIMEOUT" {
		return err
	}
	limited, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if reason := broken.Ping(limited); reason != nil && errors.Is(reason, kerr.SaslAuthenticationFailed) {
		return reason
	}
	return err
}

func toldPlace(record *kgo.Record, acks string) map[string]any {
	told := map[string]any{"partition": record.Partition}
	// The library counts from 0 where no broker answers.
	if acks != "0" && record.Offset >= 0 {
		told["offset"] = strconv.FormatInt(record.Offset, 10)
	}
	return told
}

func recordOf(topic string, given givenRecord) *kgo.Record {
	record := &kgo.Record{
		Topic:     topic,
		Partition: given.partition,
		Key:       given.key,
		Value:     given.value,
		Timestamp: given.timestamp,
	}
	for _, each := range given.headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: each.name, Value: each.value})
	}
	return record
}

/* ---- Consuming ----------------------------------------------------------------------------------------------------- */

const fetchWait = 100 * time.Millisecond

// firstFetch is closed when the first fetch request was sent.
type firstFetch struct {
	sent chan struct{}
	once sync.Once
}

func (seen *firstFetch) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if key == int16(kmsg.Fetch) && err == nil {
		seen.once.Do(func() { close(seen.sent) })
	}
}

var _ kgo.HookBrokerWrite = &firstFetch{}

// reader reads one partition, by assignment.
type reader struct {
	mutex    sync.Mutex
	client   *kgo.Client
	place    place
	position int64
	fetch    *firstFetch
}

func openReader(at place, start int64, more ...kgo.Opt) (*reader, error) {
	seen := &firstFetch{sent: make(chan struct{})}
	options := append([]kgo.Opt{
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{at.Topic: {at.Partition: kgo.NewOffset().At(start)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(fetchWait),
		// Control records are not told, but show where the reader is.
		kgo.KeepControlRecords(),
		kgo.WithHooks(seen),
	}, more...)
	made, err := newClient(options...)
	if err != nil {
		return nil, err
	}
	return &reader{client: made, place: at, position: start, fetch: seen}, nil
}

// take ends with so many records, at the offset `end`, or at the deadline.
func (open *reader) take(count int, end int64, deadline time.Time) ([]*receivedRecord, error) {
	open.mutex.Lock()
	defer open.mutex.Unlock()
	limited, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	taken := []*receivedRecord{}
	for len(taken) < count && open.position < end {
		polled := open.client.PollRecords(limited, count-len(taken))
		polled.EachRecord(func(record *kgo.Record) {
			open.position = record.Offset + 1
			if !record.Attrs.IsControl() {
				taken = append(taken, received(record))
			}
		})
		if err := pollError(polled); err != nil {
			return nil, err
		}
		if limited.Err() != nil {
			break
		}
	}
	return taken, nil
}

// pollError leaves out that the time is over.
func pollError(polled kgo.Fetches) error {
	for _, each := range polled.Errors() {
		if !errors.Is(each.Err, context.DeadlineExceeded) {
			return each.Err
		}
	}
	return nil
}

func received(record *kgo.Record) *receivedRecord {
	timestampType := ""
	switch record.Attrs.TimestampType() {
	case 0:
		timestampType = "create"
	case 1:
		timestampType = "append"
	}
	told := newReceived(place{record.Topic, record.Partition}, record.Offset, record.Timestamp, timestampType)
	told.Key, told.Value = record.Key, record.Value
	for _, each := range record.Headers {
		told.addHeader(each.Key, each.Value)
	}
	return told
}

func resetTo(name string) kgo.Offset {
	switch name {
	case "earliest":
		return kgo.NewOffset().AtStart()
	case "latest":
		return kgo.NewOffset().AtEnd()
	}
	return kgo.NoResetOffset()
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
		if end, _, err = offsetAt(at, latest); err != nil {
			return nil, err
		}
	}
	if args.has("count") {
		count = args.number("count")
	}
	if start == end {
		return map[string]any{"records": []any{}}, nil
	}
	options := []kgo.Opt{kgo.ConsumeResetOffset(resetTo(args.text("reset")))}
	if args.flag("readCommitted") {
		options = append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if args.has("maxPartitionBytes") {
		options = append(options, kgo.FetchMaxPartitionBytes(int32(args.number("maxPartitionBytes"))))
	}
	open, err := openReader(at, start, options...)
	if err != nil {
		return nil, err
	}
	defer func() { go open.client.Close() }()
	records, err := open.take(count, end, deadline)
	return map[string]any{"records": records}, err
}

func openConsumer(args arguments) (any, error) {
	start, err := startOf(args, "latest")
	if err != nil {
		return nil, err
	}
	open, err := openReader(placeOf(args), start)
	if err != nil {
		return nil, err
	}
	select {
	case <-open.fetch.sent:
	case <-time.After(adminTimeout):
		go open.client.Close()
		return nil, timedOut
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
	open.position = offset
	open.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{
		open.place.Topic: {open.place.Partition: {Epoch: -1, Offset: offset}},
	})
	return nil, nil
}

func closeConsumer(args arguments) (any, error) {
	open, err := readers.remove(args.text("consumer"), "Consumer")
	if err == nil {
		open.client.Close()
	}
	return nil, err
}
