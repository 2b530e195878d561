import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pulsar.admin.cli.PulsarAdminTool;
import org.apache.pulsar.client.admin.PulsarAdminException;

/** The entry of `pulsar-admin`, for many command lines; it tells too which exception a failing one ended with. */
final class AdminTool extends PulsarAdminTool {
  private static final Pattern TOLD =
      Pattern.compile("^Failed to .*PulsarAdminException\\$(\\w+): (.*)$", Pattern.MULTILINE);
  private static final Map<String, String> STATUS =
      Map.of(
          "NotAuthorizedException", "401",
          "NotFoundException", "404",
          "NotAllowedException", "405",
          "ConflictException", "409",
          "PreconditionFailedException", "412",
          "ServerSideErrorException", "500");

  private Exception thrown;

  AdminTool(Properties properties) throws Exception {
    super(properties);
    var print = commander.getExecutionExceptionHandler();
    commander.setExecutionExceptionHandler(
        (error, command, parsed) -> {
          thrown = error;
          return print.handleExecutionException(error, command, parsed);
        });
  }

  /** Answers what it printed. Throws Driver.Named when it failed: the status, and the reason as it is printed. */
  Captured command(String[] args) throws Exception {
    boolean[] succeeded = new boolean[1];
    thrown = null;
    Captured captured = Captured.of(() -> succeeded[0] = run(args));
    String both = captured.log + captured.out;
    // Some commands tell of a failure and still succeed.
    Matcher told = TOLD.matcher(both);
    if (told.find()) throw new Driver.Named(STATUS.getOrDefault(told.group(1), told.group(1)), told.group(2));
    if (succeeded[0]) return captured;
    String printed = both.lines().filter(line -> !line.isBlank()).findFirst().orElse("no reason");
    throw new Driver.Named(nameOf(thrown), printed);
  }

  void close() {
    getPulsarAdminSupplier().get().close();
  }

  private static String nameOf(Exception error) {
    Throwable cause = error;
    while (cause != null && !(cause instanceof PulsarAdminException)) cause = cause.getCause();
    if (cause instanceof PulsarAdminException.TimeoutException) return "TIMEOUT";
    if (cause instanceof PulsarAdminException.ConnectException) return "ConnectException";
    if (cause != null) return String.valueOf(((PulsarAdminException) cause).getStatusCode());
    return error == null ? "CommandFailed" : error.getClass().getSimpleName();
  }
}
