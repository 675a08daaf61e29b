//! What a cluster should be, said plainly, and held against what it is: after every sequence of
//! what servers, operators, other programs and crashes do to it, and after kills at random moments.

use super::*;

/// What happens to a cluster of two servers, of which the first is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Dies,
    Recovers,
    /// A file that names the server comes into force.
    FileWith,
    /// A file that does not.
    FileWithout,
    Quiesce,
    TakeOut,
    Undrain,
    Hold(Option<Force>),
    /// The process is killed and begins again.
    Restart,
    /// Somebody else clears the table; the next look at it comes.
    Cleared,
}

const ACTIONS: [Action; 13] = [
    Action::Dies,
    Action::Recovers,
    Action::FileWith,
    Action::FileWithout,
    Action::Quiesce,
    Action::TakeOut,
    Action::Undrain,
    Action::Hold(Some(Force::Down)),
    Action::Hold(Some(Force::Up)),
    Action::Hold(Some(Force::Weight(7))),
    Action::Hold(None),
    Action::Restart,
    Action::Cleared,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drained {
    No,
    Quiesced,
    Out,
}

/// The first server, as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Model {
    named: bool,
    healthy: bool,
    held: Option<Force>,
    drained: Drained,
}

const FIRST: Model = Model { named: true, healthy: true, held: None, drained: Drained::No };

impl Model {
    /// What the action makes of it, or that it is refused.
    fn after(self, action: Action) -> Result<Self, ()> {
        Ok(match action {
            Action::Dies => Self { healthy: !self.named, ..self },
            Action::Recovers | Action::FileWithout if !self.named => self,
            Action::Recovers => Self { healthy: true, ..self },
            Action::FileWith => Self { named: true, ..self },
            // What left the file is forgotten, but not what an operator has decided about it.
            Action::FileWithout => Self { named: false, healthy: true, ..self },
            Action::Quiesce | Action::TakeOut if !self.named || self.drained != Drained::No => return Err(()),
            Action::Quiesce => Self { drained: Drained::Quiesced, ..self },
            Action::TakeOut => Self { drained: Drained::Out, ..self },
            Action::Undrain if self.drained == Drained::No => return Err(()),
            Action::Undrain => Self { drained: Drained::No, ..self },
            Action::Hold(None) if !self.named && self.held.is_none() => return Err(()),
            Action::Hold(Some(_)) if !self.named => return Err(()),
            Action::Hold(held) => Self { held, ..self },
            Action::Restart | Action::Cleared => self,
        })
    }

    fn table(self) -> Vec<String> {
        let up = match self.held {
            None | Some(Force::Weight(_)) => self.healthy,
            Some(Force::Up) => true,
            Some(Force::Down) => false,
        };
        let weight = match (up, self.held) {
            (true, Some(Force::Weight(weight))) => weight,
            (up, _) => u32::from(up),
        };
        let server = match (self.named, self.drained) {
            (false, _) | (_, Drained::Out) => None,
            (_, Drained::Quiesced) => Some("198.51.100.1=0".to_owned()),
            (_, Drained::No) => Some(format!("198.51.100.1={weight}")),
        };
        let serves = self.drained == Drained::No && weight > 0;
        let mut both = vec!["80".to_owned()];
        both.extend(server.clone());
        both.push("198.51.100.2=1".to_owned());
        let mut lines = vec![both.join(" ")];
        if self.named {
            let mut alone = vec!["81".to_owned()];
            alone.extend(server);
            if !serves {
                alone.push("198.51.100.99=1".to_owned());
            }
            lines.push(alone.join(" "));
        }
        lines
    }
}

/// The file: the first server with another one, and alone with a sorry server, or not at all.
fn file(named: bool) -> String {
    if !named {
        return service(80, "", &[(2, 1)]);
    }
    let alone = service(81, "health = { sorry_server = \"198.51.100.99\" }", &[(1, 1)]);
    format!("{}{alone}", service(80, "", &[(1, 1), (2, 1)]))
}

