import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Records have no headers yet. */
final class Headers {
  private Headers() {}

  static void add(ProducerRecord<byte[], byte[]> record, String key, byte[] value) {
    throw Release.missing("0.11", "headers of records (KIP-82)");
  }

  /** null: it knows of none. */
  static List<Object> of(ConsumerRecord<byte[], byte[]> record) {
    return null;
  }
}
