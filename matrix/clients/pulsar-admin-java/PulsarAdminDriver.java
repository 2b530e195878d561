import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.PulsarVersion;
import org.apache.pulsar.client.admin.PulsarAdmin;
import org.apache.pulsar.client.admin.PulsarAdminBuilder;
import org.apache.pulsar.client.admin.PulsarAdminException;
import org.apache.pulsar.client.api.AuthenticationFactory;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.impl.BatchMessageIdImpl;
import org.apache.pulsar.client.impl.MessageIdImpl;
import org.apache.pulsar.common.policies.data.AuthAction;
import org.apache.pulsar.common.policies.data.ManagedLedgerInternalStats;
import org.apache.pulsar.common.policies.data.PartitionedTopicStats;
import org.apache.pulsar.common.policies.data.RetentionPolicies;
import org.apache.pulsar.common.policies.data.SubscriptionStats;
import org.apache.pulsar.common.policies.data.TenantInfo;
import org.apache.pulsar.common.policies.data.TopicStats;
import org.apache.pulsar.common.schema.SchemaInfo;
import org.apache.pulsar.common.schema.SchemaType;

/** Driver of Java's pulsar-client-admin (matrix/driver/admin-messages.ts). */
public final class PulsarAdminDriver {
  private static final int TIMEOUT_S = 20;

  private PulsarAdmin admin;

  public static void main(String[] args) throws IOException {
    PulsarAdminDriver driver = new PulsarAdminDriver();
    Driver.serve(
        "pulsar-admin-java", PulsarVersion.getVersion(), "pulsar-admin", driver.ops(), PulsarAdminDriver::nameOf);
  }

  private Map<String, Driver.Op> ops() {
    Map<String, Driver.Op> ops = new HashMap<>();
    ops.put("configure", this::configure);
    tenants(ops);
    policies(ops);
    topics(ops);
    statistics(ops);
    subscriptions(ops);
    messages(ops);
    schemas(ops);
    return ops;
  }

  /** What only the status tells has its number as its name. */
  private static String nameOf(Throwable error) {
    if (error instanceof PulsarAdminException.TimeoutException) return "TIMEOUT";
    if (error instanceof PulsarAdminException.ConnectException) return "ConnectException";
    if (error instanceof PulsarAdminException) return String.valueOf(((PulsarAdminException) error).getStatusCode());
    return error.getClass().getSimpleName();
  }

  private synchronized Object configure(JsonNode args) throws Exception {
    JsonNode security = args.get("security");
    PulsarAdminBuilder builder =
        PulsarAdmin.builder()
            .serviceHttpUrl(args.get("adminUrl").asText())
            .requestTimeout(TIMEOUT_S, TimeUnit.SECONDS)
            .readTimeout(TIMEOUT_S, TimeUnit.SECONDS);
    if (security != null && Driver.has(security, "token")) {
      builder.authentication(AuthenticationFactory.token(security.get("token").asText()));
    }
    if (security != null && Driver.has(security, "caPath")) {
      builder.tlsTrustCertsFilePath(security.get("caPath").asText());
    }
    PulsarAdmin old = admin;
    admin = builder.build();
    if (old != null) Driver.aside(old::close);
    return null;
  }

  /* ---- Tenants and namespaces ------------------------------------------------------------------------------------- */

  private void tenants(Map<String, Driver.Op> ops) {
    ops.put("listClusters", args -> names(admin.clusters().getClusters()));
    ops.put(
        "listBrokers",
        args -> {
          Set<String> brokers = new TreeSet<>();
          for (String cluster : admin.clusters().getClusters()) brokers.addAll(admin.brokers().getActiveBrokers(cluster));
          return names(brokers);
        });
    ops.put("listTenants", args -> names(admin.tenants().getTenants()));
    ops.put(
        "createTenant",
        args -> {
          Set<String> clusters = new HashSet<>(admin.clusters().getClusters());
          admin.tenants().createTenant(text(args, "tenant"), TenantInfo.builder().allowedClusters(clusters).build());
          return null;
        });
    ops.put("deleteTenant", args -> done(() -> admin.tenants().deleteTenant(text(args, "tenant"))));
    ops.put("listNamespaces", args -> names(admin.namespaces().getNamespaces(text(args, "tenant"))));
    ops.put("createNamespace", args -> done(() -> admin.namespaces().createNamespace(text(args, "namespace"))));
    ops.put("deleteNamespace", args -> done(() -> admin.namespaces().deleteNamespace(text(args, "namespace"))));
  }

