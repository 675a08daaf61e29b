//! The state machines of TCP, UDP and SCTP (`ip_vs_proto_tcp.c`, `ip_vs_proto_udp.c`,
//! `ip_vs_proto_sctp.c`).

use crate::model::{self, ConnectionState, Protocol};

/// Which way a packet goes, as the tables have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    /// From the client, whose replies pass the director.
    Input = 0,
    /// From the real server.
    Output = 1,
    /// From the client, whose replies don't pass the director.
    InputOnly = 2,
}

/// What a packet means to a state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A TCP segment's row of the table, or nothing if none of its flags counts.
    Tcp(Option<u8>),
    /// A UDP datagram.
    Udp,
    /// An SCTP packet's row of the table.
    Sctp(u8),
}

/// Bit 0 of a template's state: a connection has confirmed it.
pub(crate) struct TemplateState;

impl TemplateState {
    pub(crate) const ASSURED: u8 = 1;
}

/// TCP states, rows and tables.
pub(crate) mod tcp {
    pub(crate) const ESTABLISHED: u8 = ES;
    pub(crate) const SYN_RECV: u8 = SR;
    pub(crate) const SYN_ACK: u8 = SA;
    pub(crate) const FIN_WAIT: u8 = FW;
    pub(crate) const TIME_WAIT: u8 = TW;
    pub(crate) const CLOSE: u8 = CL;

    pub(crate) const SYN: u8 = 0;
    pub(crate) const FIN: u8 = 1;
    pub(crate) const ACK: u8 = 2;
    pub(crate) const RST: u8 = 3;

    const ES: u8 = 1;
    const SS: u8 = 2;
    const SR: u8 = 3;
    const FW: u8 = 4;
    const TW: u8 = 5;
    const CL: u8 = 6;
    const CW: u8 = 7;
    const LA: u8 = 8;
    const LI: u8 = 9;
    const SA: u8 = 10;

    /// Seconds, by state.
    pub(super) const TIMEOUTS: [u32; 11] = [2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120];
    /// States in which a connection counts as active.
    pub(super) const ACTIVE: u16 = 1 << ES | 1 << SS | 1 << SR | 1 << SA;

    pub(super) type Table = [[[u8; 11]; 4]; 3];

