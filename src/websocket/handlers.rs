//! From a request target to the file that handles it.
//!
//! Follows pywebsocket3 4.0.2, `dispatch.py` and `http_header_util.py`. pywebsocket3 executes all files at start and keeps their
//! resource paths in a map. This module looks for the one file that a resource can mean: the result is the same, and new files
//! are found too.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The end of the name of a handler's file.
const SUFFIX: &str = "_wsh.py";

/// The directories with WebSocket handlers.
#[derive(Clone, Debug, Default)]
pub struct Handlers {
    /// The directories in the order in which they are searched.
    roots: Vec<PathBuf>,
}

impl Handlers {
    /// `root` is `ws_doc_root`, `extra` the directories of `ws_extra`. When two directories have a file for one resource, the last
    /// directory counts.
    ///
    /// A directory that does not exist has no handlers.
    pub fn new(root: &Path, extra: &[PathBuf]) -> Self {
        let directories = extra.iter().rev().map(PathBuf::as_path).chain([root]);
        Self { roots: directories.filter_map(|directory| directory.canonicalize().ok()).collect() }
    }

    /// The file for a resource (a path with its query, as [`resource`] gives it); `None` if there is none.
    pub fn find(&self, resource: &str) -> Option<PathBuf> {
        let path = resource.split(['#', '?']).next().unwrap_or_default().strip_prefix('/')?;
        self.roots.iter().find_map(|root| find(root, path))
    }
}

/// The file that pywebsocket3 would have in its map for `path`. The path has to be written exactly as in the map, and must not go
/// through a link to a directory, because pywebsocket3's search does not enter one. A link to a file counts if the file lies below
/// the root.
fn find(root: &Path, path: &str) -> Option<PathBuf> {
    let (directories, name) =
        path.rsplit_once('/').map_or((None, path), |(directories, name)| (Some(directories), name));
    let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\0', '\\']);
    let mut file = root.to_owned();
    for directory in directories.into_iter().flat_map(|directories| directories.split('/')) {
        if !plain(directory) {
            return None;
        }
        file.push(directory);
        if !fs::symlink_metadata(&file).ok()?.is_dir() {
            return None;
        }
    }
    let name = format!("{name}{SUFFIX}");
    if !plain(&name) {
        return None;
    }
    file.push(name);
    (file.is_file() && file.canonicalize().ok()?.starts_with(root)).then_some(file)
}

/// The resource that a request target names: the target itself, or the path of an absolute `ws:` or `wss:` URL. `None`
/// when such a URL has no host or a malformed port.
pub fn resource(target: &str) -> Option<String> {
    let Some((scheme, rest)) = target.split_once(':') else { return Some(target.to_owned()) };
    if !scheme.eq_ignore_ascii_case("ws") && !scheme.eq_ignore_ascii_case("wss") {
        return Some(target.to_owned());
    }
    let rest = rest.strip_prefix("//")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let behind_host = address.rfind(']').unwrap_or(0);
    let (host, port) = match address.get(behind_host..).and_then(|tail| tail.find(':')) {
        Some(colon) => (address.get(..behind_host + colon)?, address.get(behind_host + colon + 1..)?),
        None => (address, ""),
    };
    if host.is_empty() || !(port.is_empty() || port.parse::<u16>().is_ok()) {
        return None;
    }
    Some(if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn a_resource_is_a_path_without_the_suffix() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (root, extra) = (base.join("root"), base.join("extra"));
        for file in ["echo_wsh.py", "sub/deep/a_wsh.py", "both_wsh.py", "plain.py", "_wsh.py", "d_wsh.py/x"] {
            write(&root.join(file));
        }
        write(&extra.join("both_wsh.py"));
        write(&base.join("outside_wsh.py"));
        write(&base.join("elsewhere/b_wsh.py"));
        symlink(base.join("outside_wsh.py"), root.join("outside_wsh.py")).unwrap();
        symlink(base.join("elsewhere"), root.join("elsewhere")).unwrap();
        symlink(root.join("echo_wsh.py"), root.join("alias_wsh.py")).unwrap();
        symlink(root.join("sub"), root.join("linked")).unwrap();

        let handlers = Handlers::new(&root, &[]);
        let found = |resource: &str| handlers.find(resource);
        assert_eq!(found("/echo"), Some(root.join("echo_wsh.py")));
        assert_eq!(found("/echo?a=/x#y"), Some(root.join("echo_wsh.py")));
        assert_eq!(found("/sub/deep/a"), Some(root.join("sub/deep/a_wsh.py")));
        assert_eq!(found("/alias"), Some(root.join("alias_wsh.py")));
        assert_eq!(found("/both"), Some(root.join("both_wsh.py")));
        assert_eq!(found("/"), Some(root.join("_wsh.py")));
        for absent in [
            "",
            "echo",
            "/plain",
            "/Echo",
            "/echo/",
            "/sub//deep/a",
            "/./echo",
            "/sub/../echo",
            "/../outside",
            "/outside",
            "/elsewhere/b",
            "/linked/deep/a",
            "/ech%6f",
            "/echo\0",
            "/d",
            "/echo_wsh.py",
            "/sub\\deep\\a",
        ] {
            assert_eq!(found(absent), None, "{absent:?}");
        }
        let both = Handlers::new(&root, &[base.join("absent"), extra.clone()]);
        assert_eq!(both.find("/both"), Some(extra.join("both_wsh.py")));
        assert_eq!(both.find("/echo"), Some(root.join("echo_wsh.py")));
        assert_eq!(Handlers::new(&base.join("absent"), &[]).find("/echo"), None);
    }

    #[test]
    fn an_absolute_url_is_cut_to_its_path() {
        for (target, expected) in [
            ("/echo?a:b", Some("/echo?a:b")),
            ("*", Some("*")),
            ("http://h/echo", Some("http://h/echo")),
            ("ws://h/echo?a#b", Some("/echo?a#b")),
            ("WSS://u:p@[::1]:8/echo", Some("/echo")),
            ("ws://h:80", Some("/")),
            ("ws://h?a", Some("/?a")),
            ("ws://h:/echo", Some("/echo")),
            ("ws://h:x/echo", None),
            ("ws://h:65536/echo", None),
            ("ws:///echo", None),
            ("ws:/echo", None),
        ] {
            assert_eq!(resource(target).as_deref(), expected, "{target:?}");
        }
    }
}
