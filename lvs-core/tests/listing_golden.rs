//! Recorded listings of `ipvsadm`, and ours of the same kernel's answers.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod listing_case;

use listing_case::{Case, ours};

#[test]
fn every_recorded_listing_comes_out_byte_for_byte() {
    let mut listings = 0;
    for file in std::fs::read_dir(Case::directory()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let case = Case::parse(&text);
        assert_eq!(case.print(), text, "{} is in the form in which it would be recorded", path.display());
        let (snapshot, connections) = (case.snapshot(), case.connections());
        for (arguments, theirs) in &case.commands {
            let ours = ours(arguments, &snapshot, &connections, &case.names);
            assert_eq!(ours, *theirs, "{}: ipvsadm {arguments}", path.display());
            listings += 1;
        }
    }
    assert!(listings >= 100, "only {listings} listings are recorded");
}
