import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Exit;

/** Runs one of Kafka's commands in this process, as its script would, and keeps what it printed. */
final class CommandLine {
  /** A command's `main`. */
  interface Main {
    void run(String[] args) throws Exception;
  }

  private static final class Ended extends RuntimeException {}

  private static final Pattern EXCEPTION = Pattern.compile("org\\.apache\\.kafka\\.common\\.errors\\.\\w+");
  private static final Map<String, String> NAMES = namesOfExceptions();
  /** -1: the command has not ended the process. */
  private static int exitCode;

  /* Commands end the process: here they end with their exit code. */
  static {
    Exit.Procedure end =
        (code, message) -> {
          // A command that ends within a try block comes here again, with what it makes of our exception.
          if (exitCode < 0) exitCode = code;
          if (message != null) System.err.println(message);
          throw new Ended();
        };
    Exit.setExitProcedure(end);
    Exit.setHaltProcedure(end);
  }

  private CommandLine() {}

  /** Throws the protocol's error when the command failed, by the exception that it names, else by its words. */
  static synchronized Captured run(Main main, List<String> args) throws Exception {
    exitCode = -1;
    Captured captured =
        Captured.of(
            () -> {
              try {
                main.run(args.toArray(new String[0]));
              } catch (Ended ended) {
                // Its exit code is kept.
              }
            });
    String failure = failure(captured);
    if (failure == null) return captured;
    Matcher exception = EXCEPTION.matcher(captured.out + captured.log);
    String name = null;
    while (exception.find()) name = NAMES.getOrDefault(exception.group(), name);
    throw new Driver.Named(name == null ? nameByWords(failure) : name, failure);
  }

  /** The line that tells what went wrong: some commands print it and still end with 0. Null: nothing did. */
  private static String failure(Captured captured) {
    String told = captured.out.lines().filter(line -> line.startsWith("Error")).findFirst().orElse(null);
    if (told == null && exitCode <= 0) return null;
    if (told == null) {
      return (captured.out + captured.log).lines().filter(line -> !line.isBlank()).findFirst().orElse("exit code " + exitCode);
    }
    String detail =
        captured.out.lines().filter(line -> line.contains(" Error: ") || line.startsWith("* ")).findFirst().orElse("");
    return (told + " " + detail).strip();
  }

  private static String nameByWords(String failure) {
    if (failure.contains("can only be reset if the group")) return "NON_EMPTY_GROUP";
    if (failure.contains("onsumer group") && failure.contains("does not exist")) return "GROUP_ID_NOT_FOUND";
    if (failure.contains("would not be an increase")) return "INVALID_PARTITIONS";
    if (failure.contains("already exists")) return "TOPIC_ALREADY_EXISTS";
    if (failure.contains("does not exist") || failure.contains("doesn't exist")) return "UNKNOWN_TOPIC_OR_PARTITION";
    return "CommandFailed";
  }

  private static Map<String, String> namesOfExceptions() {
    Map<String, String> names = new HashMap<>();
    for (Errors error : Errors.values()) {
      if (error.exception() != null) names.put(error.exception().getClass().getName(), error.name());
    }
    names.put("org.apache.kafka.common.errors.TimeoutException", "TIMEOUT");
    return names;
  }
}
