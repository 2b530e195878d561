package main

import (
	"encoding/base64"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
)

var (
	configuring sync.RWMutex
	current     admin.Client
)

func pulsarAdmin() admin.Client {
	configuring.RLock()
	defer configuring.RUnlock()
	return current
}

func configure(args arguments) (any, error) {
	security := args.object("security")
	made, err := pulsaradmin.NewClient(&pulsaradmin.Config{
		WebServiceURL:         args.text("adminUrl"),
		Token:                 security.text("token"),
		TLSTrustCertsFilePath: security.text("caPath"),
	})
	if err != nil {
		return nil, err
	}
	configuring.Lock()
	defer configuring.Unlock()
	current = made
	return nil, nil
}

func ops() map[string]op {
	all := map[string]op{"configure": configure}
	for _, group := range []map[string]op{tenants(), policies(), topics(), statistics(), subscriptions(), schemas()} {
		for name, run := range group {
			all[name] = run
		}
	}
	return all
}

/* ---- Tenants and namespaces ---------------------------------------------------------------------------------------- */

func tenants() map[string]op {
	return map[string]op{
		"listClusters": func(arguments) (any, error) { return names(pulsarAdmin().Clusters().List()) },
		"listBrokers":  listBrokers,
		"listTenants":  func(arguments) (any, error) { return names(pulsarAdmin().Tenants().List()) },
		"createTenant": func(args arguments) (any, error) {
			clusters, err := pulsarAdmin().Clusters().List()
			if err != nil {
				return nil, err
			}
			data := utils.TenantData{Name: args.text("tenant"), AdminRoles: []string{}, AllowedClusters: clusters}
			return nil, pulsarAdmin().Tenants().Create(data)
		},
		"deleteTenant": func(args arguments) (any, error) { return nil, pulsarAdmin().Tenants().Delete(args.text("tenant")) },
		"listNamespaces": func(args arguments) (any, error) {
			return names(pulsarAdmin().Namespaces().GetNamespaces(args.text("tenant")))
		},
		"createNamespace": func(args arguments) (any, error) {
			return nil, pulsarAdmin().Namespaces().CreateNamespace(args.text("namespace"))
		},
		"deleteNamespace": func(args arguments) (any, error) {
			return nil, pulsarAdmin().Namespaces().DeleteNamespace(args.text("namespace"))
		},
	}
}

func listBrokers(arguments) (any, error) {
	clusters, err := pulsarAdmin().Clusters().List()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	all := []string{}
	for _, cluster := range clusters {
		brokers, err := pulsarAdmin().Brokers().GetActiveBrokers(cluster)
		if err != nil {
			return nil, err
		}
		for _, broker := range brokers {
			if !seen[broker] {
				seen[broker] = true
				all = append(all, broker)
			}
		}
	}
	return map[string]any{"names": all}, nil
}

func policies() map[string]op {
	return map[string]op{
		"setRetention": func(args arguments) (any, error) {
			policy := utils.NewRetentionPolicies(args.number("minutes"), args.number("megabytes"))
			return nil, pulsarAdmin().Namespaces().SetRetention(args.text("namespace"), policy)
		},
		"retention": func(args arguments) (any, error) {
			policy, err := pulsarAdmin().Namespaces().GetRetention(args.text("namespace"))
			if err != nil || policy == nil {
				return map[string]any{"minutes": nil, "megabytes": nil}, err
			}
			return map[string]any{"minutes": policy.RetentionTimeInMinutes, "megabytes": policy.RetentionSizeInMB}, nil
		},
		"setMessageTtl": func(args arguments) (any, error) {
			return nil, pulsarAdmin().Namespaces().SetNamespaceMessageTTL(args.text("namespace"), args.number("seconds"))
		},
		"messageTtl": func(args arguments) (any, error) {
			seconds, err := pulsarAdmin().Namespaces().GetNamespaceMessageTTL(args.text("namespace"))
			// The library tells one that was never set as -1.
			if seconds < 0 {
				return map[string]any{"seconds": nil}, err
			}
			return map[string]any{"seconds": seconds}, err
		},
		"grantPermission":  grantPermission,
		"revokePermission": revokePermission,
		"permissions":      permissions,
	}
}

