import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Places of logs, and offsets of groups, by AdminClient (KIP-396). */
final class Offsets implements AutoCloseable {
  private final AdminClient admin;

  Offsets(Map<String, Object> settings) {
    admin = AdminCalls.open(settings);
  }

  @Override
  public void close() {
    AdminCalls.close(admin);
  }

  long earliest(TopicPartition place) throws Exception {
    return at(place, OffsetSpec.earliest()).offset();
  }

  long latest(TopicPartition place) throws Exception {
    return at(place, OffsetSpec.latest()).offset();
  }

  Object list(JsonNode args) throws Exception {
    ListOffsetsResultInfo info = at(KafkaDriver.placeOf(args), specOf(args.get("at")));
    Map<String, Object> result = new HashMap<>();
    result.put("offset", String.valueOf(info.offset()));
    if (info.timestamp() >= 0) result.put("timestamp", String.valueOf(info.timestamp()));
    return result;
  }

  private static OffsetSpec specOf(JsonNode at) {
    if (at.isObject()) return OffsetSpec.forTimestamp(at.get("timestamp").asLong());
    return at.asText().equals("earliest") ? OffsetSpec.earliest() : OffsetSpec.latest();
  }

  private ListOffsetsResultInfo at(TopicPartition place, OffsetSpec spec) throws Exception {
    return admin.listOffsets(Map.of(place, spec)).partitionResult(place).get();
  }

  Object committed(JsonNode args) throws Exception {
    OffsetAndMetadata found = AdminCalls.committed(admin, args.get("group").asText(), KafkaDriver.placeOf(args));
    if (found == null) return Map.of("offset", "-1");
    return Map.of("offset", String.valueOf(found.offset()), "metadata", found.metadata());
  }

  Object commit(JsonNode args) throws Exception {
    admin.alterConsumerGroupOffsets(args.get("group").asText(), Members.offsetsOf(args.get("offsets"))).all().get();
    return null;
  }

  Object allCommitted(JsonNode args) throws Exception {
    var found = admin.listConsumerGroupOffsets(args.get("group").asText()).partitionsToOffsetAndMetadata().get();
    List<Object> offsets = new ArrayList<>();
    found.entrySet().stream()
        .filter(entry -> entry.getValue() != null)
        .sorted(Map.Entry.comparingByKey(Members.IN_ORDER))
        .forEach(entry -> offsets.add(toCommitted(entry.getKey(), entry.getValue())));
    return Map.of("offsets", offsets);
  }

  private static Object toCommitted(TopicPartition place, OffsetAndMetadata committed) {
    return Map.of(
        "topic", place.topic(),
        "partition", place.partition(),
        "offset", String.valueOf(committed.offset()),
        "metadata", committed.metadata());
  }
}
