//! Host names: the domains of the browser host and its alternates, with their subdomains.
//!
//! Follows wptserve 4.0.3, config.py, `ConfigBuilder._get_domains` and its neighbours; the subdomains are those of
//! `wpt serve` (tools/serve/serve.py).

use serde_json::{Map, Value};

/// The default of `browser_host`.
pub(super) const BROWSER_HOST: &str = "web-platform.test";
/// The default of `alternate_hosts`.
pub(super) const ALTERNATE: (&str, &str) = ("alt", "not-web-platform.test");
/// The labels of subdomains that exist.
const LABELS: [&str; 5] = ["www", "www1", "www2", "天気の良い日", "élève"];
/// The labels of subdomains that must not exist.
const NOT_LABELS: [&str; 1] = ["nonexistent"];

/// All names that tests use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// (name under `alternate_hosts`, host), then ("", the browser host): the order of wptserve.
    hosts: Vec<(String, String)>,
    subdomains: Vec<String>,
    not_subdomains: Vec<String>,
}

impl Default for Hosts {
    /// Those of `wpt serve` without a configuration.
    fn default() -> Self {
        Self::wpt(BROWSER_HOST, vec![(ALTERNATE.0.to_owned(), ALTERNATE.1.to_owned())])
    }
}

impl Hosts {
    /// The names of `wpt serve`.
    pub(super) fn wpt(browser: &str, alternates: Vec<(String, String)>) -> Self {
        Self { subdomains: pairs(&LABELS), not_subdomains: pairs(&NOT_LABELS), ..Self::plain(browser, alternates) }
    }

    /// Hosts without subdomains.
    pub(super) fn plain(browser: &str, alternates: Vec<(String, String)>) -> Self {
        let mut hosts = alternates;
        hosts.push((String::new(), browser.to_owned()));
        Self { hosts, subdomains: Vec::new(), not_subdomains: Vec::new() }
    }

    /// The host that tests are loaded from.
    pub fn browser(&self) -> &str {
        self.hosts.last().map_or("", |(_, host)| host)
    }

    /// The hosts themselves: the alternates, then the browser host.
    pub fn hosts(&self) -> impl Iterator<Item = &String> {
        self.hosts.iter().map(|(_, host)| host)
    }

    /// `subdomains`: products of one and two labels, in Unicode.
    pub fn subdomains(&self) -> &[String] {
        &self.subdomains
    }

    /// `not_subdomains`, likewise.
    pub fn not_subdomains(&self) -> &[String] {
        &self.not_subdomains
    }

    /// `domains`: host by host the names of its subdomains and, under "", its own.
    pub fn domains(&self) -> Map<String, Value> {
        self.table(&self.subdomains, true)
    }

    /// `not_domains`: likewise, without the hosts themselves.
    pub fn not_domains(&self) -> Map<String, Value> {
        self.table(&self.not_subdomains, false)
    }

    /// `all_domains`: both.
    pub fn all_domains(&self) -> Map<String, Value> {
        let all: Vec<String> = self.subdomains.iter().chain(&self.not_subdomains).cloned().collect();
        self.table(&all, true)
    }

    /// `domains_set`: the names that must resolve, sorted by their reversed labels as `wpt make-hosts-file` has them.
    pub fn domains_set(&self) -> Vec<String> {
        names(&self.domains())
    }

    /// `not_domains_set`: the names that must not resolve, sorted likewise.
    pub fn not_domains_set(&self) -> Vec<String> {
        names(&self.not_domains())
    }

    /// The first alternate host, with its name, that is not distinct from the browser host: the labels of one are the end of
    /// the other's labels (serve.py, `domains_are_distinct`).
    pub(super) fn not_distinct(&self) -> Option<&(String, String)> {
        let ends = |a: &str, b: &str| a.rsplit('.').zip(b.rsplit('.')).all(|(a, b)| a == b);
        self.hosts.iter().find(|(name, host)| !name.is_empty() && ends(host, self.browser()))
    }

    fn table(&self, subdomains: &[String], own: bool) -> Map<String, Value> {
        let domains = |host: &str| {
            let mut domains: Map<String, Value> = subdomains
                .iter()
                .map(|subdomain| (subdomain.clone(), format!("{}.{host}", ascii(subdomain)).into()))
                .collect();
            if own {
                domains.insert(String::new(), host.into());
            }
            domains
        };
        self.hosts.iter().map(|(name, host)| (name.clone(), domains(host).into())).collect()
    }
}

/// Every label, and every pair of labels.
fn pairs(labels: &[&str]) -> Vec<String> {
    let single = labels.iter().map(|label| (*label).to_owned());
    let double = labels.iter().flat_map(|first| labels.iter().map(move |second| format!("{first}.{second}")));
    single.chain(double).collect()
}

/// A name as the DNS has it. A malformed name is left unchanged, because no resolver will find it.
pub fn ascii(name: &str) -> String {
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_owned())
}

fn names(table: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<String> = table
        .values()
        .filter_map(Value::as_object)
        .flat_map(|domains| domains.values().filter_map(Value::as_str).map(str::to_owned))
        .collect();
    names.sort_by(|a, b| a.rsplit('.').cmp(b.rsplit('.')));
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alternates(host: &str) -> Vec<(String, String)> {
        vec![("alt".to_owned(), host.to_owned())]
    }

    #[test]
    fn subdomains_are_products_of_labels() {
        let hosts = Hosts::wpt("web-platform.test", alternates("not-web-platform.test"));
        assert_eq!((hosts.subdomains().len(), hosts.not_subdomains().len()), (30, 2));
        assert_eq!((hosts.domains_set().len(), hosts.not_domains_set().len()), (62, 4));
        let domains = Value::from(hosts.domains());
        assert_eq!(domains[""]["天気の良い日.élève"], "xn--n8j6ds53lwwkrqhv28a.xn--lve-6lad.web-platform.test");
        assert_eq!(domains["alt"]["www.www1"], "www.www1.not-web-platform.test");
        assert_eq!(domains["alt"][""], "not-web-platform.test");
        assert_eq!(Value::from(hosts.not_domains())[""]["nonexistent"], "nonexistent.web-platform.test");
        let all = Value::from(hosts.all_domains());
        assert_eq!(all[""]["nonexistent.nonexistent"], "nonexistent.nonexistent.web-platform.test");
        assert_eq!(all[""].as_object().unwrap().len(), 33);
    }

    #[test]
    fn names_are_sorted_by_reversed_labels() {
        let hosts = Hosts::wpt("b.test", alternates("a.test"));
        let names = hosts.domains_set();
        assert_eq!(names[..3], ["a.test", "www.a.test", "www.www.a.test"]);
        assert_eq!(names[31], "b.test");
        assert_eq!(Hosts::wpt("same", alternates("same")).domains_set().len(), 31);
    }

    #[test]
    fn hosts_that_are_not_distinct_are_found() {
        for (browser, alternate, distinct) in [
            ("web-platform.test", "not-web-platform.test", true),
            ("web-platform.test", "web-platform.test", false),
            ("web-platform.test", "alt.web-platform.test", false),
            ("www.web-platform.test", "web-platform.test", false),
            ("a.test", "b.test", true),
            ("test", "b.test", false),
        ] {
            let hosts = Hosts::wpt(browser, alternates(alternate));
            assert_eq!(hosts.not_distinct().is_none(), distinct, "{browser} {alternate}");
        }
    }
}
