import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** No AdminClient, or not all of it: a consumer lists topics, and no more. */
final class Topics implements AutoCloseable {
  private static final int TIMEOUT_MS = 15_000;

  private final Map<String, Object> settings;

  Topics(Map<String, Object> settings) {
    this.settings = settings;
  }

  @Override
  public void close() {}

  Object create(JsonNode args) {
    throw Release.missing("0.11", "AdminClient.createTopics (KIP-117)");
  }

  Object delete(JsonNode args) {
    throw Release.missing("0.11", "AdminClient.deleteTopics (KIP-117)");
  }

  Object createPartitions(JsonNode args) {
    throw Release.missing("1.0", "AdminClient.createPartitions (KIP-195)");
  }

  Object deleteRecords(JsonNode args) {
    throw Release.missing("1.1", "AdminClient.deleteRecords (KIP-204)");
  }

  Object describeConfigs(JsonNode args) {
    throw Release.missing("0.11", "AdminClient.describeConfigs (KIP-133)");
  }

  Object alterConfigs(JsonNode args) {
    throw Release.missing("0.11", "AdminClient.alterConfigs (KIP-133)");
  }

  Object metadata(JsonNode args) {
    throw Release.missing("0.11", "AdminClient.describeCluster (KIP-117)");
  }

  Object list() {
    Map<String, Object> all = new HashMap<>(settings);
    // In this order the library wants them.
    all.putAll(Map.of("session.timeout.ms", TIMEOUT_MS / 2, "fetch.max.wait.ms", 500, "request.timeout.ms", TIMEOUT_MS));
    try (var consumer = new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      return Map.of("names", consumer.listTopics().keySet());
    }
  }
}
