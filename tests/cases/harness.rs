//! The harness can fail: almost right answers, and missing ones, do not pass for the recorded ones.

use libtest_mimic::Trial;

use crate::http::{Answers, Case, judge};

pub fn trials() -> Vec<Trial> {
    vec![
        crate::trial("harness/what_is_recorded_passes", || {
            judge(&answers(b"theirs", "open"), None, &answers(b"theirs", "open"))?;
            judge(&answers(b"theirs", "open"), Some(&answers(b"ours", "closed")), &answers(b"ours", "closed"))
        }),
        crate::trial("harness/another_byte_fails", || {
            refused(None, answers(b"theirz", "open"))?;
            refused(Some(answers(b"ours", "closed")), answers(b"ourz", "closed"))?;
            refused(Some(answers(b"ours", "closed")), answers(b"ours.", "closed"))
        }),
        crate::trial("harness/silence_fails", || {
            for end in ["open", "closed", "silent"] {
                refused(None, answers(b"", end))?;
                refused(Some(answers(b"ours", "closed")), answers(b"", end))?;
            }
            refused(Some(answers(b"ours", "closed")), Answers::default())
        }),
        crate::trial("harness/another_end_fails", || {
            refused(None, answers(b"theirs", "closed"))?;
            refused(Some(answers(b"ours", "closed")), answers(b"ours", "open"))
        }),
        crate::trial("harness/a_difference_that_is_gone_fails", || {
            refused(Some(answers(b"ours", "closed")), answers(b"theirs", "open"))?;
            refused(Some(answers(b"theirs", "open")), answers(b"theirs", "open"))
        }),
        crate::trial("harness/a_changed_recording_fails_on_the_server", || {
            let mut case = Case::load("errors/sys_exit")?;
            let ours = case.ours.as_mut().expect("an answer of ours");
            *ours.answers[0].last_mut().expect("a byte") ^= 1;
            if case.run().is_ok() { Err("it passed".to_owned()) } else { Ok(()) }
        }),
    ]
}

fn answers(answer: &[u8], end: &str) -> Answers {
    Answers { answers: vec![answer.to_vec()], ends: vec![end.to_owned()] }
}

/// Fails when this passes where the reference says "theirs" and leaves the connection open.
fn refused(ours: Option<Answers>, got: Answers) -> Result<(), String> {
    match judge(&answers(b"theirs", "open"), ours.as_ref(), &got) {
        Ok(()) => Err(format!("{:?}, {:?} passed", got.answers, got.ends)),
        Err(_) => Ok(()),
    }
}
