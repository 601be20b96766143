//! Runs every model under many schedules: random ones, and such as change threads at few places, which find what needs a rare order.
//! `SCHEDULES=100000` runs more of them.

use wptserve_models::{crossing, sessions, stashed};

fn check(model: fn()) {
    let count = std::env::var("SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
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
