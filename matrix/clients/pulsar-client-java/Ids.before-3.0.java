import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.impl.BatchMessageIdImpl;
import org.apache.pulsar.client.impl.MessageIdImpl;
import org.apache.pulsar.client.impl.TopicMessageIdImpl;

/** The parts of a message id, which only the implementing classes tell (before PIP-229). */
final class Ids {
  private Ids() {}

  static Map<String, Object> from(MessageId id) {
    if (id instanceof TopicMessageIdImpl) return from(((TopicMessageIdImpl) id).getInnerMessageId());
    MessageIdImpl parts = (MessageIdImpl) id;
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("ledgerId", String.valueOf(parts.getLedgerId()));
    map.put("entryId", String.valueOf(parts.getEntryId()));
    map.put("partition", parts.getPartitionIndex());
    map.put("batchIndex", id instanceof BatchMessageIdImpl ? ((BatchMessageIdImpl) id).getBatchIndex() : -1);
    return map;
  }
}
