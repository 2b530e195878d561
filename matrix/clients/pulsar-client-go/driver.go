// Driver of Go's Pulsar client (matrix/driver/messages.ts). What the library cannot express is answered `unsupported`:
// keys of bytes, an empty key, snappy, and asking again for all that was not acknowledged. It tells no sequence id, and
// no difference between a tombstone and an empty value.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/crypto"
)

const (
	// A refused log-in is tried again until then.
	operationTimeout = 8 * time.Second
	tokenTimeout     = 5 * time.Second
	// A batch is closed by flushing, not by time or count.
	publishDelay     = time.Minute
	batchMessagesMax = 1_000_000
	batchBytesMax    = 4 * 1024 * 1024
	pendingMax       = 100_000
)

var (
	configuring sync.RWMutex
	connected   pulsar.Client

	producers handles[pulsar.Producer]
	consumers handles[*consumer]
	readers   handles[pulsar.Reader]
)

func main() {
	serve(map[string]op{
		"configure":           configure,
		"produce":             produce,
		"closeProducer":       closeProducer,
		"subscribe":           subscribe,
		"receive":             receive,
		"acknowledge":         acknowledge,
		"negativeAcknowledge": negativeAcknowledge,
		"redeliverUnacknowledged": func(arguments) (any, error) {
			return nil, unsupported("Go's Pulsar client has no call to have all unacknowledged messages delivered again")
		},
		"seek":          seek,
		"unsubscribe":   unsubscribe,
		"closeConsumer": closeConsumer,
		"read":          read,
		"openReader":    openReader,
		"readNext":      readNext,
		"lastMessageId": lastMessageID,
		"partitions":    partitions,
	}, nameOf)
}

// The broker's own name of an error, or the library's of its result, is in the text only.
var (
	brokerError = regexp.MustCompile(`server error: (\w+)`)
	resultName  = regexp.MustCompile(`: (\w+)$`)
	bareName    = regexp.MustCompile(`^[A-Z]\w+Error$`)
)

var renamed = map[string]string{
	"TimeoutError":           "TIMEOUT",
	"BrokerMetadataError":    "MetadataError",
	"BrokerPersistenceError": "PersistenceError",
	"ServiceUnitNotReady":    "ServiceNotReady",
	"TopicTerminated":        "TopicTerminatedError",
}

func nameOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "TIMEOUT"
	}
	if found := brokerError.FindStringSubmatch(err.Error()); found != nil {
		return found[1]
	}
	var known *pulsar.Error
	if found := resultName.FindStringSubmatch(err.Error()); errors.As(err, &known) && found != nil {
		if name, isRenamed := renamed[found[1]]; isRenamed {
			return name
		}
		return found[1]
	}
	// Some of the broker's errors are handed on as their name alone.
	if bareName.MatchString(err.Error()) {
		return err.Error()
	}
	return fmt.Sprintf("%T", err)
}

func configure(args arguments) (any, error) {
	security := args.object("security")
	options := pulsar.ClientOptions{
		URL:                   args.text("serviceUrl"),
		OperationTimeout:      operationTimeout,
		ConnectionTimeout:     5 * time.Second,
		TLSTrustCertsFilePath: security.text("caPath"),
		TLSValidateHostname:   true,
	}
	if security.has("token") {
		options.Authentication = pulsar.NewAuthenticationToken(security.text("token"))
		options.OperationTimeout = tokenTimeout
	}
	made, err := pulsar.NewClient(options)
	if err != nil {
		return nil, err
	}
	configuring.Lock()
	old := connected
	connected = made
	configuring.Unlock()
	producers.removeAll(func(pulsar.Producer) {})
	consumers.removeAll(func(*consumer) {})
	readers.removeAll(func(pulsar.Reader) {})
	if old != nil {
		// Closing waits for the broker: the next scenario does not.
		go old.Close()
	}
	return nil, nil
}

func pulsarClient() pulsar.Client {
	configuring.RLock()
	defer configuring.RUnlock()
	return connected
}

/* ---- Producing ----------------------------------------------------------------------------------------------------- */

var codecs = map[string]pulsar.CompressionType{
	"none": pulsar.NoCompression,
	"lz4":  pulsar.LZ4,
	"zlib": pulsar.ZLib,
	"zstd": pulsar.ZSTD,
}

func openProducer(args arguments) (pulsar.Producer, error) {
	codec, known := codecs[args.textOr("compression", "none")]
	if !known {
		return nil, unsupported("Go's Pulsar client has no " + args.text("compression"))
	}
	options := pulsar.ProducerOptions{
		Topic:                   args.text("topic"),
		Name:                    args.text("producerName"),
		SendTimeout:             args.timeout(15_000),
		MaxPendingMessages:      pendingMax,
		CompressionType:         codec,
		DisableBatching:         !args.flag("oneBatch") || args.flag("chunking"),
		BatchingMaxPublishDelay: publishDelay,
		BatchingMaxMessages:     batchMessagesMax,
		BatchingMaxSize:         batchBytesMax,
		EnableChunking:          args.flag("chunking"),
		ChunkMaxMessageSize:     uint(args.number("chunkBytesMax")),
	}
	if args.has("schema") {
		options.Schema = schemaOf(args.object("schema"))
	}
	if args.has("encryptionPublicKey") {
		encryption, err := encryptionFor(args.text("encryptionPublicKey"))
		if err != nil {
			return nil, err
		}
		options.Encryption = encryption
	}
	return pulsarClient().CreateProducer(options)
}

