//! Where the C library of the static binary looks names up.
//!
//! glibc follows `/etc/nsswitch.conf` and loads a shared library for each service there that it does not have itself, such as
//! `systemd` or `resolve`. A static binary cannot do that: it ends in a segmentation fault, for instance when a handler asks
//! `pwd.getpwnam` for a user that is not in the file. So the services that glibc has itself are set once, before any look-up.

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

/// Keeps glibc from loading shared libraries. For the time when the process has one thread; does nothing where the binary is
/// linked dynamically.
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
