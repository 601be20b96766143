//! Which module of the crate names which: read from the tokens of the sources, so that comments, texts and documentation do not
//! count, and a path in the middle of an expression or of a macro does.
//!
//! What counts as naming:
//! - A path that starts with `crate`, `super` or `self`, with a module declared in the same file, or with a module brought in by
//!   `use`. A `use` of an item counts by itself. A `use` of a module counts where the module is used.
//! - A path that leads through a re-export (`pub use child::Item`) names the module that the item comes from. So a `mod.rs` that
//!   only declares and re-exports names no other module, and its children may reach each other through it.
//! - A file with a module of its own inside (`mod classes { … }`) is one module.
//! - What is under `#[cfg(test)]` does not count: a test may look at everything.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::Path,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path of names from the root of the crate, or as written.
type Names = Vec<String>;

/// An entry of a `use` item: `use path::of::item as name`.
struct Import {
    path: Names,
    name: String,
    /// `pub use`, with whatever restriction.
    passes_on: bool,
    /// The module that the item stands in.
    place: Names,
}

/// What the tokens of a file say.
#[derive(Default)]
struct Reading {
    imports: Vec<Import>,
    /// Every other path of two or more names, with the module that it stands in.
    paths: Vec<(Names, Names)>,
    /// Every name outside `use` items.
    words: BTreeSet<String>,
    /// Modules inside the file.
    inner: BTreeSet<Names>,
    /// Modules that are files of their own and belong to the tests.
    for_tests: BTreeSet<Names>,
}

/// The modules of a crate, and for each the modules that it names with the path that names them.
pub struct Graph {
    /// By module, as `python::native`. The root is the empty name.
    pub edges: BTreeMap<String, BTreeMap<String, String>>,
}

impl Graph {
    /// Reads sources: path below `src/`, and text. A binary's `main.rs` is another crate and left out.
    pub fn read(files: &[(String, String)]) -> Self {
        let mut readings: BTreeMap<Names, Reading> = BTreeMap::new();
        for (file, text) in files.iter().filter(|(file, _)| file != "main.rs") {
            let module = module_of(file);
            let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("src/{file}: {error}"));
            let mut reading = Reading::default();
            reading.read(&tokens.into_iter().collect::<Vec<_>>(), &module);
            readings.insert(module, reading);
        }
        let for_tests: Vec<Names> = readings.values().flat_map(|reading| reading.for_tests.iter().cloned()).collect();
        readings.retain(|module, _| {
            // A file `x_tests.rs` is the module `tests` of `x`, by a `#[path]`.
            let is_tests = module.last().is_some_and(|name| name.ends_with("_tests"));
            !is_tests && !for_tests.iter().any(|test| module.starts_with(test))
        });
        let edges = readings.iter().map(|(module, reading)| (module.join("::"), named_by(module, reading, &readings)));
        Self { edges: edges.collect() }
    }

    /// Circles of modules, each as short as there is one: `a names b (as written); b names a (as written)`. No module is in two of them.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut circles = Vec::new();
        for module in self.edges.keys() {
            if !known.contains(module.as_str())
                && let Some(circle) = self.way_back(module)
            {
                known.extend(&circle);
                circles.push(circle.into_iter().map(str::to_owned).collect());
            }
        }
        circles
    }

    /// The same graph with each module taken together with all that is below it, one graph for each level: the edges between the
    /// children of one parent. Two folders whose files name each other are a circle even where no two of the files are.
    pub fn levels(&self) -> Vec<Self> {
        let mut levels: BTreeMap<Vec<&str>, BTreeMap<String, BTreeMap<String, String>>> = BTreeMap::new();
        for (module, named) in &self.edges {
            let from: Vec<&str> = module.split("::").collect();
            for (other, written) in named {
                let to: Vec<&str> = other.split("::").collect();
                let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                let (Some(one), Some(two)) = (from.get(..=common), to.get(..=common)) else { continue };
                let edges = levels.entry(from[..common].to_vec()).or_default();
                edges.entry(two.join("::")).or_default();
                let written = format!("{module}: {written}");
                edges.entry(one.join("::")).or_default().entry(two.join("::")).or_insert(written);
            }
        }
        levels.into_values().map(|edges| Self { edges }).collect()
    }

    /// What a circle consists of, for a message.
    pub fn told(&self, circle: &[String]) -> String {
        let followers = circle.iter().cycle().skip(1);
        let steps = circle.iter().zip(followers).map(|(one, next)| {
            let written = self.edges.get(one).and_then(|named| named.get(next)).map_or("", String::as_str);
            format!("{one} names {next} (`{written}`)")
        });
        steps.collect::<Vec<_>>().join("; ")
    }

    /// The shortest way from a module to itself, by breadth.
    fn way_back<'a>(&'a self, start: &'a str) -> Option<Vec<&'a str>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(module) = queue.pop_front() {
            for next in self.edges.get(module)?.keys() {
                if next == start {
                    let mut way = vec![module];
                    while let Some(before) = way.last().and_then(|last| came_from.get(last)) {
                        way.push(before);
                    }
                    way.reverse();
                    return Some(way);
                }
                if self.edges.contains_key(next) && !came_from.contains_key(next.as_str()) {
                    came_from.insert(next, module);
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

/// `python/native/mod.rs` is `python::native`, `lib.rs` the root.
fn module_of(file: &str) -> Names {
    let mut names: Names =
        Path::new(file).with_extension("").iter().map(|part| part.to_str().unwrap().into()).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

/// All source files: path below `src/`, and text.
pub fn sources() -> Vec<(String, String)> {
    fn collect(folder: &Path, src: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, src, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(src).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &src, &mut files);
    assert!(files.len() > 30, "only {} files under {}", files.len(), src.display());
    files
}

fn punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<Vec<TokenTree>> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream().into_iter().collect()),
        _ => None,
    }
}

/// How many tokens an item has from here: up to its braces or its semicolon.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_use = tokens.iter().take(3).any(|token| ident(Some(token)).as_deref() == Some("use"));
    let ends =
        |token: &TokenTree| punct(Some(token), ';') || (!is_use && group(Some(token), Delimiter::Brace).is_some());
    tokens.iter().position(ends).map_or(tokens.len(), |at| at + 1)
}

