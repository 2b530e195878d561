import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.protocol.Errors;

/**
 * Why a coordinator refused a commit. CommitFailedException tells only that it did; the library's log, which goes to
 * standard error, tells the broker's error in words.
 */
final class CommitLog extends PrintStream {
  private static final int LINES_MAX = 100;
  private static final Deque<String> LINES = new ArrayDeque<>();

  private CommitLog(PrintStream log) {
    super(log, true);
  }

  /** Before any class of the library is used. */
  static void listen() {
    System.setErr(new CommitLog(System.err));
    // Releases before 1.0 tell it to those who debug.
    if (!Release.isSince(1, 0)) {
      String logger = "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator";
      System.setProperty("org.slf4j.simpleLogger.log." + logger, "debug");
    }
  }

  @Override
  public void println(String line) {
    if (line != null && line.contains("Offset commit")) keep(line);
    super.println(line);
  }

  private static synchronized void keep(String line) {
    LINES.addFirst(line);
    if (LINES.size() > LINES_MAX) LINES.removeLast();
  }

  /** Commits; a refusal has the name of the broker's error, where the log has told it. */
  static void committing(String group, Runnable commit) {
    take(group);
    try {
      commit.run();
    } catch (CommitFailedException failed) {
      Optional<Errors> told = take(group);
      throw told.isEmpty() ? failed : new Driver.Named(told.get().name(), failed.getMessage());
    }
  }

  /** The last error that the log has told of commits of the group, and forgets them. */
  private static synchronized Optional<Errors> take(String group) {
    List<String> ofGroup = new ArrayList<>(LINES);
    ofGroup.removeIf(line -> !line.contains("groupId=" + group + "]") && !line.contains("group " + group + " failed"));
    LINES.removeAll(ofGroup);
    return ofGroup.stream()
        .flatMap(line -> Arrays.stream(Errors.values()).filter(error -> endsWith(line, error)))
        .findFirst();
  }

  private static boolean endsWith(String line, Errors error) {
    return error.message() != null && line.endsWith(": " + error.message());
  }
}
