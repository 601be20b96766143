//! Paths of URLs: the doc root and the routes.

use std::path::{Component, Path};

use super::Target;
use crate::{
    docroot::DocRoot,
    input::{Cursor, Dice},
    meter::Bounds,
    route::{Alias, Handler, Router, pattern::Pattern},
};

/// The doc root, and the directory of an alias.
///
/// * No path leads out of the directory: it begins with it, never steps up, and has no NUL.
/// * The path is the directory and text of the URL, nothing else.
pub fn docroot(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for (root, base) in [("/srv/root", "/"), ("/srv/other", "/g/x/")] {
        let directory = DocRoot::mounted(Path::new(root), base);
        let Ok(found) = directory.resolve(&text) else { continue };
        let path = found.as_path();
        assert!(path.starts_with(root), "{path:?}");
        assert!(path.components().all(|part| !matches!(part, Component::ParentDir)), "{path:?}");
        let shown = path.to_str().unwrap();
        assert!(!shown.contains('\0'));
        let inside = shown.strip_prefix(root).and_then(|inside| inside.strip_prefix('/')).unwrap();
        assert!(crate::http::url::unquote(&text).ends_with(inside), "{shown:?}");
    }
}

/// Matching with several groups tries the ends of each: what is linear in the groups is quadratic in the path. The patterns are
/// those of the operator, and none of `wpt serve` has more than one group.
pub const ROUTES: Target = Target {
    name: "routes",
    bounds: Bounds { work: 1_000_000, work_per_byte: 100_000, memory: 1 << 20, memory_per_byte: 1_000 },
    run: routes,
};

/// A pattern up to the first line feed, and the path behind it.
///
/// * A pattern is refused, or compiled.
/// * A match is one: the pattern with its groups put in is the path.
/// * Every path has a route, with an alias of that pattern or without.
fn routes(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pattern, path) = text.split_once('\n').unwrap_or((&text, "/"));
    if let Ok(compiled) = Pattern::compile(pattern)
        && let Some(groups) = compiled.match_path(path)
    {
        check_match(pattern, path, &groups);
    }
    let alias = Alias { url_path: pattern.to_owned(), local_dir: "/srv/alias".into() };
    let found = Router::wpt(&[alias]).route(b"GET", path);
    if let Some(found) = found {
        // Those of `{spec}/tools/*`, or of the pattern.
        assert!(found.groups.len() <= 2.max(1 + pattern.matches('{').count()), "{found:?}");
    } else {
        assert!(!path.starts_with('/') || path.contains('\n'), "{path:?} has no route");
    }
}

fn check_match(pattern: &str, path: &str, groups: &[(String, String)]) {
    let star = pattern_star(pattern);
    let (before, _) = pattern.split_at(star.unwrap_or(pattern.len()));
    let mut expected = if pattern.starts_with('/') { String::new() } else { "/".to_owned() };
    let mut rest = before;
    let mut values = groups.iter();
    while let Some(c) = rest.chars().next() {
        if c == '{' {
            let (name, value) = values.next().unwrap();
            assert!(!value.is_empty() && !value.contains('/') && rest.starts_with(&format!("{{{name}}}")));
            expected.push_str(value);
            rest = &rest[name.len() + 2..];
        } else {
            // A backslash keeps what follows literal.
            let next = rest[c.len_utf8()..].chars().next().filter(|next| c == '\\' && *next != '\n');
            let length = c.len_utf8() + next.map_or(0, char::len_utf8);
            expected.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    if star.is_some() {
        let (name, value) = values.next().unwrap();
        assert_eq!(name, "*");
        expected.push_str(value);
    }
    assert!(values.next().is_none());
    assert_eq!(expected, path, "{pattern:?} {groups:?}");
}

/// Where the star is that is not behind a backslash.
fn pattern_star(pattern: &str) -> Option<usize> {
    let mut is_literal = false;
    pattern.char_indices().find_map(|(at, c)| {
        let is_star = c == '*' && !is_literal;
        is_literal = c == '\\' && !is_literal;
        is_star.then_some(at)
    })
}
