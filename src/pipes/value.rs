//! The values that a template can name, and what indexing them gives.
//!
//! Follows wptserve 4.0.3, `pipes.py`, `template`, with CPython 3.11's messages for a value of the wrong type.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::{
    PipeError,
    context::Context,
    error::{Key, decode_utf8, encode_latin1},
    functions::{ALGORITHMS, Function, Returned, header},
    tokens::Index,
};
use crate::http::query::parse_qsl;

/// The properties of a configuration that wptserve keeps as sets (4.0.3, `config.py`, `ConfigBuilder`).
const SETS: [&str; 5] = ["subdomains", "not_subdomains", "domains_set", "not_domains_set", "all_domains_set"];

#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(String),
    Bytes(Vec<u8>),
    Int(i128),
    Bool(bool),
    Float,
    None,
    List(Cow<'a, [Json]>),
    Dict(Cow<'a, serde_json::Map<String, Json>>),
    /// `config["ports"]`: a scheme that is missing has an empty list of ports.
    Ports(&'a serde_json::Map<String, Json>),
    Set,
    Headers,
    /// The query's parameters, the first of each name.
    Get,
    Algorithms,
    Function(Function),
}

impl<'a> Value<'a> {
    fn of(json: Cow<'a, Json>) -> Value<'a> {
        match json {
            Cow::Borrowed(Json::Array(items)) => Value::List(Cow::Borrowed(items)),
            Cow::Borrowed(Json::Object(items)) => Value::Dict(Cow::Borrowed(items)),
            json => match json.into_owned() {
                Json::Null => Value::None,
                Json::Bool(value) => Value::Bool(value),
                Json::Number(number) => {
                    let int = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
                    int.map_or(Value::Float, Value::Int)
                }
                Json::String(text) => Value::Text(text),
                Json::Array(items) => Value::List(Cow::Owned(items)),
                Json::Object(items) => Value::Dict(Cow::Owned(items)),
            },
        }
    }

    /// The value of `name` at the beginning of a template. Variables have been looked up before.
    pub(super) fn named(name: &str, context: &Context<'a>) -> Result<Value<'a>, PipeError> {
        if let Some(function) = Function::named(name) {
            return Ok(Value::Function(function));
        }
        let config = context.config;
        let property = |name: &str| config.get(name).ok_or_else(|| PipeError::Value(String::new()));
        match name {
            "supported_algorithms" => Ok(Value::Algorithms),
            "headers" => Ok(Value::Headers),
            "GET" => Ok(Value::Get),
            "hosts" => Ok(Value::of(Cow::Borrowed(property("all_domains")?))),
            "domains" => Value::of(Cow::Borrowed(property("all_domains")?)).index(Index::Text(String::new()), context),
            "host" => Ok(Value::of(Cow::Borrowed(property("browser_host")?))),
            name => match config.get(name) {
                Some(_) if SETS.contains(&name) => Ok(Value::Set),
                Some(Json::Object(ports)) if name == "ports" => Ok(Value::Ports(ports)),
                Some(value) => Ok(Value::of(Cow::Borrowed(value))),
                None if name == "location" => location(context),
                None if name == "url_base" => Ok(Value::Text(context.url_base.to_owned())),
                None => Err(PipeError::Plain(format!("Undefined template variable {name}"))),
            },
        }
    }

    /// `value[index]`
    pub(super) fn index(self, index: Index, context: &Context<'a>) -> Result<Value<'a>, PipeError> {
        let out_of_range = |message| move || PipeError::Index(message);
        let no_number =
            |kind: &str| Err(PipeError::Type(format!("{kind} indices must be integers or slices, not str")));
        match (self, index) {
            (Value::Headers, Index::Text(name)) => header(&name, context)?
                .map(Value::Bytes)
                .ok_or_else(|| PipeError::Key(Key::Bytes(name.to_ascii_lowercase().into_bytes()))),
            (Value::Headers, Index::Int(number)) => {
                Err(PipeError::Type(format!("Unexpected value (expecting string-like): {number}")))
            }
            (Value::Get, Index::Int(_)) => Ok(Value::Text(String::new())),
            (Value::Get, Index::Text(name)) => {
                let name = encode_latin1(&name)?;
                let found = parse_qsl(&context.request.url_parts.query).into_iter().find(|(known, _)| *known == name);
                Ok(found.map_or(Value::Text(String::new()), |(_, value)| Value::Bytes(value)))
            }
            (Value::Dict(items), Index::Text(name)) => {
                let found = match items {
                    Cow::Borrowed(items) => items.get(&name).map(Cow::Borrowed),
                    Cow::Owned(mut items) => items.remove(&name).map(Cow::Owned),
                };
                found.map(Value::of).ok_or(PipeError::Key(Key::Text(name)))
            }
            (Value::Dict(_), Index::Int(number)) => Err(PipeError::Key(Key::Int(number))),
            (Value::Ports(ports), Index::Text(name)) => {
                Ok(ports.get(&name).map_or(Value::List(Cow::Borrowed(&[])), |ports| Value::of(Cow::Borrowed(ports))))
            }
            (Value::Ports(_), Index::Int(_)) => Ok(Value::List(Cow::Borrowed(&[]))),
            (Value::List(items), Index::Int(number)) => {
                let item = place(number, items.len()).and_then(|at| items.get(at).cloned());
                item.map(|item| Value::of(Cow::Owned(item))).ok_or_else(out_of_range("list index out of range"))
            }
            (Value::Algorithms, Index::Int(number)) => {
                let name = place(number, ALGORITHMS.len()).and_then(|at| ALGORITHMS.get(at));
                name.map(|name| Value::Text((*name).to_owned())).ok_or_else(out_of_range("tuple index out of range"))
            }
            (Value::Text(text), Index::Int(number)) => {
                let c = place(number, text.chars().count()).and_then(|at| text.chars().nth(at));
                c.map(|c| Value::Text(c.into())).ok_or_else(out_of_range("string index out of range"))
            }
            (Value::Bytes(bytes), Index::Int(number)) => {
                let byte = place(number, bytes.len()).and_then(|at| bytes.get(at).copied());
                byte.map(|byte| Value::Int(byte.into())).ok_or_else(out_of_range("index out of range"))
            }
            (Value::Text(_), Index::Text(_)) => {
                Err(PipeError::Type("string indices must be integers, not 'str'".to_owned()))
            }
            (Value::List(_), Index::Text(_)) => no_number("list"),
            (Value::Algorithms, Index::Text(_)) => no_number("tuple"),
            (Value::Bytes(_), Index::Text(_)) => no_number("byte"),
            (value, _) => Err(PipeError::Type(format!("'{}' object is not subscriptable", value.class()))),
        }
    }

    /// `value(request, *arguments)`
    pub(super) fn call(self, arguments: Vec<String>, context: &Context<'a>) -> Result<Value<'a>, PipeError> {
        match self {
            Value::Function(function) => Ok(match function.call(arguments, context)? {
                Returned::Text(text) => Value::Text(text),
                Returned::Bytes(bytes) => Value::Bytes(bytes),
            }),
            value => Err(PipeError::Type(format!("'{}' object is not callable", value.class()))),
        }
    }

    /// The text that replaces the template. Only text, bytes and whole numbers have one.
    pub(super) fn text(&self) -> Result<String, PipeError> {
        match self {
            Value::Text(text) => Ok(text.clone()),
            Value::Bytes(bytes) => decode_utf8(bytes),
            Value::Int(number) => Ok(number.to_string()),
            Value::Bool(true) => Ok("True".to_owned()),
            Value::Bool(false) => Ok("False".to_owned()),
            _ => Err(PipeError::Assertion("deque([])".to_owned())),
        }
    }

    /// Whether the value is text, bytes or a whole number.
    pub(super) fn has_text(&self) -> bool {
        matches!(self, Value::Text(_) | Value::Bytes(_) | Value::Int(_) | Value::Bool(_))
    }

    fn class(&self) -> &'static str {
        match self {
            Value::Text(_) => "str",
            Value::Bytes(_) => "bytes",
            Value::Int(_) => "int",
            Value::Bool(_) => "bool",
            Value::Float => "float",
            Value::None => "NoneType",
            Value::List(_) => "list",
            Value::Dict(_) => "dict",
            Value::Ports(_) => "collections.defaultdict",
            Value::Set => "set",
            Value::Headers => "RequestHeaders",
            Value::Get => "FirstWrapper",
            Value::Algorithms => "tuple",
            Value::Function(_) => "function",
        }
    }
}

fn location<'a>(context: &Context<'a>) -> Result<Value<'a>, PipeError> {
    let parts = &context.request.url_parts;
    let port = parts.port().map_err(|error| PipeError::Value(error.to_string()))?;
    let hostname = parts.hostname();
    let shown_name = hostname.as_deref().unwrap_or("None");
    let shown_port = port.map_or_else(|| "None".to_owned(), |port| port.to_string());
    let items = serde_json::json!({
        "server": format!("{}://{shown_name}:{shown_port}", parts.scheme),
        "scheme": parts.scheme,
        "host": format!("{shown_name}:{shown_port}"),
        "hostname": hostname,
        "port": port,
        "path": parts.path,
        "pathname": parts.path,
        "query": format!("?{}", parts.query),
    });
    Ok(Value::of(Cow::Owned(items)))
}

/// The position that Python's `index` means in a sequence of `len` items.
fn place(index: i128, len: usize) -> Option<usize> {
    let from_start = if index < 0 { index.checked_add(len as i128)? } else { index };
    usize::try_from(from_start).ok().filter(|at| *at < len)
}
