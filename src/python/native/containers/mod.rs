//! Containers of names and values: the fields of a request and of an answer, cookies, credentials.

pub(super) mod auth;
pub(super) mod cookies;
pub(super) mod dict_copies;
pub(super) mod headers;
pub(super) mod multidict;
pub(super) mod raw_headers;
pub(super) mod response_headers;
pub(super) mod set_cookie;

pub(in crate::python) use auth::Authentication;
pub(in crate::python) use cookies::Cookies;
pub(in crate::python) use headers::RequestHeaders;
pub(in crate::python) use multidict::MultiDict;
pub(in crate::python) use raw_headers::RawHeaders;
pub(in crate::python) use response_headers::ResponseHeaders;
