import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Consumers of one partition by assignment, and those that read once as a group. */
final class Readers {
  private static final int CLOSE_MS = 300;

  private final Map<String, Reader> readers = new ConcurrentHashMap<>();

  /** One partition, by assignment. KafkaConsumer belongs to one thread at a time: its monitor is the reader's. */
  private static final class Reader implements AutoCloseable {
    final TopicPartition place;
    final KafkaConsumer<byte[], byte[]> consumer;
    final List<Object> received = new ArrayList<>();

    Reader(Map<String, Object> settings, TopicPartition place, long start, Object... more) {
      this.place = place;
      Map<String, Object> all = KafkaDriver.with(settings, "enable.auto.commit", false, "fetch.max.wait.ms", 100);
      all.putAll(KafkaDriver.with(Map.of("auto.offset.reset", "none", "allow.auto.create.topics", false), more));
      consumer = new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      consumer.assign(List.of(place));
      consumer.seek(place, start);
    }

    synchronized List<Object> take(int count, long end, long deadline) {
      while (received.size() < count && consumer.position(place) < end && Driver.left(deadline) > 0) {
        step(Driver.left(deadline));
      }
      List<Object> first = received.subList(0, Math.min(count, received.size()));
      List<Object> taken = new ArrayList<>(first);
      first.clear();
      return taken;
    }

    /** Polls until its first fetch has been answered, if only by the broker's patience. */
    synchronized void awaitFetch() {
      while (received.isEmpty() && !Library.hasFetched(consumer)) step(20);
    }

    private void step(long milliseconds) {
      for (var record : Library.poll(consumer, milliseconds)) received.add(toReceived(record));
    }

    synchronized void seek(long offset) {
      received.clear();
      consumer.seek(place, offset);
    }

    @Override
    public void close() {
      consumer.wakeup();
      synchronized (this) {
        Library.close(consumer, CLOSE_MS);
      }
    }
  }

  Object consume(JsonNode args, Map<String, Object> settings, Offsets offsets) throws Exception {
    long deadline = Driver.deadline(args, 15_000);
    TopicPartition place = KafkaDriver.placeOf(args);
    long start = startOf(place, args, "earliest", offsets);
    long end = Driver.has(args, "until") ? offsets.latest(place) : Long.MAX_VALUE;
    if (start == end) return Map.of("records", List.of());
    List<Object> more = new ArrayList<>(List.of("auto.offset.reset", Driver.text(args, "reset", "none")));
    more.addAll(List.of("isolation.level", Driver.flag(args, "readCommitted") ? "read_committed" : "read_uncommitted"));
    if (Driver.has(args, "maxPartitionBytes")) {
      more.addAll(List.of("max.partition.fetch.bytes", args.get("maxPartitionBytes").asInt()));
    }
    Reader reader = new Reader(settings, place, start, more.toArray());
    try {
      return Map.of("records", reader.take(Driver.number(args, "count", Integer.MAX_VALUE), end, deadline));
    } finally {
      Driver.aside(reader);
    }
  }

  private static long startOf(TopicPartition place, JsonNode args, String fallback, Offsets offsets) throws Exception {
    JsonNode from = args.get("from");
    if (from != null && from.isObject()) return from.get("offset").asLong();
    String name = from == null ? fallback : from.asText();
    return name.equals("latest") ? offsets.latest(place) : offsets.earliest(place);
  }

  Object open(JsonNode args, Map<String, Object> settings, Offsets offsets) throws Exception {
    TopicPartition place = KafkaDriver.placeOf(args);
    Reader reader = new Reader(settings, place, startOf(place, args, "latest", offsets));
    readers.put(args.get("consumer").asText(), reader);
    reader.awaitFetch();
    return null;
  }

  private Reader reader(JsonNode args) {
    Reader reader = readers.get(args.get("consumer").asText());
    if (reader == null) throw new Driver.Named("NoSuchConsumer", "no consumer " + args.get("consumer") + " is open");
    return reader;
  }

  Object poll(JsonNode args) {
    long deadline = Driver.deadline(args, 15_000);
    return Map.of("records", reader(args).take(args.get("count").asInt(), Long.MAX_VALUE, deadline));
  }

  Object seek(JsonNode args) {
    reader(args).seek(args.get("offset").asLong());
    return null;
  }

  Object close(JsonNode args) {
    Reader reader = readers.remove(args.get("consumer").asText());
    if (reader != null) reader.close();
    return null;
  }

  /** Ends all of them; waits for none. */
  void closeAll() {
    for (Reader reader : readers.values()) Driver.aside(reader);
    readers.clear();
  }

  Object consumeInGroup(JsonNode args, Map<String, Object> settings) {
    long deadline = Driver.deadline(args, 20_000);
    int count = args.get("count").asInt();
    Map<String, Object> all =
        KafkaDriver.with(
            settings,
            "group.id", args.get("group").asText(),
            "enable.auto.commit", false,
            "fetch.max.wait.ms", 100,
            "auto.offset.reset", Driver.text(args, "from", "earliest"));
    List<Object> records = new ArrayList<>();
    Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    try (var consumer = new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(args.get("topic").asText()));
      while (records.size() < count && Driver.left(deadline) > 0) {
        for (var record : Library.poll(consumer, Driver.left(deadline))) {
          if (records.size() == count) break;
          records.add(toReceived(record));
          TopicPartition place = new TopicPartition(record.topic(), record.partition());
          positions.put(place, new OffsetAndMetadata(record.offset() + 1));
        }
      }
      if (!positions.isEmpty()) consumer.commitSync(positions);
    }
    return Map.of("records", records);
  }

  static Map<String, Object> toReceived(ConsumerRecord<byte[], byte[]> record) {
    Map<String, Object> received = new TreeMap<>();
    received.put("partition", record.partition());
    received.put("offset", String.valueOf(record.offset()));
    received.put("timestamp", String.valueOf(record.timestamp()));
    if (record.timestampType() == TimestampType.CREATE_TIME) received.put("timestampType", "create");
    if (record.timestampType() == TimestampType.LOG_APPEND_TIME) received.put("timestampType", "append");
    received.put("key", Driver.base64(record.key()));
    received.put("value", Driver.base64(record.value()));
    List<Object> headers = Headers.of(record);
    if (headers != null) received.put("headers", headers);
    return received;
  }
}
