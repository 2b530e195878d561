//! Members of groups that stay.
//!
//! librdkafka has no `sticky` assignor of the eager kind; the crate tells neither a member's id nor its generation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaConfRes;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::{json, Value};

use crate::context::Context;
use crate::driver::{failure, left, unsupported, Answer, Args, Failure};
use crate::names::{failure_of, failure_of_client};
use crate::reading::to_received;
use crate::session::{close, Session};

const POLL: Duration = Duration::from_millis(20);
const COMMIT_MAX: Duration = Duration::from_secs(20);
const CLOSE_MAX: Duration = Duration::from_secs(5);
/// So many records wait for `memberPoll`: beyond that a member pauses.
const WAITING_RECORDS_MAX: usize = 5000;
const ASSIGNORS: [&str; 3] = ["range", "roundrobin", "cooperative-sticky"];

type Place = (String, i32);

/// What the member's thread tells, and the ops ask for.
#[derive(Default)]
pub struct MemberState {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    assigned: BTreeSet<Place>,
    history: Vec<Value>,
    /// Records that no `memberPoll` has taken.
    waiting: Vec<(Place, i64, Value)>,
    /// How many a `memberPoll` that waits asks for.
    wanted: usize,
    /// After what `memberPoll` answered with.
    positions: BTreeMap<Place, i64>,
    failure: Option<Failure>,
    /// That librdkafka told aside of its records.
    errors: Vec<KafkaError>,
    /// What is newly assigned is not paused.
    paused: bool,
}

impl MemberState {
    pub fn assigned(&self, partitions: &TopicPartitionList) {
        let mut seen = self.seen.lock().unwrap();
        seen.failure = None;
        seen.paused = false;
        let places = places_of(partitions);
        seen.assigned.extend(places.iter().cloned());
        self.told(seen, "assigned", places);
    }

    pub fn revoked(&self, event: &str, partitions: &TopicPartitionList) {
        let mut seen = self.seen.lock().unwrap();
        let places = places_of(partitions);
        for place in &places {
            seen.assigned.remove(place);
            seen.positions.remove(place);
        }
        seen.waiting.retain(|(place, _, _)| !places.contains(place));
        self.told(seen, event, places);
    }

    fn told(&self, mut seen: MutexGuard<Seen>, event: &str, places: BTreeSet<Place>) {
        if !places.is_empty() {
            seen.history.push(json!({"event": event, "partitions": to_json(&places)}));
        }
        drop(seen);
        self.changed.notify_all();
    }

    pub fn told_error(&self, error: KafkaError) {
        self.seen.lock().unwrap().errors.push(error);
    }

    fn failed(&self, failure: Failure) {
        self.seen.lock().unwrap().failure = Some(failure);
        self.changed.notify_all();
    }

    fn received(&self, message: &impl Message) {
        let place = (message.topic().to_string(), message.partition());
        let mut seen = self.seen.lock().unwrap();
        if !seen.assigned.contains(&place) {
            return;
        }
        let mut record = to_received(message);
        record["topic"] = json!(place.0);
        seen.waiting.push((place, message.offset(), record));
        drop(seen);
        self.changed.notify_all();
    }

    /// Waits until `done`, a failure or the deadline.
    fn wait(&self, deadline: Instant, done: impl Fn(&Seen) -> bool) -> Result<MutexGuard<'_, Seen>, Failure> {
        let seen = self.seen.lock().unwrap();
        let waits = |seen: &mut Seen| !done(seen) && seen.failure.is_none();
        let (seen, _) = self.changed.wait_timeout_while(seen, left(deadline), waits).unwrap();
        match &seen.failure {
            Some(failure) if !done(&seen) => Err(failure.clone()),
            _ => Ok(seen),
        }
    }

    fn poll(&self, count: usize, deadline: Instant) -> Result<Vec<Value>, Failure> {
        self.seen.lock().unwrap().wanted = count;
        let waited = self.wait(deadline, |seen| seen.waiting.len() >= count);
        let mut seen = match waited {
            Ok(seen) => seen,
            Err(failure) => {
                self.seen.lock().unwrap().wanted = 0;
                return Err(failure);
            }
        };
        seen.wanted = 0;
        let taken = count.min(seen.waiting.len());
        let records: Vec<(Place, i64, Value)> = seen.waiting.drain(..taken).collect();
        for (place, offset, _) in &records {
            seen.positions.insert(place.clone(), offset + 1);
        }
        Ok(records.into_iter().map(|(_, _, record)| record).collect())
    }
}

