import java.util.Map;
import java.util.Optional;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.MessageIdAdv;
import org.apache.pulsar.client.api.ProducerBuilder;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.Reader;

/** What releases do in ways of their own. */
final class Library {
  private Library() {}

  static void chunkBytesMax(ProducerBuilder<byte[]> producer, int bytes) {
    producer.chunkMaxMessageSize(bytes);
  }

  static Optional<Long> indexOf(Message<byte[]> message) {
    return message.getIndex();
  }

  /** Null where the topic is empty. */
  static Map<String, Object> lastMessageId(PulsarClient client, String topic) throws Exception {
    try (Reader<byte[]> reader = client.newReader().topic(topic).startMessageId(MessageId.latest).create()) {
      MessageIdAdv last = (MessageIdAdv) reader.getLastMessageIds().get(0);
      return last.getEntryId() < 0 ? null : Ids.from(last);
    }
  }
}
