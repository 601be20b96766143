//! How long an HTTP/2 connection may wait for its client.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use super::wire::H2Wire;
use crate::{
    http::h2::{ErrorCode, Event},
    server::watched::{Pace, Since, Watched},
};

/// What a connection waits for.
#[derive(Debug, PartialEq, Eq)]
enum Wait {
    /// A request, after the one with this number.
    Request(u32),
    /// The rest of the client's greeting, or of a header block.
    RestOfHead,
    /// Its own work.
    Nothing,
}

/// The one who looks at a connection.
pub(super) fn watched(wire: &H2Wire) -> Rc<dyn Watched> {
    Rc::new(Patience { wire: wire.clone(), since: RefCell::default(), paces: RefCell::default() })
}

/// What has been seen of a connection.
struct Patience {
    wire: H2Wire,
    since: RefCell<Since<Wait>>,
    /// The streams whose handlers wait for the body.
    paces: RefCell<HashMap<u32, Pace>>,
}

impl Watched for Patience {
    fn look(&self, passed: Duration) {
        let bounds = &self.wire.site().bounds;
        let is_over = |time: Duration, most: Option<Duration>| most.is_some_and(|most| time >= most);
        let wait = self.wire.with(|connection| match connection {
            _ if connection.is_over() => Wait::Nothing,
            _ if connection.is_in_mid_head() => Wait::RestOfHead,
            _ if connection.is_idle() => Wait::Request(connection.last_stream()),
            _ => Wait::Nothing,
        });
        let (is_idle, is_head) = (matches!(wait, Wait::Request(_)), wait == Wait::RestOfHead);
        let time = self.since.borrow_mut().seen(wait, passed);
        if is_idle && is_over(time, bounds.idle_time) {
            self.wire.close();
        } else if is_head && is_over(time, bounds.head_time) {
            self.wire
                .with(|connection| connection.exhaust("what has begun takes longer than bounds.head_seconds allows"));
        }
        let streams = self.wire.handlers();
        let mut paces = self.paces.borrow_mut();
        paces.retain(|stream, _| streams.contains(stream));
        for stream in streams {
            let Some(received) = self.wire.with(|connection| connection.awaited(stream)) else { continue };
            let pace = paces.entry(stream).or_default();
            if pace.is_too_slow(passed, received, bounds.body_rate, bounds.body_grace) {
                log::info!("HTTP/2 stream {stream} is reset: its body comes more slowly than bounds.body_rate allows");
                let code = ErrorCode::ENHANCE_YOUR_CALM;
                self.wire.reset(stream, code);
                self.wire.hear(Event::Reset { stream, code, remote: false });
            }
        }
    }
}