// givenSchema registers a schema and passes bytes, encoded already, through.
type givenSchema struct{ info *pulsar.SchemaInfo }

func schemaOf(args arguments) pulsar.Schema {
	types := map[string]pulsar.SchemaType{"string": pulsar.STRING, "json": pulsar.JSON, "avro": pulsar.AVRO}
	name := args.text("type")
	return givenSchema{&pulsar.SchemaInfo{
		Name:       strings.ToUpper(name),
		Schema:     args.text("definition"),
		Type:       types[name],
		Properties: map[string]string{},
	}}
}

func (given givenSchema) Encode(value any) ([]byte, error) {
	bytes, _ := value.([]byte)
	return bytes, nil
}

func (given givenSchema) Decode([]byte, any) error          { return errors.New("nobody asks for it") }
func (given givenSchema) Validate([]byte) error             { return nil }
func (given givenSchema) GetSchemaInfo() *pulsar.SchemaInfo { return given.info }

func encryptionFor(publicKey string) (*pulsar.ProducerEncryptionInfo, error) {
	folder, err := os.MkdirTemp("", "kop-driver-")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "public.pem")
	if err := os.WriteFile(path, []byte(publicKey), 0o600); err != nil {
		return nil, err
	}
	return &pulsar.ProducerEncryptionInfo{KeyReader: crypto.NewFileKeyReader(path, ""), Keys: []string{"kop"}}, nil
}

func produce(args arguments) (any, error) {
	limited, cancel := context.WithTimeout(context.Background(), args.timeout(15_000))
	defer cancel()
	messages := []*pulsar.ProducerMessage{}
	for _, each := range args.objects("messages") {
		message, err := messageOf(each, args.has("schema"))
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
	}
	producer, err := producers.getOrMake(producerKey(args.textOr("producer", "default"), args.text("topic")),
		func() (pulsar.Producer, error) { return openProducer(args) })
	if err != nil {
		return nil, err
	}
	type receipt struct {
		index int
		id    pulsar.MessageID
		err   error
	}
	receipts := make(chan receipt, len(messages))
	for index, message := range messages {
		producer.SendAsync(limited, message, func(id pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
			receipts <- receipt{index, id, err}
		})
	}
	go producer.Flush()
	ids := make([]any, len(messages))
	for range messages {
		select {
		case got := <-receipts:
			if got.err != nil {
				return nil, got.err
			}
			ids[got.index] = fromID(got.id)
		case <-limited.Done():
			return nil, timedOut
		}
	}
	return map[string]any{"ids": ids}, nil
}

// A producer of the library is of one topic.
func producerKey(name, topic string) string {
	key, _ := json.Marshal([]string{name, topic})
	return string(key)
}

func messageOf(args arguments, hasSchema bool) (*pulsar.ProducerMessage, error) {
	if args.has("keyBytes") {
		return nil, unsupported("Go's Pulsar client has keys of text only")
	}
	if args.has("key") && args.text("key") == "" {
		return nil, unsupported("Go's Pulsar client takes an empty key for none")
	}
	if !args.has("value") {
		return nil, unsupported("Go's Pulsar client cannot send a null value: it has no tombstones")
	}
	value, err := args.bytes("value")
	if err != nil {
		return nil, err
	}
	if len(value) == 0 {
		return nil, unsupported("Go's Pulsar client never hands out a message without bytes: it is not sent")
	}
	orderingKey, err := args.bytes("orderingKey")
	if err != nil {
		return nil, err
	}
	message := &pulsar.ProducerMessage{
		Payload:      value,
		Key:          args.text("key"),
		OrderingKey:  string(orderingKey),
		Properties:   args.textMap("properties"),
		DeliverAfter: time.Duration(args.number("deliverAfterMs")) * time.Millisecond,
	}
	if hasSchema {
		message.Payload, message.Value = nil, value
	}
	if args.has("eventTime") {
		milliseconds, err := args.int64("eventTime")
		if err != nil {
			return nil, err
		}
		message.EventTime = time.UnixMilli(milliseconds)
	}
	if args.has("sequenceId") {
		sequenceID, err := args.int64("sequenceId")
		if err != nil {
			return nil, err
		}
		message.SequenceID = &sequenceID
	}
	return message, nil
}

func closeProducer(args arguments) (any, error) {
	prefix := strings.TrimSuffix(producerKey(args.text("producer"), ""), `""]`)
	for _, closing := range producers.removeSome(func(key string) bool { return strings.HasPrefix(key, prefix) }) {
		closing.Close()
	}
	return nil, nil
}

/* ---- Ids ----------------------------------------------------------------------------------------------------------- */

func fromID(id pulsar.MessageID) any {
	return map[string]any{
		"ledgerId":   strconv.FormatInt(id.LedgerID(), 10),
		"entryId":    strconv.FormatInt(id.EntryID(), 10),
		"partition":  id.PartitionIdx(),
		"batchIndex": batchIndexOf(id),
	}
}

// The library counts a message outside a batch as the first of one.
func batchIndexOf(id pulsar.MessageID) int32 {
	if id.BatchIdx() <= 0 && id.BatchSize() <= 1 {
		return -1
	}
	return id.BatchIdx()
}

func toID(args arguments) (pulsar.MessageID, error) {
	ledger, err := args.int64("ledgerId")
	if err != nil {
		return nil, err
	}
	entry, err := args.int64("entryId")
	return pulsar.NewMessageID(ledger, entry, int32(max(0, args.number("batchIndex"))), int32(args.number("partition"))), err
}
