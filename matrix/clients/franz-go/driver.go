// Driver of franz-go (matrix/driver/messages.ts). What it manages, it manages by the library's own requests (kmsg), as
// its admin module does: they come in the library's own version, and are sent to the right broker by its client.
package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	adminTimeout = 15 * time.Second
	// Of the first try after a failure; the later ones wait longer.
	backoffMin = 20 * time.Millisecond
	backoffMax = 250 * time.Millisecond
	// The broker's limit is what counts.
	batchBytesMax = 100_000_000
)

var (
	configuring sync.RWMutex
	settings    []kgo.Opt
	adminClient *kgo.Client

	producers handles[*kgo.Client]
	readers   handles[*reader]
	members   handles[member]
)

func main() { serve(operations(), nameOf) }

func operations() map[string]op {
	all := map[string]op{
		"configure":        configure,
		"createTopics":     createTopics,
		"deleteTopics":     deleteTopics,
		"createPartitions": createPartitions,
		"deleteRecords":    deleteRecords,
		"describeConfigs":  describeConfigs,
		"alterConfigs":     alterConfigs,
		"listTopics":       listTopics,
		"metadata":         metadata,
		"listOffsets":      listOffsets,
		"produce":          produce,
		"consume":          consume,
		"openConsumer":     openConsumer,
		"poll":             poll,
		"seek":             seek,
		"closeConsumer":    closeConsumer,
		"consumeInGroup":   consumeInGroup,
		"committed":        committed,
		"commit":           commit,
		"allCommitted":     allCommitted,
	}
	for name, run := range memberOps(&members, openMember) {
		all[name] = run
	}
	return all
}

// What the library calls otherwise than the protocol does now.
var renamed = map[string]string{"NOT_LEADER_FOR_PARTITION": "NOT_LEADER_OR_FOLLOWER"}

func nameOf(err error) string {
	var refused *kerr.Error
	switch {
	case errors.As(err, &refused):
		if name, known := renamed[refused.Message]; known {
			return name
		}
		return refused.Message
	case errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "TIMEOUT"
	}
	return fmt.Sprintf("%T", err)
}

func configure(args arguments) (any, error) {
	secure, err := security(args.object("security"))
	if err != nil {
		return nil, err
	}
	producers.removeAll(func(producer *kgo.Client) { producer.Close() })
	readers.removeAll(func(open *reader) { open.client.Close() })
	members.removeAll(func(open member) { open.close() })
	configuring.Lock()
	defer configuring.Unlock()
	if adminClient != nil {
		go adminClient.Close()
		adminClient = nil
	}
	settings = append([]kgo.Opt{
		kgo.SeedBrokers(args.text("bootstrap")),
		kgo.ClientID(args.text("clientId")),
		kgo.RetryBackoffFn(func(failures int) time.Duration { return min(backoffMax, backoffMin<<min(failures, 10)) }),
		kgo.MetadataMinAge(backoffMin),
		kgo.RetryTimeout(adminTimeout),
		kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelWarn, nil)),
	}, secure...)
	return nil, nil
}

func newClient(more ...kgo.Opt) (*kgo.Client, error) {
	configuring.RLock()
	all := append(append([]kgo.Opt{}, settings...), more...)
	configuring.RUnlock()
	return kgo.NewClient(all...)
}

func admin() (*kgo.Client, error) {
	configuring.RLock()
	open := adminClient
	configuring.RUnlock()
	if open != nil {
		return open, nil
	}
	made, err := newClient()
	if err != nil {
		return nil, err
	}
	configuring.Lock()
	defer configuring.Unlock()
	if adminClient != nil {
		go made.Close()
	} else {
		adminClient = made
	}
	return adminClient, nil
}

// ask sends one of the library's requests and answers its response.
func ask[Response kmsg.Response](request kmsg.Request) (response Response, err error) {
	open, err := admin()
	if err != nil {
		return response, err
	}
	limited, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	answer, err := open.Request(limited, request)
	if err != nil {
		return response, err
	}
	return answer.(Response), nil
}

/* ---- Topics -------------------------------------------------------------------------------------------------------- */

const timeoutMillis = int32(adminTimeout / time.Millisecond)

func outcome(topic string, code int16) map[string]string {
	if code == 0 {
		return topicOutcome(topic, "")
	}
	return topicOutcome(topic, nameOf(kerr.ErrorForCode(code)))
}

