//! The events of a stream that its handler has not seen yet, in bounded memory: windows bound the bytes, this bounds the number of
//! frames.

use std::collections::VecDeque;

use bytes::BytesMut;

use super::Event;

/// This many events wait as they came. Behind them content is joined to the content before it, and events about windows and the
/// order of streams are dropped.
const LONG: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub struct Backlog(VecDeque<Event>);

impl Backlog {
    /// Adds an event.
    pub fn push(&mut self, event: Event) {
        if self.0.len() < LONG {
            self.0.push_back(event);
            return;
        }
        match (event, self.0.back_mut()) {
            (Event::WindowUpdated { .. } | Event::Priority { .. }, _) => {}
            (
                Event::Data { data: more, flow: more_flow, end: is_end, .. },
                Some(Event::Data { data, flow, end, .. }),
            ) => {
                // Once these bytes have been joined, no other reference to them exists.
                let mut joined =
                    std::mem::take(data).try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
                joined.extend_from_slice(&more);
                *data = joined.freeze();
                *flow = flow.saturating_add(more_flow);
                *end |= is_end;
            }
            (event, _) => self.0.push_back(event),
        }
    }

    /// Takes the first event.
    pub fn pop(&mut self) -> Option<Event> {
        self.0.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::http::h2::Priority;

    fn data(text: &'static str, end: bool) -> Event {
        Event::Data { stream: 1, data: Bytes::from_static(text.as_bytes()), flow: text.len() as u32 + 1, end }
    }

    #[test]
    fn content_is_kept_and_talk_is_not() {
        let mut backlog = Backlog::default();
        for _ in 0..LONG - 1 {
            backlog.push(Event::WindowUpdated { stream: 1, increment: 1 });
        }
        let priority = Priority { depends_on: 0, weight: 16, exclusive: false };
        for _ in 0..10_000 {
            backlog.push(data("ab", false));
            backlog.push(Event::WindowUpdated { stream: 1, increment: 1 });
            backlog.push(Event::Priority { stream: 1, priority });
        }
        backlog.push(data("c", true));
        assert_eq!(backlog.0.len(), LONG);
        for _ in 0..LONG - 1 {
            assert!(matches!(backlog.pop(), Some(Event::WindowUpdated { .. })));
        }
        let Some(Event::Data { data, flow, end, .. }) = backlog.pop() else { panic!("no content") };
        assert_eq!((data, flow, end), (["ab".repeat(10_000), "c".to_owned()].concat().into(), 30_002, true));
        assert_eq!(backlog.pop(), None);
    }

    #[test]
    fn nothing_is_joined_while_there_is_room() {
        let mut backlog = Backlog::default();
        let events =
            [data("a", false), data("b", false), Event::WindowUpdated { stream: 1, increment: 1 }, data("", true)];
        events.clone().into_iter().for_each(|event| backlog.push(event));
        assert_eq!(std::iter::from_fn(|| backlog.pop()).collect::<Vec<_>>(), events);
    }
}
