//! The options of the language: spelling, argument, and which commands take them.

use std::fmt;

/// The commands, by the names that ipvsadm's messages use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// `-A`
    AddService,
    /// `-E`
    EditService,
    /// `-D`
    DeleteService,
    /// `-C`
    Flush,
    /// `-L`, `-l`
    List,
    /// `-a`
    AddServer,
    /// `-e`
    EditServer,
    /// `-d`
    DeleteServer,
    /// `--set`
    Set,
    /// `--start-daemon`
    StartDaemon,
    /// `--stop-daemon`
    StopDaemon,
    /// `-R`
    Restore,
    /// `-S`
    Save,
    /// `-Z`
    Zero,
    /// `-h`
    Help,
    /// `-v`
    Version,
}

impl Verb {
    /// The name in messages: `add-service`, `flush`, `list`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddService => "add-service",
            Self::EditService => "edit-service",
            Self::DeleteService => "delete-service",
            Self::Flush => "flush",
            Self::List => "list",
            Self::AddServer => "add-server",
            Self::EditServer => "edit-server",
            Self::DeleteServer => "delete-server",
            Self::Set => "set",
            Self::StartDaemon => "start-daemon",
            Self::StopDaemon => "stop-daemon",
            Self::Restore => "restore",
            Self::Save => "save",
            Self::Zero => "zero",
            Self::Help => "help",
            Self::Version => "version",
        }
    }

    /// The usual spelling: `-A`, `--set`.
    pub const fn spelling(self) -> &'static str {
        match self {
            Self::AddService => "-A",
            Self::EditService => "-E",
            Self::DeleteService => "-D",
            Self::Flush => "-C",
            Self::List => "-L",
            Self::AddServer => "-a",
            Self::EditServer => "-e",
            Self::DeleteServer => "-d",
            Self::Set => "--set",
            Self::StartDaemon => "--start-daemon",
            Self::StopDaemon => "--stop-daemon",
            Self::Restore => "-R",
            Self::Save => "-S",
            Self::Zero => "-Z",
            Self::Help => "-h",
            Self::Version => "-v",
        }
    }

    /// Options that the command takes, as bits of [`Group`].
    pub(crate) const fn takes(self) -> u64 {
        use Group as G;
        const SERVICE: u64 = G::Service.bit();
        const SERVICE_OPTIONS: u64 = SERVICE
            | G::Scheduler.bit()
            | G::Persistent.bit()
            | G::Netmask.bit()
            | G::Ops.bit()
            | G::Engine.bit()
            | G::SchedFlags.bit()
            | G::Extended.bit();
        const SERVER: u64 = SERVICE | G::RealServer.bit();
        const SERVER_OPTIONS: u64 = SERVER
            | G::Forward.bit()
            | G::Weight.bit()
            | G::Upper.bit()
            | G::Lower.bit()
            | G::TunType.bit()
            | G::TunPort.bit()
            | G::TunNoCsum.bit()
            | G::TunCsum.bit()
            | G::TunRemCsum.bit()
            | G::Extended.bit();
        match self {
            Self::AddService | Self::EditService => SERVICE_OPTIONS,
            Self::DeleteService | Self::Zero => SERVICE | G::Extended.bit(),
            Self::AddServer | Self::EditServer => SERVER_OPTIONS,
            Self::DeleteServer => SERVER | G::Extended.bit(),
            // Measured: -L takes --syncid, too.
            Self::List => {
                SERVICE
                    | G::Numeric.bit()
                    | G::Connection.bit()
                    | G::Timeout.bit()
                    | G::Daemon.bit()
                    | G::Stats.bit()
                    | G::Rate.bit()
                    | G::Thresholds.bit()
                    | G::PersistentConn.bit()
                    | G::NoSort.bit()
                    | G::SyncId.bit()
                    | G::Exact.bit()
                    | G::TunInfo.bit()
            }
            Self::StartDaemon => {
                G::Interface.bit()
                    | G::SyncId.bit()
                    | G::McastGroup.bit()
                    | G::McastPort.bit()
                    | G::McastTtl.bit()
                    | G::MaxLen.bit()
            }
            Self::StopDaemon => G::SyncId.bit(),
            Self::Save => G::Numeric.bit(),
            Self::Flush | Self::Set | Self::Restore => 0,
            Self::Help | Self::Version => u64::MAX,
        }
    }

    /// Options that the command needs, as bits of [`Group`].
    pub(crate) const fn needs(self) -> u64 {
        match self {
            Self::AddService | Self::EditService | Self::DeleteService => Group::Service.bit(),
            Self::AddServer | Self::EditServer | Self::DeleteServer => Group::Service.bit() | Group::RealServer.bit(),
            _ => 0,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.spelling())
    }
}

