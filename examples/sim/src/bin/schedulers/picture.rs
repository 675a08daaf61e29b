//! The picture: one panel a scheduler, best balance first.

use std::fmt::Write as _;

use lvs_sim::Sample;

use super::{FAILS, LASTS, RETURNS, Result, WEIGHTS};

const WIDTH: f64 = 1400.0;
const COLUMNS: usize = 4;
const PANEL: (f64, f64) = (310.0, 150.0);
const GAP: (f64, f64) = (34.0, 74.0);
const ORIGIN: (f64, f64) = (46.0, 218.0);
/// The highest load that is drawn, in fair parts.
const TOP: f64 = 3.0;
/// Told apart by people with any colour vision (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

pub(super) fn draw(results: &[Result]) -> String {
    let rows = results.len().div_ceil(COLUMNS);
    let height = ORIGIN.1 + rows as f64 * (PANEL.1 + GAP.1) + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    head(&mut svg, results);
    for (at, result) in results.iter().enumerate() {
        let x = ORIGIN.0 + (at % COLUMNS) as f64 * (PANEL.0 + GAP.0);
        let y = ORIGIN.1 + (at / COLUMNS) as f64 * (PANEL.1 + GAP.1);
        panel(&mut svg, result, x, y);
    }
    let left = results.len() % COLUMNS;
    if left != 0 {
        let x = ORIGIN.0 + left as f64 * (PANEL.0 + GAP.0);
        legend(&mut svg, x, ORIGIN.1 + (rows - 1) as f64 * (PANEL.1 + GAP.1));
    }
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, x: f64, y: f64, style: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{content}</text>");
}

fn head(svg: &mut String, results: &[Result]) {
    text(svg, 20.0, 40.0, "font-size=\"26\" font-weight=\"bold\"", "Which scheduler should I use?");
    let weights: Vec<String> = WEIGHTS.iter().map(u32::to_string).collect();
    let setup = format!(
        "Six servers of weights {}; 60 connections a second, half of them shorter than 4 s and some very long, from 3000 clients. \
         The second server fails after {} s and is back after {} s.",
        weights.join(", "),
        FAILS.as_secs(),
        RETURNS.as_secs()
    );
    text(svg, 20.0, 64.0, "", &setup);
    let Some(even) = results.first() else { return };
    let loyal = results
        .iter()
        .filter(|result| result.imbalance < 2.0 && result.report.refused == 0)
        .max_by(|a, b| a.loyal.total_cmp(&b.loyal));
    let advice = format!(
        "If any server will do for any client: {} kept the load most even here ({:.2}x at most, nine times out of ten).",
        even.name, even.imbalance
    );
    text(svg, 20.0, 96.0, "font-size=\"15\"", &advice);
    if let Some(loyal) = loyal {
        let advice = format!(
            "If clients should find their server again: {} kept {:.0} % of them on one, and a change of the set moved {:.1} % \
             without need.",
            loyal.name, loyal.loyal, loyal.moved
        );
        text(svg, 20.0, 118.0, "font-size=\"15\"", &advice);
    }
    let note = "dh, lblc, lblcr choose by the address asked for (made for caches): one address, few servers. fo and ovf fill one \
                server before the next, on purpose; to ovf a weight is the number of connections that a server takes.";
    text(svg, 20.0, 144.0, "fill=\"#666\"", note);
    let surprise = "After its return the schedulers that count connections spare the second server: the kernel still counts those that \
                    it had when it failed, until they time out.";
    text(svg, 20.0, 162.0, "fill=\"#666\"", surprise);
}

fn x_of(x: f64, sample: &Sample) -> f64 {
    x + PANEL.0 * sample.time.as_secs_f64() / LASTS.as_secs_f64()
}

fn y_of(y: f64, load: f64) -> f64 {
    y + PANEL.1 * (1.0 - load.min(TOP) / TOP)
}

