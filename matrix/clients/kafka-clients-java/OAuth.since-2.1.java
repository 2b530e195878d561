import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.auth.SaslExtensions;
import org.apache.kafka.common.security.auth.SaslExtensionsCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;

/** Tokens (KIP-255) with extensions (KIP-342). */
final class OAuth {
  private static final long DAY_MS = 86_400_000;

  private OAuth() {}

  static Class<?> handler() {
    return GivenToken.class;
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
    public Set<String> scope() {
      return Set.of();
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
