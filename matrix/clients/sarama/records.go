package main

import (
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"
)

/* ---- Producing ----------------------------------------------------------------------------------------------------- */

// The library has no flush: a batch is closed so long after its first record.
const linger = 40 * time.Millisecond

var codecs = map[string]sarama.CompressionCodec{
	"none":   sarama.CompressionNone,
	"gzip":   sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy,
	"lz4":    sarama.CompressionLZ4,
	"zstd":   sarama.CompressionZSTD,
}

var acknowledgements = map[string]sarama.RequiredAcks{
	"0":   sarama.NoResponse,
	"1":   sarama.WaitForLocal,
	"all": sarama.WaitForAll,
}

// partitioner takes a record's partition where one is given, and leaves the others to the library's own.
type partitioner struct{ sarama.Partitioner }

func newPartitioner(topic string) sarama.Partitioner {
	return partitioner{sarama.NewHashPartitioner(topic)}
}

func (own partitioner) Partition(message *sarama.ProducerMessage, count int32) (int32, error) {
	if given, isGiven := message.Metadata.(int32); isGiven {
		return given, nil
	}
	return own.Partitioner.Partition(message, count)
}

func openProducer(args arguments) (sarama.SyncProducer, error) {
	settings, brokers := settingsNow()
	producer := &settings.Producer
	producer.RequiredAcks = acknowledgements[args.textOr("acks", "all")]
	producer.Compression = codecs[args.textOr("compression", "none")]
	producer.Partitioner = newPartitioner
	producer.MaxMessageBytes = messageBytesMax
	producer.Return.Successes, producer.Return.Errors = true, true
	producer.Timeout = args.timeout(15_000)
	producer.Retry.Backoff = retryBackoff
	if args.flagOr("oneBatch", true) {
		producer.Flush.Frequency = linger
		producer.Flush.Messages = math.MaxInt32
		producer.Flush.Bytes = messageBytesMax
	}
	if args.flag("idempotent") {
		producer.Idempotent = true
		settings.Net.MaxOpenRequests = 1
	}
	settings.Metadata.AllowAutoTopicCreation = true
	for attempt := 0; ; attempt++ {
		made, err := sarama.NewSyncProducer(brokers, settings)
		// A broker that just started has no producer ids yet; older releases do not ask again.
		if attempt == retriesMax || !errors.Is(err, sarama.ErrOffsetsLoadInProgress) {
			return made, err
		}
		time.Sleep(retryBackoff)
	}
}

func produce(args arguments) (any, error) {
	given, err := givenRecords(args)
	if err != nil {
		return nil, err
	}
	messages := []*sarama.ProducerMessage{}
	for _, each := range given {
		message, err := messageOf(args.text("topic"), each)
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
	}
	sent := make(chan error, 1)
	go func() {
		// The next scenario closes a producer that still sends for one that has ended, and the library panics.
		defer func() {
			if closed := recover(); closed != nil {
				sent <- sarama.ErrShuttingDown
			}
		}()
		sent <- send(args, messages)
	}()
	select {
	case err = <-sent:
	case <-time.After(args.timeout(15_000)):
		err = timedOut
	}
	if err != nil {
		return nil, err
	}
	places := []map[string]any{}
	for _, message := range messages {
		told := map[string]any{"partition": message.Partition}
		if args.textOr("acks", "all") != "0" {
			told["offset"] = strconv.FormatInt(message.Offset, 10)
		}
		places = append(places, told)
	}
	return map[string]any{"records": places}, nil
}

func send(args arguments, messages []*sarama.ProducerMessage) error {
	producer, err := producers.getOrMake(args.textOr("producer", "default"), func() (sarama.SyncProducer, error) {
		return openProducer(args)
	})
	if err != nil {
		return err
	}
	if args.flagOr("oneBatch", true) {
		return firstOf(producer.SendMessages(messages))
	}
	for _, message := range messages {
		if _, _, err := producer.SendMessage(message); err != nil {
			return err
		}
	}
	return nil
}

func firstOf(err error) error {
	var several sarama.ProducerErrors
	if errors.As(err, &several) && len(several) > 0 {
		return several[0].Err
	}
	return err
}

func messageOf(topic string, given givenRecord) (*sarama.ProducerMessage, error) {
	if !given.timestamp.IsZero() && given.timestamp.UnixMilli() < 0 {
		return nil, unsupported("sarama refuses to send a timestamp below 0")
	}
	message := &sarama.ProducerMessage{Topic: topic, Timestamp: given.timestamp}
	if given.partition >= 0 {
		message.Metadata = given.partition
	}
	if given.key != nil {
		message.Key = sarama.ByteEncoder(given.key)
	}
	if given.value != nil {
		message.Value = sarama.ByteEncoder(given.value)
	}
	for _, each := range given.headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(each.name), Value: each.value})
	}
	return message, nil
}

/* ---- Consuming ----------------------------------------------------------------------------------------------------- */

