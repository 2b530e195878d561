import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.tools.TopicCommand;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

/**
 * Driver of Kafka's own commands (matrix/driver/admin-messages.ts): each op is the command line that a person would
 * type, and its answer is read from what the command prints.
 */
public final class KafkaAdminDriver {
  private static final DateTimeFormatter UTC_MILLISECONDS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
  private static final Pattern STATE_ROW = Pattern.compile("^\\S+ +\\S+ +\\(-?\\d+\\) +(.*?) *(\\S+) +(\\d+) *$");
  private static final Pattern CONFIG = Pattern.compile("^ {2}(\\S+?)=(.*) sensitive=\\w+ synonyms=.*$");
  private static final Pattern SCRAM_USER = Pattern.compile("^SCRAM credential configs for user-principal '(.*)' are (.*)$");
  private static final Pattern MECHANISM = Pattern.compile("SCRAM-SHA-(?:256|512)(?==)");
  private static final Pattern ASSIGNED = Pattern.compile("^(.+):([\\d,]+)$");
  private static final String GROUP_TIMEOUT_MS = "15000";

  private String bootstrap;
  private Path commandConfig;

  public static void main(String[] args) throws IOException {
    KafkaAdminDriver driver = new KafkaAdminDriver();
    driver.commandConfig = Files.createTempFile("kafka-tools", ".properties");
    driver.commandConfig.toFile().deleteOnExit();
    Driver.serve(
        "kafka-tools", AppInfoParser.getVersion(), "kafka-admin", driver.ops(), error -> error.getClass().getSimpleName());
  }

  private Map<String, Driver.Op> ops() {
    Map<String, Driver.Op> ops = new HashMap<>();
    ops.put("configure", this::configure);
    ops.put("listGroups", this::listGroups);
    ops.put("describeGroup", this::describeGroup);
    ops.put("deleteGroup", args -> groups("--delete", "--group", text(args, "group")));
    ops.put(
        "deleteOffsets",
        args -> groups("--delete-offsets", "--group", text(args, "group"), "--topic", text(args, "topic")));
    ops.put("resetOffsets", this::resetOffsets);
    ops.put("listTopics", args -> Map.of("names", topics("--list").lines()));
    ops.put("createTopic", this::createTopic);
    ops.put("describeTopic", this::describeTopic);
    ops.put(
        "raisePartitions",
        args -> topics("--alter", "--topic", text(args, "topic"), "--partitions", text(args, "partitions")));
    ops.put("deleteTopic", args -> topics("--delete", "--topic", text(args, "topic")));
    ops.put("alterTopicConfigs", this::alterTopicConfigs);
    ops.put("topicConfigs", this::topicConfigs);
    ops.put("alterScramUser", this::alterScramUser);
    ops.put("scramUsers", this::scramUsers);
    ops.replaceAll((name, op) -> args -> op.run(args) instanceof Map<?, ?> result ? result : Map.of());
    return ops;
  }

  private Object configure(JsonNode args) throws IOException {
    bootstrap = args.get("bootstrap").asText();
    Properties properties = new Properties();
    Security.settingsOf(args.get("security"))
        .forEach((name, value) -> properties.put(name, value instanceof Class<?> type ? type.getName() : value.toString()));
    properties.put("reconnect.backoff.ms", "20");
    properties.put("reconnect.backoff.max.ms", "500");
    properties.put("default.api.timeout.ms", GROUP_TIMEOUT_MS);
    properties.put("request.timeout.ms", "10000");
    try (Writer file = Files.newBufferedWriter(commandConfig)) {
      properties.store(file, null);
    }
    return null;
  }

  private List<String> withServer(List<String> args) {
    List<String> all = new ArrayList<>(List.of("--bootstrap-server", bootstrap, "--command-config", commandConfig.toString()));
    all.addAll(args);
    return all;
  }