impl Reading {
    fn read(&mut self, tokens: &[TokenTree], place: &Names) {
        let mut at = 0;
        let mut passes_on = false;
        while at < tokens.len() {
            let token = tokens.get(at);
            let next = tokens.get(at + 1);
            if punct(token, '#')
                && let Some(attribute) = group(next, Delimiter::Bracket)
            {
                at += 2;
                let words = format!("{}", attribute.iter().cloned().collect::<TokenStream>());
                if words.starts_with("cfg") && words.contains("test") && !words.contains("not") {
                    // Other attributes may follow; a path in them would count for nothing either.
                    let length = item_length(&tokens[at..]);
                    let item = &tokens[at..at + length];
                    let module = item.iter().position(|token| ident(Some(token)).as_deref() == Some("mod"));
                    if let Some(name) = module.and_then(|module| ident(item.get(module + 1))) {
                        self.for_tests.insert([place.as_slice(), &[name]].concat());
                    }
                    at += length;
                } else {
                    self.read(&attribute, place);
                }
                continue;
            }
            let word = ident(token);
            match word.as_deref() {
                Some("pub") => {
                    passes_on = true;
                    at += 1 + usize::from(group(next, Delimiter::Parenthesis).is_some());
                    continue;
                }
                Some("use") => {
                    let length = item_length(&tokens[at..]);
                    self.read_use(&tokens[at + 1..at + length], &Names::new(), passes_on, place);
                    at += length;
                }
                Some("mod") if ident(next).is_some() => {
                    if let (Some(name), Some(body)) = (ident(next), group(tokens.get(at + 2), Delimiter::Brace)) {
                        let inside = [place.as_slice(), &[name]].concat();
                        self.inner.insert(inside.clone());
                        self.read(&body, &inside);
                    }
                    at += 3;
                }
                Some(_) => at = self.read_path(tokens, at, place),
                None => {
                    if let Some(TokenTree::Group(group)) = token {
                        self.read(&group.stream().into_iter().collect::<Vec<_>>(), place);
                    }
                    at += 1;
                }
            }
            passes_on = false;
        }
    }

    /// Takes a name and all `::name` that follow; returns where to go on.
    fn read_path(&mut self, tokens: &[TokenTree], start: usize, place: &Names) -> usize {
        let mut path: Names = ident(tokens.get(start)).into_iter().collect();
        let mut at = start + 1;
        while punct(tokens.get(at), ':') && punct(tokens.get(at + 1), ':') {
            let Some(name) = ident(tokens.get(at + 2)) else { break };
            path.push(name);
            at += 3;
        }
        self.words.extend(path.iter().take(1).cloned());
        // `::name` starts with the name of a crate, `value.name::<T>` is a method.
        let before = |count: usize, sign| punct(start.checked_sub(count).and_then(|before| tokens.get(before)), sign);
        let is_inner = before(1, '.') || (before(1, ':') && before(2, ':'));
        if path.len() > 1 && !is_inner {
            self.paths.push((path, place.clone()));
        }
        at
    }

