//! The doc root, and the only way from a URL path to a file in it.
//!
//! Follows wptserve 4.0.3, `handlers.py`, `filesystem_path`. That function only compares the beginning of two texts; this one
//! compares paths by component, so `/%2Froot-sibling/x` names no file here. Symbolic links inside the doc root are followed, as by
//! wptserve, because checkouts use them. This module does not check whether the file exists.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::http::url::unquote;

/// Why a directory cannot be the doc root.
#[derive(Debug, thiserror::Error)]
pub enum DocRootError {
    /// The directory cannot be read, or does not exist.
    #[error("cannot use {path} as the doc root: {source}; name a directory that exists and can be read")]
    Unreadable {
        /// The path as given, made absolute if possible.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Why a URL path names no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path leads, or could lead, out of the doc root: wptserve answers 404.
    #[error("the path leads out of the doc root")]
    NotFound,
    /// The path has a NUL, which no file name has: wptserve answers 500.
    #[error("embedded null byte")]
    Nul,
}

/// A directory that is served: the doc root of the server, or that of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocRoot {
    path: PathBuf,
    shown: Arc<str>,
    url_base: Arc<str>,
}

/// A path inside the doc root. Only [`DocRoot::resolve`] makes one.
///
/// The path is the doc root joined with the decoded URL path, without further changes, because wptserve shows that path in
/// `__file__` and in messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DocPath(PathBuf);

impl DocPath {
    /// The path for the file system.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The path for the file system, owned.
    pub fn into_path(self) -> PathBuf {
        self.0
    }
}

impl AsRef<Path> for DocPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl DocRoot {
    /// Takes a directory that can be listed. A relative path is relative to the current directory.
    pub fn new(path: &Path) -> Result<DocRoot, DocRootError> {
        let unreadable = |path: &Path, source| DocRootError::Unreadable { path: path.to_owned(), source };
        let absolute = std::path::absolute(path).map_err(|source| unreadable(path, source))?;
        // Rebuilding the path drops a slash at its end, which would be doubled in every path below.
        let absolute: PathBuf = absolute.components().collect();
        fs::read_dir(&absolute).map_err(|source| unreadable(&absolute, source))?;
        Ok(Self::at(absolute, "/"))
    }

    /// The directory of an alias, served under `url_base`, which begins and ends with a slash. The directory need not exist: every
    /// path in it is a 404 then, as in wptserve.
    pub fn mounted(path: &Path, url_base: &str) -> DocRoot {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::at(absolute.components().collect(), url_base)
    }

    fn at(path: PathBuf, url_base: &str) -> DocRoot {
        DocRoot { shown: path.to_string_lossy().into(), path, url_base: url_base.into() }
    }

    /// The path of the URL that the directory is served under: wptserve's `request.url_base`.
    pub fn url_base(&self) -> &Arc<str> {
        &self.url_base
    }

    /// The path of the directory as text: wptserve's `request.doc_root`.
    pub fn shown(&self) -> &Arc<str> {
        &self.shown
    }

    /// The absolute path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that `url_path` names. `url_path` is still percent-encoded.
    ///
    /// As in wptserve, two dots anywhere are refused, even inside a name. So the path cannot lead upwards.
    pub fn resolve(&self, url_path: &str) -> Result<DocPath, PathError> {
        let decoded = unquote(url_path);
        let relative = decoded.strip_prefix(&*self.url_base).unwrap_or(&decoded);
        if relative.contains("..") || relative.starts_with('/') {
            return Err(PathError::NotFound);
        }
        if relative.contains('\0') {
            return Err(PathError::Nul);
        }
        Ok(DocPath(self.path.join(relative)))
    }
}

