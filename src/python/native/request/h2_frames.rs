//! `request.frames`: the events of an HTTP/2 stream, as the objects of hyper-h2 that handlers know.
//!
//! The objects are made when a handler asks for them. The body is not kept twice: the content of a piece is read from
//! `request.raw_input` when its object is made.

use parking_lot::Mutex;
use rustpython_vm::{
    Py, PyObjectRef, PyResult, VirtualMachine,
    builtins::PyListRef,
    convert::ToPyObject,
    object::{Traverse, TraverseFn},
};

use crate::{
    http::h2::{Event, Field, Priority},
    python::native::{InputFile, instance::traverse},
};

/// The data of an event, without the body.
#[derive(Debug, Clone)]
enum Record {
    Headers { class: &'static str, stream: u32, fields: Vec<Field>, priority: Option<Priority>, end: bool },
    Data { stream: u32, start: u64, length: u64, flow: u32, end: bool },
    Window { stream: u32, increment: u32 },
    Priority { stream: u32, priority: Priority },
}

/// This many events are kept one by one. Behind them content is joined to the content before it, and events about windows and the
/// order of streams are dropped, because a client may send any number of frames of one byte.
const REMEMBERED: usize = 10_000;

impl Record {
    /// Appends a record to `records`, or joins it to the last one.
    fn keep(self, records: &mut Vec<Record>) {
        if records.len() < REMEMBERED {
            records.push(self);
            return;
        }
        match (self, records.last_mut()) {
            (Record::Window { .. } | Record::Priority { .. }, _) => {}
            (
                Record::Data { length: more, flow: more_flow, end: is_end, .. },
                Some(Record::Data { length, flow, end, .. }),
            ) => {
                *length += more;
                *flow = flow.saturating_add(more_flow);
                *end |= is_end;
            }
            (record, _) => records.push(record),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    /// Made when a handler first asks; complete from then on, up to [`REMEMBERED`].
    list: Option<PyListRef>,
    /// The last event, which is not in the list yet.
    last: Option<(Record, Option<PyObjectRef>)>,
    /// The number of bytes of the body that have come.
    received: u64,
}

#[expect(unsafe_code, reason = "the collector trusts what is reported here")]
// SAFETY: the list and the object of the last event are owned, and each is reported once.
unsafe impl Traverse for State {
    fn traverse(&self, tracer: &mut TraverseFn<'_>) {
        self.list.traverse(tracer);
        if let Some((_, made)) = &self.last {
            made.traverse(tracer);
        }
    }
}

/// The events of a stream.
#[derive(Debug, Default)]
pub(super) struct Frames(Mutex<State>);

traverse!(Frames { 0 });

impl Frames {
    /// Takes an event. Its object is returned if it is `wanted`.
    pub(super) fn receive(
        &self,
        event: &Event,
        body: &Py<InputFile>,
        wanted: bool,
        vm: &VirtualMachine,
    ) -> PyResult<Option<PyObjectRef>> {
        let record = match event.clone() {
            Event::Request { stream, fields, priority, end } => {
                Record::Headers { class: "RequestReceived", stream, fields, priority, end }
            }
            Event::Trailers { stream, fields, priority } => {
                Record::Headers { class: "TrailersReceived", stream, fields, priority, end: true }
            }
            Event::Data { stream, data, flow, end } => {
                body.grow(&data, vm)?;
                let mut state = self.0.lock();
                let (start, length) = (state.received, data.len() as u64);
                state.received += length;
                Record::Data { stream, start, length, flow, end }
            }
            Event::WindowUpdated { stream, increment } => Record::Window { stream, increment },
            Event::Priority { stream, priority } => Record::Priority { stream, priority },
            Event::Reset { .. } | Event::GoAway { .. } => return Ok(None),
        };
        let made = if wanted { Some(object(&record, body, vm)?) } else { None };
        self.0.lock().last = Some((record, made.clone()));
        Ok(made)
    }

    /// Puts the last event into the list.
    pub(super) fn keep(&self, body: &Py<InputFile>, vm: &VirtualMachine) -> PyResult<()> {
        let Some((record, made)) = self.0.lock().last.take() else { return Ok(()) };
        let list = self.0.lock().list.clone();
        let Some(list) = list else {
            record.keep(&mut self.0.lock().records);
            return Ok(());
        };
        if list.borrow_vec().len() >= REMEMBERED {
            return Ok(());
        }
        let made = match made {
            Some(made) => made,
            None => object(&record, body, vm)?,
        };
        list.borrow_vec_mut().push(made);
        Ok(())
    }

    /// The list, which handlers may change.
    pub(super) fn list(&self, body: &Py<InputFile>, vm: &VirtualMachine) -> PyResult {
        if let Some(list) = self.0.lock().list.clone() {
            return Ok(list.into());
        }
        let records = self.0.lock().records.clone();
        let made = records.iter().map(|record| object(record, body, vm)).collect::<PyResult<Vec<_>>>()?;
        let list = vm.ctx.new_list(made);
        Ok(self.0.lock().list.get_or_insert(list).clone().into())
    }

    /// `request.raw_headers`: a `wptserve.server.H2Headers`.
    pub(super) fn raw_headers(&self, vm: &VirtualMachine) -> PyResult {
        let fields = {
            let state = self.0.lock();
            let first = state.records.first().or(state.last.as_ref().map(|(record, _)| record));
            match first {
                Some(Record::Headers { fields, .. }) => fields.clone(),
                _ => Vec::new(),
            }
        };
        let name = vm.ctx.new_tuple(vec![vm.ctx.new_str("H2Headers").into()]);
        vm.import_from("wptserve.server", name, 0)?.get_attr("H2Headers", vm)?.call((pairs(&fields, vm),), vm)
    }
}

fn pairs(fields: &[Field], vm: &VirtualMachine) -> PyObjectRef {
    let bytes = |bytes: &[u8]| vm.ctx.new_bytes(bytes.to_vec());
    let pairs = fields.iter().map(|(name, value)| vm.new_tuple((bytes(name), bytes(value))).into());
    vm.ctx.new_list(pairs.collect()).into()
}

/// An object of one of the classes of `h2.events`.
fn event(class: &'static str, attributes: Vec<(&str, PyObjectRef)>, vm: &VirtualMachine) -> PyResult {
    let name = vm.ctx.new_tuple(vec![vm.ctx.new_str(class).into()]);
    let made = vm.import_from("h2.events", name, 0)?.get_attr(class, vm)?.call((), vm)?;
    for (name, value) in attributes {
        made.set_attr(vm.ctx.intern_str(name), value, vm)?;
    }
    Ok(made)
}

fn object(record: &Record, body: &Py<InputFile>, vm: &VirtualMachine) -> PyResult {
    let number = |number: u32| number.to_pyobject(vm);
    let ended = |stream: u32, end: bool| match end {
        true => event("StreamEnded", vec![("stream_id", number(stream))], vm),
        false => Ok(vm.ctx.none()),
    };
    let updated = |stream: u32, priority: Priority| {
        let attributes = vec![
            ("stream_id", number(stream)),
            ("weight", number(priority.weight.into())),
            ("depends_on", number(priority.depends_on)),
            ("exclusive", vm.ctx.new_bool(priority.exclusive).into()),
        ];
        event("PriorityUpdated", attributes, vm)
    };
    match record {
        Record::Headers { class, stream, fields, priority, end } => {
            let mut attributes = vec![
                ("stream_id", number(*stream)),
                ("headers", pairs(fields, vm)),
                ("stream_ended", ended(*stream, *end)?),
            ];
            if let Some(priority) = priority {
                attributes.push(("priority_updated", updated(*stream, *priority)?));
            }
            event(class, attributes, vm)
        }
        Record::Data { stream, start, length, flow, end } => {
            let data = vm.ctx.new_bytes(body.part(*start, *length, vm)?);
            let attributes = vec![
                ("stream_id", number(*stream)),
                ("data", data.into()),
                ("flow_controlled_length", number(*flow)),
                ("stream_ended", ended(*stream, *end)?),
            ];
            event("DataReceived", attributes, vm)
        }
        Record::Window { stream, increment } => {
            event("WindowUpdated", vec![("stream_id", number(*stream)), ("delta", number(*increment))], vm)
        }
        Record::Priority { stream, priority } => updated(*stream, *priority),
    }
}
