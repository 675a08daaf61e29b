//! The options of the language: one table of spellings, arguments, and which commands take them.

use std::fmt;

use Action::{AnyProtocol, Forwarding, Fwmark, Gateway, Ipv6, Masquerade, Plain, Sctp, Sort, Tcp, Tunnel, Udp};
use Takes::{MaybeWord, Nothing, Word};

/// Makes [`Verb`], [`Group`], [`short`] and [`long`] of the table below.
macro_rules! language {
    (
        commands { $(
            $verb:ident $verb_name:literal $verb_spelling:literal needs [$($needed:ident)*]
                { [$($verb_letter:literal)*] $verb_long:literal $verb_takes:ident }
        )* }
        options { $(
            $group:ident $name:literal $spelling:literal $($argument:literal)? for [$($taker:ident)*] { $(
                [$($letter:literal)?] $long:literal $action:ident $takes:ident $(if $only:ident)?;
            )* }
        )* }
        unnamed { $([$($lone_letter:literal)?] $lone_long:literal $lone_action:ident;)* }
    ) => {
        /// The commands, by the names that ipvsadm's messages use.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Verb { $(#[doc = concat!("`", $verb_spelling, "`")] $verb),* }

        impl Verb {
            const ALL: &'static [Self] = &[$(Self::$verb),*];

            /// The name in messages: `add-service`, `flush`, `list`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$verb => $verb_name),* }
            }

            /// The usual spelling: `-A`, `--set`.
            pub const fn spelling(self) -> &'static str {
                match self { $(Self::$verb => $verb_spelling),* }
            }

            /// Options that the command needs, as bits of [`Group`].
            pub(crate) const fn needs(self) -> u64 {
                match self { $(Self::$verb => 0 $(| Group::$needed.bit())*),* }
            }

            const fn all_it_takes(self) -> u64 {
                match self {
                    Self::Help | Self::Version => u64::MAX,
                    _ => 0 $(| if false $(|| matches!(self, Self::$taker))* { Group::$group.bit() } else { 0 })*,
                }
            }
        }

        /// An option, or several spellings that exclude one another, in the order in which ipvsadm
        /// checks them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Group { $(#[doc = concat!("`", $name, "`")] $group),* }

        impl Group {
            /// All, in the order in which ipvsadm checks them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$group),*];

            /// The name in messages: `service-address`, `forwarding-method`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$group => $name),* }
            }

            /// How a user would write it.
            pub(crate) const fn spelling(self) -> &'static str {
                match self { $(Self::$group => $spelling),* }
            }

            /// What its argument is.
            pub(crate) const fn argument(self) -> &'static str {
                match self { $(Self::$group => [$($argument,)? "an argument"][0]),* }
            }
        }

        /// The option of a letter.
        #[inline]
        pub(crate) fn short(letter: u8) -> Option<Opt> {
            Some(match letter {
                $($($verb_letter => Opt::command(Verb::$verb, $verb_takes),)*)*
                $($($($letter => Opt::of(Group::$group, $action, $takes),)?)*)*
                $($($lone_letter => Opt::unnamed($lone_action),)?)*
                _ => return None,
            })
        }

        /// The option of a long name.
        pub(crate) fn long(name: &[u8], extended: bool) -> Option<Opt> {
            Some(match name {
                $($verb_long => Opt::command(Verb::$verb, $verb_takes),)*
                $($($long $(if $only(extended))? => Opt::of(Group::$group, $action, $takes),)*)*
                $($lone_long => Opt::unnamed($lone_action),)*
                _ => return None,
            })
        }
    };
}

