//! Signals: what the supervisor waits for, and what must not end a process by accident.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _};

use nix::sys::{
    signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction},
    signalfd::{SfdFlags, SignalFd},
};

/// Signals whose default is to end the process, although they say nothing that would be a reason here: a terminal that has gone, a
/// file that would be too large, a timer that a handler has set.
const HARMLESS: [Signal; 11] = [
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGXFSZ,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSTKFLT,
];

extern "C" fn nothing(_signal: libc::c_int) {}

/// Lets a signal do nothing. Programs that handlers start get the default back, as would not be so with a signal that is ignored.
fn disarm(signal: Signal) {
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART, SigSet::empty());
    #[expect(unsafe_code, reason = "no safe library leaves a signal without a handler of its own")]
    // SAFETY: the handler does nothing at all, so it may interrupt anything.
    let before = unsafe { sigaction(signal, &action) };
    // Such as after `nohup`: programs that handlers start are to ignore it as well.
    if let Ok(before) = before
        && matches!(before.handler(), SigHandler::SigIgn)
    {
        #[expect(unsafe_code, reason = "as above")]
        // SAFETY: this is the action that was there.
        let _ = unsafe { sigaction(signal, &before) };
    }
}

/// No signal ends this process by accident any more: those do nothing whose default is to end it, and which say nothing that would be a
/// reason here.
pub fn guard() {
    HARMLESS.into_iter().for_each(disarm);
}

/// Whether a SIGHUP means that the terminal has gone from which the server was started.
#[derive(Debug, Clone, Copy)]
pub struct Hangup {
    had_terminal: bool,
    /// As `nohup` sets it.
    is_ignored: bool,
}

impl Hangup {
    /// Looks at how the process was started; before [`guard`].
    pub fn new() -> Self {
        let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        #[expect(unsafe_code, reason = "the action that was there can only be had by setting another one")]
        // SAFETY: neither action runs code, and the process has no other thread.
        let is_ignored = unsafe {
            let before = sigaction(Signal::SIGHUP, &action);
            before.is_ok_and(|before| {
                let _ = sigaction(Signal::SIGHUP, &before);
                matches!(before.handler(), SigHandler::SigIgn)
            })
        };
        Self { had_terminal: has_terminal(), is_ignored }
    }

    /// Whether a SIGHUP that has just come is a reason to stop.
    pub fn is_terminal_gone(self) -> bool {
        self.had_terminal && !self.is_ignored && !has_terminal()
    }

    /// Whether a SIGHUP means nothing.
    pub(super) fn is_ignored(self) -> bool {
        self.is_ignored
    }
}

impl Default for Hangup {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the process has a controlling terminal.
fn has_terminal() -> bool {
    OpenOptions::new().read(true).custom_flags(libc::O_NOCTTY | libc::O_CLOEXEC).open("/dev/tty").is_ok()
}

/// The signals of the supervisor, as something to poll.
pub(super) struct Signals {
    pub(super) fd: SignalFd,
    /// What was blocked before.
    before: SigSet,
    pub(super) hangup: Hangup,
}

impl Signals {
    /// Blocks the signals and makes them readable.
    pub(super) fn new() -> nix::Result<Self> {
        let hangup = Hangup::new();
        guard();
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        #[expect(unsafe_code, reason = "no safe library sets a default action")]
        // SAFETY: the default of SIGCHLD is to do nothing. A parent that ignores it would have the system forget how a child ended.
        unsafe { sigaction(Signal::SIGCHLD, &default) }?;
        let mut mask = SigSet::empty();
        for signal in [Signal::SIGCHLD, Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            mask.add(signal);
        }
        let before = mask.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let fd = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { fd, before, hangup })
    }

    /// What the child does about signals: it waits for what the supervisor says. A signal to the whole group reaches the supervisor
    /// as well.
    pub(super) fn leave_to_supervisor(&self) {
        [Signal::SIGINT, Signal::SIGTERM].into_iter().for_each(disarm);
        let _ = self.before.thread_set_mask();
    }

    /// The next signal that has come.
    pub(super) fn next(&self) -> Option<Signal> {
        let info = self.fd.read_signal().ok().flatten()?;
        i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())
    }
}
