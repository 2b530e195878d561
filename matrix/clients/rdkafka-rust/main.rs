//! Driver of rdkafka, librdkafka for Rust (matrix/driver/messages.ts).
//!
//! What the crate cannot express is answered `unsupported`: a timestamp of 0, which librdkafka takes for "now"; what a
//! group has committed, but for partitions that are named; deleting records before 0.37; administration with a token,
//! and SASL extensions of one; the newer group protocol, where librdkafka knows no `group.protocol`. It tells no topic
//! ids, no member's id or generation, and before 0.33 it does not tell lost partitions from revoked ones.

mod admin;
mod context;
mod driver;
mod members;
mod names;
mod producing;
mod reading;
mod security;
mod session;

use std::sync::{Arc, Mutex};

use driver::{serve, unsupported, Answer, Args};
use session::Session;

fn main() {
    let current: Mutex<Arc<Session>> = Mutex::default();
    serve("rdkafka-rust", "kafka", move |op, args| {
        if op == "configure" {
            return Some(configure(&current, args));
        }
        let session = current.lock().unwrap().clone();
        answer(&session, op, args)
    })
}

fn configure(current: &Mutex<Arc<Session>>, args: Args) -> Answer {
    *current.lock().unwrap() = Arc::new(Session::of(args)?);
    Ok(serde_json::Value::Null)
}

fn answer(session: &Session, op: &str, args: Args) -> Option<Answer> {
    Some(match op {
        "createTopics" => admin::create_topics(session, args),
        "deleteTopics" => admin::delete_topics(session, args),
        "createPartitions" => admin::create_partitions(session, args),
        "deleteRecords" => admin::delete_records(session, args),
        "describeConfigs" => admin::describe_configs(session, args),
        "alterConfigs" => admin::alter_configs(session, args),
        "listTopics" => admin::list_topics(session),
        "metadata" => admin::metadata(session, args),
        "listOffsets" => admin::list_offsets(session, args),
        "committed" => admin::committed(session, args),
        "produce" => producing::produce(session, args),
        "consume" => reading::consume(session, args),
        "openConsumer" => reading::open_consumer(session, args),
        "poll" => reading::poll(session, args),
        "seek" => reading::seek(session, args),
        "closeConsumer" => reading::close_consumer(session, args),
        "consumeInGroup" => reading::consume_in_group(session, args),
        "allCommitted" => unsupported("rdkafka asks for the commits of partitions that are named, not of a group"),
        "commit" => members::commit(session, args),
        "openMember" => members::open_member(session, args),
        "assignment" => members::assignment(session, args),
        "memberPoll" => members::member_poll(session, args),
        "memberCommit" => members::member_commit(session, args),
        "closeMember" => members::close_member(session, args),
        _ => return None,
    })
}
