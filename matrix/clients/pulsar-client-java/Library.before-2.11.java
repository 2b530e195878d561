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

/** What the oldest releases do otherwise, or lack. */
final class Library {
  private Library() {}

  static void chunkBytesMax(ProducerBuilder<byte[]> producer, int bytes) {
    throw new Driver.Unsupported("this pulsar-client has no ProducerBuilder.chunkMaxMessageSize");
  }

  /** Messages do not tell the broker's index yet. */
  static Optional<Long> indexOf(Message<byte[]> message) {
    return Optional.empty();
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
