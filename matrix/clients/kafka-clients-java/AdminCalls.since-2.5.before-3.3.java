import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** Topics have no ids (before KIP-516), and offsets are asked of one group (before KIP-709). */
final class AdminCalls {
  private AdminCalls() {}

  static AdminClient open(Map<String, Object> settings) {
    return (AdminClient)
        AdminClient.create(KafkaDriver.with(settings, "request.timeout.ms", 10_000, "default.api.timeout.ms", 15_000));
  }

  static void close(AdminClient admin) {
    admin.close(Duration.ZERO);
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

  /** Asked for by its own name: a target may list all of a group's offsets under another name of the topic. */
  static OffsetAndMetadata committed(AdminClient admin, String group, TopicPartition place) throws Exception {
    var options = new ListConsumerGroupOffsetsOptions().topicPartitions(List.of(place));
    return admin.listConsumerGroupOffsets(group, options).partitionsToOffsetAndMetadata().get().get(place);
  }

  static void alter(AdminClient admin, ConfigResource topic, Map<String, String> configs) throws Exception {
    Collection<AlterConfigOp> changes = new ArrayList<>();
    configs.forEach(
        (name, value) -> changes.add(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
    admin.incrementalAlterConfigs(Map.of(topic, changes)).all().get();
  }
}