func isTopic(on string) bool { return strings.Contains(on, "://") }

func grantPermission(args arguments) (any, error) {
	actions := []utils.AuthAction{}
	given, _ := args["actions"].([]any)
	for _, name := range given {
		text, _ := name.(string)
		action, err := utils.ParseAuthAction(text)
		if err != nil {
			return nil, err
		}
		actions = append(actions, action)
	}
	on, role := args.text("on"), args.text("role")
	if isTopic(on) {
		topic, err := utils.GetTopicName(on)
		if err != nil {
			return nil, err
		}
		return nil, pulsarAdmin().Topics().GrantPermission(*topic, role, actions)
	}
	namespace, err := utils.GetNamespaceName(on)
	if err != nil {
		return nil, err
	}
	return nil, pulsarAdmin().Namespaces().GrantNamespacePermission(*namespace, role, actions)
}

func revokePermission(args arguments) (any, error) {
	on, role := args.text("on"), args.text("role")
	if isTopic(on) {
		topic, err := utils.GetTopicName(on)
		if err != nil {
			return nil, err
		}
		return nil, pulsarAdmin().Topics().RevokePermission(*topic, role)
	}
	namespace, err := utils.GetNamespaceName(on)
	if err != nil {
		return nil, err
	}
	return nil, pulsarAdmin().Namespaces().RevokeNamespacePermission(*namespace, role)
}

func permissions(args arguments) (any, error) {
	on := args.text("on")
	var roles map[string][]utils.AuthAction
	if isTopic(on) {
		topic, err := utils.GetTopicName(on)
		if err != nil {
			return nil, err
		}
		if roles, err = pulsarAdmin().Topics().GetPermissions(*topic); err != nil {
			return nil, err
		}
	} else {
		namespace, err := utils.GetNamespaceName(on)
		if err != nil {
			return nil, err
		}
		if roles, err = pulsarAdmin().Namespaces().GetNamespacePermissions(*namespace); err != nil {
			return nil, err
		}
	}
	told := map[string][]utils.AuthAction{}
	for role, actions := range roles {
		told[role] = actions
	}
	return map[string]any{"roles": told}, nil
}

/* ---- Topics -------------------------------------------------------------------------------------------------------- */

// onTopic makes an op of what is done with its topic.
func onTopic(run func(topic utils.TopicName, args arguments) (any, error)) op {
	return func(args arguments) (any, error) {
		topic, err := utils.GetTopicName(args.text("topic"))
		if err != nil {
			return nil, err
		}
		return run(*topic, args)
	}
}

func list(args arguments) ([]string, []string, error) {
	namespace, err := utils.GetNamespaceName(args.text("namespace"))
	if err != nil {
		return nil, nil, err
	}
	return pulsarAdmin().Topics().List(*namespace)
}

