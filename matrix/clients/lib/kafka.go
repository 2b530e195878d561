package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"
)

// A record to send (matrix/driver/messages.ts, kafkaRecord).
type givenRecord struct {
	// -1: the library's own partitioner chooses.
	partition  int32
	key, value []byte
	headers    []header
	// Zero: the library's.
	timestamp time.Time
}

type header struct {
	name  string
	value []byte
}

func givenRecords(args arguments) ([]givenRecord, error) {
	records := []givenRecord{}
	for _, each := range args.objects("records") {
		record, err := givenRecordOf(each)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func givenRecordOf(args arguments) (record givenRecord, err error) {
	record.partition = -1
	if args.has("partition") {
		record.partition = int32(args.number("partition"))
	}
	if record.key, err = args.bytes("key"); err != nil {
		return record, err
	}
	if record.value, err = args.bytes("value"); err != nil {
		return record, err
	}
	if args.has("timestamp") {
		milliseconds, err := args.int64("timestamp")
		if err != nil {
			return record, err
		}
		record.timestamp = time.UnixMilli(milliseconds)
	}
	list, _ := args["headers"].([]any)
	for _, each := range list {
		pair, _ := each.([]any)
		name, _ := pair[0].(string)
		value, err := bytesOf(pair[1])
		if err != nil {
			return record, err
		}
		record.headers = append(record.headers, header{name, value})
	}
	return record, nil
}

// A record that came (kafkaReceived). Bytes become base64, nil bytes null.
type receivedRecord struct {
	Topic         string   `json:"topic"`
	Partition     int32    `json:"partition"`
	Offset        string   `json:"offset"`
	Timestamp     string   `json:"timestamp"`
	TimestampType string   `json:"timestampType,omitempty"`
	Key           []byte   `json:"key"`
	Value         []byte   `json:"value"`
	Headers       [][2]any `json:"headers"`

	place  place
	offset int64
}

// newReceived: timestampType is "create", "append" or "", where the library does not tell.
func newReceived(at place, offset int64, timestamp time.Time, timestampType string) *receivedRecord {
	return &receivedRecord{
		Topic:         at.Topic,
		Partition:     at.Partition,
		Offset:        strconv.FormatInt(offset, 10),
		Timestamp:     strconv.FormatInt(timestamp.UnixMilli(), 10),
		TimestampType: timestampType,
		Headers:       [][2]any{},
		place:         at,
		offset:        offset,
	}
}

func (record *receivedRecord) addHeader(name string, value []byte) {
	record.Headers = append(record.Headers, [2]any{name, value})
}

type place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
}

func placeOf(args arguments) place { return place{args.text("topic"), int32(args.number("partition"))} }

func inOrder(places []place) []place {
	sorted := append([]place{}, places...)
	sort.Slice(sorted, func(a, b int) bool {
		if sorted[a].Topic != sorted[b].Topic {
			return sorted[a].Topic < sorted[b].Topic
		}
		return sorted[a].Partition < sorted[b].Partition
	})
	return sorted
}

// An offset to commit, or that was committed. No metadata is the empty text, as all of these libraries have it.
type committedOffset struct {
	place
	offset   int64
	metadata string
}

func givenOffsets(args arguments) ([]committedOffset, error) {
	offsets := []committedOffset{}
	for _, each := range args.objects("offsets") {
		offset, err := each.int64("offset")
		if err != nil {
			return nil, err
		}
		offsets = append(offsets, committedOffset{placeOf(each), offset, each.text("metadata")})
	}
	return offsets, nil
}

func (committed committedOffset) told() map[string]any {
	return map[string]any{
		"topic":     committed.Topic,
		"partition": committed.Partition,
		"offset":    strconv.FormatInt(committed.offset, 10),
		"metadata":  committed.metadata,
	}
}

func toldOffsets(all []committedOffset) any {
	sort.Slice(all, func(a, b int) bool {
		if all[a].Topic != all[b].Topic {
			return all[a].Topic < all[b].Topic
		}
		return all[a].Partition < all[b].Partition
	})
	told := []any{}
	for _, each := range all {
		told = append(told, each.told())
	}
	return map[string]any{"offsets": told}
}

// What became of one topic of several; name is the protocol's of its error, "" for none.
func topicOutcome(topic, name string) map[string]string {
	if name == "" {
		return map[string]string{"name": topic}
	}
	return map[string]string{"name": topic, "error": name}
}

// tlsConfig trusts the authority of a PEM file only.
func tlsConfig(caPath string) (*tls.Config, error) {
	text, err := os.ReadFile(caPath)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate", caPath)
	}
	return &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}, nil
}