macro_rules! groups {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// An option, or several spellings that exclude one another, in the order in which ipvsadm checks them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Group { $(#[doc = concat!("`", $name, "`")] $variant),* }

        impl Group {
            /// All, in the order in which ipvsadm checks them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in messages: `service-address`, `forwarding-method`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

groups! {
    Numeric = "numeric", Connection = "connection", Service = "service-address", Scheduler = "scheduler",
    Persistent = "persistent", Netmask = "netmask", RealServer = "real-server", Forward = "forwarding-method",
    Weight = "weight", Upper = "u-threshold", Lower = "l-threshold", Interface = "mcast-interface",
    Timeout = "timeout", Daemon = "daemon", Stats = "stats", Rate = "rate", Thresholds = "thresholds",
    PersistentConn = "persistent-conn", NoSort = "nosort", SyncId = "syncid", Exact = "exact", Ops = "ops",
    Engine = "pe", SchedFlags = "sched-flags", McastGroup = "mcast-group", McastPort = "mcast-port",
    McastTtl = "mcast-ttl", MaxLen = "sync-maxlen", TunInfo = "tun-info", TunType = "tun-type",
    TunPort = "tun-port", TunNoCsum = "tun-nocsum", TunCsum = "tun-csum", TunRemCsum = "tun-remcsum",
    Flags = "flags", Duration = "duration", TunFlags = "tun-flags", Extended = "extended",
}

impl Group {
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Options that only extended lines know; ipvsadm has no name for them.
    pub(crate) const EXTENDED: u64 = Self::Flags.bit() | Self::Duration.bit() | Self::TunFlags.bit();

    /// How a user would write it.
    pub(crate) const fn spelling(self) -> &'static str {
        match self {
            Self::Numeric => "-n",
            Self::Connection => "-c",
            Self::Service => "-t, -u, --sctp-service or -f",
            Self::Scheduler => "-s",
            Self::Persistent => "-p",
            Self::Netmask => "-M",
            Self::RealServer => "-r",
            Self::Forward => "-g, -i or -m",
            Self::Weight => "-w",
            Self::Upper => "-x",
            Self::Lower => "-y",
            Self::Interface => "--mcast-interface",
            Self::Timeout => "--timeout",
            Self::Daemon => "--daemon",
            Self::Stats => "--stats",
            Self::Rate => "--rate",
            Self::Thresholds => "--thresholds",
            Self::PersistentConn => "--persistent-conn",
            Self::NoSort => "--nosort",
            Self::SyncId => "--syncid",
            Self::Exact => "--exact",
            Self::Ops => "-o",
            Self::Engine => "--pe",
            Self::SchedFlags => "-b",
            Self::McastGroup => "--mcast-group",
            Self::McastPort => "--mcast-port",
            Self::McastTtl => "--mcast-ttl",
            Self::MaxLen => "--sync-maxlen",
            Self::TunInfo => "--tun-info",
            Self::TunType => "--tun-type",
            Self::TunPort => "--tun-port",
            Self::TunNoCsum => "--tun-nocsum",
            Self::TunCsum => "--tun-csum",
            Self::TunRemCsum => "--tun-remcsum",
            Self::Flags => "--flags",
            Self::Duration => "--duration",
            Self::TunFlags => "--tun-flags",
            Self::Extended => "an option of extended lines",
        }
    }

    /// What its argument is.
    pub(crate) const fn argument(self) -> &'static str {
        match self {
            Self::Service => "a virtual service",
            Self::Scheduler => "a scheduler name",
            Self::Persistent | Self::Duration => "a number of seconds",
            Self::Netmask => "a netmask",
            Self::RealServer => "a real server",
            Self::Forward => "a forwarding method",
            Self::Weight => "a weight",
            Self::Upper | Self::Lower => "a number of connections",
            Self::Interface => "an interface name",
            Self::SyncId => "a number",
            Self::Engine => "the name of a persistence engine",
            Self::SchedFlags => "scheduler flags",
            Self::McastGroup => "a multicast address",
            Self::McastPort | Self::TunPort => "a port",
            Self::McastTtl => "a time to live",
            Self::MaxLen => "a length",
            Self::TunType => "a tunnel type",
            Self::Flags | Self::TunFlags => "flag bits",
            _ => "an argument",
        }
    }
}

