import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** The loop of every driver in Java: one JSON object a line in, one a line out (matrix/driver/messages.ts). */
final class Driver {
  /** One operation of the protocol: arguments to result. */
  interface Op {
    Object run(JsonNode args) throws Exception;
  }

  /** Thrown by an op that the library cannot express. */
  static final class Unsupported extends RuntimeException {
    Unsupported(String reason) {
      super(reason);
    }
  }

  /** Thrown by an op to answer an error under a name of the driver's choice. */
  static final class Named extends RuntimeException {
    final String name;

    Named(String name, String message) {
      super(message);
      this.name = name;
    }
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, Op> ops;
  private final Function<Throwable, String> nameOf;
  private final PrintStream answers = System.out;

  private Driver(Map<String, Op> ops, Function<Throwable, String> nameOf) {
    this.ops = ops;
    this.nameOf = nameOf;
  }

  /** Serves until standard input closes; each request has a thread. `nameOf`: the protocol's name of an exception. */
  static void serve(
      String client, String version, String kind, Map<String, Op> ops, Function<Throwable, String> nameOf)
      throws IOException {
    Driver driver = new Driver(ops, nameOf);
    // Whatever the library prints is log.
    System.setOut(System.err);
    driver.write(Map.of("ready", Map.of("client", client, "version", version, "kind", kind)));
    ExecutorService threads =
        Executors.newCachedThreadPool(
            work -> {
              Thread thread = new Thread(work);
              thread.setDaemon(true);
              return thread;
            });
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode request = JSON.readTree(line);
      threads.submit(() -> driver.answer(request));
    }
    // Libraries wait for their brokers when they end in order: nobody is left to wait for them. The exit hooks still
    // run, for the class archive that provisioning asks for.
    System.exit(0);
  }

  private void answer(JsonNode request) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("id", request.get("id").asInt());
    try {
      Op op = ops.get(request.get("op").asText());
      if (op == null) throw new Unsupported("the driver has no op " + request.get("op").asText());
      Object result = op.run(request.get("args"));
      answer.put("result", result == null ? Map.of() : result);
    } catch (Throwable thrown) {
      Throwable cause = unwrap(thrown);
      if (cause instanceof Unsupported) {
        answer.put("unsupported", cause.getMessage());
      } else {
        cause.printStackTrace(System.err);
        String name = cause instanceof Named ? ((Named) cause).name : nameOf.apply(cause);
        answer.put("error", Map.of("name", name, "message", String.valueOf(cause.getMessage())));
      }
    }
    write(answer);
  }

  private void write(Object line) {
    try {
      byte[] text = JSON.writeValueAsBytes(line);
      synchronized (answers) {
        answers.write(text);
        answers.write('\n');
        answers.flush();
      }
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static Throwable unwrap(Throwable thrown) {
    boolean wraps = thrown instanceof ExecutionException || thrown instanceof CompletionException;
    return wraps && thrown.getCause() != null ? unwrap(thrown.getCause()) : thrown;
  }

  static boolean has(JsonNode args, String name) {
    return args.has(name) && !args.get(name).isNull();
  }

  static String text(JsonNode args, String name, String fallback) {
    return has(args, name) ? args.get(name).asText() : fallback;
  }

  static int number(JsonNode args, String name, int fallback) {
    return has(args, name) ? args.get(name).asInt() : fallback;
  }

  static boolean flag(JsonNode args, String name) {
    return has(args, name) && args.get(name).asBoolean();
  }

  /** Bytes of a base64 field; null where it is null or absent. */
  static byte[] bytes(JsonNode node) {
    return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText());
  }

  static String base64(byte[] bytes) {
    return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
  }

  /** Milliseconds that are left until a deadline of System.nanoTime(), never below 0. */
  static long left(long deadlineNanos) {
    return Math.max(0, (deadlineNanos - System.nanoTime()) / 1_000_000);
  }

  static long deadline(JsonNode args, int fallbackMs) {
    return System.nanoTime() + number(args, "timeoutMs", fallbackMs) * 1_000_000L;
  }

  /** Runs what nobody waits for, such as closing handles of an earlier scenario. */
  static void aside(AutoCloseable work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.close();
              } catch (Exception error) {
                System.err.println("while closing: " + error);
              }
            });
    thread.setDaemon(true);
    thread.start();
  }
}
