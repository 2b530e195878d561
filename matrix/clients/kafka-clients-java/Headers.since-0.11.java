import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;

/** Headers of records, as pairs of a key and base64. */
final class Headers {
  private Headers() {}

  static void add(ProducerRecord<byte[], byte[]> record, String key, byte[] value) {
    record.headers().add(key, value);
  }

  static List<Object> of(ConsumerRecord<byte[], byte[]> record) {
    List<Object> headers = new ArrayList<>();
    for (Header header : record.headers()) headers.add(Arrays.asList(header.key(), Driver.base64(header.value())));
    return headers;
  }
}
