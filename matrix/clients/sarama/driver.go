// Driver of sarama (matrix/driver/messages.ts). It tells no timestamp type, and its reader of one partition has no reset
// of offsets: what needs one is answered `unsupported`.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

const (
	adminTimeout = 15 * time.Second
	retryBackoff = 50 * time.Millisecond
	retriesMax   = 40
	// The broker's limit is what counts.
	messageBytesMax = 90_000_000
)

// What is asked of the cluster goes by one connection.
type connection struct {
	client sarama.Client
	admin  sarama.ClusterAdmin
}

var (
	configuring sync.RWMutex
	bootstrap   string
	newSettings func() *sarama.Config
	connected   *connection

	producers handles[sarama.SyncProducer]
	readers   handles[*reader]
	members   handles[member]
)

func main() {
	sarama.Logger = log.New(os.Stderr, "sarama: ", log.Ltime)
	serve(operations(), nameOf)
}

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

func nameOf(err error) string {
	var refused sarama.KError
	var network net.Error
	if errors.As(err, &refused) {
		return kafkaErrorName(int16(refused))
	}
	// What the library wraps together with the broker's text is found by comparing only.
	for code, name := range kafkaErrors {
		if errors.Is(err, sarama.KError(code)) {
			return name
		}
	}
	switch {
	case errors.Is(err, sarama.ErrMessageSizeTooLarge):
		return "MESSAGE_TOO_LARGE"
	case errors.Is(err, sarama.ErrInvalidPartition):
		return "UNKNOWN_TOPIC_OR_PARTITION"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "TIMEOUT"
	}
	return fmt.Sprintf("%T", err)
}

func configure(args arguments) (any, error) {
	made := func() *sarama.Config {
		settings := sarama.NewConfig()
		settings.ClientID = args.text("clientId")
		settings.Version = sarama.MaxVersion
		settings.Metadata.Retry.Max = retriesMax
		settings.Metadata.Retry.Backoff = retryBackoff
		settings.Metadata.AllowAutoTopicCreation = false
		settings.Net.DialTimeout = 5 * time.Second
		settings.Admin.Timeout = adminTimeout
		settings.Consumer.MaxWaitTime = fetchWait
		settings.Consumer.Retry.Backoff = retryBackoff
		settings.Consumer.Return.Errors = true
		settings.Consumer.Offsets.AutoCommit.Enable = false
		return settings
	}
	if err := secure(made(), args.object("security")); err != nil {
		return nil, err
	}
	producers.removeAll(func(producer sarama.SyncProducer) { producer.Close() })
	readers.removeAll(func(open *reader) { open.close() })
	members.removeAll(func(open member) { open.close() })
	configuring.Lock()
	defer configuring.Unlock()
	if connected != nil {
		go connected.admin.Close()
		connected = nil
	}
	bootstrap = args.text("bootstrap")
	newSettings = func() *sarama.Config {
		settings := made()
		// It was right a moment ago.
		_ = secure(settings, args.object("security"))
		return settings
	}
	return nil, nil
}

func settingsNow() (*sarama.Config, []string) {
	configuring.RLock()
	defer configuring.RUnlock()
	return newSettings(), []string{bootstrap}
}

func connect() (*connection, error) {
	configuring.Lock()
	defer configuring.Unlock()
	if connected != nil {
		return connected, nil
	}
	client, err := sarama.NewClient([]string{bootstrap}, newSettings())
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		client.Close()
		return nil, err
	}
	connected = &connection{client, admin}
	return connected, nil
}

// withAdmin makes an op of what is done with the library's administration.
func withAdmin(run func(at *connection) (any, error)) (any, error) {
	at, err := connect()
	if err != nil {
		return nil, err
	}
	return run(at)
}

/* ---- Topics -------------------------------------------------------------------------------------------------------- */