func createTopics(args arguments) (any, error) {
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = timeoutMillis
	for _, each := range args.objects("topics") {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = each.text("name"), int32(each.number("partitions")), 1
		for name, value := range each.textMap("configs") {
			config := kmsg.NewCreateTopicsRequestTopicConfig()
			config.Name, config.Value = name, kmsg.StringPtr(value)
			topic.Configs = append(topic.Configs, config)
		}
		request.Topics = append(request.Topics, topic)
	}
	response, err := ask[*kmsg.CreateTopicsResponse](request)
	if err != nil {
		return nil, err
	}
	codes := map[string]int16{}
	for _, topic := range response.Topics {
		codes[topic.Topic] = topic.ErrorCode
	}
	told := []any{}
	for _, topic := range request.Topics {
		told = append(told, outcome(topic.Topic, codes[topic.Topic]))
	}
	return map[string]any{"topics": told}, nil
}

func deleteTopics(args arguments) (any, error) {
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.TimeoutMillis = timeoutMillis
	request.TopicNames = args.texts("names")
	for _, name := range request.TopicNames {
		topic := kmsg.NewDeleteTopicsRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		request.Topics = append(request.Topics, topic)
	}
	response, err := ask[*kmsg.DeleteTopicsResponse](request)
	if err != nil {
		return nil, err
	}
	codes := map[string]int16{}
	for _, topic := range response.Topics {
		if topic.Topic != nil {
			codes[*topic.Topic] = topic.ErrorCode
		}
	}
	told := []any{}
	for _, name := range request.TopicNames {
		told = append(told, outcome(name, codes[name]))
	}
	return map[string]any{"topics": told}, nil
}

func createPartitions(args arguments) (any, error) {
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.TimeoutMillis = timeoutMillis
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = args.text("topic"), int32(args.number("count"))
	request.Topics = append(request.Topics, topic)
	response, err := ask[*kmsg.CreatePartitionsResponse](request)
	if err != nil {
		return nil, err
	}
	for _, topic := range response.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func deleteRecords(args arguments) (any, error) {
	before, err := args.int64("before")
	if err != nil {
		return nil, err
	}
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis = timeoutMillis
	topic, partition := kmsg.NewDeleteRecordsRequestTopic(), kmsg.NewDeleteRecordsRequestTopicPartition()
	partition.Partition, partition.Offset = int32(args.number("partition")), before
	topic.Topic = args.text("topic")
	topic.Partitions = append(topic.Partitions, partition)
	request.Topics = append(request.Topics, topic)
	response, err := ask[*kmsg.DeleteRecordsResponse](request)
	if err != nil {
		return nil, err
	}
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

func describeConfigs(args arguments) (any, error) {
	request := kmsg.NewPtrDescribeConfigsRequest()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, args.text("topic")
	request.Resources = append(request.Resources, resource)
	response, err := ask[*kmsg.DescribeConfigsResponse](request)
	if err != nil {
		return nil, err
	}
	configs := map[string]*string{}
	for _, resource := range response.Resources {
		if err := kerr.ErrorForCode(resource.ErrorCode); err != nil {
			return nil, err
		}
		for _, config := range resource.Configs {
			configs[config.Name] = config.Value
		}
	}
	return map[string]any{"configs": configs}, nil
}

func alterConfigs(args arguments) (any, error) {
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, args.text("topic")
	for name, value := range args.textMap("configs") {
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = name, kmsg.StringPtr(value)
		config.Op = kmsg.IncrementalAlterConfigOpSet
		resource.Configs = append(resource.Configs, config)
	}
	request.Resources = append(request.Resources, resource)
	response, err := ask[*kmsg.IncrementalAlterConfigsResponse](request)
	if err != nil {
		return nil, err
	}
	for _, resource := range response.Resources {
		if err := kerr.ErrorForCode(resource.ErrorCode); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func metadataOf(topics []string) (*kmsg.MetadataResponse, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.AllowAutoTopicCreation = false
	if topics != nil {
		request.Topics = []kmsg.MetadataRequestTopic{}
	}
	for _, name := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		request.Topics = append(request.Topics, topic)
	}
	return ask[*kmsg.MetadataResponse](request)
}

func listTopics(arguments) (any, error) {
	response, err := metadataOf(nil)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, topic := range response.Topics {
		if topic.Topic != nil {
			names = append(names, *topic.Topic)
		}
	}
	return map[string]any{"names": names}, nil
}

func metadata(args arguments) (any, error) {
	response, err := metadataOf(args.texts("topics"))
	if err != nil {
		return nil, err
	}
	brokers, topics := []any{}, []any{}
	for _, broker := range response.Brokers {
		brokers = append(brokers, map[string]any{"id": broker.NodeID, "host": broker.Host, "port": broker.Port})
	}
	for _, topic := range response.Topics {
		topics = append(topics, topicMetadata(topic))
	}
	return map[string]any{"brokers": brokers, "topics": topics}, nil
}

func topicMetadata(topic kmsg.MetadataResponseTopic) map[string]any {
	partitions := []map[string]any{}
	for _, each := range topic.Partitions {
		partition := map[string]any{"index": each.Partition, "leader": each.Leader}
		if each.ErrorCode != 0 {
			partition["error"] = nameOf(kerr.ErrorForCode(each.ErrorCode))
		}
		partitions = append(partitions, partition)
	}
	sort.Slice(partitions, func(a, b int) bool { return partitions[a]["index"].(int32) < partitions[b]["index"].(int32) })
	told := map[string]any{"internal": topic.IsInternal, "partitions": partitions}
	if topic.Topic != nil {
		told["name"] = *topic.Topic
	}
	if topic.ErrorCode != 0 {
		told["error"] = nameOf(kerr.ErrorForCode(topic.ErrorCode))
	}
	if topic.TopicID != [16]byte{} {
		told["topicId"] = base64.RawURLEncoding.EncodeToString(topic.TopicID[:])
	}
	return told
}

/* ---- Places -------------------------------------------------------------------------------------------------------- */

const (
	earliest = -2
	latest   = -1
)

func offsetAt(at place, timestamp int64) (offset, found int64, err error) {
	request := kmsg.NewPtrListOffsetsRequest()
	topic, partition := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	partition.Partition, partition.Timestamp = at.Partition, timestamp
	topic.Topic = at.Topic
	topic.Partitions = append(topic.Partitions, partition)
	request.Topics = append(request.Topics, topic)
	response, err := ask[*kmsg.ListOffsetsResponse](request)
	if err != nil {
		return 0, 0, err
	}
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			return partition.Offset, partition.Timestamp, kerr.ErrorForCode(partition.ErrorCode)
		}
	}
	return 0, 0, kerr.UnknownTopicOrPartition
}

func listOffsets(args arguments) (any, error) {
	at := int64(latest)
	if args.text("at") == "earliest" {
		at = earliest
	} else if given := args.object("at"); given != nil {
		timestamp, err := given.int64("timestamp")
		if err != nil {
			return nil, err
		}
		at = timestamp
	}
	offset, timestamp, err := offsetAt(placeOf(args), at)
	if err != nil {
		return nil, err
	}
	told := map[string]any{"offset": strconv.FormatInt(offset, 10)}
	if timestamp >= 0 {
		told["timestamp"] = strconv.FormatInt(timestamp, 10)
	}
	return told, nil
}

// startOf is where `from` says.
func startOf(args arguments, fallback string) (int64, error) {
	if from := args.object("from"); from != nil {
		return from.int64("offset")
	}
	at := int64(latest)
	if args.textOr("from", fallback) == "earliest" {
		at = earliest
	}
	offset, _, err := offsetAt(placeOf(args), at)
	return offset, err
}

/* ---- Offsets of groups --------------------------------------------------------------------------------------------- */

func offsetsOf(group string, topics []kmsg.OffsetFetchRequestTopic) ([]committedOffset, error) {
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group, request.Topics = group, topics
	response, err := ask[*kmsg.OffsetFetchResponse](request)
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return nil, err
	}
	found := []committedOffset{}
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return nil, err
			}
			if partition.Offset < 0 {
				continue
			}
			each := committedOffset{place: place{topic.Topic, partition.Partition}, offset: partition.Offset}
			if partition.Metadata != nil {
				each.metadata = *partition.Metadata
			}
			found = append(found, each)
		}
	}
	return found, nil
}