func topics() map[string]op {
	return map[string]op{
		"listTopics": func(args arguments) (any, error) {
			_, all, err := list(args)
			return names(all, err)
		},
		"listPartitionedTopics": func(args arguments) (any, error) {
			partitioned, _, err := list(args)
			return names(partitioned, err)
		},
		"createTopic": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			return nil, pulsarAdmin().Topics().Create(topic, 0)
		}),
		"createPartitionedTopic": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			return nil, pulsarAdmin().Topics().Create(topic, args.number("partitions"))
		}),
		"updatePartitions": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			return nil, pulsarAdmin().Topics().Update(topic, args.number("partitions"))
		}),
		"partitions": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			metadata, err := pulsarAdmin().Topics().GetMetadata(topic)
			return map[string]any{"partitions": metadata.Partitions}, err
		}),
		"deleteTopic": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			return nil, pulsarAdmin().Topics().Delete(topic, args.flag("force"), true)
		}),
		"deletePartitionedTopic": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			return nil, pulsarAdmin().Topics().Delete(topic, args.flag("force"), false)
		}),
		"lookup": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			found, err := pulsarAdmin().Topics().Lookup(topic)
			return map[string]any{"brokerUrl": found.BrokerURL}, err
		}),
		"unload": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			return nil, pulsarAdmin().Topics().Unload(topic)
		}),
		"terminate": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			id, err := pulsarAdmin().Topics().Terminate(topic)
			return map[string]any{"id": fromID(id)}, err
		}),
		"compact": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			return nil, pulsarAdmin().Topics().Compact(topic)
		}),
		"compactionStatus": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			status, err := pulsarAdmin().Topics().CompactStatus(topic)
			return map[string]any{"status": status.Status.String()}, err
		}),
		"lastMessageId": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			id, err := pulsarAdmin().Topics().GetLastMessageID(topic)
			return map[string]any{"id": fromID(id)}, err
		}),
	}
}

func statistics() map[string]op {
	return map[string]op{
		"stats": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			stats, err := pulsarAdmin().Topics().GetStats(topic)
			return map[string]any{
				"msgInCounter":  stats.MsgCounterIn,
				"storageSize":   stats.StorageSize,
				"backlogSize":   stats.BacklogSize,
				"subscriptions": fromSubscriptions(stats.Subscriptions),
			}, err
		}),
		"partitionedStats": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			stats, err := pulsarAdmin().Topics().GetPartitionedStats(topic, false)
			return map[string]any{
				"partitions":    stats.Metadata.Partitions,
				"subscriptions": fromSubscriptions(stats.Subscriptions),
			}, err
		}),
		"internalStats": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			stats, err := pulsarAdmin().Topics().GetInternalStats(topic)
			return fromInternal(stats), err
		}),
	}
}

func fromSubscriptions(all map[string]utils.SubscriptionStats) map[string]any {
	told := map[string]any{}
	for name, stats := range all {
		subscription := map[string]any{
			"msgBacklog": stats.MsgBacklog,
			"consumers":  len(stats.Consumers),
			"msgRateOut": stats.MsgRateOut,
		}
		if stats.SubType != "" {
			subscription["type"] = stats.SubType
		}
		told[name] = subscription
	}
	return told
}

func fromInternal(stats utils.PersistentTopicInternalStats) any {
	ledgers := []any{}
	for _, ledger := range stats.Ledgers {
		id := strconv.FormatInt(ledger.LedgerID, 10)
		ledgers = append(ledgers, map[string]any{"ledgerId": id, "entries": ledger.Entries, "size": ledger.Size})
	}
	cursors := map[string]any{}
	for name, cursor := range stats.Cursors {
		cursors[name] = map[string]any{
			"markDeletePosition": cursor.MarkDeletePosition,
			"readPosition":       cursor.ReadPosition,
		}
	}
	return map[string]any{
		"numberOfEntries":    stats.NumberOfEntries,
		"totalSize":          stats.TotalSize,
		"lastConfirmedEntry": stats.LastConfirmedEntry,
		"ledgers":            ledgers,
		"cursors":            cursors,
	}
}

/* ---- Subscriptions ------------------------------------------------------------------------------------------------- */

func subscriptions() map[string]op {
	return map[string]op{
		"listSubscriptions": onTopic(func(topic utils.TopicName, _ arguments) (any, error) {
			return names(pulsarAdmin().Subscriptions().List(topic))
		}),
		"createSubscription": onTopic(createSubscription),
		"deleteSubscription": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			if args.flag("force") {
				return nil, pulsarAdmin().Subscriptions().ForceDelete(topic, args.text("subscription"))
			}
			return nil, pulsarAdmin().Subscriptions().Delete(topic, args.text("subscription"))
		}),
		"resetCursor": onTopic(resetCursor),
		"skip": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			return nil, pulsarAdmin().Subscriptions().SkipMessages(topic, args.text("subscription"), int64(args.number("count")))
		}),
		"clearBacklog": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			return nil, pulsarAdmin().Subscriptions().ClearBacklog(topic, args.text("subscription"))
		}),
		"expire": onTopic(func(topic utils.TopicName, args arguments) (any, error) {
			seconds := int64(args.number("olderThanSeconds"))
			return nil, pulsarAdmin().Subscriptions().ExpireMessages(topic, args.text("subscription"), seconds)
		}),
		"peek": onTopic(peek),
	}
}

