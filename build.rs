//! Rebuilds the crate when a frozen Python stub changes: the macro that freezes them does not watch the files itself.
fn main() {
    println!("cargo::rerun-if-changed=pylib-stubs");
}
