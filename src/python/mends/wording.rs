//! Messages of exceptions that RustPython words differently from CPython and that handlers really raise.
//!
//! Only the text that a 500 shows is changed, never the exception itself. A message whose right wording depends on more than its own
//! text (`substring not found` is `subsection not found` for bytes) stays unchanged.

/// CPython 3.11's wording of the message.
pub(in crate::python) fn as_in_cpython(message: &str) -> String {
    if let Some(name) = between(message, "local variable '", "' referenced before assignment") {
        return format!("cannot access local variable '{name}' where it is not associated with a value");
    }
    if message.starts_with("exceptions must be classes or instances deriving from BaseException, not ") {
        return "exceptions must derive from BaseException".to_owned();
    }
    without_modules(message)
}

/// The text between a fixed beginning and a fixed end.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.strip_suffix(after)
}

/// `'wptserve.stash.Stash' object` as `'Stash' object`: CPython names the class alone, RustPython a native class with
/// its module.
fn without_modules(message: &str) -> String {
    let Some((before, rest)) = message.split_once("'wptserve.") else { return message.to_owned() };
    match rest.split_once("' object") {
        Some((path, after)) if path.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_')) => {
            let class = path.rsplit('.').next().unwrap_or(path);
            format!("{before}'{class}' object{}", without_modules(after))
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_messages_are_worded_as_in_cpython() {
        for (here, there) in [
            (
                "local variable 'key' referenced before assignment",
                "cannot access local variable 'key' where it is not associated with a value",
            ),
            (
                "exceptions must be classes or instances deriving from BaseException, not str",
                "exceptions must derive from BaseException",
            ),
            ("'wptserve.stash.Stash' object has no attribute 'remove'", "'Stash' object has no attribute 'remove'"),
            ("'wptserve.a.B' object is no 'wptserve.c.D' object", "'B' object is no 'D' object"),
            ("b'wptserve.x", "b'wptserve.x"),
            ("'wptserve.a b' object", "'wptserve.a b' object"),
            ("substring not found", "substring not found"),
            ("", ""),
        ] {
            assert_eq!(as_in_cpython(here), there);
        }
    }
}