    /// The entries of a `use` item after `prefix`.
    fn read_use(&mut self, tokens: &[TokenTree], prefix: &Names, passes_on: bool, place: &Names) {
        for entry in tokens.split(|token| punct(Some(token), ',') || punct(Some(token), ';')) {
            let mut path = prefix.clone();
            let mut name = None;
            let mut at = 0;
            while at < entry.len() {
                if let Some(inside) = group(entry.get(at), Delimiter::Brace) {
                    self.read_use(&inside, &path, passes_on, place);
                    path.clear();
                } else if punct(entry.get(at), '*') {
                    path.push("*".to_owned());
                } else {
                    match ident(entry.get(at)).as_deref() {
                        Some("as") => {
                            name = ident(entry.get(at + 1));
                            at += 1;
                        }
                        // `a::{self}` is `a`.
                        Some("self") if !path.is_empty() => {}
                        Some(word) => path.push(word.to_owned()),
                        None => {}
                    }
                }
                at += 1;
            }
            if let Some(last) = path.last().cloned() {
                self.imports.push(Import { path, name: name.unwrap_or(last), passes_on, place: place.clone() });
            }
        }
    }
}

/// The modules that a module names, with the path that does.
fn named_by(module: &Names, reading: &Reading, all: &BTreeMap<Names, Reading>) -> BTreeMap<String, String> {
    let crate_ = Crate { all };
    let mut named = BTreeMap::new();
    let mut note = |target: Option<(Names, bool)>, written: &Names| {
        if let Some((target, _)) = target.filter(|(target, _)| target != module) {
            named.entry(target.join("::")).or_insert_with(|| written.join("::"));
        }
    };
    for import in &reading.imports {
        if import.passes_on && !reading.words.contains(&import.name) {
            continue;
        }
        for absolute in crate_.absolute(&import.path, &import.place, module, false) {
            note(crate_.target(absolute, 0).filter(|(_, is_item)| *is_item), &import.path);
        }
    }
    for (path, place) in &reading.paths {
        for absolute in crate_.absolute(path, place, module, true) {
            note(crate_.target(absolute, 0), path);
        }
    }
    named
}

/// Finds what a path leads to.
struct Crate<'a> {
    all: &'a BTreeMap<Names, Reading>,
}

impl Crate<'_> {
    fn is_module(&self, path: &[String]) -> bool {
        self.all.contains_key(path) || self.file_of(path).is_some_and(|file| self.all[&file].inner.contains(path))
    }

    /// The module with a file of its own that a path is in, a file's own modules counted to it.
    fn file_of(&self, path: &[String]) -> Option<Names> {
        (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|prefix| self.all.contains_key(prefix))
    }

    /// A written path from the root of the crate. Empty if it leads out of it; more than one if two modules of a file import
    /// different things by this name.
    fn absolute(&self, path: &Names, place: &Names, file: &Names, with_imports: bool) -> Vec<Names> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        match first.as_str() {
            "crate" => vec![rest.to_vec()],
            "self" => vec![[place, rest].concat()],
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                vec![[&place[..place.len().saturating_sub(ups)], &path[ups..]].concat()]
            }
            _ => {
                let child = [place.as_slice(), std::slice::from_ref(first)].concat();
                if self.is_module(&child) {
                    return vec![[place.as_slice(), path].concat()];
                }
                if !with_imports {
                    return Vec::new();
                }
                let imports = self.all[file].imports.iter().filter(|import| import.name == *first);
                let meant = imports.flat_map(|import| self.absolute(&import.path, &import.place, file, false));
                meant.map(|meant| [meant.as_slice(), rest].concat()).collect()
            }
        }
    }

    /// The module that an absolute path names, through re-exports, and whether it names an item of it instead of itself.
    fn target(&self, path: Names, depth: usize) -> Option<(Names, bool)> {
        let length = (0..=path.len()).rev().find(|length| self.is_module(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let file = self.file_of(module)?;
        let Some((name, rest)) = rest.split_first() else {
            return Some((file, module.len() > self.file_of(module)?.len()));
        };
        let passed_on = self.all[&file].imports.iter().filter(|import| import.place == module && import.name == *name);
        let mut meant =
            passed_on.flat_map(|import| self.absolute(&import.path, &import.place, &file, false)).filter(|_| depth < 8);
        match meant.next() {
            Some(meant) => self.target([meant.as_slice(), rest].concat(), depth + 1),
            None => Some((file, true)),
        }
    }
}
