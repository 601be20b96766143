//! Reference cycles through the objects that a handler gets are freed by the collector, as in CPython.

use crate::{
    h2::client::Connection,
    util::{Launch, until},
};

/// What a handler does to make a cycle that holds `mark`.
const CYCLES: &[&str] = &[
    "request.x = response\nrequest.mark = mark",
    "response.x = request\nresponse.mark = mark",
    "request.x = response\nresponse.x = request\nresponse.mark = mark",
    "request.x = request\nrequest.mark = mark",
    "request.x = response.writer\nresponse.writer.mark = mark",
    "response.writer.x = response\nresponse.writer.mark = mark",
    "request.GET.x = request\nrequest.mark = mark",
    "request.headers.x = request\nrequest.mark = mark",
    "request.raw_input.x = request\nrequest.mark = mark",
    "request.cookies.x = request\nrequest.mark = mark",
    "request.server.x = request\nrequest.mark = mark",
    "request.GET.setdefault('x', [request])\nrequest.mark = mark",
    "request.x = response.iter_content()\nrequest.mark = mark",
    "response.headers.x = response\nresponse.mark = mark",
    "response.headers.x = response.headers\nresponse.headers.mark = mark",
    "response.kept = response.headers\nresponse.headers.x = response\nresponse.mark = mark",
    "response.content = (text for text in [response and 'ok'])\nresponse.mark = mark",
    "response.encoding_of = response\nresponse.close_connection = [response]\nresponse.mark = mark",
    "response.add_required_headers = [response]\nresponse.mark = mark",
    "response.writer.default_status = [response]\nresponse.mark = mark\nresponse.status = 200",
];

const ALIVE: &str = "import gc, weakref\nalive = weakref.WeakSet()\nclass Mark:\n    pass\n";

fn files() -> Vec<(String, String)> {
    let handlers = CYCLES.iter().enumerate().map(|(number, lines)| {
        let lines = lines.replace('\n', "\n    ");
        let text = format!(
            "import marks\ndef main(request, response):\n    mark = marks.Mark()\n    marks.alive.add(mark)\n    {lines}\n"
        );
        (format!("h{number}.py"), text)
    });
    let show = "import marks\ndef main(request, response):\n    marks.gc.collect()\n    return str(len(marks.alive))\n";
    handlers.chain([("marks.py".to_owned(), ALIVE.to_owned()), ("show.py".to_owned(), show.to_owned())]).collect()
}

#[test]
fn are_collected_behind_http_1() {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let server = Launch::new(&files).start();
    for (number, lines) in CYCLES.iter().enumerate() {
        for _ in 0..3 {
            assert_eq!(server.get(&format!("/h{number}.py")).code(), 200, "{lines}");
        }
        // A handler's thread lets go of what the handler has left when the answer is already there.
        until(&format!("these to be collected: {lines}"), || (server.get("/show.py").ok() == "0").then_some(()));
    }
}

#[test]
fn are_collected_behind_http_2() {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let server = Launch::new(&files).tls().start();
    let get = |path: &str| {
        let mut connection = Connection::new(server.h2);
        let stream = connection.get(path);
        connection.text(stream)
    };
    for (number, lines) in CYCLES.iter().enumerate() {
        for _ in 0..3 {
            assert_eq!(get(&format!("/h{number}.py")).0, "200", "{lines}");
        }
        until(&format!("these to be collected: {lines}"), || (get("/show.py").1 == "0").then_some(()));
    }
}
