//! The documentation: every link leads to a file, and to a heading if the link names one; the compiler that the README names is
//! the one that the dependencies need.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// All Markdown pages of the repository.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders =
        vec![root.to_owned(), root.join("docs"), root.join("fixtures"), root.join("benches"), root.join("tests")];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && folder != root {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// The text without blocks and spans of code, which may look like links.
fn prose(page: &str) -> String {
    let mut is_code = false;
    let lines = page.lines().map(|line| {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            return String::new();
        }
        if is_code { String::new() } else { line.split('`').step_by(2).collect::<Vec<_>>().join(" ") }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of `[text](target)`.
fn targets(prose: &str) -> Vec<&str> {
    let ends = prose.split("](").skip(1);
    ends.filter_map(|rest| rest.split([')', '\n']).next()).map(str::trim).filter(|target| !target.is_empty()).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let mut anchors = BTreeSet::new();
    for line in page.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if is_code || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        anchors.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase());
    }
    for explicit in page.split("<a id=\"").skip(1) {
        anchors.extend(explicit.split('"').next().map(str::to_owned));
    }
    anchors
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    assert!(pages.len() > 10, "only {} pages were found", pages.len());
    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for target in targets(&prose(&text)).into_iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let path = if file.is_empty() { page.clone() } else { page.with_file_name("").join(file) };
            let is_there = match anchor {
                _ if !path.exists() => false,
                Some(anchor) => anchors(&fs::read_to_string(&path).unwrap_or_default()).contains(anchor),
                None => true,
            };
            if !is_there {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_page_of_the_documentation_can_be_reached() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut reached, mut next) = (BTreeSet::new(), vec![root.join("README.md"), root.join("CONTRIBUTING.md")]);
    while let Some(page) = next.pop() {
        let Ok(text) = fs::read_to_string(&page) else { continue };
        if reached.insert(page.canonicalize().unwrap()) {
            let prose = prose(&text);
            let files = targets(&prose).into_iter().filter_map(|target| target.split('#').next());
            next.extend(files.filter(|file| file.ends_with(".md")).map(|file| page.with_file_name("").join(file)));
        }
    }
    let docs = root.join("docs").canonicalize().unwrap();
    let is_lost = |page: &PathBuf| page.starts_with(&docs) && !page.ends_with("SUMMARY.md") && !reached.contains(page);
    let lost: Vec<_> = pages().into_iter().filter(is_lost).collect();
    assert!(lost.is_empty(), "no link leads from the README to {lost:?}");
}

/// `docs/SUMMARY.md` is the table of contents of the book that `make docs` makes: a page that it does not list is not in the book.
#[test]
fn the_book_has_every_page_once() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let mut listed: Vec<PathBuf> = targets(&prose(&summary)).into_iter().map(|target| docs.join(target)).collect();
    let mut there: Vec<PathBuf> =
        pages().into_iter().filter(|page| page.starts_with(&docs) && !page.ends_with("SUMMARY.md")).collect();
    assert!(there.len() > 10, "only {} pages were found", there.len());
    listed.sort();
    there.sort();
    assert_eq!(listed, there, "docs/SUMMARY.md and the pages of docs/");
}

/// mdBook takes each link to a `.md` file for one to a page of its own.
#[test]
fn links_out_of_the_book_lead_to_no_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").canonicalize().unwrap();
    let mut broken = Vec::new();
    for page in pages().into_iter().filter(|page| page.starts_with(&docs)) {
        let text = fs::read_to_string(&page).unwrap();
        for target in targets(&prose(&text)).into_iter().filter(|target| !target.contains("://")) {
            let file = page.with_file_name("").join(target.split('#').next().unwrap_or_default());
            let is_outside = file.canonicalize().is_ok_and(|file| !file.starts_with(&docs));
            if is_outside && file.extension().is_some_and(|extension| extension == "md") {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "link the folder instead of the page:\n{}", broken.join("\n"));
}

/// People read it in a terminal and in a diff: an entry is a few short lines, not a row of a table.
#[test]
fn the_differences_are_readable() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/differences.md")).unwrap();
    let too_long: Vec<_> = page.lines().filter(|line| line.chars().count() > 140 || line.starts_with('|')).collect();
    assert!(too_long.is_empty(), "lines of more than 140 columns, or tables:\n{}", too_long.join("\n"));
}

#[test]
fn links_and_anchors_are_found() {
    let page = "# One `two`, three\n[a](b.md#c) and ![d](e.png)\n```\n[no](x.md)\n# no\n```\n`[no](y.md)`\n<a id=\"own\"></a>\n";
    assert_eq!(targets(&prose(page)), ["b.md#c", "e.png"]);
    assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), ["one-two-three", "own"]);
}

/// 1.96 and 1.96.0 are the same.
fn version(text: &str) -> [u32; 3] {
    let mut parts = text.split('.').map(|part| part.parse().unwrap());
    [0; 3].map(|_| parts.next().unwrap_or(0))
}

#[test]
fn plain_cargo_works_from_the_promised_compiler_on() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let promised = env!("CARGO_PKG_RUST_VERSION");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"])
        .args(["--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let resolved: BTreeSet<&str> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    let needed = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| resolved.contains(package["id"].as_str().unwrap()) && package["name"] != "wptserve-rs")
        .filter_map(|package| Some((version(package["rust_version"].as_str()?), package["name"].as_str()?)))
        .max()
        .unwrap();
    assert_eq!(needed.0, version(promised), "{} decides what Cargo.toml has to promise", needed.1);
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(readme.contains(&format!("wants Rust {promised} or newer")), "the README promises another compiler");
}
