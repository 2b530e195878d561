import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;

/** The release of kafka-clients that runs, as its own jar says: the class that tells it has moved about. */
final class Release {
  static final String VERSION = version();

  private Release() {}

  private static String version() {
    try (InputStream file = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
      Properties properties = new Properties();
      properties.load(file);
      return properties.getProperty("version");
    } catch (IOException unreadable) {
      throw new IllegalStateException("the jar of kafka-clients does not tell its version", unreadable);
    }
  }

  static boolean isSince(int major, int minor) {
    String[] parts = VERSION.split("\\.");
    int difference = Integer.parseInt(parts[0]) - major;
    return difference == 0 ? Integer.parseInt(parts[1]) >= minor : difference > 0;
  }

  /** `what`: the API, and the KIP that brought it. */
  static void mustBeSince(int major, int minor, String what) {
    if (!isSince(major, minor)) throw missing(major + "." + minor, what);
  }

  static Driver.Unsupported missing(String since, String what) {
    return new Driver.Unsupported("kafka-clients " + VERSION + " lacks " + what + ", which came with " + since);
  }
}