/// Sessions of a server against its fair part.
fn load(sample: &Sample, server: usize) -> Option<f64> {
    let in_service = || sample.sessions.iter().zip(&sample.weights).filter(|(_, weight)| **weight > 0);
    let sessions: u32 = in_service().map(|(sessions, _)| sessions).sum();
    let weights: u32 = in_service().map(|(_, weight)| weight).sum();
    let own = sample.weights[server];
    if own == 0 || sessions == 0 {
        return None;
    }
    Some(f64::from(sample.sessions[server]) / f64::from(own) / (f64::from(sessions) / f64::from(weights)))
}

fn panel(svg: &mut String, result: &Result, x: f64, y: f64) {
    let (width, height) = PANEL;
    text(svg, x, y - 24.0, "font-size=\"15\" font-weight=\"bold\"", result.name);
    let after_name = x + 12.0 + 10.0 * result.name.len() as f64;
    // A long one is cut, and stands whole in the manual.
    let fits = 38;
    let title: String = result.title.chars().take(fits).collect();
    let ellipsis = if result.title.chars().count() > fits { "…" } else { "" };
    text(svg, after_name, y - 24.0, "fill=\"#666\" font-size=\"11\"", &format!("{title}{ellipsis}"));
    let figures = format!(
        "imbalance {:.2}x · moved {:.1} % · loyal {:.0} % · refused {}",
        result.imbalance, result.moved, result.loyal, result.report.refused
    );
    text(svg, x, y - 8.0, "font-size=\"11\"", &figures);
    let at = |seconds: f64| x + width * seconds / LASTS.as_secs_f64();
    let (from, to) = (at(FAILS.as_secs_f64()), at(RETURNS.as_secs_f64()));
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"#fafafa\" stroke=\"#bbb\"/>\n\
         <rect x=\"{from:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{height}\" fill=\"#eee\"/>\n\
         <line x1=\"{x}\" x2=\"{:.1}\" y1=\"{fair:.1}\" y2=\"{fair:.1}\" stroke=\"#888\" stroke-dasharray=\"4 3\"/>",
        to - from,
        x + width,
        fair = y_of(y, 1.0),
    );
    for mark in [0, 1, 2, 3] {
        let style = "text-anchor=\"end\" font-size=\"10\" fill=\"#666\"";
        text(svg, x - 4.0, y_of(y, f64::from(mark)) + 3.5, style, &format!("{mark}x"));
    }
    for (server, colour) in COLOURS.iter().enumerate() {
        // A server that is away has no line.
        let mut path = String::new();
        let mut pen_down = false;
        for sample in &result.report.samples {
            let Some(load) = load(sample, server) else {
                pen_down = false;
                continue;
            };
            let _ = write!(path, "{}{:.1} {:.1}", if pen_down { "L" } else { "M" }, x_of(x, sample), y_of(y, load));
            pen_down = true;
        }
        let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.4\"/>");
    }
}

fn legend(svg: &mut String, x: f64, y: f64) {
    text(svg, x, y - 24.0, "font-size=\"15\" font-weight=\"bold\"", "How to read this");
    let lines = [
        "Each line is a server: its sessions over ten minutes, against",
        "its fair part by weight (dashed; above 3x it is cut off).",
        "Grey: the second server is away.",
        "imbalance: load of the fullest server, not exceeded 9 times of 10",
        "moved: returning clients that were sent elsewhere without need",
        "loyal: clients that had one server all the time",
    ];
    for (at, line) in lines.iter().enumerate() {
        text(svg, x, y - 6.0 + 17.0 * at as f64, "font-size=\"11\"", line);
    }
    for (server, colour) in COLOURS.iter().enumerate() {
        let column = x + 105.0 * (server % 3) as f64;
        let row = y + 106.0 + 20.0 * (server / 3) as f64;
        let _ = writeln!(
            svg,
            "<line x1=\"{column}\" x2=\"{:.1}\" y1=\"{row}\" y2=\"{row}\" stroke=\"{colour}\" stroke-width=\"3\"/>",
            column + 22.0
        );
        text(svg, column + 27.0, row + 4.0, "font-size=\"11\"", &format!("weight {}", WEIGHTS[server]));
    }
}