/// Does it to a cluster. Returns whether it was refused; without effect for `Restart`, which the
/// caller does.
fn act(machine: &Machine, run: &mut Run, action: Action) -> Result<(), Refused> {
    let drain = |keep| Request::Drain(DrainSpec { what: host(1), keep, ..DrainSpec::default() });
    match action {
        Action::Dies => run.kill(1),
        Action::Recovers => run.check(1, Outcome::Up),
        Action::FileWith => drop(run.reload(&file(true))?),
        Action::FileWithout => drop(run.reload(&file(false))?),
        Action::Quiesce => drop(run.ask(drain(true))?),
        Action::TakeOut => drop(run.ask(drain(false))?),
        Action::Undrain => drop(run.ask(Request::Undrain(host(1)))?),
        Action::Hold(force) => {
            let spec = OverrideSpec { what: host(1), force, reason: "a test".to_owned(), expires: None };
            drop(run.ask(Request::Override(spec))?);
        }
        Action::Restart => {}
        Action::Cleared => {
            machine.table.borrow_mut().flush().unwrap();
            run.moment.now += Duration::from_secs(11);
            run.moment.unix += 11;
            run.engine.flush(run.moment);
        }
    }
    Ok(())
}

/// How long the sequences are that are tried: all of that length.
fn depth() -> usize {
    std::env::var("LVS_DEPTH").map_or(3, |depth| depth.parse().unwrap())
}

#[test]
fn every_sequence_of_drains_checks_reloads_overrides_and_restarts_comes_to_what_was_said() {
    let depth = u32::try_from(depth()).unwrap();
    let actions = ACTIONS.len();
    for number in 0..actions.pow(depth) {
        let sequence: Vec<Action> =
            (0..depth).map(|place| ACTIONS[number / actions.pow(depth - 1 - place) % actions]).collect();
        let mut machine = Machine::new();
        let mut run = machine.start(&file(true));
        let mut model = FIRST;
        for (step, &action) in sequence.iter().enumerate() {
            let done = act(&machine, &mut run, action);
            if action == Action::Restart {
                machine.unix = run.moment.unix;
                run = machine.start(&file(model.named));
            }
            let wanted = model.after(action);
            let context = || format!("{:?}", &sequence[..=step]);
            assert_eq!(done.is_ok(), wanted.is_ok(), "{}: {done:?}", context());
            model = wanted.unwrap_or(model);
            assert_eq!(machine.table(), model.table(), "{}", context());
            assert!(run.engine.problems().is_empty(), "{}", context());
        }
        // Nothing is left to do, and nothing but the tests' own hands is a drift.
        run.pass(11);
        assert_eq!(machine.table(), model.table(), "{sequence:?}, later");
    }
}

#[test]
fn after_kills_at_random_moments_everything_that_was_acknowledged_holds() {
    let kills: u64 = std::env::var("LVS_KILLS").map_or(50, |kills| kills.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(5);
    let mut machine = Machine::new();
    let mut run = machine.start(&file(true));
    let mut model = FIRST;
    let (mut killed, mut halfway) = (0, 0);
    while killed < kills {
        // So many more effects (an operation on the table, a state that is kept) and it is dead.
        machine.fuse.set(random.u64(0..12));
        let mut before = model;
        let mut in_force = model.named;
        while machine.fuse.get() > 0 {
            let action = ACTIONS[random.usize(0..ACTIONS.len() - 2)];
            before = model;
            let wanted = model.after(action);
            // Whoever edits a file has done so before it is loaded.
            in_force = match action {
                Action::FileWith => true,
                Action::FileWithout => false,
                _ => in_force,
            };
            if act(&machine, &mut run, action).is_ok() {
                model = wanted.unwrap_or(model);
            }
        }
        machine.unix = run.moment.unix;
        if random.bool() {
            // It may be killed while it begins, too.
            machine.fuse.set(random.u64(0..4));
            drop(machine.try_start(&file(in_force)));
        }
        machine.fuse.set(FOREVER);
        run = machine.start(&file(in_force));
        killed += 1;
        // What was under way has happened or not; what was acknowledged before has.
        let with_file = |model: Model| Model { named: in_force, healthy: model.healthy || !in_force, ..model };
        let (done, not) = (with_file(model), with_file(before));
        // A drain that goes on has to quiesce first.
        let quiesced = Model { drained: Drained::Quiesced, ..done };
        let (table, context) = (machine.table(), format!("kill {killed}: {not:?} or {done:?}"));
        assert!([done, not, quiesced].iter().any(|model| model.table() == table), "{context}: {table:?}");
        assert!(run.engine.problems().is_empty(), "{context}");
        run.pass(11);
        let table = machine.table();
        let found = [done, not].into_iter().find(|model| model.table() == table);
        halfway += u64::from(found == Some(not) && not.table() != done.table());
        model = found.unwrap_or_else(|| panic!("{context}: later {table:?}"));
    }
    assert_eq!(run.engine.counts.drifts, 0);
    eprintln!("{killed} kills, {halfway} of them before what was under way had happened");
}
