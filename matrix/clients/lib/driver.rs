//! The loop of every driver in Rust: one JSON object a line in, one a line out (matrix/driver/messages.ts).

use std::io::{BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde_json::{json, Value};

/// What an op ends with when it has no result.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The library cannot express it.
    Unsupported(String),
    /// Under the protocol's name of the error, where there is one.
    Error { name: String, message: String },
}

pub type Answer = Result<Value, Failure>;

pub fn unsupported<T>(reason: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Unsupported(reason.into()))
}

pub fn failure(name: impl Into<String>, message: impl Into<String>) -> Failure {
    Failure::Error { name: name.into(), message: message.into() }
}

/// The arguments of an op. Absent and null are the same but where `has` is asked.
#[derive(Clone, Copy)]
pub struct Args<'a>(pub &'a Value);

#[allow(dead_code)]
impl<'a> Args<'a> {
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    pub fn get(&self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    pub fn within(&self, name: &str) -> Args<'a> {
        Args(self.get(name))
    }

    pub fn list(&self, name: &str) -> Vec<Args<'a>> {
        self.get(name).as_array().map(|list| list.iter().map(Args).collect()).unwrap_or_default()
    }

    pub fn text(&self, name: &str) -> &'a str {
        self.get(name).as_str().unwrap_or_default()
    }

    pub fn text_or(&self, name: &str, fallback: &'a str) -> &'a str {
        self.get(name).as_str().unwrap_or(fallback)
    }

    pub fn number_or(&self, name: &str, fallback: i64) -> i64 {
        self.get(name).as_i64().unwrap_or(fallback)
    }

    pub fn flag_or(&self, name: &str, fallback: bool) -> bool {
        self.get(name).as_bool().unwrap_or(fallback)
    }

    /// A 64-bit number is a decimal string.
    pub fn int64(&self, name: &str) -> Option<i64> {
        self.get(name).as_str().and_then(|text| text.parse().ok())
    }

    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        from_base64(self.get(name))
    }

    pub fn deadline(&self, fallback_ms: i64) -> Instant {
        Instant::now() + Duration::from_millis(self.number_or("timeoutMs", fallback_ms).max(0) as u64)
    }
}

pub fn from_base64(value: &Value) -> Option<Vec<u8>> {
    value.as_str().map(|text| STANDARD.decode(text).expect("base64 in the request"))
}

pub fn to_base64(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| Value::String(STANDARD.encode(bytes)))
}

/// What is left until a deadline; zero when it has passed.
#[allow(dead_code)]
pub fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Serves `ops` until standard input closes; each request has its own thread. `None`: there is no such op.
pub fn serve(
    client: &'static str,
    kind: &'static str,
    ops: impl Fn(&str, Args) -> Option<Answer> + Send + Sync + 'static,
) -> ! {
    let ops = Arc::new(ops);
    write(&json!({"ready": {"client": client, "version": env!("KOP_DRIVER_VERSION"), "kind": kind}}));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let ops = ops.clone();
        std::thread::spawn(move || {
            let request: Value = serde_json::from_str(&line).expect("a request is a JSON object");
            let op = request["op"].as_str().unwrap_or_default();
            let run = AssertUnwindSafe(|| ops(op, Args(&request["args"])));
            let answer = match catch_unwind(run) {
                Ok(answer) => answer
                    .unwrap_or_else(|| unsupported(format!("{client}'s driver has no op {op}"))),
                Err(panic) => Err(failure("Panic", words_of(panic.as_ref()))),
            };
            write(&line_of(&request["id"], answer));
        });
    }
    // Libraries wait for their brokers when they end in order: nobody is left to wait for them.
    std::process::exit(0)
}

fn line_of(id: &Value, answer: Answer) -> Value {
    match answer {
        Ok(result) if result.is_null() => json!({"id": id, "result": {}}),
        Ok(result) => json!({"id": id, "result": result}),
        Err(Failure::Unsupported(reason)) => json!({"id": id, "unsupported": reason}),
        Err(Failure::Error { name, message }) => json!({"id": id, "error": {"name": name, "message": message}}),
    }
}

fn write(line: &Value) {
    let mut text = line.to_string();
    text.push('\n');
    let mut output = std::io::stdout().lock();
    // Who would read it is gone: so is the reason to go on.
    if output.write_all(text.as_bytes()).and_then(|()| output.flush()).is_err() {
        std::process::exit(0);
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
        .unwrap_or_else(|| "the library panicked".to_string())
}