  private Captured groups(String... args) throws Exception {
    List<String> all = withServer(List.of("--timeout", GROUP_TIMEOUT_MS));
    all.addAll(List.of(args));
    return CommandLine.run(ConsumerGroupCommand::main, all);
  }

  private Captured topics(String... args) throws Exception {
    return CommandLine.run(TopicCommand::main, withServer(List.of(args)));
  }

  private Captured configs(String... args) throws Exception {
    return CommandLine.run(kafka.admin.ConfigCommand::main, withServer(List.of(args)));
  }

  /* ---- Groups --------------------------------------------------------------------------------------------------- */

  private Object listGroups(JsonNode args) throws Exception {
    List<Object> groups = new ArrayList<>();
    for (Map<String, String> row : rows(groups("--list", "--state", "--type"))) {
      groups.add(Map.of("group", row.get("GROUP"), "state", row.get("STATE"), "type", row.get("TYPE")));
    }
    return Map.of("groups", groups);
  }

  private Object describeGroup(JsonNode args) throws Exception {
    String group = text(args, "group");
    Map<String, Object> described = new LinkedHashMap<>(stateOf(group));
    List<Map<String, Object>> offsets = offsetsOf(group);
    described.put("members", membersOf(group, offsets));
    described.put("offsets", offsets);
    return described;
  }

  private Map<String, Object> stateOf(String group) throws Exception {
    Captured output = groups("--describe", "--group", group, "--state");
    for (String line : output.lines()) {
      Matcher row = STATE_ROW.matcher(line);
      if (!row.matches()) continue;
      String assignor = row.group(1).isBlank() || row.group(1).equals("-") ? null : row.group(1);
      Map<String, Object> state = new HashMap<>();
      state.put("state", row.group(2));
      state.put("assignor", assignor);
      return state;
    }
    String words = (output.out + output.log).strip();
    if (words.contains("does not exist")) throw new Driver.Named("GROUP_ID_NOT_FOUND", words);
    throw new Driver.Named("CommandFailed", "no state of the group is printed: " + words);
  }

  private List<Object> membersOf(String group, List<Map<String, Object>> offsets) throws Exception {
    List<Object> members = new ArrayList<>();
    for (Map<String, String> row : rows(groups("--describe", "--group", group, "--members", "--verbose"))) {
      Map<String, Object> member = new HashMap<>();
      member.put("memberId", row.get("CONSUMER-ID"));
      String instance = row.get("GROUP-INSTANCE-ID");
      member.put("instanceId", instance == null || instance.isEmpty() || instance.equals("-") ? null : instance);
      member.put("clientId", row.get("CLIENT-ID"));
      member.put("host", row.get("HOST"));
      // 3.9 prints assignments without the topics' names: there the table of offsets tells whose partitions are whose.
      String assignment = row.get("CURRENT-ASSIGNMENT");
      member.put("partitions", assignment == null ? partitionsOf(row.get("CONSUMER-ID"), offsets) : assignment(assignment));
      members.add(member);
    }
    return members;
  }

  private static List<Object> partitionsOf(String memberId, List<Map<String, Object>> offsets) {
    List<Object> partitions = new ArrayList<>();
    for (Map<String, Object> offset : offsets) {
      if (!memberId.equals(offset.get("memberId"))) continue;
      partitions.add(Map.of("topic", offset.get("topic"), "partition", offset.get("partition")));
    }
    return partitions;
  }

  private List<Map<String, Object>> offsetsOf(String group) throws Exception {
    List<Map<String, Object>> offsets = new ArrayList<>();
    for (Map<String, String> row : rows(groups("--describe", "--group", group))) {
      if (row.get("TOPIC").equals("-")) continue;
      Map<String, Object> offset = new HashMap<>();
      offset.put("topic", row.get("TOPIC"));
      offset.put("partition", Integer.parseInt(row.get("PARTITION")));
      offset.put("offset", orNull(row.get("CURRENT-OFFSET")));
      offset.put("logEnd", orNull(row.get("LOG-END-OFFSET")));
      offset.put("lag", orNull(row.get("LAG")));
      offset.put("memberId", orNull(row.get("CONSUMER-ID")));
      offsets.add(offset);
    }
    return offsets;
  }

