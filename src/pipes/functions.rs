//! The functions that templates can call: `uuid()`, `file_hash(md5, path)`, `fs_path(path)`, `header_or_default(name, value)`.
//!
//! Follows wptserve 4.0.3, `pipes.py`, `SubFunctions`, with one difference: `file_hash` opens no file outside the doc root.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::{PipeError, context::Context, error::encode_latin1};

/// wptserve 4.0.3, `SubFunctions.supported_algorithms`.
pub(super) const ALGORITHMS: [&str; 6] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Uuid,
    FileHash,
    FsPath,
    HeaderOrDefault,
}

/// What a call gives.
#[derive(Debug)]
pub(super) enum Returned {
    Text(String),
    Bytes(Vec<u8>),
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Function> {
        match name {
            "uuid" => Some(Function::Uuid),
            "file_hash" => Some(Function::FileHash),
            "fs_path" => Some(Function::FsPath),
            "header_or_default" => Some(Function::HeaderOrDefault),
            _ => None,
        }
    }

    /// Name and parameters, those after the request.
    fn signature(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Function::Uuid => ("uuid", &[]),
            Function::FileHash => ("file_hash", &["algorithm", "path"]),
            Function::FsPath => ("fs_path", &["path"]),
            Function::HeaderOrDefault => ("header_or_default", &["name", "default"]),
        }
    }

    pub(super) fn call(self, arguments: Vec<String>, context: &Context<'_>) -> Result<Returned, PipeError> {
        match (self, arguments.as_slice()) {
            (Function::Uuid, []) => Ok(Returned::Text(uuid::Uuid::new_v4().to_string())),
            (Function::FileHash, [algorithm, path]) => file_hash(algorithm, path, context.doc_root),
            (Function::FsPath, [path]) => fs_path(path, context).map(Returned::Text),
            (Function::HeaderOrDefault, [name, default]) => {
                Ok(header(name, context)?.map_or_else(|| Returned::Text(default.clone()), Returned::Bytes))
            }
            (function, arguments) => Err(function.wrong_count(arguments.len())),
        }
    }

    /// CPython's error for a wrong number of arguments; the request counts as the first argument.
    fn wrong_count(self, given: usize) -> PipeError {
        let (name, parameters) = self.signature();
        let missing: Vec<String> = parameters.iter().skip(given).map(|name| format!("'{name}'")).collect();
        let takes = parameters.len() + 1;
        PipeError::Type(match missing.as_slice() {
            [] => format!(
                "SubFunctions.{name}() takes {takes} positional argument{} but {} were given",
                if takes == 1 { "" } else { "s" },
                given + 1
            ),
            [one] => format!("SubFunctions.{name}() missing 1 required positional argument: {one}"),
            several => format!(
                "SubFunctions.{name}() missing {} required positional arguments: {}",
                several.len(),
                several.join(" and ")
            ),
        })
    }
}

fn file_hash(algorithm: &str, path: &str, doc_root: &Path) -> Result<Returned, PipeError> {
    let hash: fn(&[u8]) -> Vec<u8> = match algorithm {
        "md5" => |data| Md5::digest(data).to_vec(),
        "sha1" => |data| Sha1::digest(data).to_vec(),
        "sha224" => |data| Sha224::digest(data).to_vec(),
        "sha256" => |data| Sha256::digest(data).to_vec(),
        "sha384" => |data| Sha384::digest(data).to_vec(),
        "sha512" => |data| Sha512::digest(data).to_vec(),
        _ => return Err(PipeError::Value(format!("Unsupported encryption algorithm: '{algorithm}'"))),
    };
    if path.contains('\0') {
        return Err(PipeError::Value("embedded null byte".to_owned()));
    }
    let joined = doc_root.join(path);
    let inside = normalized(&joined).starts_with(doc_root);
    // Reading a file that is not a regular one could block for ever.
    let data = fs::metadata(&joined).ok().filter(|data| inside && data.is_file()).and_then(|_| fs::read(&joined).ok());
    let data = data
        .ok_or_else(|| PipeError::Plain(format!("Cannot open file for hash computation: \"{}\"", joined.display())))?;
    Ok(Returned::Bytes(STANDARD.encode(hash(&data)).into_bytes()))
}

/// The path of a file of the doc root in the file system. A relative path is relative to the request's target up to its last slash,
/// which may be in the query.
fn fs_path(path: &str, context: &Context<'_>) -> Result<String, PipeError> {
    let relative = match path.strip_prefix('/') {
        Some(relative) => relative.to_owned(),
        None => {
            let target = context.request.request_path();
            let under_base: String = target.chars().skip(context.url_base.chars().count()).collect();
            let directory = under_base.rsplit_once('/').map_or(under_base.as_str(), |(directory, _)| directory);
            format!("{directory}/{path}")
        }
    };
    let absolute = normalized(&context.doc_root.join(relative));
    match absolute.strip_prefix(context.doc_root) {
        // wptserve looks for two dots anywhere, in a name as well.
        Ok(inside) if !inside.to_string_lossy().contains("..") => Ok(absolute.to_string_lossy().into_owned()),
        _ => Err(PipeError::Value("Path outside wpt root".to_owned())),
    }
}

/// `os.path.normpath` of an absolute path: the dots are taken as text, links are not followed.
fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// A header of the request: the first of its name, as wptserve's `request.headers` has it.
pub(super) fn header(name: &str, context: &Context<'_>) -> Result<Option<Vec<u8>>, PipeError> {
    // Names in a request are ASCII. What is not latin-1 cannot even be looked up.
    encode_latin1(name)?;
    Ok(context.request.head.headers.get(name).map(|value| value.to_vec()))
}