/// What an option does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Command(Verb),
    Tcp,
    Udp,
    Sctp,
    Fwmark,
    /// `--ip-service PROTOCOL:ADDRESS:PORT` of extended lines.
    AnyProtocol,
    Ipv6,
    Sort,
    Masquerade,
    Tunnel,
    Gateway,
    /// `--forwarding METHOD` of extended lines.
    Forwarding,
    /// Any other option: what it means follows from its group.
    Plain,
}

/// Whether an option has an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    Word,
    /// The next word unless it begins with `-`.
    MaybeWord,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Opt {
    pub(crate) action: Action,
    pub(crate) takes: Takes,
    /// Which repeats it counts with; of commands and the two options without a name in messages: none.
    pub(crate) group: Option<Group>,
}

const fn command(verb: Verb, takes: Takes) -> Opt {
    Opt { action: Action::Command(verb), takes, group: None }
}

const fn act(action: Action, takes: Takes, group: Group) -> Opt {
    Opt { action, takes, group: Some(group) }
}

const fn flag(group: Group) -> Opt {
    act(Action::Plain, Takes::Nothing, group)
}

const fn value(group: Group) -> Opt {
    act(Action::Plain, Takes::Word, group)
}

const IPV6: Opt = Opt { action: Action::Ipv6, takes: Takes::Nothing, group: None };
const SORT: Opt = Opt { action: Action::Sort, takes: Takes::Nothing, group: None };

/// The option of a letter.
#[inline]
pub(crate) fn short(letter: u8) -> Option<Opt> {
    use Takes::{MaybeWord, Nothing, Word};
    Some(match letter {
        b'A' => command(Verb::AddService, Nothing),
        b'E' => command(Verb::EditService, Nothing),
        b'D' => command(Verb::DeleteService, Nothing),
        b'C' => command(Verb::Flush, Nothing),
        b'L' | b'l' => command(Verb::List, Nothing),
        b'Z' => command(Verb::Zero, Nothing),
        b'a' => command(Verb::AddServer, Nothing),
        b'e' => command(Verb::EditServer, Nothing),
        b'd' => command(Verb::DeleteServer, Nothing),
        b'R' => command(Verb::Restore, Nothing),
        b'S' => command(Verb::Save, Nothing),
        b'h' => command(Verb::Help, Nothing),
        b'v' => command(Verb::Version, Nothing),
        b't' => act(Action::Tcp, Word, Group::Service),
        b'u' => act(Action::Udp, Word, Group::Service),
        b'f' => act(Action::Fwmark, Word, Group::Service),
        b's' => value(Group::Scheduler),
        b'p' => act(Action::Plain, MaybeWord, Group::Persistent),
        b'M' => value(Group::Netmask),
        b'r' => value(Group::RealServer),
        b'm' => act(Action::Masquerade, Nothing, Group::Forward),
        b'i' => act(Action::Tunnel, Nothing, Group::Forward),
        b'g' => act(Action::Gateway, Nothing, Group::Forward),
        b'w' => value(Group::Weight),
        b'x' => value(Group::Upper),
        b'y' => value(Group::Lower),
        b'c' => flag(Group::Connection),
        b'n' => flag(Group::Numeric),
        b'X' => flag(Group::Exact),
        b'6' => IPV6,
        b'o' => flag(Group::Ops),
        b'b' => value(Group::SchedFlags),
        _ => return None,
    })
}