func each(topics []string, run func(topic string) error) any {
	told := make([]map[string]string, len(topics))
	var running sync.WaitGroup
	for index, topic := range topics {
		running.Add(1)
		go func() {
			defer running.Done()
			name := ""
			if err := run(topic); err != nil {
				name = nameOf(err)
			}
			told[index] = topicOutcome(topic, name)
		}()
	}
	running.Wait()
	return map[string]any{"topics": told}
}

func createTopics(args arguments) (any, error) {
	return withAdmin(func(at *connection) (any, error) {
		names, wanted := []string{}, map[string]*sarama.TopicDetail{}
		for _, each := range args.objects("topics") {
			configs := map[string]*string{}
			for name, value := range each.textMap("configs") {
				configs[name] = &value
			}
			names = append(names, each.text("name"))
			wanted[each.text("name")] = &sarama.TopicDetail{
				NumPartitions:     int32(each.number("partitions")),
				ReplicationFactor: 1,
				ConfigEntries:     configs,
			}
		}
		return each(names, func(topic string) error { return at.admin.CreateTopic(topic, wanted[topic], false) }), nil
	})
}

func deleteTopics(args arguments) (any, error) {
	return withAdmin(func(at *connection) (any, error) { return each(args.texts("names"), at.admin.DeleteTopic), nil })
}

func createPartitions(args arguments) (any, error) {
	return withAdmin(func(at *connection) (any, error) {
		return nil, at.admin.CreatePartitions(args.text("topic"), int32(args.number("count")), nil, false)
	})
}

func deleteRecords(args arguments) (any, error) {
	before, err := args.int64("before")
	if err != nil {
		return nil, err
	}
	return withAdmin(func(at *connection) (any, error) {
		where := placeOf(args)
		return nil, at.admin.DeleteRecords(where.Topic, map[int32]int64{where.Partition: before})
	})
}

func describeConfigs(args arguments) (any, error) {
	return withAdmin(func(at *connection) (any, error) {
		found, err := at.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: args.text("topic")})
		configs := map[string]string{}
		for _, entry := range found {
			configs[entry.Name] = entry.Value
		}
		return map[string]any{"configs": configs}, err
	})
}

func alterConfigs(args arguments) (any, error) {
	return withAdmin(func(at *connection) (any, error) {
		changes := map[string]sarama.IncrementalAlterConfigsEntry{}
		for name, value := range args.textMap("configs") {
			changes[name] = sarama.IncrementalAlterConfigsEntry{
				Operation: sarama.IncrementalAlterConfigsOperationSet,
				Value:     &value,
			}
		}
		return nil, at.admin.IncrementalAlterConfig(sarama.TopicResource, args.text("topic"), changes, false)
	})
}

func listTopics(arguments) (any, error) {
	return withAdmin(func(at *connection) (any, error) {
		found, err := at.admin.DescribeTopics(nil)
		names := []string{}
		for _, topic := range found {
			names = append(names, topic.Name)
		}
		return map[string]any{"names": names}, err
	})
}

func metadata(args arguments) (any, error) {
	return withAdmin(func(at *connection) (any, error) {
		found, _, err := at.admin.DescribeCluster()
		if err != nil {
			return nil, err
		}
		brokers := []any{}
		for _, broker := range found {
			host, text, err := net.SplitHostPort(broker.Addr())
			if err != nil {
				return nil, err
			}
			port, err := strconv.Atoi(text)
			if err != nil {
				return nil, err
			}
			brokers = append(brokers, map[string]any{"id": broker.ID(), "host": host, "port": port})
		}
		described, err := at.admin.DescribeTopics(args.texts("topics"))
		topics := []any{}
		for _, topic := range described {
			topics = append(topics, topicMetadata(topic))
		}
		return map[string]any{"brokers": brokers, "topics": topics}, err
	})
}

