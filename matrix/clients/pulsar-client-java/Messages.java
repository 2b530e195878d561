import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pulsar.client.api.Message;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.TypedMessageBuilder;
import org.apache.pulsar.client.impl.BatchMessageIdImpl;
import org.apache.pulsar.client.impl.MessageIdImpl;

/** Messages and their ids, from the driver's form to the library's and back. */
final class Messages {
  private Messages() {}

  static TypedMessageBuilder<byte[]> toMessage(Producer<byte[]> producer, JsonNode message) {
    TypedMessageBuilder<byte[]> builder = producer.newMessage().value(Driver.bytes(message.get("value")));
    if (Driver.has(message, "key")) builder.key(message.get("key").asText());
    if (Driver.has(message, "keyBytes")) builder.keyBytes(Driver.bytes(message.get("keyBytes")));
    if (Driver.has(message, "orderingKey")) builder.orderingKey(Driver.bytes(message.get("orderingKey")));
    if (Driver.has(message, "properties")) {
      message.get("properties").fields().forEachRemaining(p -> builder.property(p.getKey(), p.getValue().asText()));
    }
    // The library refuses 0, which is what it gives where there is none.
    long eventTime = Driver.has(message, "eventTime") ? message.get("eventTime").asLong() : 0;
    if (eventTime < 0) throw new Driver.Unsupported("Java's pulsar-client refuses an event time below 0");
    if (eventTime > 0) builder.eventTime(eventTime);
    if (Driver.has(message, "deliverAfterMs")) {
      builder.deliverAfter(message.get("deliverAfterMs").asLong(), TimeUnit.MILLISECONDS);
    }
    if (Driver.has(message, "sequenceId")) builder.sequenceId(message.get("sequenceId").asLong());
    return builder;
  }

  static MessageId toId(JsonNode id) {
    long ledger = id.get("ledgerId").asLong();
    long entry = id.get("entryId").asLong();
    int partition = id.get("partition").asInt();
    int batchIndex = id.get("batchIndex").asInt();
    return batchIndex < 0
        ? new MessageIdImpl(ledger, entry, partition)
        : new BatchMessageIdImpl(ledger, entry, partition, batchIndex);
  }

  static Object toReceived(Message<byte[]> message) {
    Map<String, Object> received = new LinkedHashMap<>();
    received.put("id", Ids.from(message.getMessageId()));
    received.put("topic", message.getTopicName());
    received.put("key", message.hasKey() ? message.getKey() : null);
    received.put("keyBytes", message.hasKey() ? Driver.base64(message.getKeyBytes()) : null);
    received.put("orderingKey", message.hasOrderingKey() ? Driver.base64(message.getOrderingKey()) : null);
    received.put("value", Driver.base64(message.getValue()));
    received.put("knowsNull", true);
    received.put("properties", message.getProperties());
    received.put("eventTime", String.valueOf(message.getEventTime()));
    received.put("publishTime", String.valueOf(message.getPublishTime()));
    Library.indexOf(message).ifPresent(index -> received.put("index", String.valueOf(index)));
    received.put("producerName", message.getProducerName());
    received.put("sequenceId", String.valueOf(message.getSequenceId()));
    received.put("redeliveryCount", message.getRedeliveryCount());
    return received;
  }
}