    /// By leg, row and state.
    #[rustfmt::skip]
    pub(super) const PLAIN: Table = [
        [
            // NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
            [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR],
            [CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW],
            [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
            [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR],
        ],
        [
            [SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR],
            [TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW],
            [ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES],
            [CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL],
        ],
        [
            [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR],
            [CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW],
            [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
            [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL],
        ],
    ];

    /// The same under `secure_tcp`.
    #[rustfmt::skip]
    pub(super) const SECURE: Table = [
        [
            // NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
            [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SA],
            [CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, SA],
            [ES, ES, SS, SR, FW, TW, CL, CW, CL, LI, SA],
            [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL],
        ],
        [
            [SS, ES, SS, SA, SS, SS, SS, SS, SS, LI, SA],
            [TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW],
            [ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES],
            [CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL],
        ],
        [
            [SA, ES, ES, SR, SA, SA, SA, SA, SA, SA, SA],
            [CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW],
            [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
            [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL],
        ],
    ];
}

/// SCTP states, rows and tables.
pub(crate) mod sctp {
    pub(crate) const ESTABLISHED: u8 = ES;
    pub(crate) const INIT1: u8 = I1;
    pub(crate) const INIT: u8 = IN;
    pub(crate) const CLOSED: u8 = CL;

    const I1: u8 = 1;
    const IN: u8 = 2;
    const CS: u8 = 3;
    const CR: u8 = 4;
    const CW: u8 = 5;
    const CO: u8 = 6;
    const CE: u8 = 7;
    const ES: u8 = 8;
    const SS: u8 = 9;
    const SR: u8 = 10;
    const SA: u8 = 11;
    const RJ: u8 = 12;
    const CL: u8 = 13;

    /// Seconds, by state.
    pub(super) const TIMEOUTS: [u32; 14] = [2, 4, 61, 61, 61, 61, 61, 61, 900, 61, 61, 61, 4, 61];
    /// States in which a connection counts as active.
    pub(super) const ACTIVE: u16 = 1 << ES;

    /// By leg, row and state. Rows: data, INIT, INIT-ACK, COOKIE-ECHO, COOKIE-ACK, SHUTDOWN,
    /// SHUTDOWN-ACK, SHUTDOWN-COMPLETE, ERROR, ABORT.
    #[rustfmt::skip]
    pub(super) const TABLE: [[[u8; 14]; 10]; 3] = [
        [
            [ES, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL],
            [I1, IN, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, IN, IN],
            [CW, CW, CW, CS, CR, CO, CO, CE, ES, SS, SR, SA, RJ, CL],
            [CR, IN, IN, CR, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL],
            [ES, I1, IN, CS, CR, CW, CO, ES, ES, SS, SR, SA, RJ, CL],
            [SR, I1, IN, CS, CR, CW, CO, CE, SR, SS, SR, SA, RJ, CL],
            [CL, IN, IN, CS, CR, CW, CO, CE, ES, CL, SR, CL, RJ, CL],
            [CL, CL, CL, CS, CR, CW, CO, CE, ES, SS, SR, CL, RJ, CL],
            [CL, I1, IN, CS, CR, CW, CO, CL, ES, SS, SR, SA, RJ, CL],
            [CL, CL, CL, CL, CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL],
        ],
        [
            [ES, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL],
            [CW, CW, CW, CW, CW, CW, CW, CW, ES, CW, CW, CW, CW, CW],
            [CS, CS, CS, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL],
            [CE, CE, CE, CE, CE, CE, CE, CE, ES, SS, SR, SA, RJ, CL],
            [ES, ES, ES, ES, ES, ES, ES, ES, ES, SS, SR, SA, RJ, CL],
            [SS, SS, SS, SS, SS, SS, SS, SS, SS, SS, SR, SA, RJ, CL],
            [SA, SA, SA, SA, SA, CW, CO, CE, ES, SA, SA, SA, RJ, CL],
            [CL, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL],
            [CL, CL, CL, CL, CL, CW, CO, CE, ES, SS, SR, SA, RJ, CL],
            [CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL],
        ],
        [
            [ES, I1, IN, CS, CR, ES, CO, CE, ES, SS, SR, SA, RJ, CL],
            [I1, IN, IN, IN, IN, IN, CO, CE, ES, SS, SR, SA, IN, IN],
            [CE, CE, CE, CE, CE, CE, CO, CE, ES, SS, SR, SA, RJ, CL],
            [ES, ES, ES, ES, ES, ES, CO, CE, ES, SS, SR, SA, RJ, CL],
            [ES, I1, IN, ES, ES, CW, ES, ES, ES, SS, SR, SA, RJ, CL],
            [SR, I1, IN, CS, CR, CW, CO, CE, SR, SS, SR, SA, RJ, CL],
            [CL, IN, IN, CS, CR, CW, CO, CE, CL, CL, SR, CL, RJ, CL],
            [CL, CL, CL, CL, CL, CW, CO, CE, ES, SS, CL, CL, RJ, CL],
            [CL, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL],
            [CL, CL, CL, CL, CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL],
        ],
    ];
}

/// Whether a connection in this state counts as active.
#[inline]
pub(crate) const fn is_active(event: Event, state: u8) -> bool {
    let active = match event {
        Event::Tcp(_) => tcp::ACTIVE,
        Event::Udp => 0,
        Event::Sctp(_) => sctp::ACTIVE,
    };
    active >> state & 1 != 0
}

/// How long each state lasts, in ticks.
#[derive(Debug, Clone)]
struct Timeouts {
    tcp: [u32; 11],
    sctp: [u32; 14],
    udp: u32,
}

impl Timeouts {
    fn new(set: model::Timeouts, hz: u64) -> Self {
        let mut tcp = tcp::TIMEOUTS;
        tcp[usize::from(tcp::ESTABLISHED)] = set.tcp;
        tcp[usize::from(tcp::FIN_WAIT)] = set.tcp_fin;
        let ticks = |seconds: u32| seconds.saturating_mul(hz as u32);
        Self { tcp: tcp.map(ticks), sctp: sctp::TIMEOUTS.map(ticks), udp: ticks(set.udp) }
    }
}

/// The state machines in force.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    tcp: &'static tcp::Table,
    timeouts: Timeouts,
}

impl Machine {
    pub(crate) fn new(set: model::Timeouts, secure: bool, hz: u64) -> Self {
        Self { tcp: if secure { &tcp::SECURE } else { &tcp::PLAIN }, timeouts: Timeouts::new(set, hz) }
    }

    /// The next state and how long it lasts.
    #[inline]
    pub(crate) fn next(&self, leg: Leg, event: Event, state: u8) -> (u8, u32) {
        let from = usize::from(state);
        match event {
            Event::Tcp(row) => {
                let state = row.map_or(tcp::CLOSE, |row| self.tcp[leg as usize][usize::from(row)][from]);
                (state, self.timeouts.tcp[usize::from(state)])
            }
            Event::Udp => (0, self.timeouts.udp),
            Event::Sctp(row) => {
                let state = sctp::TABLE[leg as usize][usize::from(row)][from];
                (state, self.timeouts.sctp[usize::from(state)])
            }
        }
    }
}

/// What the director shows of a state number.
pub(crate) fn state_name(protocol: Protocol, template: bool, state: u8) -> ConnectionState {
    use ConnectionState as S;
    const TCP: [S; 11] = [
        S::None,
        S::Established,
        S::SynSent,
        S::SynRecv,
        S::FinWait,
        S::TimeWait,
        S::Close,
        S::CloseWait,
        S::LastAck,
        S::Listen,
        S::SynAck,
    ];
    const SCTP: [S; 14] = [
        S::None,
        S::Init1,
        S::Init,
        S::CookieSent,
        S::CookieReplied,
        S::CookieWait,
        S::Cookie,
        S::CookieEchoed,
        S::Established,
        S::ShutdownSent,
        S::ShutdownReceived,
        S::ShutdownAckSent,
        S::Rejected,
        S::Closed,
    ];
    let at = usize::from(state);
    match protocol {
        _ if template => {
            if state & TemplateState::ASSURED != 0 {
                S::Assured
            } else {
                S::None
            }
        }
        Protocol::Tcp => TCP.get(at).copied().unwrap_or(S::Unknown),
        Protocol::Sctp => SCTP.get(at).copied().unwrap_or(S::Unknown),
        Protocol::Udp if state == 0 => S::Udp,
        _ => S::Unknown,
    }
}