  private void policies(Map<String, Driver.Op> ops) {
    ops.put(
        "setRetention",
        args -> {
          RetentionPolicies policy = new RetentionPolicies(args.get("minutes").asInt(), args.get("megabytes").asInt());
          return done(() -> admin.namespaces().setRetention(text(args, "namespace"), policy));
        });
    ops.put(
        "retention",
        args -> {
          RetentionPolicies policy = admin.namespaces().getRetention(text(args, "namespace"));
          Map<String, Object> told = new HashMap<>();
          told.put("minutes", policy == null ? null : policy.getRetentionTimeInMinutes());
          told.put("megabytes", policy == null ? null : policy.getRetentionSizeInMB());
          return told;
        });
    ops.put(
        "setMessageTtl",
        args -> done(() -> admin.namespaces().setNamespaceMessageTTL(text(args, "namespace"), args.get("seconds").asInt())));
    ops.put(
        "messageTtl",
        args -> {
          Map<String, Object> told = new HashMap<>();
          told.put("seconds", admin.namespaces().getNamespaceMessageTTL(text(args, "namespace")));
          return told;
        });
    ops.put("grantPermission", this::grantPermission);
    ops.put(
        "revokePermission",
        args -> {
          String on = text(args, "on");
          if (isTopic(on)) admin.topics().revokePermissions(on, text(args, "role"));
          else admin.namespaces().revokePermissionsOnNamespace(on, text(args, "role"));
          return null;
        });
    ops.put(
        "permissions",
        args -> {
          String on = text(args, "on");
          Map<String, Object> roles = new LinkedHashMap<>();
          (isTopic(on) ? admin.topics().getPermissions(on) : admin.namespaces().getPermissions(on))
              .forEach((role, actions) -> roles.put(role, actions.stream().map(AuthAction::name).sorted().toList()));
          return Map.of("roles", roles);
        });
  }

  private Object grantPermission(JsonNode args) throws Exception {
    Set<AuthAction> actions = new HashSet<>();
    args.get("actions").forEach(action -> actions.add(AuthAction.valueOf(action.asText())));
    String on = text(args, "on");
    if (isTopic(on)) admin.topics().grantPermission(on, text(args, "role"), actions);
    else admin.namespaces().grantPermissionOnNamespace(on, text(args, "role"), actions);
    return null;
  }

  /* ---- Topics ----------------------------------------------------------------------------------------------------- */

  private void topics(Map<String, Driver.Op> ops) {
    ops.put("listTopics", args -> names(admin.topics().getList(text(args, "namespace"))));
    ops.put("listPartitionedTopics", args -> names(admin.topics().getPartitionedTopicList(text(args, "namespace"))));
    ops.put("createTopic", args -> done(() -> admin.topics().createNonPartitionedTopic(topic(args))));
    ops.put(
        "createPartitionedTopic",
        args -> done(() -> admin.topics().createPartitionedTopic(topic(args), args.get("partitions").asInt())));
    ops.put(
        "updatePartitions",
        args -> done(() -> admin.topics().updatePartitionedTopic(topic(args), args.get("partitions").asInt())));
    ops.put(
        "partitions",
        args -> Map.of("partitions", admin.topics().getPartitionedTopicMetadata(topic(args)).partitions));
    ops.put("deleteTopic", args -> done(() -> admin.topics().delete(topic(args), Driver.flag(args, "force"))));
    ops.put(
        "deletePartitionedTopic",
        args -> done(() -> admin.topics().deletePartitionedTopic(topic(args), Driver.flag(args, "force"))));
    ops.put("lookup", args -> Map.of("brokerUrl", admin.lookups().lookupTopic(topic(args))));
    ops.put("unload", args -> done(() -> admin.topics().unload(topic(args))));
    ops.put("terminate", args -> Map.of("id", fromId(admin.topics().terminateTopic(topic(args)))));
    ops.put("truncate", args -> done(() -> admin.topics().truncate(topic(args))));
    ops.put("compact", args -> done(() -> admin.topics().triggerCompaction(topic(args))));
    ops.put(
        "compactionStatus", args -> Map.of("status", admin.topics().compactionStatus(topic(args)).status.toString()));
    ops.put("lastMessageId", args -> Map.of("id", fromId(admin.topics().getLastMessageId(topic(args)))));
  }

