//! Runs every model under many schedules: random ones, and such as change threads at few places, which find what needs a rare order.
//! `SCHEDULES=100000` runs more of them.

use wptserve_models::{crossing, python::jobs, sessions, stashed};

fn check(model: fn()) {
    check_some(model, 1);
}

/// A part of the schedules, for a model that takes long.
fn check_some(model: fn(), part: usize) {
    let count: usize = std::env::var("SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
    let count = count.div_ceil(part);
    shuttle::check_random(model, count);
    for depth in 1..4 {
        shuttle::check_pct(model, count, depth);
    }
}

#[test]
fn answers_come_once_and_in_order() {
    check(crossing::answers_come_once_and_in_order);
}

#[test]
fn a_client_that_goes_wakes_the_handler() {
    check(crossing::a_client_that_goes_wakes_the_handler);
}

#[test]
fn a_stream_answers_every_ask() {
    check(sessions::a_stream_answers_every_ask);
}

#[test]
fn a_websocket_reads_and_writes_at_once() {
    check(sessions::a_websocket_reads_and_writes_at_once);
}

#[test]
fn the_lock_goes_from_hand_to_hand() {
    check(stashed::the_lock_goes_from_hand_to_hand);
}

#[test]
fn a_queue_hands_on_every_item() {
    check(stashed::a_queue_hands_on_every_item);
}

#[test]
fn no_job_waits_for_one_that_waits() {
    check(jobs::no_job_waits_for_one_that_waits);
}

#[test]
fn a_crowd_that_comes_late_is_served() {
    check_some(jobs::a_crowd_that_comes_late_is_served, 20);
}

#[test]
fn a_sleeping_pool_ends() {
    check_some(jobs::a_sleeping_pool_ends, 4);
}

#[test]
fn a_session_has_its_own_thread() {
    check(jobs::a_session_has_its_own_thread);
}

#[test]
fn what_is_given_up_is_dropped() {
    check(jobs::what_is_given_up_is_dropped);
}
