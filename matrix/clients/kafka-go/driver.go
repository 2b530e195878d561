// Driver of segmentio's kafka-go (matrix/driver/messages.ts). The library has no idempotent producer, no OAUTHBEARER, no
// record deletion, no static members, no sticky assignors: what needs one is answered `unsupported`.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

const (
	adminTimeout = 15 * time.Second
	retryBackoff = 100 * time.Millisecond
)

// Everything of one configuration.
type connection struct {
	bootstrap string
	transport *kafka.Transport
	dialer    *kafka.Dialer
	client    *kafka.Client
	// For the topics that a broker does not list under the name by which it is asked for them.
	named handles[*kafka.Client]
}

var (
	configuring sync.RWMutex
	connected   *connection

	producers handles[*kafka.Writer]
	readers   handles[*reader]
	members   handles[member]
)

func main() {
	all := map[string]op{
		"configure":        configure,
		"createTopics":     createTopics,
		"deleteTopics":     deleteTopics,
		"createPartitions": createPartitions,
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
		"deleteRecords": func(arguments) (any, error) {
			return nil, unsupported("kafka-go has no request to delete records")
		},
	}
	for name, run := range memberOps(&members, openMember) {
		all[name] = run
	}
	serve(all, nameOf)
}

func nameOf(err error) string {
	var refused kafka.Error
	var several kafka.WriteErrors
	var tooLarge kafka.MessageTooLargeError
	var network net.Error
	switch {
	case errors.As(err, &several):
		for _, each := range several {
			if each != nil {
				return nameOf(each)
			}
		}
	case errors.As(err, &tooLarge):
		return "MESSAGE_TOO_LARGE"
	case errors.As(err, &refused):
		return kafkaErrorName(int16(refused))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "TIMEOUT"
	}
	return fmt.Sprintf("%T", err)
}

func configure(args arguments) (any, error) {
	made := &connection{
		bootstrap: args.text("bootstrap"),
		transport: &kafka.Transport{ClientID: args.text("clientId"), MetadataTTL: time.Second},
		dialer:    &kafka.Dialer{ClientID: args.text("clientId"), Timeout: adminTimeout},
	}
	security := args.object("security")
	if security.has("caPath") {
		config, err := tlsConfig(security.text("caPath"))
		if err != nil {
			return nil, err
		}
		made.transport.TLS, made.dialer.TLS = config, config
	}
	if security.has("sasl") {
		mechanism, err := mechanismOf(security.object("sasl"))
		if err != nil {
			return nil, err
		}
		made.transport.SASL, made.dialer.SASLMechanism = mechanism, mechanism
	}
	made.client = &kafka.Client{Addr: kafka.TCP(made.bootstrap), Timeout: adminTimeout, Transport: made.transport}
	producers.removeAll(func(producer *kafka.Writer) { producer.Close() })
	readers.removeAll(func(*reader) {})
	members.removeAll(func(open member) { open.close() })
	configuring.Lock()
	defer configuring.Unlock()
	if connected != nil {
		go connected.transport.CloseIdleConnections()
		connected.named.removeAll(func(client *kafka.Client) { client.Transport.(*kafka.Transport).CloseIdleConnections() })
	}
	connected = made
	return nil, nil
}

func mechanismOf(args arguments) (sasl.Mechanism, error) {
	username, password := args.text("username"), args.text("password")
	switch args.text("mechanism") {
	case "PLAIN":
		return plain.Mechanism{Username: username, Password: password}, nil
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, username, password)
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, username, password)
	}
	return nil, unsupported("kafka-go has no " + args.text("mechanism"))
}

func now() *connection {
	configuring.RLock()
	defer configuring.RUnlock()
	return connected
}

// clientOf has a transport of its own for names by which brokers list no topic: one asks for the names that it is given,
// or for the list. What creates topics waits until it knows them.
func (at *connection) clientOf(topics ...string) *kafka.Client {
	joined := strings.Join(topics, ",")
	if !strings.Contains(joined, "/") {
		return at.client
	}
	client, _ := at.named.getOrMake(joined, func() (*kafka.Client, error) {
		transport := at.newTransport()
		transport.MetadataTopics = topics
		return &kafka.Client{Addr: at.client.Addr, Timeout: adminTimeout, Transport: transport}, nil
	})
	return client
}

func (at *connection) newTransport() *kafka.Transport {
	of := at.transport
	return &kafka.Transport{ClientID: of.ClientID, MetadataTTL: of.MetadataTTL, TLS: of.TLS, SASL: of.SASL}
}

func limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), adminTimeout)
}

/* ---- Topics -------------------------------------------------------------------------------------------------------- */

