//! Brings a director to a table, beside services that belong to somebody else: shows first what it
//! would do, and goes back if asked to.
//!
//! ```text
//! cargo run -p lvs-core --example controller                          # on an embedded director
//! sudo target/debug/examples/controller --kernel FILE                 # on the kernel's table: dry run
//! sudo target/debug/examples/controller --kernel FILE --apply         # puts FILE (rules of ipvsadm) in force
//! sudo target/debug/examples/controller --kernel FILE --apply --back  # and rolls it back again
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::HashSet;
use std::error::Error;

use lvs_core::embedded::EmbeddedDirector;
use lvs_core::model::{Service, ServiceKey};
use lvs_core::plan::{OnFailure, Ownership, Place, Plan, Planner};
use lvs_core::{Director, rules};

const RULES: &str = "-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -g -w 3\n\
                     -a -t 192.0.2.1:80 -r 198.51.100.8:80 -g -w 1\n";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, files): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|a| a.starts_with("--"));
    let flags: HashSet<&str> = flags.into_iter().collect();
    let text = match files.first() {
        Some(file) => std::fs::read_to_string(file)?,
        None => RULES.to_owned(),
    };
    let wanted = rules::parse(&text)?.to_table()?;
    let mut director = open(flags.contains("--kernel"))?;
    let is_demonstration = !flags.contains("--kernel");

    // What others have is not ours: with a record that knows nothing yet, a service that is there
    // is refused.
    let before = director.snapshot()?.to_table();
    let mut ours = Ownership::new("example", Place::kernel("this network namespace"));
    let plan = Planner::owned_by(&ours).plan(&before, &wanted)?;
    println!("would do:\n{plan}");
    if !is_demonstration && !flags.contains("--apply") {
        return Ok(());
    }

    // A program would write the record to a file here, so that it knows its own after a crash.
    ours.claim(&wanted);
    let outcome = plan.apply(&mut director, OnFailure::UndoService);
    for refusal in &outcome.refused {
        println!("refused: {}", refusal.error);
    }
    println!("{} of {} steps done", outcome.done.len(), outcome.steps);

    let now = director.snapshot()?.to_table();
    let again = Planner::owned_by(&ours).plan(&now, &wanted)?;
    println!("left to do: {}", again.len());
    if is_demonstration || flags.contains("--back") {
        let back = Plan::rollback(&now, &before, &ours.scope())?;
        println!("back:\n{back}");
        back.apply(&mut director, OnFailure::Keep).into_result()?;
        let after = director.snapshot()?.to_table();
        let foreign = after.services.iter().filter(|entry| !ours.owns(&entry.service.key())).count();
        println!("{foreign} foreign services as before");
    }
    Ok(())
}

/// The kernel's table, or an embedded director on which somebody else has a service.
fn open(kernel: bool) -> Result<Box<dyn Director>, Box<dyn Error>> {
    if !kernel {
        let mut director = EmbeddedDirector::new();
        director.add_service(&Service::new(ServiceKey::udp("203.0.113.1", 53)?))?;
        return Ok(Box::new(director));
    }
    #[cfg(all(feature = "kernel", target_os = "linux"))]
    return Ok(Box::new(lvs_core::kernel::KernelDirector::open()?));
    #[cfg(not(all(feature = "kernel", target_os = "linux")))]
    return Err("built without the kernel director".into());
}
