import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.pulsar.client.api.Consumer;
import org.apache.pulsar.client.api.ConsumerBuilder;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.ProducerBuilder;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.client.api.SubscriptionMode;
import org.apache.pulsar.client.impl.MessageIdImpl;

/** A reader does not tell the last message id yet. */
final class Library {
  private Library() {}

  static void chunkBytesMax(ProducerBuilder<byte[]> producer, int bytes) {
    producer.chunkMaxMessageSize(bytes);
  }

  static Optional<Long> indexOf(Message<byte[]> message) {
    return message.getIndex();
  }

  /** Null where the topic is empty. A reader does not tell it yet: a consumer does, which leaves no subscription. */
  static Map<String, Object> lastMessageId(PulsarClient client, String topic) throws Exception {
    ConsumerBuilder<byte[]> builder =
        client
            .newConsumer()
            .topic(topic)
            .subscriptionName("last-message-id-" + UUID.randomUUID())
            .subscriptionMode(SubscriptionMode.NonDurable)
            .subscriptionInitialPosition(SubscriptionInitialPosition.Latest);
    try (Consumer<byte[]> consumer = builder.subscribe()) {
      MessageIdImpl last = (MessageIdImpl) consumer.getLastMessageId();
      return last.getEntryId() < 0 ? null : Ids.from(last);
    }
  }
}
