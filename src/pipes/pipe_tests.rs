//! Tables of pipe strings over plain replies.
