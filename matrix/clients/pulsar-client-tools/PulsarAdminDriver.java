import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pulsar.PulsarVersion;

/**
 * Driver of Pulsar's command line (matrix/driver/admin-messages.ts): each op is the command line that a person would
 * type, and its answer is read from what the command prints.
 */
public final class PulsarAdminDriver {
  private static final String TIMEOUT_S = "20";
  private static final Pattern ROLE = Pattern.compile("^(.*?) +\\[(.*)]$");
  private static final Pattern TERMINATED = Pattern.compile("terminated at (-?\\d+):(-?\\d+)(?::(-?\\d+))?");
  private static final Map<String, String> COMPACTION =
      Map.of(
          "has not been run", "NOT_RUN",
          "currently running", "RUNNING",
          "was a success", "SUCCESS",
          "Error", "ERROR");

  private static final ObjectMapper JSON = new ObjectMapper();

  private AdminTool tool;

  public static void main(String[] args) throws IOException {
    PulsarAdminDriver driver = new PulsarAdminDriver();
    Driver.serve(
        "pulsar-client-tools",
        PulsarVersion.getVersion(),
        "pulsar-admin",
        driver.ops(),
        error -> error.getClass().getSimpleName());
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

  private synchronized Object configure(JsonNode args) throws Exception {
    JsonNode security = args.get("security");
    Properties properties = new Properties();
    properties.put("webServiceUrl", args.get("adminUrl").asText());
    if (security != null && Driver.has(security, "token")) {
      properties.put("authPlugin", "org.apache.pulsar.client.impl.auth.AuthenticationToken");
      properties.put("authParams", "token:" + security.get("token").asText());
    }
    if (security != null && Driver.has(security, "caPath")) {
      properties.put("tlsTrustCertsFilePath", security.get("caPath").asText());
    }
    AdminTool old = tool;
    tool = new AdminTool(properties);
    if (old != null) Driver.aside(old::close);
    return null;
  }

  private Captured run(String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("--request-timeout", TIMEOUT_S));
    all.addAll(List.of(command));
    return tool.command(all.toArray(new String[0]));
  }

  private Object done(String... command) throws Exception {
    run(command);
    return null;
  }

  private Object names(String... command) throws Exception {
    return Map.of("names", run(command).lines());
  }

  private JsonNode json(String... command) throws Exception {
    return JSON.readTree(run(command).out);
  }

  /* ---- Tenants and namespaces ------------------------------------------------------------------------------------- */

  private void tenants(Map<String, Driver.Op> ops) {
    ops.put("listClusters", args -> names("clusters", "list"));
    ops.put(
        "listBrokers",
        args -> {
          TreeSet<String> brokers = new TreeSet<>();
          for (String cluster : run("clusters", "list").lines()) brokers.addAll(run("brokers", "list", cluster).lines());
          return Map.of("names", brokers);
        });
    ops.put("listTenants", args -> names("tenants", "list"));
    ops.put("createTenant", args -> done("tenants", "create", text(args, "tenant")));
    ops.put("deleteTenant", args -> done("tenants", "delete", text(args, "tenant")));
    ops.put("listNamespaces", args -> names("namespaces", "list", text(args, "tenant")));
    ops.put("createNamespace", args -> done("namespaces", "create", text(args, "namespace")));
    ops.put("deleteNamespace", args -> done("namespaces", "delete", text(args, "namespace")));
  }