  private void statistics(Map<String, Driver.Op> ops) {
    ops.put(
        "stats",
        args -> {
          TopicStats stats = admin.topics().getStats(topic(args));
          Map<String, Object> told = new HashMap<>();
          told.put("msgInCounter", stats.getMsgInCounter());
          told.put("storageSize", stats.getStorageSize());
          told.put("backlogSize", stats.getBacklogSize());
          told.put("subscriptions", fromSubscriptions(stats.getSubscriptions()));
          return told;
        });
    ops.put(
        "partitionedStats",
        args -> {
          PartitionedTopicStats stats = admin.topics().getPartitionedStats(topic(args), false);
          return Map.of(
              "partitions", stats.getMetadata().partitions, "subscriptions", fromSubscriptions(stats.getSubscriptions()));
        });
    ops.put("internalStats", args -> fromInternal(admin.topics().getInternalStats(topic(args))));
  }

  private static Map<String, Object> fromSubscriptions(Map<String, ? extends SubscriptionStats> subscriptions) {
    Map<String, Object> all = new LinkedHashMap<>();
    subscriptions.forEach(
        (name, stats) -> {
          Map<String, Object> told = new HashMap<>();
          told.put("msgBacklog", stats.getMsgBacklog());
          told.put("consumers", stats.getConsumers().size());
          if (stats.getType() != null) told.put("type", stats.getType());
          told.put("isDurable", stats.isDurable());
          told.put("msgRateOut", stats.getMsgRateOut());
          all.put(name, told);
        });
    return all;
  }

  private static Object fromInternal(ManagedLedgerInternalStats stats) {
    List<Object> ledgers = new ArrayList<>();
    for (var ledger : stats.ledgers) {
      ledgers.add(Map.of("ledgerId", String.valueOf(ledger.ledgerId), "entries", ledger.entries, "size", ledger.size));
    }
    Map<String, Object> cursors = new LinkedHashMap<>();
    stats.cursors.forEach(
        (name, cursor) ->
            cursors.put(
                name, Map.of("markDeletePosition", cursor.markDeletePosition, "readPosition", cursor.readPosition)));
    return Map.of(
        "numberOfEntries", stats.numberOfEntries,
        "totalSize", stats.totalSize,
        "lastConfirmedEntry", stats.lastConfirmedEntry,
        "ledgers", ledgers,
        "cursors", cursors);
  }

  /* ---- Subscriptions ---------------------------------------------------------------------------------------------- */

  private void subscriptions(Map<String, Driver.Op> ops) {
    ops.put("listSubscriptions", args -> names(admin.topics().getSubscriptions(topic(args))));
    ops.put(
        "createSubscription",
        args -> {
          JsonNode at = args.get("at");
          MessageId id = at == null || at.isTextual() ? endOf(at) : toId(at.get("id"));
          return done(() -> admin.topics().createSubscription(topic(args), subscription(args), id));
        });
    ops.put(
        "deleteSubscription",
        args -> done(() -> admin.topics().deleteSubscription(topic(args), subscription(args), Driver.flag(args, "force"))));
    ops.put("resetCursor", this::resetCursor);
    ops.put(
        "skip",
        args -> done(() -> admin.topics().skipMessages(topic(args), subscription(args), args.get("count").asLong())));
    ops.put("clearBacklog", args -> done(() -> admin.topics().skipAllMessages(topic(args), subscription(args))));
    ops.put(
        "expire",
        args ->
            done(() -> admin.topics().expireMessages(topic(args), subscription(args), args.get("olderThanSeconds").asLong())));
  }

