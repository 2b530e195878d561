import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;

/** Topics by AdminClient (KIP-117). */
final class Topics implements AutoCloseable {
  private final AdminClient admin;

  Topics(Map<String, Object> settings) {
    admin = AdminCalls.open(settings);
  }

  @Override
  public void close() {
    AdminCalls.close(admin);
  }

  Object create(JsonNode args) {
    List<NewTopic> topics = new ArrayList<>();
    for (JsonNode topic : args.get("topics")) {
      NewTopic wanted = new NewTopic(topic.get("name").asText(), topic.get("partitions").asInt(), (short) 1);
      topics.add(wanted.configs(configsOf(topic.get("configs"))));
    }
    List<String> names = topics.stream().map(NewTopic::name).toList();
    return each(names, admin.createTopics(topics).values());
  }

  Object delete(JsonNode args) {
    List<String> names = namesOf(args.get("names"));
    return each(names, AdminCalls.deletions(admin, names));
  }

  private static Object each(List<String> names, Map<String, KafkaFuture<Void>> futures) {
    List<Object> topics = new ArrayList<>();
    for (String name : names) topics.add(outcome(name, futures.get(name)));
    return Map.of("topics", topics);
  }

  private static Object outcome(String name, Future<?> future) {
    try {
      future.get();
      return Map.of("name", name);
    } catch (Exception error) {
      return Map.of("name", name, "error", KafkaDriver.nameOf(Driver.unwrap(error)));
    }
  }

  Object createPartitions(JsonNode args) throws Exception {
    NewPartitions wanted = NewPartitions.increaseTo(args.get("count").asInt());
    admin.createPartitions(Map.of(args.get("topic").asText(), wanted)).all().get();
    return null;
  }

  Object deleteRecords(JsonNode args) throws Exception {
    RecordsToDelete wanted = RecordsToDelete.beforeOffset(args.get("before").asLong());
    admin.deleteRecords(Map.of(KafkaDriver.placeOf(args), wanted)).all().get();
    return null;
  }

  Object describeConfigs(JsonNode args) throws Exception {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, args.get("topic").asText());
    Map<String, String> configs = new LinkedHashMap<>();
    for (ConfigEntry entry : admin.describeConfigs(List.of(topic)).values().get(topic).get().entries()) {
      configs.put(entry.name(), entry.value());
    }
    return Map.of("configs", configs);
  }

  Object alterConfigs(JsonNode args) throws Exception {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, args.get("topic").asText());
    AdminCalls.alter(admin, topic, configsOf(args.get("configs")));
    return null;
  }

  Object list() throws Exception {
    return Map.of("names", admin.listTopics().names().get());
  }

  Object metadata(JsonNode args) throws Exception {
    List<Object> brokers = new ArrayList<>();
    for (var node : admin.describeCluster().nodes().get()) {
      brokers.add(Map.of("id", node.id(), "host", node.host(), "port", node.port()));
    }
    List<String> names = namesOf(args.get("topics"));
    var futures = AdminCalls.descriptions(admin, names);
    List<Object> topics = new ArrayList<>();
    for (String name : names) topics.add(topicMetadata(name, futures.get(name)));
    return Map.of("brokers", brokers, "topics", topics);
  }

  private static Object topicMetadata(String name, KafkaFuture<TopicDescription> future) {
    try {
      TopicDescription topic = future.get();
      List<Object> partitions = new ArrayList<>();
      for (var partition : topic.partitions()) {
        int leader = partition.leader() == null ? -1 : partition.leader().id();
        partitions.add(Map.of("index", partition.partition(), "leader", leader));
      }
      Map<String, Object> told = new LinkedHashMap<>(Map.of("name", name, "partitions", partitions));
      told.put("internal", topic.isInternal());
      String topicId = AdminCalls.topicIdOf(topic);
      if (topicId != null) told.put("topicId", topicId);
      return told;
    } catch (Exception error) {
      return Map.of("name", name, "error", KafkaDriver.nameOf(Driver.unwrap(error)), "partitions", List.of());
    }
  }

  private static List<String> namesOf(JsonNode names) {
    List<String> list = new ArrayList<>();
    for (JsonNode name : names) list.add(name.asText());
    return list;
  }

  private static Map<String, String> configsOf(JsonNode configs) {
    Map<String, String> map = new LinkedHashMap<>();
    Optional.ofNullable(configs)
        .ifPresent(all -> all.fields().forEachRemaining(entry -> map.put(entry.getKey(), entry.getValue().asText())));
    return map;
  }
}