  private void policies(Map<String, Driver.Op> ops) {
    ops.put(
        "setRetention",
        args -> {
          String time = unbounded(args.get("minutes").asInt(), "m");
          String size = unbounded(args.get("megabytes").asInt(), "M");
          return done("namespaces", "set-retention", "--time", time, "--size", size, text(args, "namespace"));
        });
    ops.put(
        "retention",
        args -> {
          JsonNode policy = json("namespaces", "get-retention", text(args, "namespace"));
          Map<String, Object> told = new HashMap<>();
          told.put("minutes", policy.isNull() ? null : policy.get("retentionTimeInMinutes").asInt());
          told.put("megabytes", policy.isNull() ? null : policy.get("retentionSizeInMB").asInt());
          return told;
        });
    ops.put(
        "setMessageTtl",
        args -> done("namespaces", "set-message-ttl", "--messageTTL", text(args, "seconds"), text(args, "namespace")));
    ops.put(
        "messageTtl",
        args -> {
          JsonNode seconds = json("namespaces", "get-message-ttl", text(args, "namespace"));
          Map<String, Object> told = new HashMap<>();
          told.put("seconds", seconds.isNull() ? null : seconds.asInt());
          return told;
        });
    ops.put(
        "grantPermission",
        args -> {
          List<String> actions = new ArrayList<>();
          args.get("actions").forEach(action -> actions.add(action.asText()));
          String on = text(args, "on");
          return done(
              groupOf(on), "grant-permission", "--role", text(args, "role"), "--actions", String.join(",", actions), on);
        });
    ops.put(
        "revokePermission",
        args -> done(groupOf(text(args, "on")), "revoke-permission", "--role", text(args, "role"), text(args, "on")));
    ops.put("permissions", this::permissions);
  }

  /** `role    [consume, produce]` */
  private Object permissions(JsonNode args) throws Exception {
    String on = text(args, "on");
    Map<String, Object> roles = new LinkedHashMap<>();
    for (String line : run(groupOf(on), "permissions", on).lines()) {
      Matcher role = ROLE.matcher(line);
      if (role.matches()) roles.put(role.group(1), List.of(role.group(2).split(", *")));
    }
    return Map.of("roles", roles);
  }

  private static String groupOf(String on) {
    return on.contains("://") ? "topics" : "namespaces";
  }

  private static String unbounded(int value, String unit) {
    return value <= 0 ? String.valueOf(value) : value + unit;
  }

  /* ---- Topics ----------------------------------------------------------------------------------------------------- */

  private void topics(Map<String, Driver.Op> ops) {
    ops.put("listTopics", args -> names("topics", "list", text(args, "namespace")));
    ops.put("listPartitionedTopics", args -> names("topics", "list-partitioned-topics", text(args, "namespace")));
    ops.put("createTopic", args -> done("topics", "create", topic(args)));
    ops.put(
        "createPartitionedTopic",
        args -> done("topics", "create-partitioned-topic", "--partitions", text(args, "partitions"), topic(args)));
    ops.put(
        "updatePartitions",
        args -> done("topics", "update-partitioned-topic", "--partitions", text(args, "partitions"), topic(args)));
    ops.put(
        "partitions",
        args -> Map.of("partitions", json("topics", "get-partitioned-topic-metadata", topic(args)).get("partitions")));
    ops.put("deleteTopic", args -> done(withForce(args, "topics", "delete", topic(args))));
    ops.put("deletePartitionedTopic", args -> done(withForce(args, "topics", "delete-partitioned-topic", topic(args))));
    ops.put("lookup", args -> Map.of("brokerUrl", run("topics", "lookup", topic(args)).out.strip()));
    ops.put("unload", args -> done("topics", "unload", topic(args)));
    ops.put("terminate", this::terminate);
    ops.put("truncate", args -> done("topics", "truncate", topic(args)));
    ops.put("compact", args -> done("topics", "compact", topic(args)));
    ops.put("compactionStatus", this::compactionStatus);
    ops.put("lastMessageId", args -> Map.of("id", fromId(json("topics", "last-message-id", topic(args)))));
  }

  private Object terminate(JsonNode args) throws Exception {
    String printed = run("topics", "terminate", topic(args)).out;
    Matcher found = TERMINATED.matcher(printed);
    if (!found.find()) throw new Driver.Named("CommandFailed", "no id is printed: " + printed.strip());
    int partition = found.group(3) == null ? -1 : Integer.parseInt(found.group(3));
    return Map.of("id", id(found.group(1), found.group(2), partition, -1));
  }

