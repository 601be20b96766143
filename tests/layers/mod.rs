//! The import rules: each room names only rooms below it, actix stays in the server room and RustPython in the python room.
//! The rules are the table in the documentation of the crate (`src/lib.rs`); this test reads the sources.
//!
//! It looks for `crate::room` and for the names of the two big dependencies anywhere in code, not only in `use` lines,
//! because a full path is a dependency as well. Comments and documentation may name any room.
//!
//! Inside the rooms two more rules hold, for the code that ships (a test may look at everything; [`graph`] says what counts):
//! - No circle of modules. Two files that name each other are one, directly or over others, and so are a `mod.rs` that uses its
//!   child and the child that names an item of that `mod.rs`. A `mod.rs` that only declares and re-exports names no child. Folders
//!   count as well: a file of one may not name the other if a file of the other names the one.
//! - A room whose `mod.rs` has a table in its documentation, and stands in [`WITH_TABLE`], keeps to that table as the crate keeps
//!   to the one of `src/lib.rs`. What stands in the `mod.rs` itself is above all rows and may name them all.

mod graph;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use graph::{Graph, sources};

/// The rooms with a table of their own for what is inside, in the documentation of their `mod.rs`.
const WITH_TABLE: [&str; 4] = ["http", "python", "python/native", "server"];

/// Rooms that still have circles inside. None may be added.
const WITH_CIRCLES: [&str; 0] = [];

/// Path below src/ and code without comments, of every source file.
fn code() -> Vec<(String, String)> {
    let without_comments = |text: &str| {
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    };
    sources().into_iter().map(|(name, text)| (name, without_comments(&text))).collect()
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

/// The third column of the table in the documentation of a file below src/, by room. "all of the above" means the rooms of the
/// rows before.
fn table(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap();
    let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let mut rules = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("//! | [`") || line.starts_with("//! | `")) {
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
    let rules = table("lib.rs");
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
fn the_tables_have_no_circles() {
    has_no_circles(&table("lib.rs"));
    for room in WITH_TABLE {
        has_no_circles(&table(&format!("{room}/mod.rs")));
    }
}

fn has_no_circles(rules: &BTreeMap<String, BTreeSet<String>>) {
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

/// The part of `module` below `room`, up to its next `::`: `native` of `python::native::text`. Empty for the room itself.
fn inside<'a>(module: &'a str, room: &str) -> Option<&'a str> {
    let rest = module.strip_prefix(room)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix("::")?.split("::").next() }
}