fn places_of(partitions: &TopicPartitionList) -> BTreeSet<Place> {
    partitions.elements().iter().map(|place| (place.topic().to_string(), place.partition())).collect()
}

fn to_json(places: &BTreeSet<Place>) -> Value {
    places.iter().map(|(topic, partition)| json!({"topic": topic, "partition": partition})).collect()
}

struct Commit {
    /// None: the places after what `memberPoll` answered with.
    offsets: Option<TopicPartitionList>,
    answer: Sender<Result<(), Failure>>,
}

/// A consumer with a thread of its own, which does all.
pub struct Member {
    state: Arc<MemberState>,
    commits: Mutex<Sender<Commit>>,
    closing: Arc<AtomicBool>,
    closed: Mutex<Receiver<()>>,
}

impl Member {
    fn open(session: &Session, config: &ClientConfig, topics: &[&str]) -> Result<Member, Failure> {
        let state = Arc::new(MemberState::default());
        let consumer = session.consumer(config, Some(state.clone()))?;
        consumer.subscribe(topics).map_err(|error| failure_of(&error))?;
        let (commits, asked) = channel();
        let (ended, closed) = channel();
        let closing = Arc::new(AtomicBool::new(false));
        let (runs, stops) = (state.clone(), closing.clone());
        std::thread::spawn(move || {
            while !stops.load(Ordering::Relaxed) {
                step(&consumer, &runs, &asked);
            }
            drop(consumer);
            let _ = ended.send(());
        });
        Ok(Member { state, commits: Mutex::new(commits), closing, closed: Mutex::new(closed) })
    }

    /// Has the thread end; does not wait for it.
    pub fn end(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

fn step(consumer: &BaseConsumer<Context>, state: &MemberState, commits: &Receiver<Commit>) {
    while let Ok(Commit { offsets, answer }) = commits.try_recv() {
        let _ = answer.send(commit_now(consumer, state, offsets));
    }
    hold_back(consumer, state);
    match consumer.poll(POLL) {
        Some(Ok(message)) => state.received(&message),
        Some(Err(error)) => state.told_error(error),
        None => {}
    }
    let errors = std::mem::take(&mut state.seen.lock().unwrap().errors);
    let is_over = !errors.is_empty() && consumer.client().fatal_error().is_some();
    if let Some(error) = errors.iter().find(|error| is_over || is_failure(error)) {
        state.failed(failure_of_client(consumer.client(), error));
    }
}

/// Whether a member cannot go on, though nothing is fatal: other errors librdkafka gets over by itself.
fn is_failure(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::*;
    matches!(
        error.rdkafka_error_code(),
        Some(Authentication | TopicAuthorizationFailed | GroupAuthorizationFailed | ClusterAuthorizationFailed)
    )
}

fn hold_back(consumer: &BaseConsumer<Context>, state: &MemberState) {
    let mut seen = state.seen.lock().unwrap();
    let full = seen.waiting.len() >= WAITING_RECORDS_MAX.max(seen.wanted);
    if full == seen.paused {
        return;
    }
    seen.paused = full;
    let mut places = TopicPartitionList::new();
    for (topic, partition) in &seen.assigned {
        places.add_partition(topic, *partition);
    }
    drop(seen);
    let done = if full { consumer.pause(&places) } else { consumer.resume(&places) };
    if let Err(error) = done {
        eprintln!("member: {error}");
    }
}

fn commit_now(
    consumer: &BaseConsumer<Context>,
    state: &MemberState,
    offsets: Option<TopicPartitionList>,
) -> Result<(), Failure> {
    let offsets = match offsets {
        Some(offsets) => offsets,
        None => after_what_was_read(&state.seen.lock().unwrap().positions).map_err(|error| failure_of(&error))?,
    };
    if offsets.count() == 0 {
        return Ok(());
    }
    let committed = consumer.commit(&offsets, CommitMode::Sync);
    committed.map_err(|error| failure_of_client(consumer.client(), &error))
}

fn after_what_was_read(positions: &BTreeMap<Place, i64>) -> KafkaResult<TopicPartitionList> {
    let mut places = TopicPartitionList::new();
    for ((topic, partition), offset) in positions {
        places.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
    }
    Ok(places)
}

fn to_offsets(offsets: &[Args]) -> Result<TopicPartitionList, Failure> {
    let mut places = TopicPartitionList::new();
    for wanted in offsets {
        let mut place = places.add_partition(wanted.text("topic"), wanted.number_or("partition", 0) as i32);
        let set = place.set_offset(Offset::Offset(wanted.int64("offset").unwrap_or(0)));
        set.map_err(|error| failure_of(&error))?;
        if wanted.has("metadata") {
            place.set_metadata(wanted.text("metadata"));
        }
    }
    Ok(places)
}

/// As a consumer that is no member.
pub fn commit(session: &Session, args: Args) -> Answer {
    let places = to_offsets(&args.list("offsets"))?;
    let consumer = session.consumer(&session.consumer_config(args.text("group"), "error"), None)?;
    let asked = consumer.clone();
    session.observer()?;
    let committed = session.asked(move || asked.commit(&places, CommitMode::Sync));
    close(consumer);
    committed.map(|()| Value::Null)
}

pub fn open_member(session: &Session, args: Args) -> Answer {
    let mut config = session.consumer_config(args.text("group"), args.text_or("from", "earliest"));
    config.set("enable.partition.eof", "false").set("allow.auto.create.topics", "false");
    add_membership(&mut config, args)?;
    let topics: Vec<&str> =
        args.get("topics").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let member = Member::open(session, &config, &topics)?;
    session.members.lock().unwrap().insert(args.text("member").to_string(), Arc::new(member));
    Ok(Value::Null)
}

fn add_membership(config: &mut ClientConfig, args: Args) -> Result<(), Failure> {
    if args.has("instanceId") {
        config.set("group.instance.id", args.text("instanceId"));
    }
    if args.text("protocol") == "consumer" {
        config.set("group.protocol", "consumer");
        return lacks_property(config, "group.protocol").map_or(Ok(()), unsupported);
    }
    let assignor = args.text_or("assignor", "range");
    if !ASSIGNORS.contains(&assignor) {
        return unsupported(format!("librdkafka has no {assignor} assignor"));
    }
    config
        .set("partition.assignment.strategy", assignor)
        .set("session.timeout.ms", args.number_or("sessionTimeoutMs", 10_000).to_string())
        .set("heartbeat.interval.ms", args.number_or("heartbeatIntervalMs", 500).to_string());
    Ok(())
}

/// What librdkafka says of a property that it does not know.
fn lacks_property(config: &ClientConfig, property: &str) -> Option<String> {
    match config.create_native_config() {
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, says, name, _)) if name == property => {
            Some(format!("librdkafka {}: {says}", rdkafka::util::get_rdkafka_version().1))
        }
        _ => None,
    }
}