  private Object compactionStatus(JsonNode args) throws Exception {
    String printed = run("topics", "compaction-status", topic(args)).out;
    for (var words : COMPACTION.entrySet()) {
      if (printed.contains(words.getKey())) return Map.of("status", words.getValue());
    }
    return Map.of("status", printed.strip());
  }

  /* ---- Statistics ------------------------------------------------------------------------------------------------- */

  private void statistics(Map<String, Driver.Op> ops) {
    ops.put(
        "stats",
        args -> {
          JsonNode stats = json("topics", "stats", topic(args));
          return Map.of(
              "msgInCounter", stats.get("msgInCounter"),
              "storageSize", stats.get("storageSize"),
              "backlogSize", stats.get("backlogSize"),
              "subscriptions", fromSubscriptions(stats.get("subscriptions")));
        });
    ops.put(
        "partitionedStats",
        args -> {
          JsonNode stats = json("topics", "partitioned-stats", topic(args));
          return Map.of(
              "partitions", stats.get("metadata").get("partitions"),
              "subscriptions", fromSubscriptions(stats.get("subscriptions")));
        });
    ops.put("internalStats", args -> fromInternal(json("topics", "stats-internal", topic(args))));
  }

  private static Object fromSubscriptions(JsonNode subscriptions) {
    Map<String, Object> all = new LinkedHashMap<>();
    subscriptions
        .fields()
        .forEachRemaining(
            it -> {
              JsonNode stats = it.getValue();
              Map<String, Object> told = new HashMap<>();
              told.put("msgBacklog", stats.get("msgBacklog"));
              told.put("consumers", stats.get("consumers").size());
              if (Driver.has(stats, "type")) told.put("type", stats.get("type"));
              if (Driver.has(stats, "durable")) told.put("isDurable", stats.get("durable"));
              if (Driver.has(stats, "isDurable")) told.put("isDurable", stats.get("isDurable"));
              told.put("msgRateOut", stats.get("msgRateOut"));
              all.put(it.getKey(), told);
            });
    return all;
  }

  private static Object fromInternal(JsonNode stats) {
    List<Object> ledgers = new ArrayList<>();
    for (JsonNode ledger : stats.get("ledgers")) {
      ledgers.add(
          Map.of("ledgerId", text(ledger, "ledgerId"), "entries", ledger.get("entries"), "size", ledger.get("size")));
    }
    Map<String, Object> cursors = new LinkedHashMap<>();
    stats
        .get("cursors")
        .fields()
        .forEachRemaining(
            it -> {
              JsonNode cursor = it.getValue();
              cursors.put(
                  it.getKey(),
                  Map.of(
                      "markDeletePosition", cursor.get("markDeletePosition"), "readPosition", cursor.get("readPosition")));
            });
    return Map.of(
        "numberOfEntries", stats.get("numberOfEntries"),
        "totalSize", stats.get("totalSize"),
        "lastConfirmedEntry", stats.get("lastConfirmedEntry"),
        "ledgers", ledgers,
        "cursors", cursors);
  }

  /* ---- Subscriptions ---------------------------------------------------------------------------------------------- */

  private void subscriptions(Map<String, Driver.Op> ops) {
    ops.put("listSubscriptions", args -> names("topics", "subscriptions", topic(args)));
    ops.put(
        "createSubscription",
        args -> {
          JsonNode at = args.get("at");
          String place = at == null ? "latest" : at.isTextual() ? at.asText() : place(at.get("id"));
          return done("topics", "create-subscription", "-s", subscription(args), "--messageId", place, topic(args));
        });
    ops.put(
        "deleteSubscription",
        args -> done(withForce(args, "topics", "unsubscribe", "-s", subscription(args), topic(args))));
    ops.put("resetCursor", this::resetCursor);
    ops.put("skip", args -> done("topics", "skip", "-s", subscription(args), "--count", text(args, "count"), topic(args)));
    ops.put("clearBacklog", args -> done("topics", "clear-backlog", "-s", subscription(args), topic(args)));
    ops.put(
        "expire",
        args ->
            done(
                "topics", "expire-messages", "-s", subscription(args), "--expireTime", text(args, "olderThanSeconds"),
                topic(args)));
  }