func topicMetadata(topic *sarama.TopicMetadata) map[string]any {
	all := append([]*sarama.PartitionMetadata{}, topic.Partitions...)
	sort.Slice(all, func(a, b int) bool { return all[a].ID < all[b].ID })
	partitions := []any{}
	for _, each := range all {
		partition := map[string]any{"index": each.ID, "leader": each.Leader}
		if each.Err != sarama.ErrNoError {
			partition["error"] = kafkaErrorName(int16(each.Err))
		}
		partitions = append(partitions, partition)
	}
	told := map[string]any{"name": topic.Name, "internal": topic.IsInternal, "partitions": partitions}
	if topic.Err != sarama.ErrNoError {
		told["error"] = kafkaErrorName(int16(topic.Err))
	}
	return told
}

/* ---- Places -------------------------------------------------------------------------------------------------------- */

func offsetAt(at place, time int64) (int64, error) {
	open, err := connect()
	if err != nil {
		return 0, err
	}
	return open.client.GetOffset(at.Topic, at.Partition, time)
}

func listOffsets(args arguments) (any, error) {
	at := sarama.OffsetNewest
	if args.text("at") == "earliest" {
		at = sarama.OffsetOldest
	} else if given := args.object("at"); given != nil {
		timestamp, err := given.int64("timestamp")
		if err != nil {
			return nil, err
		}
		at = timestamp
	}
	offset, err := offsetAt(placeOf(args), at)
	return map[string]any{"offset": strconv.FormatInt(offset, 10)}, err
}

// startOf is where `from` says.
func startOf(args arguments, fallback string) (int64, error) {
	if from := args.object("from"); from != nil {
		return from.int64("offset")
	}
	at := sarama.OffsetNewest
	if args.textOr("from", fallback) == "earliest" {
		at = sarama.OffsetOldest
	}
	return offsetAt(placeOf(args), at)
}

/* ---- Offsets of groups --------------------------------------------------------------------------------------------- */

func offsetsOf(group string, partitions map[string][]int32) ([]committedOffset, error) {
	at, err := connect()
	if err != nil {
		return nil, err
	}
	response, err := at.admin.ListConsumerGroupOffsets(group, partitions)
	if err != nil {
		return nil, err
	}
	if response.Err != sarama.ErrNoError {
		return nil, response.Err
	}
	found := []committedOffset{}
	for topic, blocks := range response.Blocks {
		for partition, block := range blocks {
			if block.Err != sarama.ErrNoError {
				return nil, block.Err
			}
			if block.Offset >= 0 {
				found = append(found, committedOffset{place{topic, partition}, block.Offset, block.Metadata})
			}
		}
	}
	return found, nil
}

func committed(args arguments) (any, error) {
	at := placeOf(args)
	found, err := offsetsOf(args.text("group"), map[string][]int32{at.Topic: {at.Partition}})
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
	at, err := connect()
	if err != nil {
		return nil, err
	}
	request := &sarama.OffsetCommitRequest{
		Version:                 commitVersion,
		ConsumerGroup:           args.text("group"),
		ConsumerGroupGeneration: sarama.GroupGenerationUndefined,
		RetentionTime:           -1,
	}
	return nil, commitBy(at.client, request, offsets)
}

const (
	// The lowest that all brokers of today take, and that of static members.
	commitVersion       = 2
	staticCommitVersion = 7
)

// commitBy sends the library's request to the group's coordinator: its offset manager commits too, but tells what
// became of a commit to nobody who waits.
func commitBy(client sarama.Client, request *sarama.OffsetCommitRequest, offsets []committedOffset) error {
	for _, each := range offsets {
		request.AddBlock(each.Topic, each.Partition, each.offset, sarama.ReceiveTime, each.metadata)
	}
	coordinator, err := client.Coordinator(request.ConsumerGroup)
	if err != nil {
		return err
	}
	response, err := coordinator.CommitOffset(request)
	if err != nil {
		return err
	}
	for _, partitions := range response.Errors {
		for _, code := range partitions {
			if errors.Is(code, sarama.ErrNotCoordinatorForConsumer) {
				_ = client.RefreshCoordinator(request.ConsumerGroup)
			}
			if code != sarama.ErrNoError {
				return code
			}
		}
	}
	return nil
}