const (
	fetchWait = 100 * time.Millisecond
	askEvery  = 5 * time.Millisecond
	// So many answers without a record, and the reader is at the end: the library does not tell of what it passes over.
	emptyAnswersMax = 3
)

// reader reads one partition.
type reader struct {
	mutex    sync.Mutex
	consumer sarama.Consumer
	claim    sarama.PartitionConsumer
	metrics  metrics.Registry
	place    place
	position int64
}

func openReader(at place, start int64, change func(settings *sarama.Config)) (*reader, error) {
	settings, brokers := settingsNow()
	settings.MetricRegistry = metrics.NewRegistry()
	change(settings)
	consumer, err := sarama.NewConsumer(brokers, settings)
	if err != nil {
		return nil, err
	}
	open := &reader{consumer: consumer, metrics: settings.MetricRegistry, place: at, position: start}
	if open.claim, err = consumer.ConsumePartition(at.Topic, at.Partition, start); err != nil {
		consumer.Close()
		return nil, err
	}
	return open, nil
}

func (open *reader) close() {
	open.claim.Close()
	open.consumer.Close()
}

// answers counts those to fetch requests, by the library's own metrics.
func (open *reader) answers() int64 {
	if sizes, counted := open.metrics.Get("consumer-fetch-response-size").(metrics.Histogram); counted {
		return sizes.Count()
	}
	return 0
}

func (open *reader) asked() bool {
	rate, counted := open.metrics.Get("consumer-fetch-rate").(metrics.Meter)
	return counted && rate.Count() > 0
}

// take ends with so many records, at the offset `end`, or at the deadline.
func (open *reader) take(count int, end int64, deadline time.Time) ([]*receivedRecord, error) {
	open.mutex.Lock()
	defer open.mutex.Unlock()
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	looking := time.NewTicker(fetchWait)
	defer looking.Stop()
	taken := []*receivedRecord{}
	answers := open.answers()
	for len(taken) < count && open.position < end {
		select {
		case message, isOpen := <-open.claim.Messages():
			if !isOpen {
				return taken, closedError(open.claim)
			}
			open.position = message.Offset + 1
			taken = append(taken, received(message))
			answers = open.answers()
		case err := <-open.claim.Errors():
			if err != nil {
				return nil, err.Err
			}
		case <-looking.C:
			if end < math.MaxInt64 && open.answers()-answers > emptyAnswersMax {
				return taken, nil
			}
		case <-late.C:
			return taken, nil
		}
	}
	return taken, nil
}

func closedError(claim sarama.PartitionConsumer) error {
	select {
	case err := <-claim.Errors():
		if err != nil {
			return err.Err
		}
	default:
	}
	return sarama.ErrOffsetOutOfRange
}

func received(message *sarama.ConsumerMessage) *receivedRecord {
	told := newReceived(place{message.Topic, message.Partition}, message.Offset, message.Timestamp, "")
	told.Key, told.Value = message.Key, message.Value
	for _, each := range message.Headers {
		told.addHeader(string(each.Key), each.Value)
	}
	return told
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
		if end, err = offsetAt(at, sarama.OffsetNewest); err != nil {
			return nil, err
		}
	}
	if args.has("count") {
		count = args.number("count")
	}
	if start == end {
		return map[string]any{"records": []any{}}, nil
	}
	open, err := openReader(at, start, func(settings *sarama.Config) {
		if args.flag("readCommitted") {
			settings.Consumer.IsolationLevel = sarama.ReadCommitted
		}
		if args.has("maxPartitionBytes") {
			settings.Consumer.Fetch.Default = int32(args.number("maxPartitionBytes"))
		}
	})
	if errors.Is(err, sarama.ErrOffsetOutOfRange) && args.textOr("reset", "none") != "none" {
		return nil, unsupported("sarama's reader of a partition (ConsumePartition) has no reset of offsets")
	}
	if err != nil {
		return nil, err
	}
	defer func() { go open.close() }()
	records, err := open.take(count, end, deadline)
	return map[string]any{"records": records}, err
}

func openConsumer(args arguments) (any, error) {
	deadline := time.Now().Add(adminTimeout)
	start, err := startOf(args, "latest")
	if err != nil {
		return nil, err
	}
	open, err := openReader(placeOf(args), start, func(*sarama.Config) {})
	if err != nil {
		return nil, err
	}
	// The library counts its fetches, but tells of none.
	for !open.asked() {
		if time.Now().After(deadline) {
			go open.close()
			return nil, timedOut
		}
		time.Sleep(askEvery)
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

// seek opens the partition anew, which is how sarama has it.
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
	open.claim.Close()
	open.position = offset
	claim, err := open.consumer.ConsumePartition(open.place.Topic, open.place.Partition, offset)
	if err == nil {
		open.claim = claim
	}
	return nil, err
}

func closeConsumer(args arguments) (any, error) {
	open, err := readers.remove(args.text("consumer"), "Consumer")
	if err == nil {
		open.close()
	}
	return nil, err
}