  /** The command counts whole seconds back from now: it waits for the moment that is so far from the wanted time. */
  private Object resetCursor(JsonNode args) throws Exception {
    JsonNode to = args.get("to");
    if (to.has("id")) {
      return done("topics", "reset-cursor", "-s", subscription(args), "--messageId", place(to.get("id")), topic(args));
    }
    long timestamp = to.get("timestamp").asLong();
    long back = Math.max(0, System.currentTimeMillis() - timestamp);
    long seconds = (back + 999) / 1000;
    Thread.sleep(Math.max(0, seconds * 1000 - back));
    return done("topics", "reset-cursor", "-s", subscription(args), "--time", seconds + "s", topic(args));
  }

  private static String place(JsonNode id) {
    if (id.get("batchIndex").asInt() >= 0) {
      throw new Driver.Unsupported("the command line names an entry, not a message within its batch");
    }
    return text(id, "ledgerId") + ":" + text(id, "entryId");
  }

  /* ---- Messages and schemas --------------------------------------------------------------------------------------- */

  private void messages(Map<String, Driver.Op> ops) {
    ops.put(
        "peek",
        args -> {
          String printed =
              run("topics", "peek-messages", "-s", subscription(args), "--count", text(args, "count"), topic(args)).out;
          return Map.of("messages", PrintedMessage.all(printed).stream().map(PrintedMessage::told).toList());
        });
    ops.put(
        "examine",
        args -> {
          String printed =
              run("topics", "examine-messages", "-i", text(args, "from"), "-m", text(args, "place"), topic(args)).out;
          List<PrintedMessage> messages = PrintedMessage.all(printed);
          if (messages.isEmpty()) throw new Driver.Named("CommandFailed", "no message is printed: " + printed.strip());
          return Map.of("value", Driver.base64(messages.get(0).value));
        });
  }

  private void schemas(Map<String, Driver.Op> ops) {
    ops.put(
        "uploadSchema",
        args -> {
          Path file = Files.createTempFile("schema", ".json");
          try {
            Map<String, Object> schema =
                Map.of("type", text(args, "type"), "schema", text(args, "definition"), "properties", Map.of());
            Files.write(file, JSON.writeValueAsBytes(schema));
            return done("schemas", "upload", "--filename", file.toString(), topic(args));
          } finally {
            Files.delete(file);
          }
        });
    ops.put(
        "schema",
        args -> {
          JsonNode info = json("schemas", "get", topic(args)).get("schemaInfo");
          JsonNode schema = info.get("schema");
          return Map.of("type", text(info, "type"), "definition", schema.isTextual() ? schema.asText() : schema.toString());
        });
    ops.put("deleteSchema", args -> done("schemas", "delete", topic(args)));
  }

  /* ---- Forms ------------------------------------------------------------------------------------------------------ */

  private static String[] withForce(JsonNode args, String... command) {
    if (!Driver.flag(args, "force")) return command;
    List<String> all = new ArrayList<>(List.of(command));
    all.add(2, "--force");
    return all.toArray(new String[0]);
  }

  private static Object fromId(JsonNode id) {
    int batchIndex = id.has("batchIndex") ? id.get("batchIndex").asInt() : -1;
    return id(text(id, "ledgerId"), text(id, "entryId"), id.get("partitionIndex").asInt(), batchIndex);
  }

  static Map<String, Object> id(String ledgerId, String entryId, int partition, int batchIndex) {
    return Map.of("ledgerId", ledgerId, "entryId", entryId, "partition", partition, "batchIndex", batchIndex);
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