  private Object resetOffsets(JsonNode args) throws Exception {
    String topic = text(args, "topic") + (Driver.has(args, "partition") ? ":" + text(args, "partition") : "");
    List<String> command = new ArrayList<>(List.of("--reset-offsets", "--group", text(args, "group"), "--topic", topic));
    command.addAll(placeOf(args.get("to")));
    command.add("--execute");
    // Read by fields, not by lines: 3.9 forgets the line ends of this table.
    String printed = groups(command.toArray(new String[0])).out;
    int rows = printed.indexOf("NEW-OFFSET");
    if (rows < 0) throw new Driver.Named("CommandFailed", "no table of new offsets: " + printed.strip());
    String[] fields = printed.substring(rows + "NEW-OFFSET".length()).strip().split("\\s+");
    List<Object> offsets = new ArrayList<>();
    for (int at = 0; at + 3 < fields.length; at += 4) {
      int partition = Integer.parseInt(fields[at + 2]);
      offsets.add(Map.of("topic", fields[at + 1], "partition", partition, "offset", fields[at + 3]));
    }
    return Map.of("offsets", offsets);
  }

  private static List<String> placeOf(JsonNode to) {
    if (to.isTextual()) return List.of("--to-" + to.asText());
    if (to.has("offset")) return List.of("--to-offset", text(to, "offset"));
    if (to.has("shiftBy")) return List.of("--shift-by", text(to, "shiftBy"));
    return List.of("--to-datetime", UTC_MILLISECONDS.format(Instant.ofEpochMilli(to.get("timestamp").asLong())));
  }

  /* ---- Topics --------------------------------------------------------------------------------------------------- */

