import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Map;

/** Whom to trust, in a store of Java's, as users of these releases make it with keytool. */
final class Trust {
  private static final String PASSWORD = "public certificates";

  private Trust() {}

  static Map<String, Object> of(Path certificates) {
    try {
      Path store = Files.createTempFile("truststore", ".p12");
      store.toFile().deleteOnExit();
      write(certificates, store);
      return Map.of(
          "ssl.truststore.type", "PKCS12",
          "ssl.truststore.location", store.toString(),
          "ssl.truststore.password", PASSWORD);
    } catch (Exception error) {
      throw new IllegalStateException("no trust store of " + certificates, error);
    }
  }

  private static void write(Path certificates, Path store) throws Exception {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    try (InputStream pem = Files.newInputStream(certificates)) {
      for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        trusted.setCertificateEntry("ca-" + trusted.size(), each);
      }
    }
    try (OutputStream out = Files.newOutputStream(store)) {
      trusted.store(out, PASSWORD.toCharArray());
    }
  }
}