fn named(session: &Session, args: Args) -> Result<Arc<Member>, Failure> {
    let name = args.text("member");
    let found = session.members.lock().unwrap().get(name).cloned();
    found.ok_or_else(|| failure("NoSuchMember", format!("no member {name} is open")))
}

pub fn assignment(session: &Session, args: Args) -> Answer {
    let (deadline, count) = (args.deadline(20_000), args.number_or("count", 0) as usize);
    let member = named(session, args)?;
    let seen = member.state.wait(deadline, |seen| seen.assigned.len() == count)?;
    Ok(json!({"partitions": to_json(&seen.assigned), "history": seen.history}))
}

pub fn member_poll(session: &Session, args: Args) -> Answer {
    let (deadline, count) = (args.deadline(15_000), args.number_or("count", 1) as usize);
    Ok(json!({"records": named(session, args)?.state.poll(count, deadline)?}))
}

pub fn member_commit(session: &Session, args: Args) -> Answer {
    let member = named(session, args)?;
    let offsets = if args.has("offsets") { Some(to_offsets(&args.list("offsets"))?) } else { None };
    let (answer, answered) = channel();
    let asked = member.commits.lock().unwrap().send(Commit { offsets, answer });
    asked.map_err(|_| failure("NoSuchMember", "the member has ended"))?;
    match answered.recv_timeout(COMMIT_MAX) {
        Ok(result) => result.map(|()| Value::Null),
        Err(RecvTimeoutError::Timeout) => Err(failure("TIMEOUT", "no answer to the commit in time")),
        Err(RecvTimeoutError::Disconnected) => Err(failure("NoSuchMember", "the member has ended")),
    }
}

pub fn close_member(session: &Session, args: Args) -> Answer {
    let member = named(session, args)?;
    session.members.lock().unwrap().remove(args.text("member"));
    member.end();
    let _ = member.closed.lock().unwrap().recv_timeout(CLOSE_MAX);
    Ok(Value::Null)
}
