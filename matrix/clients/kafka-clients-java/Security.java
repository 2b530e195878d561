import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Settings of TLS and SASL (matrix/driver/messages.ts, `kafkaSecurity`). */
final class Security {
  private Security() {}

  static Map<String, Object> settingsOf(JsonNode security) {
    Map<String, Object> settings = new HashMap<>();
    if (security == null) return settings;
    boolean tls = Driver.has(security, "caPath");
    boolean sasl = Driver.has(security, "sasl");
    if (tls || sasl) settings.put("security.protocol", sasl ? (tls ? "SASL_SSL" : "SASL_PLAINTEXT") : "SSL");
    if (tls) {
      settings.putAll(Trust.of(Path.of(security.get("caPath").asText()).toAbsolutePath()));
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
          "sasl.login.callback.handler.class", OAuth.handler(),
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
}