  private Object createTopic(JsonNode args) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("--create", "--topic", text(args, "topic"), "--partitions", text(args, "partitions")));
    if (args.has("configs")) {
      args.get("configs")
          .fields()
          .forEachRemaining(it -> command.addAll(List.of("--config", it.getKey() + "=" + it.getValue().asText())));
    }
    return topics(command.toArray(new String[0]));
  }

  private Object describeTopic(JsonNode args) throws Exception {
    List<Object> partitions = new ArrayList<>();
    Map<String, String> configs = new LinkedHashMap<>();
    for (String line : topics("--describe", "--topic", text(args, "topic")).lines()) {
      Map<String, String> fields = new HashMap<>();
      for (String field : line.strip().split("\t")) {
        String[] parts = field.split(": ?", 2);
        if (parts.length == 2) fields.put(parts[0].strip(), parts[1].strip());
      }
      if (fields.containsKey("Configs")) {
        for (String config : fields.get("Configs").split(",(?=[a-z.]+=)")) {
          String[] parts = config.split("=", 2);
          if (parts.length == 2) configs.put(parts[0], parts[1]);
        }
      } else if (fields.containsKey("Partition")) {
        String leader = fields.get("Leader");
        int id = leader.equals("none") ? -1 : Integer.parseInt(leader);
        partitions.add(Map.of("index", Integer.parseInt(fields.get("Partition")), "leader", id));
      }
    }
    return Map.of("partitions", partitions, "configs", configs);
  }

  private Object alterTopicConfigs(JsonNode args) throws Exception {
    List<String> set = new ArrayList<>();
    if (args.has("set")) {
      // Square brackets keep the commas of a value.
      args.get("set").fields().forEachRemaining(it -> set.add(it.getKey() + "=[" + it.getValue().asText() + "]"));
    }
    List<String> remove = new ArrayList<>();
    if (args.has("remove")) args.get("remove").forEach(name -> remove.add(name.asText()));
    List<String> command = new ArrayList<>(List.of("--alter", "--entity-type", "topics", "--entity-name", text(args, "topic")));
    if (!set.isEmpty()) command.addAll(List.of("--add-config", String.join(",", set)));
    if (!remove.isEmpty()) command.addAll(List.of("--delete-config", String.join(",", remove)));
    return configs(command.toArray(new String[0]));
  }

  private Object topicConfigs(JsonNode args) throws Exception {
    Captured output = configs("--describe", "--entity-type", "topics", "--entity-name", text(args, "topic"));
    if (output.out.contains("doesn't exist")) throw new Driver.Named("UNKNOWN_TOPIC_OR_PARTITION", output.out.strip());
    Map<String, String> configs = new LinkedHashMap<>();
    for (String line : output.lines()) {
      Matcher config = CONFIG.matcher(line);
      if (config.matches()) configs.put(config.group(1), config.group(2));
    }
    return Map.of("configs", configs);
  }

  /* ---- Users ---------------------------------------------------------------------------------------------------- */

  private Object alterScramUser(JsonNode args) throws Exception {
    String mechanism = text(args, "mechanism");
    List<String> change =
        Driver.has(args, "password")
            ? List.of("--add-config", mechanism + "=[password=" + text(args, "password") + "]")
            : List.of("--delete-config", mechanism);
    return configs("--alter", "--entity-type", "users", "--entity-name", text(args, "user"), change.get(0), change.get(1));
  }

  private Object scramUsers(JsonNode args) throws Exception {
    List<Object> users = new ArrayList<>();
    for (String line : configs("--describe", "--entity-type", "users").lines()) {
      Matcher user = SCRAM_USER.matcher(line);
      if (!user.matches()) continue;
      List<String> mechanisms = MECHANISM.matcher(user.group(2)).results().map(found -> found.group()).toList();
      users.add(Map.of("user", user.group(1), "mechanisms", mechanisms));
    }
    return Map.of("users", users);
  }

  /* ---- What the commands print ------------------------------------------------------------------------------------ */

  /** Rows of a printed table by their column's names: the table begins with the line that names GROUP first. */
  private static List<Map<String, String>> rows(Captured output) {
    List<Map<String, String>> rows = new ArrayList<>();
    List<String> columns = List.of();
    for (String line : output.lines()) {
      if (line.startsWith("GROUP ")) {
        columns = List.of(line.strip().split(" +"));
      } else if (!columns.isEmpty()) {
        rows.add(row(columns, line));
      }
    }
    return rows;
  }

  /** Only a missing instance id leaves its field empty: it is missing when the host stands in its place. */
  private static Map<String, String> row(List<String> columns, String line) {
    List<String> fields = new ArrayList<>(List.of(line.strip().split(" +", columns.size())));
    int instance = columns.indexOf("GROUP-INSTANCE-ID");
    if (instance >= 0 && fields.get(instance).startsWith("/")) {
      fields = new ArrayList<>(List.of(line.strip().split(" +", columns.size() - 1)));
      fields.add(instance, "");
    }
    Map<String, String> row = new HashMap<>();
    for (int index = 0; index < Math.min(columns.size(), fields.size()); index++) {
      row.put(columns.get(index), fields.get(index));
    }
    return row;
  }

  /** `topic:0,1;other:0`; nothing is a dash. */
  private static List<Object> assignment(String text) {
    List<Object> partitions = new ArrayList<>();
    if (text.equals("-")) return partitions;
    for (String part : text.strip().split(";")) {
      Matcher topic = ASSIGNED.matcher(part);
      if (!topic.matches()) throw new Driver.Named("CommandFailed", "an assignment that cannot be read: " + text);
      for (String index : topic.group(2).split(",")) {
        partitions.add(Map.of("topic", topic.group(1), "partition", Integer.parseInt(index)));
      }
    }
    return partitions;
  }

  private static String orNull(String text) {
    return text == null || text.equals("-") ? null : text;
  }

  private static String text(JsonNode args, String name) {
    return args.get(name).asText();
  }
}
