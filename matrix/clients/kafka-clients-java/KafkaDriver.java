import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Driver of Java's kafka-clients (matrix/driver/messages.ts), from 0.10.2 on: one source, with a file of its own for each
 * place where releases differ (`X.since-V.java`, `X.before-V.java`; 0.11 and 1.0 have the oldest form of `Topics`). What
 * the library cannot express is answered `unsupported`: a timestamp below 0, which its records refuse, and what a release
 * does not have yet, by the name of the KIP that brought it.
 */
public final class KafkaDriver {
  private static final int BATCH_BYTES_MAX = 1 << 20;
  private static final int REQUEST_BYTES_MAX = 100_000_000;
  private static final int LINGER_MS_MAX = 500;
  /** By so much a producer's own time-out may come later than the driver's. */
  private static final int GRACE_MS = 2000;
  /** Errors that older releases call by another name, by code. */
  private static final Map<Short, String> RENAMED =
      Map.of(
          (short) 6, "NOT_LEADER_OR_FOLLOWER",
          (short) 10, "MESSAGE_TOO_LARGE",
          (short) 14, "COORDINATOR_LOAD_IN_PROGRESS",
          (short) 15, "COORDINATOR_NOT_AVAILABLE",
          (short) 16, "NOT_COORDINATOR");

  private Map<String, Object> settings = Map.of();
  /** Since `configure`: the broker took a record. */
  private volatile boolean isLetIn;
  private Topics topics;
  private Offsets offsets;
  private final Map<String, KafkaProducer<byte[], byte[]>> producers = new ConcurrentHashMap<>();
  private final Readers readers = new Readers();
  private final Members members = new Members();

  public static void main(String[] args) throws IOException {
    CommitLog.listen();
    KafkaDriver driver = new KafkaDriver();
    Driver.serve("kafka-clients-java", Release.VERSION, "kafka", driver.ops(), KafkaDriver::nameOf);
  }

  private Map<String, Driver.Op> ops() {
    Map<String, Driver.Op> ops = new HashMap<>();
    ops.put("configure", this::configure);
    ops.put("createTopics", args -> topics().create(args));
    ops.put("deleteTopics", args -> topics().delete(args));
    ops.put("createPartitions", args -> topics().createPartitions(args));
    ops.put("deleteRecords", args -> topics().deleteRecords(args));
    ops.put("describeConfigs", args -> topics().describeConfigs(args));
    ops.put("alterConfigs", args -> topics().alterConfigs(args));
    ops.put("listTopics", args -> topics().list());
    ops.put("metadata", args -> topics().metadata(args));
    ops.put("listOffsets", args -> offsets().list(args));
    ops.put("produce", this::produce);
    ops.put("consume", args -> readers.consume(args, settings, offsets()));
    ops.put("openConsumer", args -> readers.open(args, settings, offsets()));
    ops.put("poll", readers::poll);
    ops.put("seek", readers::seek);
    ops.put("closeConsumer", readers::close);
    ops.put("consumeInGroup", args -> readers.consumeInGroup(args, settings));
    ops.put("committed", args -> offsets().committed(args));
    ops.put("commit", args -> offsets().commit(args));
    ops.put("allCommitted", args -> offsets().allCommitted(args));
    ops.put("openMember", args -> members.open(args, settings));
    ops.put("assignment", members::assignment);
    ops.put("memberPoll", members::poll);
    ops.put("memberCommit", members::commit);
    ops.put("closeMember", members::close);
    if (!Release.isSince(1, 0)) ops.replaceAll((name, op) -> args -> orRefusedUntold(op, args));
    return ops;
  }

  /** Where a log-in is refused these releases try again, and say nothing. Who was let in is late for another reason. */
  private Object orRefusedUntold(Driver.Op op, JsonNode args) throws Exception {
    try {
      return op.run(args);
    } catch (TimeoutException | java.util.concurrent.TimeoutException late) {
      if (!settings.containsKey("sasl.mechanism") || isLetIn) throw late;
      throw Release.missing("1.0", "errors of log-ins (KIP-152)");
    }
  }

  static String nameOf(Throwable error) {
    // Of a consumer that could not be built.
    if (error instanceof KafkaException && error.getClass() == KafkaException.class && error.getCause() != null) {
      return nameOf(error.getCause());
    }
    if (error instanceof TimeoutException || error instanceof java.util.concurrent.TimeoutException) return "TIMEOUT";
    if (error instanceof InvalidOffsetException) return "OFFSET_OUT_OF_RANGE";
    Errors known = Errors.forException(error);
    if (known.code() == -1) return error.getClass().getSimpleName();
    return RENAMED.getOrDefault(known.code(), known.name());
  }

  private synchronized Object configure(JsonNode args) {
    List<KafkaProducer<byte[], byte[]>> oldProducers = new ArrayList<>(producers.values());
    producers.clear();
    for (KafkaProducer<byte[], byte[]> producer : oldProducers) Driver.aside(() -> Library.close(producer, 0));
    readers.closeAll();
    members.closeAll();
    if (topics != null) Driver.aside(topics);
    if (offsets != null) Driver.aside(offsets);
    topics = null;
    offsets = null;
    isLetIn = false;
    settings =
        with(
            Security.settingsOf(args.get("security")),
            "bootstrap.servers", args.get("bootstrap").asText(),
            "client.id", args.get("clientId").asText(),
            "reconnect.backoff.ms", 20,
            "reconnect.backoff.max.ms", 500,
            "retry.backoff.ms", 20);
    return null;
  }

