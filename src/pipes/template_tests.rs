//! Tables of templates.
