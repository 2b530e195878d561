//! Driver of pulsar, Pulsar's client in Rust (matrix/driver/messages.ts).
//!
//! What the crate cannot express is answered `unsupported`: sequence ids, tombstones, chunks, encryption, redelivery of
//! all that is unacknowledged, a delay of negative acknowledgements, acknowledgement inside of a batch, seeking in an
//! exclusive subscription, and a reader that starts after a message or inside of a batch. It tells no index and no
//! redelivery count, and of messages in a batch neither their sequence id nor whether their value is null.

mod consuming;
mod driver;
mod handles;
mod messages;
mod names;
mod producing;
mod reading;
mod session;

use std::sync::{Arc, Mutex};

use driver::{serve, unsupported, Answer, Args};
use session::Session;
use tokio::runtime::{Builder, Runtime};

fn main() {
    let runtime: Runtime =
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads for the library");
    let current: Mutex<Arc<Session>> = Mutex::default();
    serve("pulsar-rust", "pulsar", move |op, args| {
        // What the library's handles do when they are dropped needs it too.
        let _entered = runtime.enter();
        if op == "configure" {
            let old = std::mem::replace(&mut *current.lock().unwrap(), Arc::new(Session::of(args)));
            drop(old);
            return Some(Ok(serde_json::Value::Null));
        }
        let session = current.lock().unwrap().clone();
        runtime.block_on(answer(&session, op, args))
    })
}

async fn answer(session: &Session, op: &str, args: Args<'_>) -> Option<Answer> {
    Some(match op {
        "produce" => producing::produce(session, args).await,
        "closeProducer" => producing::close_producer(session, args).await,
        "subscribe" => consuming::subscribe(session, args).await,
        "receive" => consuming::receive(session, args).await,
        "acknowledge" => consuming::acknowledge(session, args).await,
        "negativeAcknowledge" => consuming::negative_acknowledge(session, args).await,
        "redeliverUnacknowledged" => {
            unsupported("pulsar for Rust has no call to have all unacknowledged messages delivered again")
        }
        "seek" => consuming::seek(session, args).await,
        "unsubscribe" => consuming::unsubscribe(session, args).await,
        "closeConsumer" => consuming::close_consumer(session, args).await,
        "read" => reading::read(session, args).await,
        "openReader" => reading::open_reader(session, args).await,
        "readNext" => reading::read_next(session, args).await,
        "lastMessageId" => reading::last_message_id(session, args).await,
        "partitions" => reading::partitions(session, args).await,
        _ => return None,
    })
}
