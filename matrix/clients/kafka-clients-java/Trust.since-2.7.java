import java.nio.file.Path;
import java.util.Map;

/** Whom to trust, in a file of PEM (KIP-651). */
final class Trust {
  private Trust() {}

  static Map<String, Object> of(Path certificates) {
    return Map.of("ssl.truststore.type", "PEM", "ssl.truststore.location", certificates.toString());
  }
}
