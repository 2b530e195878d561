import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Driver of the Pulsar–Kafka wrapper (matrix/driver/wrapper-messages.ts): the classes have Kafka's names, and are
 * Pulsar's. Every offset that it answers with is the one that the library computed.
 */
public final class WrapperDriver {
  private static final String CLIENT = "pulsar-kafka-wrapper";
  private static final int POLL_MS = 100;

  private String serviceUrl;

  public static void main(String[] args) throws IOException {
    WrapperDriver driver = new WrapperDriver();
    Map<String, Driver.Op> ops = new HashMap<>();
    ops.put("configure", driver::configure);
    ops.put("produce", driver::produce);
    ops.put("consume", driver::consume);
    ops.put("consumeFrom", driver::consumeFrom);
    Driver.serve(CLIENT, version(), CLIENT, ops, WrapperDriver::nameOf);
  }

  private static String version() throws IOException {
    String file = "/META-INF/maven/org.apache.pulsar/pulsar-client-kafka/pom.properties";
    try (InputStream stream = KafkaProducer.class.getResourceAsStream(file)) {
      Properties properties = new Properties();
      if (stream != null) properties.load(stream);
      return properties.getProperty("version", "unknown");
    }
  }

  private static String nameOf(Throwable error) {
    return error instanceof java.util.concurrent.TimeoutException ? "TIMEOUT" : error.getClass().getSimpleName();
  }

  private synchronized Object configure(JsonNode args) {
    JsonNode security = args.get("security");
    if (security != null && security.size() > 0) {
      throw new Driver.Unsupported("the driver gives the wrapper no credentials");
    }
    serviceUrl = args.get("serviceUrl").asText();
    return null;
  }

  private synchronized Map<String, Object> settings() {
    return new HashMap<>(Map.of("bootstrap.servers", serviceUrl));
  }

  private Object produce(JsonNode args) throws Exception {
    long deadline = Driver.deadline(args, 15_000);
    Map<String, Object> settings = settings();
    settings.put("pulsar.producer.batching.enabled", "false");
    settings.put("key.serializer", ByteArraySerializer.class.getName());
    settings.put("value.serializer", ByteArraySerializer.class.getName());
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    try {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (JsonNode value : args.get("values")) {
        sent.add(producer.send(new ProducerRecord<>(args.get("topic").asText(), 0, null, Driver.bytes(value))));
      }
      producer.flush();
      List<String> offsets = new ArrayList<>();
      for (Future<RecordMetadata> future : sent) {
        RecordMetadata stored = future.get(Math.max(1, Driver.left(deadline)), TimeUnit.MILLISECONDS);
        offsets.add(String.valueOf(stored.offset()));
      }
      return Map.of("offsets", offsets);
    } finally {
      Driver.aside(producer::close);
    }
  }

  private KafkaConsumer<byte[], byte[]> subscribe(JsonNode args) {
    Map<String, Object> settings = settings();
    settings.putAll(
        Map.of(
            "key.deserializer", ByteArrayDeserializer.class.getName(),
            "value.deserializer", ByteArrayDeserializer.class.getName(),
            "group.id", args.get("group").asText(),
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false"));
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(List.of(args.get("topic").asText()));
    return consumer;
  }

  private Object consume(JsonNode args) {
    long deadline = Driver.deadline(args, 15_000);
    KafkaConsumer<byte[], byte[]> consumer = subscribe(args);
    try {
      // Where `auto.offset.reset` says "earliest" the wrapper's subscriptions begin with the latest all the same.
      consumer.seekToBeginning(List.of(new TopicPartition(args.get("topic").asText(), 0)));
      return Map.of("records", take(consumer, 0, args.get("count").asInt(), deadline));
    } finally {
      Driver.aside(consumer::close);
    }
  }

  private Object consumeFrom(JsonNode args) {
    long deadline = Driver.deadline(args, 15_000);
    KafkaConsumer<byte[], byte[]> consumer = subscribe(args);
    try {
      // A place is known to the wrapper by the name that its records come under.
      TopicPartition place = new TopicPartition(args.get("topic").asText(), args.get("partition").asInt());
      long offset = args.get("offset").asLong();
      // Where the broker has the wrapper connect anew, as Apache Pulsar does, it leaves out what it seeks to.
      consumer.seek(place, offset - 1);
      return Map.of("records", take(consumer, offset, args.get("count").asInt(), deadline));
    } finally {
      Driver.aside(consumer::close);
    }
  }

  /** Without the first one, when it is before `offset`. */
  private static List<Object> take(KafkaConsumer<byte[], byte[]> consumer, long offset, int count, long deadline) {
    List<Object> records = new ArrayList<>();
    boolean isFirst = true;
    while (records.size() < count && Driver.left(deadline) > 0) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Math.min(POLL_MS, Driver.left(deadline)))) {
        boolean isBefore = isFirst && record.offset() < offset;
        isFirst = false;
        if (isBefore) continue;
        Map<String, Object> told = new HashMap<>();
        told.put("partition", record.partition());
        told.put("offset", String.valueOf(record.offset()));
        told.put("value", Driver.base64(record.value()));
        records.add(told);
      }
    }
    return records.size() > count ? records.subList(0, count) : records;
  }
}
