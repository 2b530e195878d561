import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.PulsarVersion;
import org.apache.pulsar.client.api.AuthenticationFactory;
import org.apache.pulsar.client.api.ClientBuilder;
import org.apache.pulsar.client.api.CompressionType;
import org.apache.pulsar.client.api.Consumer;
import org.apache.pulsar.client.api.ConsumerBuilder;
import org.apache.pulsar.client.api.CryptoKeyReader;
import org.apache.pulsar.client.api.EncryptionKeyInfo;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.ProducerBuilder;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;
import org.apache.pulsar.client.api.Reader;
import org.apache.pulsar.client.api.ReaderBuilder;
import org.apache.pulsar.client.api.Schema;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.client.api.SubscriptionType;
import org.apache.pulsar.common.schema.SchemaInfo;
import org.apache.pulsar.common.schema.SchemaType;

/** Driver of Java's pulsar-client (matrix/driver/messages.ts). */
public final class PulsarDriver {
  private static final int BATCH_BYTES_MAX = 4 * 1024 * 1024;
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("Timeout", "TIMEOUT"),
          Map.entry("TopicDoesNotExist", "TopicNotFound"),
          Map.entry("NotFound", "TopicNotFound"),
          Map.entry("BrokerMetadata", "MetadataError"),
          Map.entry("BrokerPersistence", "PersistenceError"),
          Map.entry("Authentication", "AuthenticationError"),
          Map.entry("GettingAuthenticationData", "AuthenticationError"),
          Map.entry("Authorization", "AuthorizationError"),
          Map.entry("Checksum", "ChecksumError"),
          Map.entry("TopicTerminated", "TopicTerminatedError"),
          Map.entry("NotAllowed", "NotAllowedError"),
          Map.entry("ProducerBlockedQuotaExceeded", "ProducerBlockedQuotaExceededException"),
          Map.entry("UnsupportedVersion", "UnsupportedVersionError"),
          Map.entry("ConsumerAssign", "ConsumerAssignError"),
          Map.entry("TooManyRequests", "TooManyRequests"));

  private PulsarClient client;
  /** The arguments that `client` was built of. */
  private JsonNode configured;
  private final Map<String, Producer<byte[]>> producers = new ConcurrentHashMap<>();
  private final Map<String, KeptConsumer> consumers = new ConcurrentHashMap<>();
  private final Map<String, Reader<byte[]>> readers = new ConcurrentHashMap<>();

  public static void main(String[] args) throws IOException {
    PulsarDriver driver = new PulsarDriver();
    Driver.serve("pulsar-client-java", PulsarVersion.getVersion(), "pulsar", driver.ops(), PulsarDriver::nameOf);
  }

  private Map<String, Driver.Op> ops() {
    Map<String, Driver.Op> ops = new HashMap<>();
    ops.put("configure", this::configure);
    ops.put("produce", this::produce);
    ops.put("closeProducer", this::closeProducer);
    ops.put("subscribe", this::subscribe);
    ops.put("receive", this::receive);
    ops.put("acknowledge", this::acknowledge);
    ops.put("negativeAcknowledge", this::negativeAcknowledge);
    ops.put("redeliverUnacknowledged", this::redeliverUnacknowledged);
    ops.put("seek", this::seek);
    ops.put("unsubscribe", this::unsubscribe);
    ops.put("closeConsumer", this::closeConsumer);
    ops.put("read", this::read);
    ops.put("openReader", this::openReader);
    ops.put("readNext", this::readNext);
    ops.put("lastMessageId", this::lastMessageId);
    ops.put("partitions", this::partitions);
    return ops;
  }

  private static String nameOf(Throwable error) {
    String name = error.getClass().getSimpleName().replaceFirst("Exception$", "");
    return NAMES.getOrDefault(name, name);
  }

  /**
   * Of the same address and security the client stays, without its handles: a client that is shut down keeps its threads and its timer
   * for many seconds yet, and a driver serves hundreds of scenarios.
   */
  private synchronized Object configure(JsonNode args) throws Exception {
    closeHandles();
    if (client != null && args.equals(configured)) return null;
    PulsarClient old = client;
    if (old != null) Driver.aside(old::shutdown);
    configured = args;
    ClientBuilder builder =
        PulsarClient.builder()
            .serviceUrl(args.get("serviceUrl").asText())
            .operationTimeout(15, TimeUnit.SECONDS)
            .connectionTimeout(5, TimeUnit.SECONDS)
            .startingBackoffInterval(20, TimeUnit.MILLISECONDS)
            .maxBackoffInterval(500, TimeUnit.MILLISECONDS)
            .statsInterval(0, TimeUnit.SECONDS)
            .ioThreads(1)
            .listenerThreads(1);
    secure(builder, args.get("security"));
    client = builder.build();
    return null;
  }

  private static void secure(ClientBuilder builder, JsonNode security) {
    if (security == null) return;
    if (Driver.has(security, "token")) {
      builder.authentication(AuthenticationFactory.token(security.get("token").asText()));
    }
    if (Driver.has(security, "caPath")) {
      builder.tlsTrustCertsFilePath(security.get("caPath").asText()).enableTlsHostnameVerification(true);
    }
  }

  private void closeHandles() {
    producers.values().forEach(Producer::closeAsync);
    consumers.values().forEach(kept -> kept.consumer.closeAsync());
    readers.values().forEach(Reader::closeAsync);
    producers.clear();
    consumers.clear();
    readers.clear();
  }

  private synchronized PulsarClient client() {
    return client;
  }

  /* ---- Producing ------------------------------------------------------------------------------------------------ */

  private Object produce(JsonNode args) throws Exception {
    long deadline = Driver.deadline(args, 15_000);
    Producer<byte[]> producer = producer(args);
    List<CompletableFuture<MessageId>> sent = new ArrayList<>();
    synchronized (producer) {
      for (JsonNode message : args.get("messages")) sent.add(Messages.toMessage(producer, message).sendAsync());
      producer.flushAsync();
    }
    List<Object> ids = new ArrayList<>();
    for (CompletableFuture<MessageId> future : sent) {
      ids.add(Ids.from(future.get(Math.max(1, Driver.left(deadline)), TimeUnit.MILLISECONDS)));
    }
    return Map.of("ids", ids);
  }

  /** A producer belongs to one topic: the same name for another topic is another producer. */
  private static String producerKey(JsonNode args) {
    return Driver.text(args, "producer", "default") + " " + args.get("topic").asText();
  }

  private synchronized Producer<byte[]> producer(JsonNode args) throws Exception {
    Producer<byte[]> known = producers.get(producerKey(args));
    if (known != null) return known;
    boolean chunking = Driver.flag(args, "chunking");
    String codec = Driver.text(args, "compression", "none").toUpperCase(java.util.Locale.ROOT);
    ProducerBuilder<byte[]> builder =
        client()
            .newProducer(schemaOf(args.get("schema")))
            .topic(args.get("topic").asText())
            .sendTimeout(Driver.number(args, "timeoutMs", 15_000), TimeUnit.MILLISECONDS)
            .blockIfQueueFull(true)
            .compressionType(CompressionType.valueOf(codec))
            .enableChunking(chunking)
            .enableBatching(Driver.flag(args, "oneBatch") && !chunking)
            // A batch is closed by flush, not by time or count.
            .batchingMaxPublishDelay(1, TimeUnit.MINUTES)
            .batchingMaxMessages(1_000_000)
            .batchingMaxBytes(BATCH_BYTES_MAX);
    if (Driver.has(args, "chunkBytesMax")) Library.chunkBytesMax(builder, args.get("chunkBytesMax").asInt());
    if (Driver.has(args, "producerName")) builder.producerName(args.get("producerName").asText());
    if (Driver.has(args, "encryptionPublicKey")) {
      byte[] publicKey = args.get("encryptionPublicKey").asText().getBytes(StandardCharsets.UTF_8);
      builder.addEncryptionKey("kop").cryptoKeyReader(new PublicKey(publicKey));
    }
    Producer<byte[]> created = builder.create();
    producers.put(producerKey(args), created);
    return created;
  }

  /** Only encrypts. */
  private static final class PublicKey implements CryptoKeyReader {
    private final byte[] pem;

    PublicKey(byte[] pem) {
      this.pem = pem;
    }

    @Override
    public EncryptionKeyInfo getPublicKey(String keyName, Map<String, String> metadata) {
      return new EncryptionKeyInfo(pem, Map.of());
    }

    @Override
    public EncryptionKeyInfo getPrivateKey(String keyName, Map<String, String> metadata) {
      throw new UnsupportedOperationException("only the public key is known");
    }
  }

  /** Registers the schema; the bytes are encoded already. */
  private static Schema<byte[]> schemaOf(JsonNode schema) {
    if (schema == null) return Schema.BYTES;
    String type = schema.get("type").asText();
    if (type.equals("string")) return Schema.AUTO_PRODUCE_BYTES(Schema.STRING);
    SchemaInfo info =
        SchemaInfo.builder()
            .name(type)
            .type(type.equals("json") ? SchemaType.JSON : SchemaType.AVRO)
            .schema(schema.get("definition").asText().getBytes(StandardCharsets.UTF_8))
            .properties(Map.of())
            .build();
    return Schema.AUTO_PRODUCE_BYTES(Schema.generic(info));
  }

  private Object closeProducer(JsonNode args) throws Exception {
    String prefix = args.get("producer").asText() + " ";
    for (String key : List.copyOf(producers.keySet())) {
      if (key.startsWith(prefix)) producers.remove(key).close();
    }
    return null;
  }

  /* ---- Subscriptions -------------------------------------------------------------------------------------------- */

  /** Keeps the ids that were received: acknowledging one of a batch needs the batch's own state. */
  private static final class KeptConsumer {
    final Consumer<byte[]> consumer;
    final Map<Map<String, Object>, MessageId> received = new ConcurrentHashMap<>();

    KeptConsumer(Consumer<byte[]> consumer) {
      this.consumer = consumer;
    }

    List<MessageId> ids(JsonNode ids) {
      List<MessageId> list = new ArrayList<>();
      for (JsonNode id : ids) {
        MessageId made = Messages.toId(id);
        list.add(received.getOrDefault(Ids.from(made), made));
      }
      return list;
    }
  }

  private Object subscribe(JsonNode args) throws Exception {
    boolean latest = Driver.text(args, "from", "earliest").equals("latest");
    ConsumerBuilder<byte[]> builder =
        client()
            .newConsumer()
            .topic(args.get("topic").asText())
            .subscriptionName(args.get("subscription").asText())
            .subscriptionType(typeOf(Driver.text(args, "type", "exclusive")))
            .subscriptionInitialPosition(
                latest ? SubscriptionInitialPosition.Latest : SubscriptionInitialPosition.Earliest)
            .readCompacted(Driver.flag(args, "compacted"))
            .enableBatchIndexAcknowledgment(Driver.flag(args, "batchIndexAck"))
            .acknowledgmentGroupTime(0, TimeUnit.MILLISECONDS);
    if (Driver.has(args, "receiverQueueSize")) builder.receiverQueueSize(args.get("receiverQueueSize").asInt());
    if (Driver.has(args, "negativeAckDelayMs")) {
      builder.negativeAckRedeliveryDelay(args.get("negativeAckDelayMs").asInt(), TimeUnit.MILLISECONDS);
    }
    consumers.put(args.get("consumer").asText(), new KeptConsumer(builder.subscribe()));
    return null;
  }

  private static SubscriptionType typeOf(String name) {
    switch (name) {
      case "failover":
        return SubscriptionType.Failover;
      case "shared":
        return SubscriptionType.Shared;
      case "key_shared":
        return SubscriptionType.Key_Shared;
      default:
        return SubscriptionType.Exclusive;
    }
  }

  private KeptConsumer consumer(JsonNode args) {
    return opened(consumers, args.get("consumer").asText());
  }

  private static <T> T opened(Map<String, T> handles, String name) {
    T handle = handles.get(name);
    if (handle == null) throw new Driver.Named("NoSuchHandle", "nothing is open under the name " + name);
    return handle;
  }

  private Object receive(JsonNode args) throws Exception {
    KeptConsumer kept = consumer(args);
    return Map.of(
        "messages",
        take(args, () -> true, timeoutMs -> kept.consumer.receive(timeoutMs, TimeUnit.MILLISECONDS), kept));
  }

  private interface Take {
    Message<byte[]> within(int timeoutMs) throws PulsarClientException;
  }

  private interface More {
    boolean available() throws PulsarClientException;
  }

  /** Takes messages until there are enough, or no more, or the time is over. */
  private static List<Object> take(JsonNode args, More more, Take next, KeptConsumer kept) throws Exception {
    long deadline = Driver.deadline(args, 15_000);
    int count = Driver.number(args, "count", Integer.MAX_VALUE);
    List<Object> messages = new ArrayList<>();
    while (messages.size() < count && Driver.left(deadline) > 0 && more.available()) {
      Message<byte[]> message = next.within((int) Math.max(1, Driver.left(deadline)));
      if (message == null) break;
      if (kept != null) kept.received.put(Ids.from(message.getMessageId()), message.getMessageId());
      messages.add(Messages.toReceived(message));
    }
    return messages;
  }

  private Object acknowledge(JsonNode args) throws Exception {
    KeptConsumer kept = consumer(args);
    for (MessageId id : kept.ids(args.get("ids"))) {
      if (Driver.flag(args, "cumulative")) kept.consumer.acknowledgeCumulative(id);
      else kept.consumer.acknowledge(id);
    }
    return null;
  }

  private Object negativeAcknowledge(JsonNode args) {
    KeptConsumer kept = consumer(args);
    for (MessageId id : kept.ids(args.get("ids"))) kept.consumer.negativeAcknowledge(id);
    return null;
  }

  private Object redeliverUnacknowledged(JsonNode args) {
    consumer(args).consumer.redeliverUnacknowledgedMessages();
    return null;
  }

  private Object seek(JsonNode args) throws Exception {
    JsonNode to = args.get("to");
    Consumer<byte[]> consumer = consumer(args).consumer;
    if (to.has("id")) consumer.seek(Messages.toId(to.get("id")));
    else consumer.seek(to.get("timestamp").asLong());
    return null;
  }

  private Object unsubscribe(JsonNode args) throws Exception {
    consumer(args).consumer.unsubscribe();
    consumers.remove(args.get("consumer").asText()).consumer.close();
    return null;
  }

  private Object closeConsumer(JsonNode args) throws Exception {
    KeptConsumer kept = consumers.remove(args.get("consumer").asText());
    if (kept != null) kept.consumer.close();
    return null;
  }

  /* ---- Reading -------------------------------------------------------------------------------------------------- */

  private Reader<byte[]> createReader(JsonNode args, String fallback) throws Exception {
    JsonNode from = args.get("from");
    ReaderBuilder<byte[]> builder =
        client()
            .newReader()
            .topic(args.get("topic").asText())
            .readCompacted(Driver.flag(args, "compacted"));
    if (from != null && from.isObject()) {
      builder.startMessageId(Messages.toId(from.get("id")));
      if (Driver.flag(from, "inclusive")) builder.startMessageIdInclusive();
    } else {
      boolean latest = (from == null ? fallback : from.asText()).equals("latest");
      builder.startMessageId(latest ? MessageId.latest : MessageId.earliest);
    }
    return builder.create();
  }

  private Object read(JsonNode args) throws Exception {
    Reader<byte[]> reader = createReader(args, "earliest");
    try {
      More more = Driver.has(args, "until") ? reader::hasMessageAvailable : () -> true;
      return Map.of("messages", take(args, more, ms -> reader.readNext(ms, TimeUnit.MILLISECONDS), null));
    } finally {
      reader.closeAsync();
    }
  }

  private Object openReader(JsonNode args) throws Exception {
    readers.put(args.get("reader").asText(), createReader(args, "latest"));
    return null;
  }

  private Object readNext(JsonNode args) throws Exception {
    Reader<byte[]> reader = opened(readers, args.get("reader").asText());
    return Map.of("messages", take(args, () -> true, ms -> reader.readNext(ms, TimeUnit.MILLISECONDS), null));
  }

  private Object lastMessageId(JsonNode args) throws Exception {
    Map<String, Object> result = new HashMap<>();
    result.put("id", Library.lastMessageId(client(), args.get("topic").asText()));
    return result;
  }

  private Object partitions(JsonNode args) throws Exception {
    return Map.of("names", client().getPartitionsForTopic(args.get("topic").asText()).get());
  }
}
