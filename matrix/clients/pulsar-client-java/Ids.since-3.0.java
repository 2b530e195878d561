import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.pulsar.client.api.MessageId;
import org.apache.pulsar.client.api.MessageIdAdv;

/** The parts of a message id, by the library's own accessors (PIP-229). */
final class Ids {
  private Ids() {}

  static Map<String, Object> from(MessageId id) {
    MessageIdAdv parts = (MessageIdAdv) id;
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("ledgerId", String.valueOf(parts.getLedgerId()));
    map.put("entryId", String.valueOf(parts.getEntryId()));
    map.put("partition", parts.getPartitionIndex());
    map.put("batchIndex", parts.getBatchIndex());
    return map;
  }
}
