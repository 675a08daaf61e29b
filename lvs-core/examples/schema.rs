//! Prints the JSON Schema of what this crate reads and writes, as the file `schema/lvs.schema.json`
//! has it.
#![allow(clippy::print_stdout, reason = "a program prints")]

fn main() {
    println!("{:#}", lvs_core::json::schema());
}
