//! Pages of metrics: whatever services are called, each line is one that a scraper reads; whatever
//! is brought into the older format, no sample is lost.

use std::collections::BTreeSet;

use lvs_core::model::{
    Coverage, Destination, DestinationEntry, Info, Service, ServiceEntry, ServiceKey, ServiceSnapshot, Snapshot,
};
use lvsd::control::server::Page;
use lvsd::metrics::{Families, Naming, add_table, classic};

/// The bytes as a page, and as the name and a label of a service.
pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // Lines of a page end without one.
    if !text.contains('\r') {
        let older = classic(&text);
        assert_eq!(samples(&older), samples(&text));
        assert!(!older.lines().any(|line| line.starts_with("# UNIT ") || line == "# EOF"), "{older}");
    }

    let (name, label) = text.split_once('=').unwrap_or((&*text, ""));
    let naming = Naming { name: Some(name.to_owned()), labels: [("site".to_owned(), label.to_owned())].into() };
    let mut families = Families::default();
    add_table(&mut families, &snapshot(), |_| naming.clone());
    let page = families.render(None).expect("into memory");
    assert!(page.contains("site="), "{page}");
    check_page(&Page::new(page));
}

fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

/// Every line of both formats is a comment or a sample, and the samples are the same.
pub(crate) fn check_page(page: &Page) {
    let [open, older] = [&page.open, &page.classic].map(|text| std::str::from_utf8(text).expect("a page is text"));
    assert!(open.ends_with("\n# EOF\n"), "{open}");
    for line in samples(open) {
        assert!(is_sample(line), "{line:?}");
    }
    assert_eq!(samples(older), samples(open));
}

/// `NAME{LABEL="VALUE",...} NUMBER`, no label twice.
fn is_sample(line: &str) -> bool {
    let Some((series, number)) = line.rsplit_once(' ') else { return false };
    let (name, labels) = match series.split_once('{') {
        None => (series, Some(Vec::new())),
        Some((name, rest)) => (name, labels(rest)),
    };
    let is_name = |name: &str| {
        let clean = |c: char| c.is_ascii_alphanumeric() || c == '_';
        name.chars().all(clean) && name.starts_with(|c: char| !c.is_ascii_digit())
    };
    let Some(labels) = labels else { return false };
    let names: BTreeSet<&str> = labels.iter().copied().collect();
    is_name(name)
        && labels.iter().all(|name| is_name(name))
        && names.len() == labels.len()
        && number.parse::<f64>().is_ok()
}

/// The names of the labels up to the brace that ends them; nothing if they do not end with it.
fn labels(mut text: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    while text != "}" {
        let (name, rest) = text.split_once("=\"")?;
        names.push(name);
        let mut escaped = false;
        let end = rest.find(|c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        text = &rest[end + 1..];
        text = text.strip_prefix(',').unwrap_or(text);
    }
    Some(names)
}

/// A service with a server.
fn snapshot() -> Snapshot {
    let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
    let key = ServiceKey::tcp("192.0.2.1", 80).expect("an address");
    let server = DestinationEntry::new(Destination::new([198, 51, 100, 7].into(), 80));
    snapshot.services.push(ServiceSnapshot { entry: ServiceEntry::new(Service::new(key)), destinations: vec![server] });
    snapshot
}

/// Names with what has a meaning in a page, and parts of one.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        "shop=here",
        "the \"shop\"\nof C:\\=} 1\n# EOF",
        "# HELP lvs_incoming_bytes Bytes\n# TYPE lvs_incoming_bytes counter\n# UNIT lvs_incoming_bytes bytes\n\
         lvs_incoming_bytes_total{site=\"a\"} 7\n# TYPE lvs_weight gauge\nlvs_weight 1\n# EOF\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
