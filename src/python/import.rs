//! The import path provider: `import` looks only at the frozen standard library, the frozen stubs and the doc root. Directories that
//! a handler has put on `sys.path` come after the doc root.
//!
//! This file decides which file a module name means, and makes the messages about wrong imports. `native/finder.rs` is the Python
//! interface to it (a `sys.meta_path` entry, a loader, and the hook in `builtins.__import__` that sees relative imports). Rules:
//! - absolute imports from the doc root or a directory of `sys.path` only; a relative or sibling import fails, and the message
//!   has the absolute form;
//! - every directory down to the helper needs an `__init__.py`; without one the import fails, and the message names the file to
//!   create (policy `warn`: the directory is a namespace package, as in CPython, with one warning);
//! - a directory without `__init__.py` never shadows a module of the standard library.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use parking_lot::Mutex;

use super::script::{Scripts, Stamp};
use crate::handover::ImportPolicy;

/// The meaning of a module name in the doc root.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A source file: a module, or the `__init__.py` of a package.
    Source {
        /// The file to execute.
        file: PathBuf,
        /// The package's directory, if it is one.
        package: Option<PathBuf>,
    },
    /// Directories without `__init__.py`, at least one.
    Bare(Vec<PathBuf>),
}

/// An imported helper, and the state of its file at that time.
struct Helper {
    name: String,
    file: PathBuf,
    stamp: Stamp,
}

/// The provider's state, shared by all VM threads.
pub(super) struct Imports {
    root: PathBuf,
    policy: ImportPolicy,
    pub(super) scripts: Scripts,
    helpers: Mutex<Vec<Arc<Helper>>>,
    /// The time of the next look at the helpers' files.
    next_look: Mutex<Option<Instant>>,
    /// Directories and files that have been warned about.
    warned: Mutex<HashSet<PathBuf>>,
}

