//! The services that the C library of the static binary uses to look names up.
//!
//! glibc follows `/etc/nsswitch.conf` and loads a shared library for each service there that glibc does not contain, such as
//! `systemd` or `resolve`. A static binary cannot load one: the process ends in a segmentation fault, for instance when a handler
//! asks `pwd.getpwnam` for a user that is not in the file. So this module sets the services that glibc contains, once, before any
//! look-up.

/// Databases of `nsswitch.conf`, and their services.
#[cfg(target_feature = "crt-static")]
const SERVICES: [(&std::ffi::CStr, &std::ffi::CStr); 7] = [
    (c"passwd", c"files"),
    (c"group", c"files"),
    (c"initgroups", c"files"),
    (c"hosts", c"files dns"),
    (c"networks", c"files"),
    (c"services", c"files"),
    (c"protocols", c"files"),
];

/// Keeps glibc from loading shared libraries. Call it while the process has one thread. It does nothing in a dynamically
/// linked binary.
pub(super) fn use_own_services() {
    #[cfg(target_feature = "crt-static")]
    for (database, services) in SERVICES {
        #[expect(unsafe_code, reason = "glibc has this function, the libc crate does not")]
        // SAFETY: both are texts that end with a zero byte and live for ever, and no other thread looks a name up yet.
        unsafe {
            __nss_configure_lookup(database.as_ptr(), services.as_ptr());
        }
    }
}

#[cfg(target_feature = "crt-static")]
#[expect(unsafe_code, reason = "glibc's own, from nss.h")]
unsafe extern "C" {
    fn __nss_configure_lookup(database: *const libc::c_char, services: *const libc::c_char) -> libc::c_int;
}