func outcomes(names []string, failures map[string]error) any {
	told := []any{}
	for _, name := range names {
		failed := ""
		if err := failures[name]; err != nil {
			failed = nameOf(err)
		}
		told = append(told, topicOutcome(name, failed))
	}
	return map[string]any{"topics": told}
}

func createTopics(args arguments) (any, error) {
	patience, cancel := limited()
	defer cancel()
	names, topics := []string{}, []kafka.TopicConfig{}
	for _, each := range args.objects("topics") {
		topic := kafka.TopicConfig{Topic: each.text("name"), NumPartitions: each.number("partitions"), ReplicationFactor: 1}
		for name, value := range each.textMap("configs") {
			topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
		}
		names, topics = append(names, topic.Topic), append(topics, topic)
	}
	response, err := now().clientOf(names...).CreateTopics(patience, &kafka.CreateTopicsRequest{Topics: topics})
	if err != nil {
		return nil, err
	}
	return outcomes(names, response.Errors), nil
}

func deleteTopics(args arguments) (any, error) {
	patience, cancel := limited()
	defer cancel()
	names := args.texts("names")
	response, err := now().client.DeleteTopics(patience, &kafka.DeleteTopicsRequest{Topics: names})
	if err != nil {
		return nil, err
	}
	return outcomes(names, response.Errors), nil
}

func createPartitions(args arguments) (any, error) {
	patience, cancel := limited()
	defer cancel()
	wanted := kafka.TopicPartitionsConfig{Name: args.text("topic"), Count: int32(args.number("count"))}
	response, err := now().client.CreatePartitions(patience,
		&kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{wanted}})
	if err != nil {
		return nil, err
	}
	return nil, response.Errors[wanted.Name]
}

func describeConfigs(args arguments) (any, error) {
	patience, cancel := limited()
	defer cancel()
	wanted := kafka.DescribeConfigRequestResource{
		ResourceType: kafka.ResourceTypeTopic,
		ResourceName: args.text("topic"),
	}
	response, err := now().client.DescribeConfigs(patience,
		&kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{wanted}})
	if err != nil {
		return nil, err
	}
	configs := map[string]string{}
	for _, resource := range response.Resources {
		if resource.Error != nil {
			return nil, resource.Error
		}
		for _, entry := range resource.ConfigEntries {
			configs[entry.ConfigName] = entry.ConfigValue
		}
	}
	return map[string]any{"configs": configs}, nil
}

func alterConfigs(args arguments) (any, error) {
	patience, cancel := limited()
	defer cancel()
	wanted := kafka.IncrementalAlterConfigsRequestResource{
		ResourceType: kafka.ResourceTypeTopic,
		ResourceName: args.text("topic"),
	}
	for name, value := range args.textMap("configs") {
		wanted.Configs = append(wanted.Configs, kafka.IncrementalAlterConfigsRequestConfig{
			Name: name, Value: value, ConfigOperation: kafka.ConfigOperationSet,
		})
	}
	response, err := now().client.IncrementalAlterConfigs(patience,
		&kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{wanted}})
	if err != nil {
		return nil, err
	}
	for _, resource := range response.Resources {
		if resource.Error != nil {
			return nil, resource.Error
		}
	}
	return nil, nil
}

// metadataNow asks by a transport of its own: one that is kept answers of what it knew a while ago.
func metadataNow(request *kafka.MetadataRequest) (*kafka.MetadataResponse, error) {
	patience, cancel := limited()
	defer cancel()
	at := now()
	fresh := &kafka.Transport{ClientID: at.transport.ClientID, TLS: at.transport.TLS, SASL: at.transport.SASL}
	defer fresh.CloseIdleConnections()
	asking := &kafka.Client{Addr: at.client.Addr, Timeout: adminTimeout, Transport: fresh}
	return asking.Metadata(patience, request)
}