func createSubscription(topic utils.TopicName, args arguments) (any, error) {
	at := utils.Latest
	if args.text("at") == "earliest" {
		at = utils.Earliest
	} else if id := args.object("at").object("id"); id != nil {
		made, err := toID(id)
		if err != nil {
			return nil, err
		}
		at = made
	}
	return nil, pulsarAdmin().Subscriptions().Create(topic, args.text("subscription"), at)
}

func resetCursor(topic utils.TopicName, args arguments) (any, error) {
	to := args.object("to")
	if id := to.object("id"); id != nil {
		made, err := toID(id)
		if err != nil {
			return nil, err
		}
		return nil, pulsarAdmin().Subscriptions().ResetCursorToMessageID(topic, args.text("subscription"), made)
	}
	timestamp, err := to.int64("timestamp")
	if err != nil {
		return nil, err
	}
	return nil, pulsarAdmin().Subscriptions().ResetCursorToTimestamp(topic, args.text("subscription"), timestamp)
}

func peek(topic utils.TopicName, args arguments) (any, error) {
	found, err := pulsarAdmin().Subscriptions().PeekMessages(topic, args.text("subscription"), args.number("count"))
	messages := []any{}
	for _, message := range found {
		properties := message.Properties
		if properties == nil {
			properties = map[string]string{}
		}
		messages = append(messages, map[string]any{
			"value":      base64.StdEncoding.EncodeToString(message.Payload),
			"properties": properties,
			"id":         fromID(message.MessageID),
		})
	}
	return map[string]any{"messages": messages}, err
}

/* ---- Schemas and forms --------------------------------------------------------------------------------------------- */

func schemas() map[string]op {
	return map[string]op{
		"uploadSchema": func(args arguments) (any, error) {
			payload := utils.PostSchemaPayload{
				SchemaType: args.text("type"),
				Schema:     args.text("definition"),
				Properties: map[string]string{},
			}
			return nil, pulsarAdmin().Schemas().CreateSchemaByPayload(args.text("topic"), payload)
		},
		"schema": func(args arguments) (any, error) {
			schema, err := pulsarAdmin().Schemas().GetSchemaInfo(args.text("topic"))
			if err != nil {
				return nil, err
			}
			return map[string]any{"type": schema.Type, "definition": string(schema.Schema)}, nil
		},
		"deleteSchema": func(args arguments) (any, error) {
			return nil, pulsarAdmin().Schemas().DeleteSchema(args.text("topic"))
		},
	}
}

func names(found []string, err error) (any, error) {
	if found == nil {
		found = []string{}
	}
	return map[string]any{"names": found}, err
}

func fromID(id utils.MessageID) any {
	return map[string]any{
		"ledgerId":   strconv.FormatInt(id.LedgerID, 10),
		"entryId":    strconv.FormatInt(id.EntryID, 10),
		"partition":  id.PartitionIndex,
		"batchIndex": id.BatchIndex,
	}
}

func toID(id arguments) (utils.MessageID, error) {
	if id.number("batchIndex") >= 0 {
		return utils.MessageID{}, unsupported("the library names an entry, not a message within its batch")
	}
	ledger, err := id.int64("ledgerId")
	if err != nil {
		return utils.MessageID{}, err
	}
	entry, err := id.int64("entryId")
	made := utils.MessageID{LedgerID: ledger, EntryID: entry, PartitionIndex: id.number("partition"), BatchIndex: -1}
	return made, err
}
