import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Driver of Java's kafka-clients (matrix/driver/messages.ts). What the library cannot express is answered
 * `unsupported`: a timestamp below 0, which its records refuse.
 */
public final class KafkaDriver {
  private static final int BATCH_BYTES_MAX = 1 << 20;
  private static final int REQUEST_BYTES_MAX = 100_000_000;
  private static final int LINGER_MS_MAX = 500;
  private static final Duration CLOSE = Duration.ofMillis(300);

  private Map<String, Object> settings = Map.of();
  private Admin admin;
  private final Map<String, KafkaProducer<byte[], byte[]>> producers = new ConcurrentHashMap<>();
  private final Map<String, Reader> readers = new ConcurrentHashMap<>();
  private final Members members = new Members();

  public static void main(String[] args) throws IOException {
    KafkaDriver driver = new KafkaDriver();
    Driver.serve("kafka-clients-java", AppInfoParser.getVersion(), "kafka", driver.ops(), KafkaDriver::nameOf);
  }

  private Map<String, Driver.Op> ops() {
    Map<String, Driver.Op> ops = new HashMap<>();
    ops.put("configure", this::configure);
    ops.put("createTopics", this::createTopics);
    ops.put("deleteTopics", this::deleteTopics);
    ops.put("createPartitions", this::createPartitions);
    ops.put("deleteRecords", this::deleteRecords);
    ops.put("describeConfigs", this::describeConfigs);
    ops.put("alterConfigs", this::alterConfigs);
    ops.put("listTopics", this::listTopics);
    ops.put("metadata", this::metadata);
    ops.put("listOffsets", this::listOffsets);
    ops.put("produce", this::produce);
    ops.put("consume", this::consume);
    ops.put("openConsumer", this::openConsumer);
    ops.put("poll", this::poll);
    ops.put("seek", this::seek);
    ops.put("closeConsumer", this::closeConsumer);
    ops.put("consumeInGroup", this::consumeInGroup);
    ops.put("committed", this::committed);
    ops.put("commit", this::commit);
    ops.put("allCommitted", this::allCommitted);
    ops.put("openMember", args -> members.open(args, settings));
    ops.put("assignment", members::assignment);
    ops.put("memberPoll", members::poll);
    ops.put("memberCommit", members::commit);
    ops.put("closeMember", members::close);
    return ops;
  }

  private static String nameOf(Throwable error) {
    // Of a consumer that could not be built.
    if (error instanceof KafkaException && error.getClass() == KafkaException.class && error.getCause() != null) {
      return nameOf(error.getCause());
    }
    if (error instanceof TimeoutException || error instanceof java.util.concurrent.TimeoutException) return "TIMEOUT";
    if (error instanceof InvalidOffsetException) return "OFFSET_OUT_OF_RANGE";
    Errors known = Errors.forException(error);
    return known == Errors.UNKNOWN_SERVER_ERROR ? error.getClass().getSimpleName() : known.name();
  }

  private synchronized Object configure(JsonNode args) {
    List<KafkaProducer<byte[], byte[]>> oldProducers = new ArrayList<>(producers.values());
    List<Reader> oldReaders = new ArrayList<>(readers.values());
    Admin oldAdmin = admin;
    producers.clear();
    readers.clear();
    admin = null;
    for (KafkaProducer<byte[], byte[]> producer : oldProducers) Driver.aside(() -> producer.close(Duration.ZERO));
    for (Reader reader : oldReaders) Driver.aside(reader);
    members.closeAll();
    if (oldAdmin != null) Driver.aside(() -> oldAdmin.close(Duration.ZERO));
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

  private synchronized Admin admin() {
    if (admin == null) admin = Admin.create(with(settings, "request.timeout.ms", 10_000, "default.api.timeout.ms", 15_000));
    return admin;
  }

  private static Map<String, Object> with(Map<String, Object> settings, Object... more) {
    Map<String, Object> all = new HashMap<>(settings);
    for (int index = 0; index < more.length; index += 2) all.put((String) more[index], more[index + 1]);
    return all;
  }

  /* ---- Topics --------------------------------------------------------------------------------------------------- */

  private Object createTopics(JsonNode args) {
    List<NewTopic> topics = new ArrayList<>();
    for (JsonNode topic : args.get("topics")) {
      NewTopic wanted = new NewTopic(topic.get("name").asText(), topic.get("partitions").asInt(), (short) 1);
      topics.add(wanted.configs(configsOf(topic.get("configs"))));
    }
    List<String> names = topics.stream().map(NewTopic::name).toList();
    return each(names, admin().createTopics(topics).values());
  }

  private Object deleteTopics(JsonNode args) {
    List<String> names = namesOf(args.get("names"));
    return each(names, admin().deleteTopics(names).topicNameValues());
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
      return Map.of("name", name, "error", nameOf(Driver.unwrap(error)));
    }
  }

