//! `wptserve make-hosts-file`: the lines for /etc/hosts, byte for byte those of `wpt make-hosts-file`.
//!
//! That command reads no configuration: tools/ci/make_hosts_file.py passes the path of config.json as another parameter by
//! mistake. So the domains are always the default ones.

use crate::config::Hosts;

/// Print the lines for /etc/hosts that lead the tests' domains to an address.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address
    #[arg(value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address)]
    address: String,
}

/// Checks the address, and returns it as it was written, because it is printed like that.
fn address(text: &str) -> Result<String, &'static str> {
    match text.parse::<std::net::IpAddr>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write an IP address, such as 127.0.0.1"),
    }
}

pub(super) fn text(args: &Args) -> String {
    let hosts = Hosts::default();
    let mut lines = vec!["# Start web-platform-tests hosts".to_owned()];
    lines.extend(hosts.domains_set().iter().map(|domain| format!("{}\t{domain}", args.address)));
    // Only on Windows does this address mean that the host does not exist.
    if cfg!(windows) {
        lines.extend(hosts.not_domains_set().iter().map(|domain| format!("0.0.0.0\t{domain}")));
    }
    lines.extend(["# End web-platform-tests hosts".to_owned(), String::new(), String::new()]);
    lines.join("\n")
}