func committed(args arguments) (any, error) {
	topic := kmsg.NewOffsetFetchRequestTopic()
	topic.Topic, topic.Partitions = args.text("topic"), []int32{int32(args.number("partition"))}
	found, err := offsetsOf(args.text("group"), []kmsg.OffsetFetchRequestTopic{topic})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return map[string]any{"offset": "-1"}, nil
	}
	return found[0].told(), nil
}

func allCommitted(args arguments) (any, error) {
	found, err := offsetsOf(args.text("group"), nil)
	if err != nil {
		return nil, err
	}
	return toldOffsets(found), nil
}

func commit(args arguments) (any, error) {
	offsets, err := givenOffsets(args)
	if err != nil {
		return nil, err
	}
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group = args.text("group")
	for _, each := range offsets {
		topic, partition := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitRequestTopicPartition()
		partition.Partition, partition.Offset = each.Partition, each.offset
		partition.Metadata = kmsg.StringPtr(each.metadata)
		topic.Topic = each.Topic
		topic.Partitions = append(topic.Partitions, partition)
		request.Topics = append(request.Topics, topic)
	}
	response, err := ask[*kmsg.OffsetCommitResponse](request)
	if err != nil {
		return nil, err
	}
	return nil, commitError(response)
}

func commitError(response *kmsg.OffsetCommitResponse) error {
	for _, topic := range response.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}
