//! Commands that lvsd carries out.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use super::direct::reloaded;
use super::{Answer, Cli, Drain, Verb, print};
use crate::control::client::Client;
use crate::control::{Changed, Draining, Findings, History, Operations, Reloaded, Status};

/// lvsd cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreachable(String);

/// How often a drain is asked about.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn run(cli: &Cli, verb: &Verb, out: &mut dyn Write) -> Answer {
    let socket = socket(cli)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut client = Client::connect(&socket).await.map_err(|error| Unreachable(format!("{error:#}")))?;
        ask(&mut client, cli, verb, out).await
    })
}

/// The socket that is meant.
fn socket(cli: &Cli) -> Result<PathBuf> {
    if let Some(socket) = &cli.socket {
        return Ok(socket.clone());
    }
    if let Some(instance) = &cli.instance {
        return Ok(cli.run().join(format!("{instance}.sock")));
    }
    let entries = std::fs::read_dir(cli.run()).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut sockets: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "sock")).collect();
    sockets.sort();
    match sockets.len() {
        1 => Ok(sockets.remove(0)),
        0 => Err(Unreachable(format!(
            "no lvsd runs here: there is no socket in {} (--direct works on the table without it)",
            cli.run().display()
        ))
        .into()),
        _ => {
            let names: Vec<_> = sockets.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
            bail!("several lvsd run here: --instance names one of {}", names.join(", "))
        }
    }
}

async fn ask(client: &mut Client, cli: &Cli, verb: &Verb, out: &mut dyn Write) -> Answer {
    match verb {
        Verb::Status(_) => {
            let status: Status = client.get("/v1/status").await?;
            if cli.json {
                print::json(&status, out)?
            } else {
                print::status(&status, out)?
            };
            Ok(status.in_force && status.reload_refused.is_none())
        }
        Verb::Plan(_) => {
            let plan: Operations = client.get("/v1/plan").await?;
            if cli.json {
                print::json(&plan, out)?
            } else {
                write!(out, "{}", plan.rules)?
            };
            Ok(true)
        }
        Verb::Reload => {
            let done: Reloaded = client.post("/v1/reload", &()).await?;
            reloaded(cli, &done, out)
        }
        Verb::Stop(_) => {
            let done: Reloaded = client.post("/v1/stop", &()).await?;
            reloaded(cli, &done, out)
        }
        Verb::Drain(drain) => self::drain(client, cli, drain, out).await,
        Verb::Undrain(what) => {
            let changed: Changed = client.post("/v1/undrain", &what.selection()).await?;
            self::changed(cli, &changed, out)
        }
        Verb::Override(spec) => {
            let changed: Changed = client.post("/v1/override", &spec.spec()).await?;
            self::changed(cli, &changed, out)
        }
        Verb::Check(_) => {
            let findings: Findings = client.get("/v1/check").await?;
            if cli.json {
                print::json(&findings, out)?
            } else {
                print::findings(&findings, out)?
            };
            Ok(findings.ready)
        }
        Verb::History => {
            let history: History = client.get("/v1/history").await?;
            for event in &history.events {
                if cli.json {
                    print::json(event, out)?
                } else {
                    print::event(event, out)?
                };
            }
            Ok(true)
        }
        Verb::Watch { .. } => {
            let mut lines = client.lines("/v1/events").await?;
            while let Some(line) = lines.next().await? {
                match serde_json::from_str(&line) {
                    Ok(event) if !cli.json => print::event(&event, out)?,
                    _ => writeln!(out, "{line}")?,
                }
                out.flush()?;
            }
            Ok(true)
        }
        Verb::Metrics { .. } => {
            write!(out, "{}", client.text("/v1/metrics").await?)?;
            Ok(true)
        }
        other => bail!("{other:?} is not for lvsd"),
    }
}

fn changed(cli: &Cli, changed: &Changed, out: &mut dyn Write) -> Answer {
    if cli.json {
        print::json(changed, out)?;
    } else {
        for server in &changed.servers {
            writeln!(out, "{server}")?;
        }
    }
    Ok(true)
}

async fn drain(client: &mut Client, cli: &Cli, drain: &Drain, out: &mut dyn Write) -> Answer {
    let Draining { id } = client.post("/v1/drain", &drain.spec()).await?;
    let mut said = Vec::new();
    loop {
        let status: Status = client.get("/v1/status").await?;
        let Some(state) = status.drains.into_iter().find(|state| state.id == id) else {
            bail!("drain {id} was taken back");
        };
        if state.done || drain.no_wait {
            if cli.json {
                print::json(&state, out)?;
            } else if state.done {
                ended(state.cut, state.left, out)?;
            } else {
                writeln!(out, "drain {id} is under way")?;
            }
            return Ok(state.cut == 0);
        }
        if !cli.json && state.waiting != said {
            for waiting in &state.waiting {
                writeln!(out, "waiting for {waiting}")?;
            }
            out.flush()?;
            said = state.waiting;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How a drain has ended, also for those that lvsd has no part in.
pub(super) fn ended(cut: u64, left: u64, out: &mut dyn Write) -> Result<()> {
    match cut {
        0 => writeln!(out, "drained")?,
        _ => writeln!(out, "drained, but at the deadline {cut} active connections were cut")?,
    }
    if left > 0
        && std::fs::read_to_string("/proc/sys/net/ipv4/vs/expire_nodest_conn").is_ok_and(|text| text.trim() == "0")
    {
        writeln!(
            out,
            "what clients send on {left} flows that are left is dropped until they time out; \
             `sysctl -w net.ipv4.vs.expire_nodest_conn=1` ends them at once"
        )?;
    }
    Ok(())
}
