import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Exit;

/** Runs one of Kafka's commands in this process, as its script would, and keeps what it printed. One at a time. */
final class CommandLine {
  /** A command's `main`. */
  interface Main {
    void run(String[] args) throws Exception;
  }

  /** What a command printed, and its exit code. */
  static final class Output {
    final int exitCode;
    final String out;
    final String log;

    Output(int exitCode, String out, String log) {
      this.exitCode = exitCode;
      this.out = out;
      this.log = log;
    }

    List<String> lines() {
      return out.lines().filter(line -> !line.isBlank()).toList();
    }

    /** The line that tells what went wrong: some commands print it and still end with 0. Null: nothing did. */
    String failure() {
      String told = out.lines().filter(line -> line.startsWith("Error")).findFirst().orElse(null);
      if (told == null && exitCode == 0) return null;
      String status = out.lines().filter(line -> line.contains("Error: ") || line.startsWith("* ")).findFirst().orElse("");
      if (told != null) return (told + " " + (status.equals(told) ? "" : status)).strip();
      return (out + log).lines().filter(line -> !line.isBlank()).findFirst().orElse("exit code " + exitCode);
    }
  }

  private static final class Ended extends RuntimeException {}

  private static final class Redirected extends OutputStream {
    volatile OutputStream target = LOG;

    @Override
    public void write(int one) throws IOException {
      target.write(one);
    }

    @Override
    public void write(byte[] bytes, int start, int length) throws IOException {
      target.write(bytes, start, length);
    }
  }

  private static final Pattern EXCEPTION = Pattern.compile("org\\.apache\\.kafka\\.common\\.errors\\.\\w+");
  private static final Map<String, String> NAMES = namesOfExceptions();
  private static final PrintStream LOG = System.err;
  private static final Redirected OUT = new Redirected();
  private static final Redirected ERR = new Redirected();
  /** -1: the command has not ended the process. */
  private static int exitCode;

  private CommandLine() {}

  /*
   * Commands end the process: here they end with their exit code. The streams are ours before the first class of a
   * command is loaded: Scala's console keeps the stream that it finds then.
   */
  static {
    System.setOut(new PrintStream(OUT, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(ERR, true, StandardCharsets.UTF_8));
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

  static synchronized Output run(Main main, List<String> args) throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream logged = new ByteArrayOutputStream();
    exitCode = -1;
    OUT.target = printed;
    ERR.target = logged;
    try {
      main.run(args.toArray(new String[0]));
    } catch (Ended ended) {
      // Its exit code is kept.
    } finally {
      OUT.target = ERR.target = LOG;
      LOG.write(logged.toByteArray());
    }
    String out = printed.toString(StandardCharsets.UTF_8);
    return new Output(Math.max(0, exitCode), out, logged.toString(StandardCharsets.UTF_8));
  }

  /** Throws the protocol's error when the command failed, by the exception that it names, else by its words. */
  static Output checked(Output output) {
    String failure = output.failure();
    if (failure == null) return output;
    Matcher exception = EXCEPTION.matcher(output.out + output.log);
    String name = null;
    while (exception.find()) name = NAMES.getOrDefault(exception.group(), name);
    throw new Driver.Named(name == null ? nameByWords(failure) : name, failure);
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
