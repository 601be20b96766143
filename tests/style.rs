//! The parts of the style rules in CONTRIBUTING.md that rustfmt and clippy do not know.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Lines of a source file.
const MAX_LINES: usize = 500;
/// Entries of a folder in `src`, without the roots of the crates and without folders of tables.
const MAX_ENTRIES: usize = 15;

/// All Rust files and all folders below src/ and tests/.
fn tree() -> (Vec<PathBuf>, Vec<PathBuf>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut folders) = (vec![root.join("build.rs")], Vec::new());
    let mut next = vec![root.join("src"), root.join("tests"), root.join("benches")];
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                next.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
        folders.push(folder);
    }
    assert!(files.len() > 200, "only {} files", files.len());
    (files, folders)
}

/// The crates that a module has more than one `use` statement for, with the same visibility and without an attribute.
fn repeated(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    // Where the statement begins that the token is in.
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                found.extend(repeated(group.stream()));
                // The braces of a `use` are followed by its semicolon, those of an item by the next one.
                start = at + 1;
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => start = at + 1,
            TokenTree::Ident(word) if word == "use" => {
                let root = tokens[at + 1..].iter().find_map(|token| match token {
                    TokenTree::Ident(root) => Some(root.to_string()),
                    _ => None,
                });
                let before: String = tokens[start..at].iter().map(ToString::to_string).collect();
                // `impl Trait + use<'a>` is not a statement.
                let is_statement = before.is_empty() || (before.starts_with("pub") && !before.contains(' '));
                if let Some(root) = root.filter(|_| is_statement)
                    && !seen.insert((before, root.clone()))
                {
                    found.push(root);
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_module_has_one_use_statement_for_each_crate() {
    let (files, _) = tree();
    let mut broken = Vec::new();
    for file in files {
        let tokens: TokenStream = fs::read_to_string(&file).unwrap().parse().unwrap();
        broken.extend(repeated(tokens).into_iter().map(|root| format!("{}: `use {root}`", file.display())));
    }
    assert!(broken.is_empty(), "write one statement with braces instead of several:\n{}", broken.join("\n"));
}

#[test]
fn repeated_use_statements_are_found() {
    let repeated = |code: &str| repeated(code.parse().unwrap()).join(" ");
    assert_eq!(repeated("use std::fs; use std::io;"), "std");
    assert_eq!(repeated("use std::{fs, io}; fn f() {} use std::path::Path;"), "std");
    assert_eq!(repeated("mod inner { use a::b; use super::c; use super::d; }"), "super");
    assert_eq!(repeated("pub use a::b; pub use a::c; pub(super) use a::d;"), "a");
    assert_eq!(repeated("use std::{fs, io}; use bytes::Bytes; pub use std::path; #[cfg(test)] use std::net;"), "");
    assert_eq!(repeated("use a::b; mod inner { use a::c; } fn f() -> impl T + use<'_> { g() }"), "");
}

#[test]
fn a_module_with_files_of_its_own_is_a_mod_rs() {
    let (files, folders) = tree();
    // The root of a crate names its folder as the crate.
    let roots = ["tests/cases.rs"].map(|root| Path::new(env!("CARGO_MANIFEST_DIR")).join(root));
    let beside: Vec<_> = files
        .iter()
        .filter(|file| !roots.contains(file) && folders.contains(&file.with_extension("")))
        .map(|file| file.display().to_string())
        .collect();
    assert!(beside.is_empty(), "move each to mod.rs in the folder of its name:\n{}", beside.join("\n"));
}

#[test]
fn files_and_folders_are_small() {
    let (files, folders) = tree();
    let lines = |file: &PathBuf| fs::read_to_string(file).unwrap().lines().count();
    let long: Vec<_> = files.iter().filter(|file| lines(file) > MAX_LINES).collect();
    assert!(long.is_empty(), "files of more than {MAX_LINES} lines, split them by subject: {long:?}");
    let sources = |folder: &&PathBuf| folder.components().any(|part| part.as_os_str() == "src");
    let is_table = |folder: &&PathBuf| folder.ends_with("tables");
    let entries = |folder: &PathBuf| {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name != "lib.rs" && name != "main.rs").count()
    };
    let full: Vec<_> =
        folders.iter().filter(sources).filter(|folder| !is_table(folder) && entries(folder) > MAX_ENTRIES).collect();
    assert!(full.is_empty(), "folders of more than {MAX_ENTRIES} entries, make rooms inside: {full:?}");
}