  private synchronized Topics topics() {
    if (topics == null) topics = new Topics(settings);
    return topics;
  }

  private synchronized Offsets offsets() {
    if (offsets == null) offsets = new Offsets(settings);
    return offsets;
  }

  static Map<String, Object> with(Map<String, Object> settings, Object... more) {
    Map<String, Object> all = new HashMap<>(settings);
    for (int index = 0; index < more.length; index += 2) all.put((String) more[index], more[index + 1]);
    return all;
  }

  static TopicPartition placeOf(JsonNode args) {
    return new TopicPartition(args.get("topic").asText(), Driver.number(args, "partition", 0));
  }

  /* ---- Producing ------------------------------------------------------------------------------------------------ */

  private Object produce(JsonNode args) throws Exception {
    long deadline = Driver.deadline(args, 15_000);
    KafkaProducer<byte[], byte[]> producer = producer(args);
    boolean oneBatch = !args.has("oneBatch") || args.get("oneBatch").asBoolean();
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (JsonNode record : args.get("records")) records.add(toRecord(args.get("topic").asText(), record));
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (ProducerRecord<byte[], byte[]> record : records) {
      sent.add(producer.send(record));
      if (!oneBatch) flush(producer, deadline);
    }
    flush(producer, deadline);
    List<Object> places = new ArrayList<>();
    for (Future<RecordMetadata> future : sent) {
      places.add(toPlace(future.get(Math.max(1, Driver.left(deadline)), TimeUnit.MILLISECONDS)));
    }
    isLetIn = true;
    return Map.of("records", places);
  }

  /** Before delivery.timeout.ms (KIP-91) a producer never gave up on a broker that is there, nor did its flush(). */
  private void flush(KafkaProducer<byte[], byte[]> producer, long deadline) throws Exception {
    FutureTask<Void> flush = new FutureTask<>(producer::flush, null);
    Driver.aside(flush::run);
    try {
      flush.get(Driver.left(deadline) + GRACE_MS, TimeUnit.MILLISECONDS);
    } catch (java.util.concurrent.TimeoutException late) {
      producers.values().remove(producer);
      Driver.aside(() -> Library.close(producer, 0));
      throw late;
    }
  }

  private KafkaProducer<byte[], byte[]> producer(JsonNode args) {
    String compression = Driver.text(args, "compression", "none");
    if (compression.equals("zstd")) Release.mustBeSince(2, 1, "zstd (KIP-110)");
    boolean idempotent = Driver.flag(args, "idempotent");
    if (idempotent) Release.mustBeSince(0, 11, "the idempotent producer (KIP-98)");
    int timeoutMs = Driver.number(args, "timeoutMs", 15_000);
    // A batch is closed by flush(), not by time.
    int lingerMs = Math.min(LINGER_MS_MAX, timeoutMs / 2);
    Map<String, Object> all =
        with(
            settings,
            "acks", Driver.text(args, "acks", "all"),
            "compression.type", compression,
            "linger.ms", lingerMs,
            "batch.size", BATCH_BYTES_MAX,
            // The broker's limit is what counts.
            "max.request.size", REQUEST_BYTES_MAX,
            "buffer.memory", 2L * REQUEST_BYTES_MAX,
            "max.block.ms", timeoutMs,
            "request.timeout.ms", Math.max(1, timeoutMs - lingerMs),
            "delivery.timeout.ms", timeoutMs);
    if (Release.isSince(0, 11)) all.put("enable.idempotence", idempotent);
    // Before delivery.timeout.ms (KIP-91) a producer gave up at the first error that passes, or sent out of order.
    if (!Release.isSince(2, 1)) {
      all.putAll(Map.of("retries", Integer.MAX_VALUE, "max.in.flight.requests.per.connection", 1));
    }
    return producers.computeIfAbsent(
        Driver.text(args, "producer", "default"),
        name -> new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer()));
  }

  private static ProducerRecord<byte[], byte[]> toRecord(String topic, JsonNode record) {
    Integer partition = Driver.has(record, "partition") ? record.get("partition").asInt() : null;
    Long timestamp = Driver.has(record, "timestamp") ? record.get("timestamp").asLong() : null;
    if (timestamp != null && timestamp < 0) {
      throw new Driver.Unsupported("Java's kafka-clients refuse to send a timestamp below 0");
    }
    byte[] key = Driver.bytes(record.get("key"));
    byte[] value = Driver.bytes(record.get("value"));
    ProducerRecord<byte[], byte[]> result = new ProducerRecord<>(topic, partition, timestamp, key, value);
    if (record.has("headers")) {
      for (JsonNode header : record.get("headers")) {
        Headers.add(result, header.get(0).asText(), Driver.bytes(header.get(1)));
      }
    }
    return result;
  }

  private static Object toPlace(RecordMetadata metadata) {
    return metadata.offset() >= 0
        ? Map.of("partition", metadata.partition(), "offset", String.valueOf(metadata.offset()))
        : Map.of("partition", metadata.partition());
  }

}