language! {
    // Name in messages, spelling in ours; then letters, long name, and whether an argument follows.
    commands {
        AddService "add-service" "-A" needs [Service] { [b'A'] b"add-service" Nothing }
        EditService "edit-service" "-E" needs [Service] { [b'E'] b"edit-service" Nothing }
        DeleteService "delete-service" "-D" needs [Service] { [b'D'] b"delete-service" Nothing }
        Flush "flush" "-C" needs [] { [b'C'] b"clear" Nothing }
        List "list" "-L" needs [] { [b'L' b'l'] b"list" Nothing }
        AddServer "add-server" "-a" needs [Service RealServer] { [b'a'] b"add-server" Nothing }
        EditServer "edit-server" "-e" needs [Service RealServer] { [b'e'] b"edit-server" Nothing }
        DeleteServer "delete-server" "-d" needs [Service RealServer] { [b'd'] b"delete-server" Nothing }
        Set "set" "--set" needs [] { [] b"set" Nothing }
        StartDaemon "start-daemon" "--start-daemon" needs [] { [] b"start-daemon" Word }
        StopDaemon "stop-daemon" "--stop-daemon" needs [] { [] b"stop-daemon" Word }
        Restore "restore" "-R" needs [] { [b'R'] b"restore" Nothing }
        Save "save" "-S" needs [] { [b'S'] b"save" Nothing }
        Zero "zero" "-Z" needs [] { [b'Z'] b"zero" Nothing }
        Help "help" "-h" needs [] { [b'h'] b"help" Nothing }
        Version "version" "-v" needs [] { [b'v'] b"version" Nothing }
    }
    // Name in messages, spelling in ours, the argument, the commands that take it (help and version
    // take all); then for each spelling its letter, long name, action, and whether an argument
    // follows.
    options {
        Numeric "numeric" "-n" for [List Save] { [b'n'] b"numeric" Plain Nothing; }
        Connection "connection" "-c" for [List] { [b'c'] b"connection" Plain Nothing; }
        Service "service-address" "-t, -u, --sctp-service or -f" "a virtual service"
            for [AddService EditService DeleteService AddServer EditServer DeleteServer List Zero] {
                [b't'] b"tcp-service" Tcp Word;
                [b'u'] b"udp-service" Udp Word;
                [b'f'] b"fwmark-service" Fwmark Word;
                [] b"sctp-service" Sctp Word;
                [] b"ip-service" AnyProtocol Word if only_extended;
            }
        Scheduler "scheduler" "-s" "a scheduler name" for [AddService EditService] {
            [b's'] b"scheduler" Plain Word;
        }
        Persistent "persistent" "-p" "a number of seconds" for [AddService EditService] {
            [b'p'] b"persistent" Plain MaybeWord;
        }
        Netmask "netmask" "-M" "a netmask" for [AddService EditService] { [b'M'] b"netmask" Plain Word; }
        RealServer "real-server" "-r" "a real server" for [AddServer EditServer DeleteServer] {
            [b'r'] b"real-server" Plain Word;
        }
        Forward "forwarding-method" "-g, -i or -m" "a forwarding method" for [AddServer EditServer] {
            [b'm'] b"masquerading" Masquerade Nothing;
            [b'i'] b"ipip" Tunnel Nothing;
            [b'g'] b"gatewaying" Gateway Nothing;
            [] b"forwarding" Forwarding Word if only_extended;
        }
        Weight "weight" "-w" "a weight" for [AddServer EditServer] { [b'w'] b"weight" Plain Word; }
        Upper "u-threshold" "-x" "a number of connections" for [AddServer EditServer] {
            [b'x'] b"u-threshold" Plain Word;
        }
        Lower "l-threshold" "-y" "a number of connections" for [AddServer EditServer] {
            [b'y'] b"l-threshold" Plain Word;
        }
        Interface "mcast-interface" "--mcast-interface" "an interface name" for [StartDaemon] {
            [] b"mcast-interface" Plain Word;
        }
        Timeout "timeout" "--timeout" for [List] { [] b"timeout" Plain Nothing; }
        Daemon "daemon" "--daemon" for [List] { [] b"daemon" Plain Nothing; }
        Stats "stats" "--stats" for [List] { [] b"stats" Plain Nothing; }
        Rate "rate" "--rate" for [List] { [] b"rate" Plain Nothing; }
        Thresholds "thresholds" "--thresholds" for [List] { [] b"thresholds" Plain Nothing; }
        PersistentConn "persistent-conn" "--persistent-conn" for [List] { [] b"persistent-conn" Plain Nothing; }
        NoSort "nosort" "--nosort" for [List] { [] b"nosort" Plain Nothing; }
        // Measured: -L takes --syncid, too.
        SyncId "syncid" "--syncid" "a number" for [StartDaemon StopDaemon List] { [] b"syncid" Plain Word; }
        Exact "exact" "--exact" for [List] { [b'X'] b"exact" Plain Nothing; }
        Ops "ops" "-o" for [AddService EditService] { [b'o'] b"ops" Plain Nothing; }
        Engine "pe" "--pe" "the name of a persistence engine" for [AddService EditService] { [] b"pe" Plain Word; }
        SchedFlags "sched-flags" "-b" "scheduler flags" for [AddService EditService] {
            [b'b'] b"sched-flags" Plain Word;
        }
        McastGroup "mcast-group" "--mcast-group" "a multicast address" for [StartDaemon] {
            [] b"mcast-group" Plain Word;
        }
        McastPort "mcast-port" "--mcast-port" "a port" for [StartDaemon] { [] b"mcast-port" Plain Word; }
        McastTtl "mcast-ttl" "--mcast-ttl" "a time to live" for [StartDaemon] { [] b"mcast-ttl" Plain Word; }
        MaxLen "sync-maxlen" "--sync-maxlen" "a length" for [StartDaemon] { [] b"sync-maxlen" Plain Word; }
        TunInfo "tun-info" "--tun-info" for [List] { [] b"tun-info" Plain Nothing; }
        TunType "tun-type" "--tun-type" "a tunnel type" for [AddServer EditServer] { [] b"tun-type" Plain Word; }
        TunPort "tun-port" "--tun-port" "a port" for [AddServer EditServer] { [] b"tun-port" Plain Word; }
        TunNoCsum "tun-nocsum" "--tun-nocsum" for [AddServer EditServer] { [] b"tun-nocsum" Plain Nothing; }
        TunCsum "tun-csum" "--tun-csum" for [AddServer EditServer] { [] b"tun-csum" Plain Nothing; }
        TunRemCsum "tun-remcsum" "--tun-remcsum" for [AddServer EditServer] { [] b"tun-remcsum" Plain Nothing; }
        // Only extended lines know these, and there every command takes them; see `EXTENDED`.
        Flags "flags" "--flags" "flag bits" for [] { [] b"flags" Plain Word if only_extended; }
        Duration "duration" "--duration" "a number of seconds" for [] { [] b"duration" Plain Word if only_extended; }
        TunFlags "tun-flags" "--tun-flags" "flag bits" for [] { [] b"tun-flags" Plain Word if only_extended; }
    }
    // The two that ipvsadm's messages do not name.
    unnamed {
        [b'6'] b"ipv6" Ipv6;
        [] b"sort" Sort;
    }
}

const fn only_extended(extended: bool) -> bool {
    extended
}

impl Verb {
    const TAKES: [u64; Self::ALL.len()] = {
        let mut takes = [0; Self::ALL.len()];
        let mut at = 0;
        while at < takes.len() {
            takes[at] = Self::ALL[at].all_it_takes();
            at += 1;
        }
        takes
    };

    /// Options that the command takes, as bits of [`Group`].
    pub(crate) const fn takes(self) -> u64 {
        Self::TAKES[self as usize]
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.spelling())
    }
}

impl Group {
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Options that only extended lines know; ipvsadm has no name for them.
    pub(crate) const EXTENDED: u64 = Self::Flags.bit() | Self::Duration.bit() | Self::TunFlags.bit();
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
    /// The group in which it may appear once; none for commands and the two options that ipvsadm's
    /// messages do not name.
    pub(crate) group: Option<Group>,
}

impl Opt {
    const fn command(verb: Verb, takes: Takes) -> Self {
        Self { action: Action::Command(verb), takes, group: None }
    }

    const fn of(group: Group, action: Action, takes: Takes) -> Self {
        Self { action, takes, group: Some(group) }
    }

    const fn unnamed(action: Action) -> Self {
        Self { action, takes: Nothing, group: None }
    }
}
