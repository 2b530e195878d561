import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;

/** Times as numbers (before KIP-266 and KIP-367); a member does not tell its id (before KIP-447). */
final class Library {
  private Library() {}

  static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer, long milliseconds) {
    return consumer.poll(milliseconds);
  }

  static void close(KafkaConsumer<byte[], byte[]> consumer, long milliseconds) {
    consumer.close(milliseconds, TimeUnit.MILLISECONDS);
  }

  static void close(KafkaProducer<byte[], byte[]> producer, long milliseconds) {
    producer.close(milliseconds, TimeUnit.MILLISECONDS);
  }

  /** Counts are of later releases: a rate above 0 tells as much. */
  static boolean hasFetched(KafkaConsumer<byte[], byte[]> consumer) {
    return consumer.metrics().entrySet().stream()
        .anyMatch(metric -> metric.getKey().name().equals("fetch-rate") && metric.getValue().value() > 0);
  }

  static String memberIdOf(KafkaConsumer<byte[], byte[]> consumer) {
    return "";
  }

  static int generationOf(KafkaConsumer<byte[], byte[]> consumer) {
    return -1;
  }
}