func listTopics(arguments) (any, error) {
	response, err := metadataNow(&kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, topic := range response.Topics {
		names = append(names, topic.Name)
	}
	return map[string]any{"names": names}, nil
}

func metadata(args arguments) (any, error) {
	response, err := metadataNow(&kafka.MetadataRequest{Topics: args.texts("topics")})
	if err != nil {
		return nil, err
	}
	brokers, topics := []any{}, []any{}
	for _, broker := range response.Brokers {
		brokers = append(brokers, map[string]any{"id": broker.ID, "host": broker.Host, "port": broker.Port})
	}
	for _, topic := range response.Topics {
		partitions := []any{}
		sort.Slice(topic.Partitions, func(a, b int) bool { return topic.Partitions[a].ID < topic.Partitions[b].ID })
		for _, each := range topic.Partitions {
			partitions = append(partitions, map[string]any{"index": each.ID, "leader": each.Leader.ID})
		}
		told := map[string]any{"name": topic.Name, "internal": topic.Internal, "partitions": partitions}
		if topic.Error != nil {
			told["error"] = nameOf(topic.Error)
		}
		topics = append(topics, told)
	}
	return map[string]any{"brokers": brokers, "topics": topics}, nil
}

/* ---- Places -------------------------------------------------------------------------------------------------------- */

// offsetAt: a timestamp, or kafka.FirstOffset or kafka.LastOffset. −1: none.
func offsetAt(at place, timestamp int64) (offset int64, err error) {
	patience, cancel := limited()
	defer cancel()
	wanted := kafka.OffsetRequest{Partition: int(at.Partition), Timestamp: timestamp}
	response, err := now().clientOf(at.Topic).ListOffsets(patience,
		&kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{at.Topic: {wanted}}})
	if err != nil {
		return 0, err
	}
	for _, each := range response.Topics[at.Topic] {
		switch {
		case each.Error != nil:
			return 0, each.Error
		case timestamp == kafka.FirstOffset:
			return each.FirstOffset, nil
		case timestamp == kafka.LastOffset:
			return each.LastOffset, nil
		}
		// The library keeps the time that was asked for, not the one that the broker found.
		for offset := range each.Offsets {
			if offset >= 0 {
				return offset, nil
			}
		}
		return -1, nil
	}
	return 0, kafka.UnknownTopicOrPartition
}

func listOffsets(args arguments) (any, error) {
	at := int64(kafka.LastOffset)
	if args.text("at") == "earliest" {
		at = kafka.FirstOffset
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
	at := int64(kafka.LastOffset)
	if args.textOr("from", fallback) == "earliest" {
		at = kafka.FirstOffset
	}
	offset, err := offsetAt(placeOf(args), at)
	return offset, err
}

/* ---- Offsets of groups --------------------------------------------------------------------------------------------- */

func offsetsOf(group string, topics map[string][]int) ([]committedOffset, error) {
	patience, cancel := limited()
	defer cancel()
	request := &kafka.OffsetFetchRequest{GroupID: group, Topics: topics}
	var response *kafka.OffsetFetchResponse
	err := untilCoordinated(patience, func() (err error) {
		if response, err = now().client.OffsetFetch(patience, request); err == nil {
			err = response.Error
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found := []committedOffset{}
	for topic, partitions := range response.Topics {
		for _, each := range partitions {
			if each.Error != nil {
				return nil, each.Error
			}
			if each.CommittedOffset >= 0 {
				found = append(found, committedOffset{place{topic, int32(each.Partition)}, each.CommittedOffset, each.Metadata})
			}
		}
	}
	return found, nil
}

func committed(args arguments) (any, error) {
	at := placeOf(args)
	found, err := offsetsOf(args.text("group"), map[string][]int{at.Topic: {int(at.Partition)}})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return map[string]any{"offset": "-1"}, nil
	}
	return found[0].told(), nil
}

func allCommitted(args arguments) (any, error) {
	if err := knowsAllTopics(); err != nil {
		return nil, err
	}
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
	return nil, commitAs(args.text("group"), "", -1, offsets)
}

func commitAs(group, memberID string, generation int32, offsets []committedOffset) error {
	patience, cancel := limited()
	defer cancel()
	topics := map[string][]kafka.OffsetCommit{}
	for _, each := range offsets {
		topics[each.Topic] = append(topics[each.Topic],
			kafka.OffsetCommit{Partition: int(each.Partition), Offset: each.offset, Metadata: each.metadata})
	}
	request := &kafka.OffsetCommitRequest{GroupID: group, MemberID: memberID, GenerationID: int(generation), Topics: topics}
	return untilCoordinated(patience, func() error {
		response, err := now().client.OffsetCommit(patience, request)
		if err != nil {
			return err
		}
		for _, partitions := range response.Topics {
			for _, each := range partitions {
				if each.Error != nil {
					return each.Error
				}
			}
		}
		return nil
	})
}

// untilCoordinated asks again while the cluster makes a group's coordinator ready: the library leaves that to its user.
func untilCoordinated(patience context.Context, ask func() error) error {
	for {
		err := ask()
		switch {
		case errors.Is(err, kafka.GroupLoadInProgress), errors.Is(err, kafka.GroupCoordinatorNotAvailable),
			errors.Is(err, kafka.NotCoordinatorForGroup):
		default:
			return err
		}
		select {
		case <-time.After(retryBackoff):
		case <-patience.Done():
			return err
		}
	}
}

// complaints is where the library's complaints go.
var complaints = kafka.LoggerFunc(func(text string, values ...any) { fmt.Fprintf(os.Stderr, text+"\n", values...) })
