//! A picture of each scheduler at work: who gets which connection, connection by connection.
//!
//! ```text
//! cargo run -p lvs-sim --bin picks -- DIRECTORY
//! ```
//!
//! Writes `NAME.svg` for each scheduler, drawn from the embedded director's choices. Three servers
//! of weights 3, 2, 1; clients a to h open connections in a fixed order that looks random, one a
//! second, each for twelve seconds. In the middle the first server is quiesced, later it is back.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, Flow};
use lvs_core::model::{Destination, DestinationKey, Service, ServiceKey};
use lvs_core::schedulers::SCHEDULERS;

const WEIGHTS: [u32; 3] = [3, 2, 1];
const CONNECTIONS: usize = 42;
const LASTS: usize = 12;
const QUIESCED: usize = 18;
const BACK: usize = 30;
const CLIENTS: u32 = 8;

/// Told apart by people with any colour vision (Okabe and Ito).
const COLOURS: [&str; CLIENTS as usize] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f"];
const CELL: f64 = 16.0;
const LEFT: f64 = 104.0;
const TOP: f64 = 34.0;

/// One connection: whose, and the row of the server that has it.
struct Pick {
    client: u32,
    server: Option<usize>,
}

fn server(row: usize) -> DestinationKey {
    DestinationKey::new([198, 51, 100, 7 + row as u8].into(), 80)
}

/// Whose the connection is: no pattern that a scheduler could fall in step with.
fn client(connection: usize) -> u32 {
    (connection as u32).wrapping_mul(2_654_435_761).rotate_left(9) % CLIENTS
}

/// dh, lblc and lblcr go by the address that is asked for, as caches do: there the clients are
/// addresses.
fn by_address(scheduler: &str) -> bool {
    matches!(scheduler, "dh" | "lblc" | "lblcr")
}

fn flow(scheduler: &str, connection: usize) -> Flow {
    let host = client(connection) as u8 + 1;
    let port = 40_000 + connection as u16;
    let from = |host| SocketAddr::from(([203, 0, 113, host], port));
    match by_address(scheduler) {
        true => Flow::tcp(from(1), SocketAddr::from(([192, 0, 2, host], 80))).with_mark(7),
        false => Flow::tcp(from(host), SocketAddr::from(([192, 0, 2, 1], 80))),
    }
}

fn picks(scheduler: &str) -> lvs_core::Result<Vec<Pick>> {
    let key = if by_address(scheduler) { "fwmark:7".parse()? } else { ServiceKey::tcp("192.0.2.1", 80)? };
    let mut director = EmbeddedDirector::new();
    director.add_service(&Service::new(key).with_scheduler(scheduler.parse()?))?;
    let destination = |row: usize, weight| Destination::with_key(server(row)).with_weight(weight);
    for (row, weight) in WEIGHTS.into_iter().enumerate().rev() {
        director.add_destination(&key, &destination(row, weight))?;
    }
    let mut picks = Vec::new();
    for connection in 0..CONNECTIONS {
        director.advance(Duration::from_secs(1));
        if connection >= LASTS {
            director.close(&flow(scheduler, connection - LASTS));
        }
        if connection == QUIESCED {
            director.update_destination(&key, &destination(0, 0))?;
        }
        if connection == BACK {
            director.update_destination(&key, &destination(0, WEIGHTS[0]))?;
        }
        let chosen = director.open(&flow(scheduler, connection)).destination();
        let server = chosen.and_then(|chosen| (0..WEIGHTS.len()).find(|&row| server(row) == chosen));
        picks.push(Pick { client: client(connection), server });
    }
    Ok(picks)
}

fn draw(scheduler: &str, picks: &[Pick]) -> String {
    let width = LEFT + CELL * CONNECTIONS as f64 + 8.0;
    let height = TOP + CELL * WEIGHTS.len() as f64 + 26.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"11\">\n<title>{scheduler}</title>\n\
         <style>text{{fill:#555}} .c{{fill:#fff}} .g{{fill:#8882}} @media (prefers-color-scheme: dark){{text{{fill:#bbb}}}}</style>\n"
    );
    let mut text = |x: f64, y: f64, style: &str, content: &str| {
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" {style}>{content}</text>");
    };
    for (row, weight) in WEIGHTS.into_iter().enumerate() {
        text(4.0, TOP + CELL * row as f64 + 12.0, "", &format!("server {} (weight {weight})", row + 1));
    }
    let column = |connection: usize| LEFT + CELL * connection as f64;
    text(column(QUIESCED) + 3.0, 14.0, "", "server 1: weight 0");
    text(column(BACK) + 3.0, 14.0, "", "server 1: weight 3");
    let below = TOP + CELL * WEIGHTS.len() as f64;
    let whose = if by_address(scheduler) { "letters: addresses asked for" } else { "letters: clients" };
    text(LEFT, below + 16.0, "", &format!("new connections, one after the other; {whose}"));
    for row in 0..WEIGHTS.len() {
        let (y, long) = (TOP + CELL * row as f64, CELL * CONNECTIONS as f64);
        let _ = writeln!(svg, "<rect class=\"g\" x=\"{LEFT}\" y=\"{y}\" width=\"{long}\" height=\"{}\"/>", CELL - 1.0);
    }
    for connection in [QUIESCED, BACK] {
        let x = column(connection);
        let _ = writeln!(svg, "<path d=\"M{x},4 V{below}\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>");
    }
    for (connection, pick) in picks.iter().enumerate() {
        let Some(row) = pick.server else { continue };
        let (x, y) = (column(connection), TOP + CELL * row as f64);
        let (side, colour) = (CELL - 1.0, COLOURS[pick.client as usize]);
        let _ =
            writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" rx=\"2\" fill=\"{colour}\"/>");
        let letter = char::from(b'a' + pick.client as u8);
        let _ = writeln!(
            svg,
            "<text class=\"c\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{letter}</text>",
            x + side / 2.0,
            y + 11.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("which directory?")?;
    std::fs::create_dir_all(&directory)?;
    for info in &SCHEDULERS {
        std::fs::write(Path::new(&directory).join(format!("{}.svg", info.name)), draw(info.name, &picks(info.name)?))?;
    }
    Ok(())
}
