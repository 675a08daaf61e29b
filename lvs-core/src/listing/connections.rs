use std::io::{self, Write};
use std::net::IpAddr;

use super::cells::push_endpoint;
use super::options::{ListingOptions, Style};
use crate::digits::Text;
use crate::model::{Connection, ConnectionTarget, EngineData, Protocol};

/// A list of connections, as `ipvsadm -L -c` prints it. Mode, sorting and exactness do not matter
/// to it.
///
/// ```
/// use lvs_core::listing::{ConnectionListing, ListingOptions};
/// use lvs_core::procfs::parse_connection;
///
/// let mut text = Vec::new();
/// let mut listing = ConnectionListing::new(&mut text, ListingOptions::new(), false)?;
/// listing.write(&parse_connection(b"TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899")?)?;
/// assert_eq!(
///     String::from_utf8(text)?,
///     "IPVS connection entries\n\
///      pro expire state       source             virtual            destination\n\
///      TCP 14:59  ESTABLISHED 203.0.113.5:60528  192.0.2.1:80       198.51.100.7:8080\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ConnectionListing<'a, W> {
    out: W,
    options: ListingOptions<'a>,
    engines: bool,
    line: Text,
}

/// Columns of an address with its port.
const NAME_WIDTH: usize = 18;

impl<'a, W: Write> ConnectionListing<'a, W> {
    /// Writes the two lines that come first; `engines` shows data of persistence engines, as with
    /// `--persistent-conn`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W, options: ListingOptions<'a>, engines: bool) -> io::Result<Self> {
        out.write_all(b"IPVS connection entries\n")?;
        out.write_all(b"pro expire state       source             virtual            destination")?;
        out.write_all(if engines { b"        pe name          pe_data\n" } else { b"\n" })?;
        Ok(Self { out, options, engines, line: Text::new() })
    }

    /// Writes the line of a connection.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write(&mut self, connection: &Connection<'_>) -> io::Result<()> {
        let protocol = connection.protocol;
        self.line.clear();
        match protocol {
            Protocol::Tcp => self.line.push_str("TCP"),
            Protocol::Udp => self.line.push_str("UDP"),
            Protocol::Sctp => self.line.push_str("SCTP"),
            Protocol::Other(0) => self.line.push_str("IP"),
            Protocol::Other(1) => self.line.push_str("ICMP"),
            Protocol::Other(58) => self.line.push_str("ICMPv6"),
            Protocol::Other(number) => self.line.push(format_args!("IP_{number}")),
        }
        self.line.pad(3);
        self.line.push_str(" ");
        let start = self.line.len();
        self.line.push(format_args!("{:02}:{:02}", connection.expires / 60, connection.expires % 60));
        self.line.pad(start + 6);
        self.line.push(format_args!(" {:<11} ", connection.state_name()));
        self.push_endpoint((connection.client_addr, connection.client_port), protocol, NAME_WIDTH);
        self.line.push_str(" ");
        self.push_target(connection);
        self.line.push_str(" ");
        let data = connection.engine.filter(|_| self.engines).and_then(|engine| self.shown_data(engine));
        let width = if data.is_some() { 16 } else { 0 };
        self.push_endpoint((connection.destination_addr, connection.destination_port), protocol, width);
        if let Some((engine, data)) = data {
            self.line.push(format_args!(" {engine:<18} "));
            self.out.write_all(self.line.as_bytes())?;
            match self.options.style {
                Style::Ipvsadm => self.out.write_all(data)?,
                Style::Fixed => write!(self.out, "{}", data.escape_ascii())?,
            }
            return self.out.write_all(b"\n");
        }
        self.line.push_str("\n");
        self.out.write_all(self.line.as_bytes())
    }

    /// Hands the output back.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// What is shown of engine data, if anything.
    ///
    /// `ipvsadm` shows the first word. Of a long one it dies.
    // DIFFERENCE: we show it.
    fn shown_data<'e>(&self, engine: EngineData<'e>) -> Option<(&'e str, &'e [u8])> {
        let data = match self.options.style {
            Style::Ipvsadm => {
                // What sscanf("%s") of C takes: blanks passed over, up to the next blank or NUL.
                let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
                let start = engine.data.iter().position(|byte| !blank(byte)).unwrap_or(engine.data.len());
                let word = &engine.data[start..];
                &word[..word.iter().position(|byte| blank(byte) || *byte == 0).unwrap_or(word.len())]
            }
            Style::Fixed => engine.data,
        };
        (!data.is_empty() || self.options.style == Style::Fixed).then_some((engine.engine, data))
    }

    fn push_target(&mut self, connection: &Connection<'_>) {
        let start = self.line.len();
        if let ConnectionTarget::Fwmark(mark) = connection.target
            && self.options.style == Style::Fixed
        {
            self.line.push(format_args!("fwmark:{mark}"));
            return self.line.pad(start + NAME_WIDTH);
        }
        // ipvsadm takes a mark for an address.
        let endpoint = connection.target_columns();
        self.push_endpoint(endpoint, connection.protocol, NAME_WIDTH);
    }

    fn push_endpoint(&mut self, endpoint: (IpAddr, u16), protocol: Protocol, width: usize) {
        let start = self.line.len();
        push_endpoint(&mut self.line, &self.options, endpoint, protocol, usize::MAX);
        self.line.pad(start + width);
    }
}
