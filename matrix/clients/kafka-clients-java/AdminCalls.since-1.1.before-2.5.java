import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;

/** Configs are replaced, not altered one by one (before KIP-339); topics have no ids; offsets are the consumer's. */
final class AdminCalls {
  private AdminCalls() {}

  static AdminClient open(Map<String, Object> settings) {
    return (AdminClient)
        AdminClient.create(KafkaDriver.with(settings, "request.timeout.ms", 10_000, "default.api.timeout.ms", 15_000));
  }

  static void close(AdminClient admin) {
    admin.close(0, TimeUnit.MILLISECONDS);
  }

  static Map<String, KafkaFuture<Void>> deletions(AdminClient admin, List<String> names) {
    return admin.deleteTopics(names).values();
  }

  static Map<String, KafkaFuture<TopicDescription>> descriptions(AdminClient admin, List<String> names) {
    return admin.describeTopics(names).values();
  }

  static String topicIdOf(TopicDescription topic) {
    return null;
  }

  static void alter(AdminClient admin, ConfigResource topic, Map<String, String> configs) throws Exception {
    Collection<ConfigEntry> entries = new ArrayList<>();
    configs.forEach((name, value) -> entries.add(new ConfigEntry(name, value)));
    admin.alterConfigs(Map.of(topic, new Config(entries))).all().get();
  }
}
