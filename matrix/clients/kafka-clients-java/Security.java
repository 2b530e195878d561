import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.auth.SaslExtensions;
import org.apache.kafka.common.security.auth.SaslExtensionsCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;

/** Settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`). */
final class Security {
  private static final long DAY_MS = 86_400_000;

  private Security() {}

  static Map<String, Object> settingsOf(JsonNode security) {
    Map<String, Object> settings = new HashMap<>();
    if (security == null) return settings;
    boolean tls = Driver.has(security, "caPath");
    boolean sasl = Driver.has(security, "sasl");
    if (tls || sasl) settings.put("security.protocol", sasl ? (tls ? "SASL_SSL" : "SASL_PLAINTEXT") : "SSL");
    if (tls) {
      settings.put("ssl.truststore.type", "PEM");
      settings.put("ssl.truststore.location", Path.of(security.get("caPath").asText()).toAbsolutePath().toString());
    }
    if (sasl) settings.putAll(saslOf(security.get("sasl")));
    return settings;
  }

  private static Map<String, Object> saslOf(JsonNode sasl) {
    String mechanism = sasl.get("mechanism").asText();
    if (mechanism.equals("OAUTHBEARER")) {
      Map<String, String> options = new HashMap<>();
      options.put("token", sasl.get("token").asText());
      if (Driver.has(sasl, "extensions")) {
        sasl.get("extensions").fields().forEachRemaining(it -> options.put("extension_" + it.getKey(), it.getValue().asText()));
      }
      return Map.of(
          "sasl.mechanism", mechanism,
          "sasl.login.callback.handler.class", GivenToken.class,
          "sasl.jaas.config", jaas("oauthbearer.OAuthBearerLoginModule", options));
    }
    String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
    Map<String, String> user =
        Map.of("username", sasl.get("username").asText(), "password", sasl.get("password").asText());
    return Map.of("sasl.mechanism", mechanism, "sasl.jaas.config", jaas(module, user));
  }

  private static String jaas(String module, Map<String, String> options) {
    StringBuilder text = new StringBuilder("org.apache.kafka.common.security." + module + " required");
    options.forEach(
        (name, value) -> {
          String quoted = value.replace("\\", "\\\\").replace("\"", "\\\"");
          text.append(' ').append('"').append(name).append('"').append("=\"").append(quoted).append('"');
        });
    return text.append(';').toString();
  }

  /** Hands the token of the JAAS configuration to the library, as it is. */
  public static final class GivenToken implements AuthenticateCallbackHandler {
    private String token;
    private final Map<String, String> extensions = new HashMap<>();

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
      entries
          .get(0)
          .getOptions()
          .forEach(
              (name, value) -> {
                if (name.equals("token")) token = (String) value;
                else if (name.startsWith("extension_")) extensions.put(name.substring("extension_".length()), (String) value);
              });
    }

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
      for (Callback callback : callbacks) {
        if (callback instanceof OAuthBearerTokenCallback) ((OAuthBearerTokenCallback) callback).token(new Given(token));
        else if (callback instanceof SaslExtensionsCallback) {
          ((SaslExtensionsCallback) callback).extensions(new SaslExtensions(extensions));
        } else throw new UnsupportedCallbackException(callback);
      }
    }

    @Override
    public void close() {}
  }

  /** A token that the driver does not read: what it says of time and scope is the broker's to judge. */
  private static final class Given implements OAuthBearerToken {
    private final String value;

    Given(String value) {
      this.value = value;
    }

    @Override
    public String value() {
      return value;
    }

    @Override
    public java.util.Set<String> scope() {
      return java.util.Set.of();
    }

    @Override
    public long lifetimeMs() {
      return System.currentTimeMillis() + DAY_MS;
    }

    @Override
    public String principalName() {
      return "given";
    }

    @Override
    public Long startTimeMs() {
      return null;
    }
  }
}
