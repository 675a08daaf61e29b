//! Where the programs of the project's README run as documentation tests: the README is in no
//! package that is published.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
