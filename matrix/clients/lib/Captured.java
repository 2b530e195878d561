import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What a command printed that was run in this process, as its script would run it. One at a time. */
final class Captured {
  interface Work {
    void run() throws Exception;
  }

  private static final PrintStream LOG = System.err;
  private static final Redirected OUT = new Redirected();
  private static final Redirected ERR = new Redirected();

  /*
   * The streams are ours from before the first class of a command is loaded: a command may keep the stream that it finds
   * then.
   */
  static {
    System.setOut(new PrintStream(OUT, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(ERR, true, StandardCharsets.UTF_8));
  }

  final String out;
  final String log;

  private Captured(String out, String log) {
    this.out = out;
    this.log = log;
  }

  static synchronized Captured of(Work work) throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream logged = new ByteArrayOutputStream();
    OUT.target = printed;
    ERR.target = logged;
    try {
      work.run();
    } finally {
      OUT.target = ERR.target = LOG;
      LOG.write(logged.toByteArray());
    }
    return new Captured(printed.toString(StandardCharsets.UTF_8), logged.toString(StandardCharsets.UTF_8));
  }

  List<String> lines() {
    return out.lines().filter(line -> !line.isBlank()).toList();
  }

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
}
