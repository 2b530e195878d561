import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.FutureTask;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Members of groups that stay. KafkaConsumer belongs to one thread: each member has its own, which polls all the time,
 * keeps the records for `memberPoll`, and commits.
 */
final class Members {
  private static final int POLL_MS = 20;
  private static final int CLOSE_MS = 3_000;
  /** So many records wait for `memberPoll`: beyond that a member pauses. */
  private static final int WAITING_RECORDS_MAX = 5000;

  static final Comparator<TopicPartition> IN_ORDER =
      Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);
  private static final Map<String, String> ASSIGNORS =
      Map.of(
          "range", "RangeAssignor",
          "roundrobin", "RoundRobinAssignor",
          "sticky", "StickyAssignor",
          "cooperative-sticky", "CooperativeStickyAssignor");

  private final Map<String, Member> members = new ConcurrentHashMap<>();

  /** `settings`: of every client of the driver. Subscribes; does not wait for an assignment. */
  Object open(JsonNode args, Map<String, Object> settings) {
    Map<String, Object> all = new HashMap<>(settings);
    all.putAll(
        Map.of(
            "group.id", args.get("group").asText(),
            "enable.auto.commit", false,
            "allow.auto.create.topics", false,
            "fetch.max.wait.ms", 100,
            "default.api.timeout.ms", 10_000,
            "auto.offset.reset", Driver.text(args, "from", "earliest")));
    if (Driver.has(args, "instanceId")) {
      Release.mustBeSince(2, 3, "static members (KIP-345)");
      all.put("group.instance.id", args.get("instanceId").asText());
    }
    if (Driver.text(args, "protocol", "classic").equals("consumer")) {
      Release.mustBeSince(4, 0, "the consumer protocol (KIP-848)");
      all.put("group.protocol", "consumer");
    } else {
      all.put("partition.assignment.strategy", assignor(Driver.text(args, "assignor", "range")));
      all.put("session.timeout.ms", Driver.number(args, "sessionTimeoutMs", 10_000));
      all.put("heartbeat.interval.ms", Driver.number(args, "heartbeatIntervalMs", 500));
    }
    List<String> topics = new ArrayList<>();
    for (JsonNode topic : args.get("topics")) topics.add(topic.asText());
    members.put(args.get("member").asText(), new Member(all, topics));
    return null;
  }

  private static String assignor(String name) {
    String type = "org.apache.kafka.clients.consumer." + ASSIGNORS.get(name);
    try {
      return Class.forName(type).getName();
    } catch (ClassNotFoundException missing) {
      boolean isCooperative = name.startsWith("cooperative");
      throw Release.missing(isCooperative ? "2.4" : "0.11", type + (isCooperative ? " (KIP-429)" : " (KIP-54)"));
    }
  }

  Object assignment(JsonNode args) throws Exception {
    return member(args).assignment(args.get("count").asInt(), Driver.deadline(args, 20_000));
  }

  Object poll(JsonNode args) throws Exception {
    return Map.of("records", member(args).poll(args.get("count").asInt(), Driver.deadline(args, 15_000)));
  }

  Object commit(JsonNode args) throws Exception {
    member(args).commit(Driver.has(args, "offsets") ? offsetsOf(args.get("offsets")) : null);
    return null;
  }

  Object close(JsonNode args) throws Exception {
    Member member = member(args);
    members.remove(args.get("member").asText());
    member.close();
    return null;
  }

  /** Ends all of them; waits for none. */
  void closeAll() {
    for (Member member : members.values()) Driver.aside(member);
    members.clear();
  }

  private Member member(JsonNode args) {
    Member member = members.get(args.get("member").asText());
    if (member == null) throw new Driver.Named("NoSuchMember", "no member " + args.get("member") + " is open");
    return member;
  }

  static Map<TopicPartition, OffsetAndMetadata> offsetsOf(JsonNode offsets) {
    Map<TopicPartition, OffsetAndMetadata> all = new LinkedHashMap<>();
    for (JsonNode offset : offsets) {
      TopicPartition place = new TopicPartition(offset.get("topic").asText(), Driver.number(offset, "partition", 0));
      all.put(place, new OffsetAndMetadata(offset.get("offset").asLong(), Driver.text(offset, "metadata", "")));
    }
    return all;
  }

  private static List<Object> placesOf(Collection<TopicPartition> partitions) {
    List<Object> places = new ArrayList<>();
    partitions.stream()
        .sorted(IN_ORDER)
        .forEach(place -> places.add(Map.of("topic", place.topic(), "partition", place.partition())));
    return places;
  }

  /** Its monitor guards what the operations see; the consumer is the thread's alone. */
  private static final class Member implements AutoCloseable, ConsumerRebalanceListener {
    private final String group;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread = new Thread(this::run);
    private final ConcurrentLinkedQueue<FutureTask<?>> tasks = new ConcurrentLinkedQueue<>();
    private final Set<TopicPartition> assigned = new TreeSet<>(IN_ORDER);
    private final List<Object> history = new ArrayList<>();
    private final List<ConsumerRecord<byte[], byte[]>> waiting = new ArrayList<>();
    private final Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    /** How many a `memberPoll` that waits asks for. */
    private int wanted;
    private String memberId = "";
    private int generation = -1;
    private Exception failure;
    /** What the library told within a poll: it counts with the generation, which is known after the poll. */
    private final List<Runnable> told = new ArrayList<>();
    private volatile boolean closing;

    Member(Map<String, Object> settings, List<String> topics) {
      group = (String) settings.get("group.id");
      consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
      consumer.subscribe(topics, this);
      thread.setDaemon(true);
      thread.start();
    }

    private void run() {
      while (!closing) {
        for (FutureTask<?> task = tasks.poll(); task != null; task = tasks.poll()) task.run();
        if (failure == null) step();
        else rest();
      }
      try {
        Library.close(consumer, CLOSE_MS);
      } catch (Exception error) {
        System.err.println("while closing a member: " + error);
      }
    }

    private void step() {
      try {
        holdBack();
        var records = Library.poll(consumer, POLL_MS);
        synchronized (this) {
          memberId = Library.memberIdOf(consumer);
          generation = Library.generationOf(consumer);
          apply();
          records.forEach(waiting::add);
          notifyAll();
        }
      } catch (WakeupException closed) {
        // It closes.
      } catch (Exception error) {
        error.printStackTrace(System.err);
        synchronized (this) {
          apply();
          failure = error;
          notifyAll();
        }
      }
    }

    /** A member that failed polls no more; it still commits when asked, and closes. */
    private synchronized void rest() {
      try {
        if (!closing && tasks.isEmpty()) wait();
      } catch (InterruptedException impossible) {
        throw new IllegalStateException(impossible);
      }
    }

    private void holdBack() {
      boolean full;
      synchronized (this) {
        full = waiting.size() >= Math.max(WAITING_RECORDS_MAX, wanted);
      }
      if (full) consumer.pause(consumer.assignment());
      else if (!consumer.paused().isEmpty()) consumer.resume(consumer.paused());
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      List<TopicPartition> given = List.copyOf(partitions);
      told.add(() -> give(given));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      List<TopicPartition> taken = List.copyOf(partitions);
      told.add(() -> take("revoked", taken));
    }

    /** Of releases since 2.4 (KIP-429). */
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      List<TopicPartition> taken = List.copyOf(partitions);
      told.add(() -> take("lost", taken));
    }

    private void apply() {
      told.forEach(Runnable::run);
      told.clear();
    }

    private void give(Collection<TopicPartition> partitions) {
      assigned.addAll(partitions);
      tell("assigned", partitions);
    }

    private void take(String event, Collection<TopicPartition> partitions) {
      partitions.forEach(assigned::remove);
      partitions.forEach(positions::remove);
      waiting.removeIf(record -> partitions.contains(placeOf(record)));
      tell(event, partitions);
    }

    private void tell(String event, Collection<TopicPartition> partitions) {
      if (!partitions.isEmpty()) history.add(Map.of("event", event, "partitions", placesOf(partitions)));
      notifyAll();
    }

    synchronized Object assignment(int count, long deadline) throws Exception {
      while (assigned.size() != count && patient(deadline)) wait(Driver.left(deadline));
      Map<String, Object> seen = new LinkedHashMap<>();
      if (!memberId.isEmpty()) seen.put("memberId", memberId);
      if (generation >= 0) seen.put("generation", generation);
      seen.put("partitions", placesOf(assigned));
      seen.put("history", new ArrayList<>(history));
      return seen;
    }

    synchronized List<Object> poll(int count, long deadline) throws Exception {
      wanted = count;
      try {
        while (waiting.size() < count && patient(deadline)) wait(Driver.left(deadline));
      } finally {
        wanted = 0;
      }
      List<ConsumerRecord<byte[], byte[]>> taken = waiting.subList(0, Math.min(count, waiting.size()));
      List<Object> records = new ArrayList<>();
      for (ConsumerRecord<byte[], byte[]> record : taken) {
        positions.put(placeOf(record), new OffsetAndMetadata(record.offset() + 1));
        Map<String, Object> received = Readers.toReceived(record);
        received.put("topic", record.topic());
        records.add(received);
      }
      taken.clear();
      return records;
    }

    private boolean patient(long deadline) throws Exception {
      if (failure != null) throw failure;
      return Driver.left(deadline) > 0;
    }

    void commit(Map<TopicPartition, OffsetAndMetadata> given) throws Exception {
      FutureTask<Object> task =
          new FutureTask<>(
              () -> {
                Map<TopicPartition, OffsetAndMetadata> offsets = given == null ? positions() : given;
                if (!offsets.isEmpty()) CommitLog.committing(group, () -> consumer.commitSync(offsets));
                return null;
              });
      tasks.add(task);
      synchronized (this) {
        notifyAll();
      }
      task.get();
    }

    private synchronized Map<TopicPartition, OffsetAndMetadata> positions() {
      return new HashMap<>(positions);
    }

    @Override
    public void close() throws Exception {
      closing = true;
      consumer.wakeup();
      synchronized (this) {
        notifyAll();
      }
      thread.join(2 * CLOSE_MS);
    }
  }

  private static TopicPartition placeOf(ConsumerRecord<byte[], byte[]> record) {
    return new TopicPartition(record.topic(), record.partition());
  }
}