/// The text behind the last dot of the last component, unless there are only dots before it: Python's `os.path.splitext`.
pub fn extension(path: &Path) -> &[u8] {
    let path = path.as_os_str().as_encoded_bytes();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match memchr::memrchr(b'.', name) {
        Some(dot) if name.iter().take(dot).any(|byte| *byte != b'.') => name.get(dot + 1..).unwrap_or_default(),
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root() -> (tempfile::TempDir, DocRoot) {
        let dir = tempfile::tempdir().unwrap();
        let root = DocRoot::new(dir.path()).unwrap();
        (dir, root)
    }

    #[test]
    fn paths_are_joined_as_text() {
        let (_dir, root) = root();
        for (url_path, expected) in [
            ("/a/b.txt", "/a/b.txt"),
            ("/a/", "/a/"),
            ("/", "/"),
            ("", "/"),
            ("a", "/a"),
            ("/a//b", "/a//b"),
            ("/./a", "/./a"),
            ("/a%20b", "/a b"),
            ("/%C3%A9", "/\u{e9}"),
            ("/%E9", "/\u{fffd}"),
            ("/\u{c3}\u{a9}", "/\u{c3}\u{a9}"),
            ("/a%2Fb", "/a/b"),
            ("/a.b.c", "/a.b.c"),
            ("/%252e%252e/a", "/%2e%2e/a"),
        ] {
            let path = root.resolve(url_path).unwrap();
            let expected = format!("{}{expected}", root.path().display());
            assert_eq!(path.as_path().as_os_str().to_str(), Some(expected.as_str()), "{url_path}");
        }
    }

    #[test]
    fn aliases_lose_their_part_of_the_url() {
        let root = DocRoot::mounted(Path::new("/mnt/gen/"), "/g/x/");
        for (url_path, expected) in [
            ("/g/x/a/b.txt", Ok("/mnt/gen/a/b.txt")),
            ("/g/x/", Ok("/mnt/gen/")),
            ("/g/x/%C3%A9", Ok("/mnt/gen/\u{e9}")),
            ("/g/%78/a", Ok("/mnt/gen/a")),
            ("/g/x//a", Err(PathError::NotFound)),
            ("/other", Err(PathError::NotFound)),
            ("/g/x/../a", Err(PathError::NotFound)),
        ] {
            let found = root.resolve(url_path).map(|path| path.as_path().display().to_string());
            assert_eq!(found, expected.map(str::to_owned), "{url_path}");
        }
        assert_eq!((root.path(), &**root.url_base()), (Path::new("/mnt/gen"), "/g/x/"));
    }

    #[test]
    fn ways_out_are_not_found() {
        let (_dir, root) = root();
        let sibling = format!("/%2F{}-sibling/x", &root.path().display().to_string()[1..]);
        let inside = format!("/{}/x", root.path().display());
        for url_path in [
            "/../a",
            "/..",
            "/a/%2e%2E/b",
            "/a..b",
            "/%2Fetc/passwd",
            "//etc/passwd",
            "/..%00",
            "/%2F%00",
            sibling.as_str(),
            inside.as_str(),
        ] {
            assert_eq!(root.resolve(url_path), Err(PathError::NotFound), "{url_path}");
        }
        assert_eq!(root.resolve("/a%00b"), Err(PathError::Nul));
    }

    #[test]
    fn a_doc_root_must_be_a_directory() {
        let (dir, _) = root();
        let missing = dir.path().join("missing");
        let message = DocRoot::new(&missing).unwrap_err().to_string();
        assert!(message.contains(missing.to_str().unwrap()), "{message}");
        fs::write(&missing, "").unwrap();
        assert!(DocRoot::new(&missing).is_err());
        let slash = format!("{}/", dir.path().display());
        assert_eq!(DocRoot::new(Path::new(&slash)).unwrap().path().as_os_str(), dir.path().as_os_str());
        assert!(DocRoot::new(Path::new(".")).unwrap().path().is_absolute());
    }

    proptest! {
        #[test]
        fn nothing_escapes(url_path in "(%2[eEfF]|%5[cC]|%00|[./a%]){0,24}") {
            let root = DocRoot::mounted(Path::new("/root"), "/");
            if let Ok(path) = root.resolve(&url_path) {
                prop_assert!(path.as_path().starts_with("/root"));
                prop_assert!(path.as_path().components().all(|c| c != std::path::Component::ParentDir));
            }
        }
    }
}