  private Object resetCursor(JsonNode args) throws Exception {
    JsonNode to = args.get("to");
    if (to.has("id")) admin.topics().resetCursor(topic(args), subscription(args), toId(to.get("id")));
    else admin.topics().resetCursor(topic(args), subscription(args), to.get("timestamp").asLong());
    return null;
  }

  private static MessageId endOf(JsonNode at) {
    return at != null && at.asText().equals("earliest") ? MessageId.earliest : MessageId.latest;
  }

  /* ---- Messages and schemas --------------------------------------------------------------------------------------- */

  private void messages(Map<String, Driver.Op> ops) {
    ops.put(
        "peek",
        args -> {
          List<Object> messages = new ArrayList<>();
          for (Message<byte[]> message :
              admin.topics().peekMessages(topic(args), subscription(args), args.get("count").asInt())) {
            Map<String, Object> told = told(message);
            told.put("properties", message.getProperties());
            told.put("id", fromId(message.getMessageId()));
            messages.add(told);
          }
          return Map.of("messages", messages);
        });
    ops.put(
        "examine",
        args -> told(admin.topics().examineMessage(topic(args), text(args, "from"), args.get("place").asLong())));
  }

  private static Map<String, Object> told(Message<byte[]> message) {
    Map<String, Object> told = new HashMap<>();
    told.put("value", Driver.base64(message.getData()));
    told.put("key", message.hasKey() ? message.getKey() : null);
    return told;
  }

  private void schemas(Map<String, Driver.Op> ops) {
    ops.put(
        "uploadSchema",
        args -> {
          SchemaInfo schema =
              SchemaInfo.builder()
                  .name("")
                  .type(SchemaType.valueOf(text(args, "type").toUpperCase()))
                  .schema(text(args, "definition").getBytes(StandardCharsets.UTF_8))
                  .properties(Map.of())
                  .build();
          return done(() -> admin.schemas().createSchema(topic(args), schema));
        });
    ops.put(
        "schema",
        args -> {
          SchemaInfo schema = admin.schemas().getSchemaInfo(topic(args));
          String definition = new String(schema.getSchema(), StandardCharsets.UTF_8);
          return Map.of("type", schema.getType().name(), "definition", definition);
        });
    ops.put("deleteSchema", args -> done(() -> admin.schemas().deleteSchema(topic(args))));
  }

  /* ---- Forms ------------------------------------------------------------------------------------------------------ */

  private interface Work {
    void run() throws Exception;
  }

  private static Object done(Work work) throws Exception {
    work.run();
    return null;
  }

  private static Object names(Iterable<String> names) {
    List<String> list = new ArrayList<>();
    names.forEach(list::add);
    return Map.of("names", list);
  }

  private static boolean isTopic(String on) {
    return on.contains("://");
  }

  private static Map<String, Object> fromId(MessageId id) {
    MessageIdImpl parts = (MessageIdImpl) id;
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("ledgerId", String.valueOf(parts.getLedgerId()));
    map.put("entryId", String.valueOf(parts.getEntryId()));
    map.put("partition", parts.getPartitionIndex());
    map.put("batchIndex", id instanceof BatchMessageIdImpl ? ((BatchMessageIdImpl) id).getBatchIndex() : -1);
    return map;
  }

  private static MessageId toId(JsonNode id) {
    long ledger = id.get("ledgerId").asLong();
    long entry = id.get("entryId").asLong();
    int partition = id.get("partition").asInt();
    int batchIndex = id.get("batchIndex").asInt();
    return batchIndex < 0
        ? new MessageIdImpl(ledger, entry, partition)
        : new BatchMessageIdImpl(ledger, entry, partition, batchIndex);
  }

  private static String topic(JsonNode args) {
    return text(args, "topic");
  }

  private static String subscription(JsonNode args) {
    return text(args, "subscription");
  }

  private static String text(JsonNode args, String name) {
    return args.get(name).asText();
  }
}
