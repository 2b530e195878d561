import java.time.Duration;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;

/** Times as durations; a member tells its id and generation. */
final class Library {
  private Library() {}

  static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer, long milliseconds) {
    return consumer.poll(Duration.ofMillis(milliseconds));
  }

  static void close(KafkaConsumer<byte[], byte[]> consumer, long milliseconds) {
    consumer.close(Duration.ofMillis(milliseconds));
  }

  static void close(KafkaProducer<byte[], byte[]> producer, long milliseconds) {
    producer.close(Duration.ofMillis(milliseconds));
  }

  static boolean hasFetched(KafkaConsumer<byte[], byte[]> consumer) {
    return consumer.metrics().entrySet().stream()
        .filter(metric -> metric.getKey().name().equals("fetch-total"))
        .anyMatch(metric -> ((Number) metric.getValue().metricValue()).doubleValue() > 0);
  }

  static String memberIdOf(KafkaConsumer<byte[], byte[]> consumer) {
    return consumer.groupMetadata().memberId();
  }

  static int generationOf(KafkaConsumer<byte[], byte[]> consumer) {
    return consumer.groupMetadata().generationId();
  }
}