  private Object createPartitions(JsonNode args) throws Exception {
    NewPartitions wanted = NewPartitions.increaseTo(args.get("count").asInt());
    admin().createPartitions(Map.of(args.get("topic").asText(), wanted)).all().get();
    return null;
  }

  private Object deleteRecords(JsonNode args) throws Exception {
    RecordsToDelete wanted = RecordsToDelete.beforeOffset(args.get("before").asLong());
    admin().deleteRecords(Map.of(placeOf(args), wanted)).all().get();
    return null;
  }

  private Object describeConfigs(JsonNode args) throws Exception {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, args.get("topic").asText());
    Map<String, String> configs = new LinkedHashMap<>();
    for (ConfigEntry entry : admin().describeConfigs(List.of(topic)).values().get(topic).get().entries()) {
      configs.put(entry.name(), entry.value());
    }
    return Map.of("configs", configs);
  }

  private Object alterConfigs(JsonNode args) throws Exception {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, args.get("topic").asText());
    Collection<AlterConfigOp> changes = new ArrayList<>();
    configsOf(args.get("configs"))
        .forEach((name, value) -> changes.add(new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)));
    admin().incrementalAlterConfigs(Map.of(topic, changes)).all().get();
    return null;
  }

  private Object listTopics(JsonNode args) throws Exception {
    return Map.of("names", admin().listTopics().names().get());
  }

  private Object metadata(JsonNode args) throws Exception {
    List<Object> brokers = new ArrayList<>();
    for (var node : admin().describeCluster().nodes().get()) {
      brokers.add(Map.of("id", node.id(), "host", node.host(), "port", node.port()));
    }
    List<String> names = namesOf(args.get("topics"));
    var futures = admin().describeTopics(names).topicNameValues();
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
      return Map.of(
          "name", name, "topicId", topic.topicId().toString(), "internal", topic.isInternal(), "partitions", partitions);
    } catch (Exception error) {
      return Map.of("name", name, "error", nameOf(Driver.unwrap(error)), "partitions", List.of());
    }
  }

  private Object listOffsets(JsonNode args) throws Exception {
    ListOffsetsResultInfo info = offsetAt(placeOf(args), args.get("at"));
    Map<String, Object> result = new HashMap<>();
    result.put("offset", String.valueOf(info.offset()));
    if (info.timestamp() >= 0) result.put("timestamp", String.valueOf(info.timestamp()));
    return result;
  }

  private ListOffsetsResultInfo offsetAt(TopicPartition place, JsonNode at) throws Exception {
    OffsetSpec spec;
    if (at.isObject()) spec = OffsetSpec.forTimestamp(at.get("timestamp").asLong());
    else spec = at.asText().equals("earliest") ? OffsetSpec.earliest() : OffsetSpec.latest();
    return admin().listOffsets(Map.of(place, spec)).partitionResult(place).get();
  }

  private long latest(TopicPartition place) throws Exception {
    return admin().listOffsets(Map.of(place, OffsetSpec.latest())).partitionResult(place).get().offset();
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
      if (!oneBatch) producer.flush();
    }
    producer.flush();
    List<Object> places = new ArrayList<>();
    for (Future<RecordMetadata> future : sent) {
      places.add(toPlace(future.get(Math.max(1, Driver.left(deadline)), TimeUnit.MILLISECONDS)));
    }
    return Map.of("records", places);
  }

  private KafkaProducer<byte[], byte[]> producer(JsonNode args) {
    int timeoutMs = Driver.number(args, "timeoutMs", 15_000);
    // A batch is closed by flush(), not by time.
    int lingerMs = Math.min(LINGER_MS_MAX, timeoutMs / 2);
    return producers.computeIfAbsent(
        Driver.text(args, "producer", "default"),
        name ->
            new KafkaProducer<>(
                with(
                    settings,
                    "acks", Driver.text(args, "acks", "all"),
                    "compression.type", Driver.text(args, "compression", "none"),
                    "enable.idempotence", Driver.flag(args, "idempotent"),
                    "linger.ms", lingerMs,
                    "batch.size", BATCH_BYTES_MAX,
                    // The broker's limit is what counts.
                    "max.request.size", REQUEST_BYTES_MAX,
                    "buffer.memory", 2L * REQUEST_BYTES_MAX,
                    "max.block.ms", timeoutMs,
                    "request.timeout.ms", Math.max(1, timeoutMs - lingerMs),
                    "delivery.timeout.ms", timeoutMs),
                new ByteArraySerializer(),
                new ByteArraySerializer()));
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
        result.headers().add(header.get(0).asText(), Driver.bytes(header.get(1)));
      }
    }
    return result;
  }

  private static Object toPlace(RecordMetadata metadata) {
    return metadata.hasOffset()
        ? Map.of("partition", metadata.partition(), "offset", String.valueOf(metadata.offset()))
        : Map.of("partition", metadata.partition());
  }

  /* ---- Consuming ------------------------------------------------------------------------------------------------ */

  /** One partition, by assignment. KafkaConsumer belongs to one thread at a time: its monitor is the reader's. */
  private final class Reader implements AutoCloseable {
    final TopicPartition place;
    final KafkaConsumer<byte[], byte[]> consumer;
    final List<Object> received = new ArrayList<>();

    Reader(TopicPartition place, long start, Object... more) {
      this.place = place;
      Map<String, Object> all = with(settings, "enable.auto.commit", false, "fetch.max.wait.ms", 100);
      all.putAll(with(Map.of("auto.offset.reset", "none", "allow.auto.create.topics", false), more));
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
      while (received.isEmpty() && fetches() == 0) step(20);
    }

    private double fetches() {
      return consumer.metrics().entrySet().stream()
          .filter(metric -> metric.getKey().name().equals("fetch-total"))
          .mapToDouble(metric -> ((Number) metric.getValue().metricValue()).doubleValue())
          .sum();
    }

    private void step(long milliseconds) {
      for (var record : consumer.poll(Duration.ofMillis(milliseconds))) received.add(toReceived(record));
    }

    synchronized void seek(long offset) {
      received.clear();
      consumer.seek(place, offset);
    }

    @Override
    public void close() {
      consumer.wakeup();
      synchronized (this) {
        consumer.close(CLOSE);
      }
    }
  }

  private Object consume(JsonNode args) throws Exception {
    long deadline = Driver.deadline(args, 15_000);
    TopicPartition place = placeOf(args);
    long start = startOf(place, args, "earliest");
    long end = Driver.has(args, "until") ? latest(place) : Long.MAX_VALUE;
    if (start == end) return Map.of("records", List.of());
    List<Object> more = new ArrayList<>(List.of("auto.offset.reset", Driver.text(args, "reset", "none")));
    more.addAll(List.of("isolation.level", Driver.flag(args, "readCommitted") ? "read_committed" : "read_uncommitted"));
    if (Driver.has(args, "maxPartitionBytes")) {
      more.addAll(List.of("max.partition.fetch.bytes", args.get("maxPartitionBytes").asInt()));
    }
    Reader reader = new Reader(place, start, more.toArray());
    try {
      return Map.of("records", reader.take(Driver.number(args, "count", Integer.MAX_VALUE), end, deadline));
    } finally {
      Driver.aside(reader);
    }
  }

  private long startOf(TopicPartition place, JsonNode args, String fallback) throws Exception {
    JsonNode from = args.get("from");
    if (from != null && from.isObject()) return from.get("offset").asLong();
    String name = from == null ? fallback : from.asText();
    return name.equals("latest")
        ? latest(place)
        : admin().listOffsets(Map.of(place, OffsetSpec.earliest())).partitionResult(place).get().offset();
  }

  private Object openConsumer(JsonNode args) throws Exception {
    TopicPartition place = placeOf(args);
    Reader reader = new Reader(place, startOf(place, args, "latest"));
    readers.put(args.get("consumer").asText(), reader);
    reader.awaitFetch();
    return null;
  }

  private Reader reader(JsonNode args) {
    Reader reader = readers.get(args.get("consumer").asText());
    if (reader == null) throw new Driver.Named("NoSuchConsumer", "no consumer " + args.get("consumer") + " is open");
    return reader;
  }

  private Object poll(JsonNode args) {
    long deadline = Driver.deadline(args, 15_000);
    return Map.of("records", reader(args).take(args.get("count").asInt(), Long.MAX_VALUE, deadline));
  }

  private Object seek(JsonNode args) {
    reader(args).seek(args.get("offset").asLong());
    return null;
  }

  private Object closeConsumer(JsonNode args) {
    Reader reader = readers.remove(args.get("consumer").asText());
    if (reader != null) reader.close();
    return null;
  }

  private Object consumeInGroup(JsonNode args) {
    long deadline = Driver.deadline(args, 20_000);
    int count = args.get("count").asInt();
    Map<String, Object> all =
        with(
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
        for (var record : consumer.poll(Duration.ofMillis(Driver.left(deadline)))) {
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

  private Object committed(JsonNode args) throws Exception {
    String group = args.get("group").asText();
    // Asked for by its own name: a target may list all of a group's offsets under another name of the topic.
    var spec = new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(placeOf(args)));
    OffsetAndMetadata found =
        admin().listConsumerGroupOffsets(Map.of(group, spec)).partitionsToOffsetAndMetadata(group).get().get(placeOf(args));
    if (found == null) return Map.of("offset", "-1");
    return Map.of("offset", String.valueOf(found.offset()), "metadata", found.metadata());
  }

  private Object commit(JsonNode args) throws Exception {
    admin().alterConsumerGroupOffsets(args.get("group").asText(), Members.offsetsOf(args.get("offsets"))).all().get();
    return null;
  }

  private Object allCommitted(JsonNode args) throws Exception {
    var found = admin().listConsumerGroupOffsets(args.get("group").asText()).partitionsToOffsetAndMetadata().get();
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

  static Map<String, Object> toReceived(ConsumerRecord<byte[], byte[]> record) {
    Map<String, Object> received = new TreeMap<>();
    received.put("partition", record.partition());
    received.put("offset", String.valueOf(record.offset()));
    received.put("timestamp", String.valueOf(record.timestamp()));
    if (record.timestampType() == TimestampType.CREATE_TIME) received.put("timestampType", "create");
    if (record.timestampType() == TimestampType.LOG_APPEND_TIME) received.put("timestampType", "append");
    received.put("key", Driver.base64(record.key()));
    received.put("value", Driver.base64(record.value()));
    List<Object> headers = new ArrayList<>();
    for (Header header : record.headers()) {
      List<Object> pair = new ArrayList<>();
      pair.add(header.key());
      pair.add(Driver.base64(header.value()));
      headers.add(pair);
    }
    received.put("headers", headers);
    return received;
  }

  private static TopicPartition placeOf(JsonNode args) {
    return new TopicPartition(args.get("topic").asText(), Driver.number(args, "partition", 0));
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
