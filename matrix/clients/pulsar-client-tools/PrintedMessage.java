import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A message as `peek-messages` prints it: its id, its properties and a dump of its bytes. The key is not printed. */
final class PrintedMessage {
  private static final Pattern ID = Pattern.compile("^(?:Batch )?Message ID: (-?\\d+):(-?\\d+)(?::(-?\\d+))?$");
  private static final Pattern DUMP = Pattern.compile("^\\|[0-9a-f]{8}\\|((?: [0-9a-f]{2})+) *\\|.*$");
  private static final Pattern PROPERTY = Pattern.compile("^(\\S.*?) {4}(.*)$");

  final String ledgerId;
  final String entryId;
  final int batchIndex;
  final Map<String, String> properties = new LinkedHashMap<>();
  byte[] value = new byte[0];

  private PrintedMessage(Matcher id) {
    ledgerId = id.group(1);
    entryId = id.group(2);
    batchIndex = id.group(3) == null ? -1 : Integer.parseInt(id.group(3));
  }

  static List<PrintedMessage> all(String printed) {
    List<PrintedMessage> messages = new ArrayList<>();
    PrintedMessage last = null;
    boolean inProperties = false;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String line : printed.lines().toList()) {
      Matcher id = ID.matcher(line);
      Matcher dump = DUMP.matcher(line);
      Matcher property = PROPERTY.matcher(line);
      if (id.matches()) {
        last = new PrintedMessage(id);
        messages.add(last);
        bytes.reset();
        inProperties = false;
      } else if (last == null) {
        continue;
      } else if (dump.matches()) {
        inProperties = false;
        for (String hex : dump.group(1).strip().split(" ")) bytes.write(Integer.parseInt(hex, 16));
        last.value = bytes.toByteArray();
      } else if (line.startsWith("Properties:")) {
        inProperties = true;
      } else if (inProperties && property.matches()) {
        last.properties.put(property.group(1), property.group(2));
      }
    }
    return messages;
  }

  Map<String, Object> told() {
    Map<String, Object> told = new HashMap<>();
    told.put("value", Driver.base64(value));
    told.put("properties", properties);
    told.put("id", PulsarAdminDriver.id(ledgerId, entryId, -1, batchIndex));
    return told;
  }
}