impl Imports {
    pub(super) fn new(root: &Path, policy: ImportPolicy) -> Self {
        Self {
            root: root.to_owned(),
            policy,
            scripts: Scripts::default(),
            helpers: Mutex::default(),
            next_look: Mutex::default(),
            warned: Mutex::default(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn policy(&self) -> ImportPolicy {
        self.policy
    }

    /// Looks for `name` (one component) in directories, in CPython's order: a package or a module in each directory, then a namespace
    /// package over all of them.
    pub(super) fn find_in(&self, directories: &[PathBuf], name: &str) -> Option<Found> {
        let mut bare = Vec::new();
        for directory in directories {
            match self.find(directory, name) {
                Some(Found::Bare(places)) => bare.extend(places),
                Some(source) => return Some(source),
                None => {}
            }
        }
        (!bare.is_empty()).then_some(Found::Bare(bare))
    }

    fn find(&self, directory: &Path, name: &str) -> Option<Found> {
        if name.is_empty() || name.contains(['/', '\0']) {
            return None;
        }
        let package = directory.join(name);
        let init = package.join("__init__.py");
        if init.is_file() {
            return Some(Found::Source { file: init, package: Some(package) });
        }
        let module = directory.join(format!("{name}.py"));
        if module.is_file() {
            return Some(Found::Source { file: module, package: None });
        }
        package.is_dir().then_some(Found::Bare(vec![package]))
    }

    /// True at the first call for a path.
    pub(super) fn warn_once(&self, path: &Path) -> bool {
        self.warned.lock().insert(path.to_owned())
    }

    /// Remembers a helper that is being imported.
    pub(super) fn track(&self, name: &str, file: &Path, stamp: Stamp) {
        let mut helpers = self.helpers.lock();
        helpers.retain(|helper| helper.name != name);
        helpers.push(Arc::new(Helper { name: name.to_owned(), file: file.to_owned(), stamp }));
    }

    /// The names of the helpers whose files have changed or disappeared since they were imported; they are no longer tracked. The looks
    /// take at most a tenth of the time: after a long look the next one comes later.
    pub(super) fn take_changed(&self) -> Vec<String> {
        let begun = Instant::now();
        if self.next_look.lock().is_some_and(|next| begun < next) {
            return Vec::new();
        }
        // The lock is not held while the file system is read.
        let mut helpers = self.helpers.lock().clone();
        helpers.retain(|helper| Stamp::of(&helper.file).ok() != Some(helper.stamp));
        *self.next_look.lock() = Some(begun + begun.elapsed() * 10);
        if helpers.is_empty() {
            return Vec::new();
        }
        self.helpers.lock().retain(|helper| !helpers.iter().any(|changed| Arc::ptr_eq(changed, helper)));
        helpers.iter().map(|helper| helper.name.clone()).collect()
    }

    /// All tracked helpers.
    pub(super) fn tracked(&self) -> Vec<String> {
        self.helpers.lock().iter().map(|helper| helper.name.clone()).collect()
    }

    /// Stops tracking a helper.
    pub(super) fn forget(&self, name: &str) {
        self.helpers.lock().retain(|helper| helper.name != name);
    }

    /// The message about a package directory without `__init__.py`.
    pub(super) fn bare_message(&self, name: &str, directory: &Path) -> String {
        format!(
            "cannot import '{name}': the directory {} has no __init__.py; create {} (it may be empty), \
             or start the server with --import-policy warn",
            directory.display(),
            directory.join("__init__.py").display()
        )
    }

    /// The message about a module that lies beside the file that imports it; `None` if it does not.
    pub(super) fn sibling_message(&self, name: &str, importer: &Path) -> Option<String> {
        let directory = importer.parent()?;
        let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
        if directory == self.root || self.find(directory, first).is_none() {
            return None;
        }
        let package = self.dotted(directory)?;
        let absolute = match rest {
            Some(rest) => format!("{package}.{first}.{rest}"),
            None => format!("{package}.{first}"),
        };
        Some(format!(
            "No module named '{name}': handlers import from the doc root only, not from beside {}; write {} \
             instead of 'import {name}'",
            importer.display(),
            advice(&absolute)
        ))
    }

    /// The message about a relative import (`level` dots, then `name`, then the imported names).
    pub(super) fn relative_message(&self, level: usize, name: &str, names: &[String], importer: &Path) -> String {
        let dots = ".".repeat(level);
        let written = match names {
            [] => format!("from {dots}{name} import ..."),
            names => format!("from {dots}{name} import {}", names.join(", ")),
        };
        let base = importer.ancestors().nth(level).filter(|base| base.starts_with(&self.root));
        let package = base.and_then(|base| if base == self.root { Some(String::new()) } else { self.dotted(base) });
        let place = importer.display();
        let Some(package) = package else {
            return format!(
                "relative import '{written}' in {place} leads out of the doc root; imports start at the doc root"
            );
        };
        let module: Vec<&str> = [package.as_str(), name].into_iter().filter(|part| !part.is_empty()).collect();
        let module = module.join(".");
        let absolute = match (module.as_str(), names) {
            ("", names) => names.first().map_or_else(|| "import ...".to_owned(), |first| advice(first)),
            (module, names) if !names.is_empty() && importable(module) => {
                format!("'from {module} import {}'", names.join(", "))
            }
            (module, names) if name.is_empty() && !names.is_empty() => {
                advice(&format!("{module}.{}", names.join(", ")))
            }
            (module, _) => advice(module),
        };
        format!("relative import '{written}' in {place}; imports start at the doc root: write {absolute}")
    }

    /// `/checkout/cookies/resources` as `cookies.resources`; `None` outside the root or for a name that is not text.
    fn dotted(&self, directory: &Path) -> Option<String> {
        let parts: Option<Vec<&str>> =
            directory.strip_prefix(&self.root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
        Some(parts?.join("."))
    }
}

/// The code that imports an absolute module: a statement, or a call of importlib if the path has parts that are not identifiers.
fn advice(module: &str) -> String {
    match module.rsplit_once('.') {
        _ if !importable(module) => format!("'importlib.import_module(\"{module}\")'"),
        Some((package, name)) => format!("'from {package} import {name}'"),
        None => format!("'import {module}'"),
    }
}

fn importable(module: &str) -> bool {
    module.split('.').all(|part| {
        !part.starts_with(|first: char| first.is_ascii_digit())
            && part.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn site() -> (tempfile::TempDir, Imports) {
        let folder = tempfile::tempdir().unwrap();
        for file in ["pkg/__init__.py", "pkg/mod.py", "bare/mod.py", "top.py", "a-b/c/help.py", "mod/x.py", "mod.py"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let imports = Imports::new(folder.path(), ImportPolicy::Strict);
        (folder, imports)
    }

    #[test]
    fn finds_packages_modules_and_bare_directories() {
        let (folder, imports) = site();
        let root = folder.path();
        let source = |file: &str, package: Option<&str>| {
            Some(Found::Source { file: root.join(file), package: package.map(|package| root.join(package)) })
        };
        assert_eq!(imports.find(root, "pkg"), source("pkg/__init__.py", Some("pkg")));
        assert_eq!(imports.find(&root.join("pkg"), "mod"), source("pkg/mod.py", None));
        assert_eq!(imports.find(root, "top"), source("top.py", None));
        assert_eq!(imports.find(root, "bare"), Some(Found::Bare(vec![root.join("bare")])));
        assert_eq!(imports.find(root, "mod"), source("mod.py", None), "a module goes before a bare directory");
        assert_eq!(imports.find(root, "absent"), None);
        for odd in ["", "pkg/mod", "pkg\0"] {
            assert_eq!(imports.find(root, odd), None, "{odd:?}");
        }
        let all: Vec<PathBuf> = ["bare", "pkg", ""].iter().map(|place| root.join(place)).collect();
        assert_eq!(imports.find_in(&all, "mod"), source("bare/mod.py", None), "the first place counts");
        assert_eq!(imports.find_in(&all, "top"), source("top.py", None));
        assert_eq!(imports.find_in(&all[2..], "bare"), Some(Found::Bare(vec![root.join("bare")])));
        assert_eq!(
            imports.find_in(&[root.join("a-b"), root.join("mod")], "c"),
            Some(Found::Bare(vec![root.join("a-b/c")]))
        );
        assert_eq!(imports.find_in(&[], "top"), None);
    }

    #[test]
    fn messages_name_the_absolute_form() {
        let (folder, imports) = site();
        let root = folder.path();
        let handler = root.join("pkg/handler.py");
        let sibling = imports.sibling_message("mod", &handler).unwrap();
        assert!(sibling.contains("write 'from pkg import mod' instead of 'import mod'"), "{sibling}");
        assert_eq!(imports.sibling_message("absent", &handler), None);
        assert_eq!(imports.sibling_message("mod", &root.join("handler.py")), None, "the root itself is importable");
        let hyphen = imports.sibling_message("help", &root.join("a-b/c/handler.py")).unwrap();
        assert!(hyphen.contains("'importlib.import_module(\"a-b.c.help\")'"), "{hyphen}");

        let names = ["f".to_owned(), "g".to_owned()];
        for (level, name, names, file, advice) in [
            (1, "mod", &names[..], "pkg/handler.py", "'from pkg.mod import f, g'"),
            (1, "", &names[..1], "pkg/handler.py", "'from pkg import f'"),
            (2, "top", &names[..1], "pkg/handler.py", "'from top import f'"),
            (2, "", &names[..1], "pkg/handler.py", "'import f'"),
            (1, "help", &names[..1], "a-b/c/handler.py", "'importlib.import_module(\"a-b.c.help\")'"),
            (1, "", &names[..1], "a-b/c/handler.py", "'importlib.import_module(\"a-b.c.f\")'"),
        ] {
            let message = imports.relative_message(level, name, names, &root.join(file));
            assert!(message.ends_with(&format!("write {advice}")), "{message}");
        }
        let outside = imports.relative_message(3, "x", &names, &handler);
        assert!(outside.contains("leads out of the doc root"), "{outside}");
        assert!(imports.bare_message("bare", &root.join("bare")).contains("bare/__init__.py"));
    }
}
