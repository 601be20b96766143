//! `fixtures/h2/cases.json`: requests over HTTP/2, and the frames of wptserve 4.0.3, or ours where they differ on purpose.
//! `tests/differential/http2.py` recorded them and says what an entry holds.

use std::{fs, sync::Arc};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    client::*,
    util::{HOST, Launch, Server, Shared, until},
};

static SERVER: Shared = Shared::new();

/// The flag of a HEADERS frame that holds a priority.
const PRIORITY: u8 = 0x20;

fn server() -> Arc<Server> {
    SERVER.get(|| crate::start(Launch::new(&[]).with_root(&crate::fixtures("h2/site"))))
}

pub fn trials() -> Vec<Trial> {
    let text = fs::read_to_string(crate::fixtures("h2/cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    cases.into_iter().map(|case| crate::trial(name(&case), move || run(&case))).collect()
}

/// Words with a low line between them, as in the names of other tests.
fn name(case: &Value) -> String {
    let name = case["name"].as_str().expect("a name");
    let words: Vec<&str> =
        name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("h2/{}", words.join("_"))
}

/// As tests/differential/http2.py masks the recorded answers.
fn masked(frames: Vec<Value>, port: u16) -> Vec<Value> {
    let is_error = frames.iter().any(|frame| frame[3].as_str().is_some_and(|text| text.contains("\"code\": 500")));
    let host = format!("127.0.0.1:{port}");
    let mask = |mut frame: Value| {
        for field in frame[3].as_array_mut().into_iter().flatten().filter(|field| field[1].is_string()) {
            let value = field[1].as_str().unwrap_or_default().replace(&host, "<host>");
            field[1] = json!(if is_error && field[0] == "content-length" { "<length>" } else { &value });
        }
        if let Some(text) = frame[3].as_str() {
            let mut text = text.replace(&host, "<host>").replace(HOST, "127.0.0.1");
            if is_error && frame[0] == "DATA" && !text.is_empty() {
                let error: Value = serde_json::from_str(&text).expect("an error as JSON");
                let message = error["error"]["message"].as_str().expect("a message").trim();
                // CPython says only above where the mistake in the syntax is.
                let last = message.lines().last().unwrap_or_default().trim();
                let last =
                    last.split_once(" (").filter(|(_, place)| place.contains(", line ")).map_or(last, |(text, _)| text);
                text = format!("500 {last}");
            }
            let site = format!("{}/", crate::fixtures("h2/site").display());
            frame[3] = json!(text.replace(&site, "<site>/"));
        }
        frame
    };
    frames.into_iter().map(mask).collect()
}

fn run(case: &Value) -> Result<(), String> {
    if case["difference"].is_string() != case["ours"].is_array() || case["ours"] == case["frames"] {
        return Err("`difference` and `ours` belong together, and `ours` must differ from `frames`".to_owned());
    }
    let server = server();
    let pairs = |value: &Value| -> Vec<(String, String)> { serde_json::from_value(value.clone()).unwrap() };
    let setting = |name: &str| case["settings"][name].as_u64().and_then(|value| value.try_into().ok());
    let push: Option<u32> = setting("2");
    let window = setting("4").unwrap_or(1 << 24);
    let mut connection = Connection::greeted(server.h2, &[(2, push.unwrap_or(1)), (4, window)]);
    connection.send(WINDOW_UPDATE, 0, 0, &(1u32 << 24).to_be_bytes());
    let fields = match case["request"].as_str() {
        Some(path) => request("GET", path),
        None => pairs(&case["request"]),
    };
    let body: Vec<&str> = case["body"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let has_trailers = case["trailers"].is_array();
    let stream = match case["priority"].as_array() {
        None => connection.open(&fields, body.is_empty() && !has_trailers),
        Some(priority) => {
            let exclusive = if priority[2] == true { 0x80 } else { 0 };
            let (depends_on, weight) = (priority[0].as_u64().unwrap() as u8, priority[1].as_u64().unwrap() as u8);
            let block = [&[exclusive, 0, 0, depends_on, weight][..], &connection.block(&fields)].concat();
            connection.send(HEADERS, END_HEADERS | PRIORITY, 1, &block);
            1
        }
    };
    if let Some(update) = case["update"].as_u64() {
        connection.send(WINDOW_UPDATE, 0, stream, &u32::try_from(update).unwrap().to_be_bytes());
    }
    for (at, piece) in body.iter().enumerate() {
        connection.data(stream, piece, at + 1 == body.len() && !has_trailers);
    }
    if has_trailers {
        let block = connection.block(&pairs(&case["trailers"]));
        connection.send(HEADERS, END_HEADERS | END_STREAM, stream, &block);
    }
    let mut seen = connection.answer(stream);
    if let Some(then) = case["then"].as_str() {
        // What the handler leaves may come late.
        seen = until("the report", || {
            let mut other = Connection::new(server.h2);
            let stream = other.get(then);
            let seen = other.answer(stream);
            (seen.last()?[3] != "None").then_some(seen)
        });
    }
    let expected = if case["ours"].is_array() { &case["ours"] } else { &case["frames"] };
    let seen = json!(masked(seen, server.h2));
    if seen == *expected { Ok(()) } else { Err(format!("expected {expected}\nseen     {seen}")) }
}