#[test]
fn inside_a_room_modules_name_only_what_its_table_allows() {
    let graph = Graph::read(&sources());
    let mut broken = Vec::new();
    for folder in WITH_TABLE {
        let (room, rules) = (folder.replace('/', "::"), table(&format!("{folder}/mod.rs")));
        for (module, named) in &graph.edges {
            let Some(part) = inside(module, &room).filter(|part| !part.is_empty()) else { continue };
            let Some(allowed) = rules.get(part) else {
                broken.push(format!("`{part}` is missing from the table in src/{folder}/mod.rs"));
                continue;
            };
            for (other, written) in named {
                let Some(other_part) = inside(other, &room) else { continue };
                if other_part != part && !allowed.contains(other_part) {
                    broken.push(format!("{module} names {other} (`{written}`), but `{part}` may name {allowed:?}"));
                }
            }
        }
        let parts: BTreeSet<_> = graph.edges.keys().filter_map(|module| inside(module, &room)).collect();
        let gone = rules.keys().filter(|part| !parts.contains(part.as_str()));
        broken.extend(
            gone.map(|part| format!("the table in src/{folder}/mod.rs has a row for `{part}`, which is not there")),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// All circles, of modules and of folders, each with what it consists of.
fn all_circles(graph: &Graph) -> Vec<(Vec<String>, String)> {
    let levels = graph.levels();
    let graphs = [graph].into_iter().chain(&levels);
    graphs
        .flat_map(|graph| {
            graph.circles().into_iter().map(|circle| {
                let told = graph.told(&circle);
                (circle, told)
            })
        })
        .collect()
}

#[test]
fn no_circle_of_modules() {
    let graph = Graph::read(&sources());
    let circles = all_circles(&graph);
    let is_known = |circle: &[String], room: &str| circle.iter().all(|module| inside(module, room).is_some());
    let is_new = |circle: &[String]| !WITH_CIRCLES.iter().any(|room| is_known(circle, room));
    let new: Vec<&str> = circles.iter().filter(|(circle, _)| is_new(circle)).map(|(_, told)| told.as_str()).collect();
    assert!(new.is_empty(), "modules that name each other in a circle:\n{}", new.join("\n"));
    for room in WITH_CIRCLES {
        assert!(
            circles.iter().any(|(circle, _)| is_known(circle, room)),
            "`{room}` has no circle: take it off WITH_CIRCLES"
        );
    }
}

#[test]
fn circles_are_found_however_modules_name_each_other() {
    let circles = |files: &[(&str, &str)]| {
        let files: Vec<_> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        let circles = all_circles(&Graph::read(&files));
        circles
            .into_iter()
            .map(|(circle, _)| circle.join(" "))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join("; ")
    };
    let two = |a: &str, b: &str| circles(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)]);
    assert_eq!(two("use crate::b::B; pub struct A;", "use super::a::A; pub struct B;"), "a b");
    assert_eq!(two("fn f() { g(1, [crate::b::h()]) }", "fn h() { say!(\"{}\", super::a::f) }"), "a b");
    assert_eq!(two("use crate::{c, b as d}; fn f() { d::g() }", "use crate::a::{self}; const X: a::T = 1;"), "a b");
    assert_eq!(two("use crate::b; pub struct A;", "use super::a::A;"), "", "a module that is imported and not used");
    assert_eq!(two("// crate::b::B\nconst X: &str = \"crate::b::B\";", "use super::a::A;"), "");
    assert_eq!(two("#[cfg(test)] mod tests { use crate::b::B; } pub(in crate::b) struct A;", "use super::a::A;"), "");
    assert_eq!(two("#[with(super::b::classes)] mod m { fn f() { super::f() } }", "use super::a::m::f;"), "a b");
    let room = |parent: &str, one: &str, two: &str| {
        circles(&[("lib.rs", "mod r;"), ("r/mod.rs", parent), ("r/one.rs", one), ("r/two.rs", two)])
    };
    let declares = "mod one; mod two; pub use one::One; pub use two::Two;";
    assert_eq!(
        room(declares, "pub struct One;", "use super::One; pub struct Two(One);"),
        "",
        "the parent only re-exports"
    );
    assert_eq!(
        room(declares, "use super::Two; pub struct One(Two);", "use crate::r::One; pub struct Two(One);"),
        "r::one r::two"
    );
    let uses = format!("{declares} fn both() -> (One, u8) {{}}");
    assert_eq!(room(&uses, "pub struct One;", "use super::One; pub struct Two(One);"), "");
    assert_eq!(room(&uses, "use super::both; pub struct One;", "pub struct Two;"), "r r::one");
    assert_eq!(room(&format!("{declares} fn f() {{ one::g() }}"), "fn g() { super::f() }", ""), "r r::one");
    let folders = [
        ("lib.rs", "mod r; mod s;"),
        ("r/mod.rs", "mod one; mod two;"),
        ("r/one.rs", "use crate::s::three::Three; pub struct One(Three);"),
        ("r/two.rs", "pub struct Two;"),
        ("s/mod.rs", "mod three; mod four;"),
        ("s/three.rs", "pub struct Three;"),
        ("s/four.rs", "use crate::r::two::Two; pub struct Four(Two);"),
    ];
    assert_eq!(circles(&folders), "r s");
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
    let rules = table("lib.rs");
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
