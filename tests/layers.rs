//! The import rules of the house: each room names only rooms below it, actix stays in the server room and RustPython in
//! the python room. The rules are the table in the documentation of the crate (`src/lib.rs`); this reads the sources.
//!
//! It looks for `crate::room` and for the names of the two big dependencies anywhere in code, not only in `use` lines:
//! a full path is a dependency as well. Comments and documentation may name what they like.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Path below src/ and code without comments, of every source file.
fn code() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30, "only {} files under {}", files.len(), src.display());
    let without_comments = |text: &str| {
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    };
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().display().to_string();
            (name, without_comments(&fs::read_to_string(&path).unwrap()))
        })
        .collect()
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// The rooms that a text names: `crate::http`, `crate::{http, route::Router}`, and `wptserve::cli` for the binary.
fn named(text: &str) -> BTreeSet<String> {
    let identifier = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut rooms = BTreeSet::new();
    for start in ["crate::", "wptserve::"] {
        for (at, _) in text.match_indices(start) {
            let rest = text[at + start.len()..].trim_start();
            let Some(group) = rest.strip_prefix('{') else {
                rooms.insert(identifier(rest));
                continue;
            };
            // The names at the first level of the braces.
            let (mut depth, mut name) = (1, String::new());
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => rooms.extend(Some(identifier(std::mem::take(&mut name).trim()))),
                    letter if depth == 1 => name.push(letter),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            rooms.insert(identifier(name.trim()));
        }
    }
    rooms.remove("");
    rooms
}

/// The third column of the table in src/lib.rs, by room. "all of the above" means the rooms of the rows before.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let mut rules = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("//! | [`")) {
        let cells: Vec<&str> = line.split('|').collect();
        let name = cells[1].trim().trim_matches(['[', ']', '`']).to_owned();
        let allowed = match cells[3].trim() {
            "nothing of ours" => BTreeSet::new(),
            "all of the above" => rules.keys().cloned().collect(),
            cell => ticked(cell),
        };
        rules.insert(name, allowed);
    }
    rules
}

#[test]
fn rooms_name_only_the_rooms_that_the_table_allows() {
    let rules = table();
    assert!(rules.len() >= 9, "the table in src/lib.rs is not where it was: {rules:?}");
    let mut broken = Vec::new();
    for (file, text) in code() {
        let room = room(&file);
        if matches!(room, "lib" | "main") {
            continue;
        }
        let allowed =
            rules.get(room).unwrap_or_else(|| panic!("src/{file}: the room is missing from the table in src/lib.rs"));
        for name in named(&text).into_iter().filter(|name| name != room && rules.contains_key(name)) {
            if !allowed.contains(&name) {
                broken.push(format!("src/{file} names `{name}`, but `{room}` may name {allowed:?}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_table_has_no_circles() {
    let rules = table();
    let mut done: BTreeSet<&String> = BTreeSet::new();
    while done.len() < rules.len() {
        let ready: Vec<_> = rules
            .iter()
            .filter(|(name, below)| !done.contains(name) && below.iter().all(|room| done.contains(room)))
            .collect();
        assert!(
            !ready.is_empty(),
            "rooms that name each other: {:?}",
            rules.keys().filter(|name| !done.contains(name))
        );
        done.extend(ready.into_iter().map(|(name, _)| name));
    }
}

#[test]
fn actix_and_rustpython_stay_in_their_rooms() {
    for (file, text) in code() {
        // The runtime that the command line starts is actix's.
        let may_name_actix = file.starts_with("server/") || file == "cli/serve.rs";
        assert!(may_name_actix || !text.contains("actix"), "src/{file} names actix");
        assert!(
            file != "cli/serve.rs" || !text.replace("actix_rt", "").contains("actix"),
            "src/{file} names more than actix_rt"
        );
        assert!(file.starts_with("python/") || !text.contains("rustpython"), "src/{file} names rustpython");
    }
}

#[test]
fn names_are_found_however_they_are_written() {
    let names = |text: &str| named(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(names("use crate::http::Reply;"), "http");
    assert_eq!(names("use crate::{http, python::{Event, Events}, route::{Handler, Match}};"), "http python route");
    assert_eq!(names("fn f() -> crate::stash::Stash"), "stash");
    assert_eq!(names("use crate::{\n    content,\n    docroot::PathError,\n};"), "content docroot");
}

/// What each room names, as a diagram: an arrow from a room to each room that its code names.
fn diagram() -> String {
    let rules = table();
    let mut named_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in code() {
        let room = room(&file).to_owned();
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let others = named(&text).into_iter().filter(|name| *name != room && rules.contains_key(name));
        named_by.entry(room.clone()).or_default().extend(others);
    }
    let lines: Vec<String> = named_by
        .iter()
        .map(|(room, named)| match named.iter().cloned().collect::<Vec<_>>().join(" & ") {
            none if none.is_empty() => format!("    {room}"),
            named => format!("    {room} --> {named}"),
        })
        .collect();
    format!("```mermaid\ngraph TD\n{}\n```\n", lines.join("\n"))
}

#[test]
fn rooms_diagram() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let page = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- rooms: begin -->\n", "<!-- rooms: end -->");
    let (before, rest) = page.split_once(begin).expect("the mark where the diagram begins");
    let (shown, after) = rest.split_once(end).expect("the mark where the diagram ends");
    let drawn = diagram();
    if std::env::var_os("UPDATE_DIAGRAM").is_some() {
        fs::write(&path, format!("{before}{begin}{drawn}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, drawn, "docs/architecture.md is stale: UPDATE_DIAGRAM=1 cargo test rooms_diagram draws it anew");
}
