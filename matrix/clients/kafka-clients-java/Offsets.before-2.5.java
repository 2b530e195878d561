import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Places of logs (KIP-79), and offsets of groups, by consumers: AdminClient does not know them yet. */
final class Offsets implements AutoCloseable {
  private static final int TIMEOUT_MS = 15_000;

  private interface Question<Answer> {
    Answer ask(KafkaConsumer<byte[], byte[]> consumer);
  }

  private final Map<String, Object> settings;
  /** The last one, for places of one topic: it goes on asking for it, and brokers make anew what is asked for. */
  private KafkaConsumer<byte[], byte[]> consumer;
  private String topic = "";

  Offsets(Map<String, Object> settings) {
    this.settings = settings;
  }

  @Override
  public synchronized void close() {
    if (consumer != null) Library.close(consumer, 0);
    consumer = null;
  }

  long earliest(TopicPartition place) throws Exception {
    return ask(place, it -> it.beginningOffsets(List.of(place)).get(place));
  }

  long latest(TopicPartition place) throws Exception {
    return ask(place, it -> it.endOffsets(List.of(place)).get(place));
  }

  Object list(JsonNode args) throws Exception {
    JsonNode at = args.get("at");
    TopicPartition place = KafkaDriver.placeOf(args);
    if (!at.isObject()) {
      return Map.of("offset", String.valueOf(at.asText().equals("earliest") ? earliest(place) : latest(place)));
    }
    long timestamp = at.get("timestamp").asLong();
    OffsetAndTimestamp found = ask(place, it -> it.offsetsForTimes(Map.of(place, timestamp)).get(place));
    if (found == null) return Map.of("offset", "-1");
    return Map.of("offset", String.valueOf(found.offset()), "timestamp", String.valueOf(found.timestamp()));
  }

  Object committed(JsonNode args) throws Exception {
    OffsetAndMetadata found = askAs(args.get("group").asText(), it -> it.committed(KafkaDriver.placeOf(args)));
    if (found == null) return Map.of("offset", "-1");
    return Map.of("offset", String.valueOf(found.offset()), "metadata", found.metadata());
  }

  Object commit(JsonNode args) throws Exception {
    String group = args.get("group").asText();
    var offsets = Members.offsetsOf(args.get("offsets"));
    return askAs(
        group,
        it -> {
          CommitLog.committing(group, () -> it.commitSync(offsets));
          return null;
        });
  }

  Object allCommitted(JsonNode args) {
    throw Release.missing("2.0", "AdminClient.listConsumerGroupOffsets (KIP-222)");
  }

  private synchronized <Answer> Answer ask(TopicPartition place, Question<Answer> question) throws Exception {
    if (!topic.equals(place.topic())) close();
    if (consumer == null) consumer = open(settings);
    topic = place.topic();
    return inTime(consumer, question);
  }

  private <Answer> Answer askAs(String group, Question<Answer> question) throws Exception {
    Map<String, Object> all = new HashMap<>(settings);
    all.putAll(Map.of("group.id", group, "enable.auto.commit", false));
    KafkaConsumer<byte[], byte[]> own = open(all);
    try {
      return inTime(own, question);
    } finally {
      Driver.aside(() -> Library.close(own, 0));
    }
  }

  private static KafkaConsumer<byte[], byte[]> open(Map<String, Object> settings) {
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** A consumer of these releases asks again for minutes, or without end. */
  private static <Answer> Answer inTime(KafkaConsumer<byte[], byte[]> consumer, Question<Answer> question)
      throws Exception {
    Timer timer = new Timer(true);
    timer.schedule(
        new TimerTask() {
          @Override
          public void run() {
            consumer.wakeup();
          }
        },
        TIMEOUT_MS);
    try {
      return question.ask(consumer);
    } catch (WakeupException late) {
      throw new java.util.concurrent.TimeoutException("no answer within " + TIMEOUT_MS + " ms");
    } finally {
      timer.cancel();
    }
  }
}