/// The option of a long name.
pub(crate) fn long(name: &[u8], extended: bool) -> Option<Opt> {
    use Takes::{Nothing, Word};
    let letter = match name {
        b"add-service" => b'A',
        b"edit-service" => b'E',
        b"delete-service" => b'D',
        b"clear" => b'C',
        b"list" => b'L',
        b"zero" => b'Z',
        b"add-server" => b'a',
        b"edit-server" => b'e',
        b"delete-server" => b'd',
        b"restore" => b'R',
        b"save" => b'S',
        b"help" => b'h',
        b"version" => b'v',
        b"tcp-service" => b't',
        b"udp-service" => b'u',
        b"fwmark-service" => b'f',
        b"scheduler" => b's',
        b"persistent" => b'p',
        b"netmask" => b'M',
        b"real-server" => b'r',
        b"masquerading" => b'm',
        b"ipip" => b'i',
        b"gatewaying" => b'g',
        b"weight" => b'w',
        b"u-threshold" => b'x',
        b"l-threshold" => b'y',
        b"connection" => b'c',
        b"numeric" => b'n',
        b"exact" => b'X',
        b"ipv6" => b'6',
        b"ops" => b'o',
        b"sched-flags" => b'b',
        _ => 0,
    };
    if letter != 0 {
        return short(letter);
    }
    Some(match name {
        b"sctp-service" => act(Action::Sctp, Word, Group::Service),
        b"set" => command(Verb::Set, Nothing),
        b"start-daemon" => command(Verb::StartDaemon, Word),
        b"stop-daemon" => command(Verb::StopDaemon, Word),
        b"pe" => value(Group::Engine),
        b"tun-type" => value(Group::TunType),
        b"tun-port" => value(Group::TunPort),
        b"tun-nocsum" => flag(Group::TunNoCsum),
        b"tun-csum" => flag(Group::TunCsum),
        b"tun-remcsum" => flag(Group::TunRemCsum),
        b"timeout" => flag(Group::Timeout),
        b"daemon" => flag(Group::Daemon),
        b"stats" => flag(Group::Stats),
        b"rate" => flag(Group::Rate),
        b"thresholds" => flag(Group::Thresholds),
        b"persistent-conn" => flag(Group::PersistentConn),
        b"tun-info" => flag(Group::TunInfo),
        b"nosort" => flag(Group::NoSort),
        b"sort" => SORT,
        b"mcast-interface" => value(Group::Interface),
        b"syncid" => value(Group::SyncId),
        b"sync-maxlen" => value(Group::MaxLen),
        b"mcast-group" => value(Group::McastGroup),
        b"mcast-port" => value(Group::McastPort),
        b"mcast-ttl" => value(Group::McastTtl),
        b"ip-service" if extended => act(Action::AnyProtocol, Word, Group::Service),
        b"forwarding" if extended => act(Action::Forwarding, Word, Group::Forward),
        b"flags" if extended => value(Group::Flags),
        b"duration" if extended => value(Group::Duration),
        b"tun-flags" if extended => value(Group::TunFlags),
        _ => return None,
    })
}
