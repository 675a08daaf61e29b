//! Command lines and rules files: right ones, wrong ones, odd ones. The same ones every time.

#[path = "generate/odd.rs"]
mod odd;

use crate::run::Case;

/// A generator of random numbers that is always the same (xorshift64*, Marsaglia and Vigna).
pub(crate) struct Generator {
    state: u64,
    /// Services and servers that were made and are probably still there.
    services: Vec<String>,
    since_fresh: usize,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed | 1, services: Vec::new(), since_fresh: usize::MAX }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// The next case.
    pub(crate) fn case(&mut self) -> Case {
        let fresh = self.since_fresh > 40;
        if fresh {
            self.since_fresh = 0;
            self.services.clear();
        }
        self.since_fresh += 1;
        if self.chance(22) {
            let stdin = self.file();
            return Case { args: vec!["-R".to_owned()], stdin, fresh };
        }
        let mut args = self.line();
        if args.first().is_some_and(|first| first == "-R" || first == "--restore") {
            return Case { args, stdin: self.file(), fresh };
        }
        if self.chance(3) {
            // Arguments of a shell can hold what lines cannot.
            let place = self.below(args.len() + 1);
            let odd =
                self.pick(&["", " ", " 5", "192.0.2.7 :80", "192.0.2.7: 80", "5 ", "\t7", "rr wrr", "'rr'", "a=b"]);
            args.insert(place, odd.to_owned());
        }
        Case { args, stdin: String::new(), fresh }
    }

    fn file(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..=self.below(9) {
            match self.below(40) {
                0 => text.push_str("# a comment"),
                1 => {}
                2 => text.push_str("   \t "),
                3 => text.push_str("ipvsadm "),
                4 => text.push_str("/sbin/ipvsadm "),
                5 => text.push_str("-R"),
                6 => text.push_str("-L -n"),
                7 => text.push_str("-S -n"),
                _ => {}
            }
            let separator = self.pick(&[" ", " ", " ", " ", " ", "  ", "\t", " \r"]);
            let line = self.line();
            // Words of a file cannot be empty or hold blanks.
            let words: Vec<_> = line.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
            if !text.ends_with(" -R") {
                text.push_str(&words.join(separator));
            }
            text.push_str(self.pick(&["\n", "\n", "\n", "\n", "\n", "\n", "\r\n", " \n", "  \n", "\n\n"]));
        }
        match self.below(12) {
            0 => text.truncate(text.trim_end().len()),
            1 => {
                text.truncate(text.trim_end().len());
                text.push(' ');
            }
            2 => {
                text.truncate(text.trim_end().len());
                text.push_str("  ");
            }
            _ => {}
        }
        if text.is_empty() { "\n".to_owned() } else { text }
    }

    /// A command line; one in three goes wrong somewhere.
    fn line(&mut self) -> Vec<String> {
        let mut words = match self.below(100) {
            0..22 => self.add_service(),
            22..44 => self.server(),
            44..50 => self.other_service(),
            50..68 => self.list(),
            68..72 => self.timeouts(),
            72..77 => self.daemon(),
            77..83 => self.simple(),
            83..89 => self.soup(),
            _ => self.respell(),
        };
        if self.chance(9) {
            self.spoil(&mut words);
        }
        words
    }

    fn number(&mut self) -> &'static str {
        self.pick(&[
            "0",
            "1",
            "2",
            "5",
            "60",
            "255",
            "256",
            "360",
            "65535",
            "65536",
            "2147483647",
            "2147483648",
            "4294967295",
            "4294967296",
            "99999999999999999999",
            "-1",
            "+3",
            "007",
            "0x10",
            "1x",
            "x",
            "1.5",
            "2678400",
            "2678401",
        ])
    }

    fn small(&mut self) -> &'static str {
        self.pick(&["1", "2", "3", "10", "77", "100"])
    }

    fn virtual_address(&mut self) -> String {
        let host = self.pick(&[
            "192.0.2.1",
            "192.0.2.1",
            "192.0.2.1",
            "192.0.2.2",
            "10.0.0.1",
            "198.51.100.1",
            "[2001:db8::1]",
            "[2001:db8::2]",
            "[::1]",
            "192.0.2.255",
        ]);
        let port = self.pick(&[":80", ":80", ":80", ":443", ":53", ":8080"]);
        format!("{host}{port}")
    }

    fn odd_address(&mut self) -> String {
        self.pick(&[
            "192.0.2.1",
            "192.0.2.1:",
            "192.0.2.1:0",
            "192.0.2.1:http",
            "192.0.2.1:HTTP",
            "192.0.2.1:https",
            "192.0.2:80",
            "0xc0000201:80",
            "0300.0.2.1:80",
            "3221225985:80",
            "3221225985",
            "192.0.2.256:80",
            "192.0.2.1:65536",
            "192.0.2.1:-1",
            "192.0.2.1:+80",
            "192.0.2.1:080",
            "192.0.2.1:80:80",
            ":80",
            "",
            "localhost:80",
            "localhost",
            "no-such-host.invalid:80",
            "2001:db8::1",
            "2001:db8::1:80",
            "[2001:db8::1]",
            "[2001:db8::1]:",
            "[2001:db8::1]80",
            "[2001:db8::1]:http",
            "[192.0.2.1]:80",
            "[localhost]:80",
            "[]:80",
            "[::ffff:192.0.2.1]:80",
            "[::192.0.2.1]:80",
            "[2001:DB8:0:0:0:0:0:1]:80",
            "[2001:db8::1%lo]:80",
            "255.255.255.255:80",
            "0.0.0.0:80",
            "224.0.0.1:80",
            "[ff02::1]:80",
            "[::]:80",
            "127.0.0.1:80",
            "=192.0.2.1:80",
            "192.0.2.1:domain",
        ])
        .to_owned()
    }

    /// A service as words.
    fn service(&mut self) -> Vec<String> {
        if !self.services.is_empty() && self.chance(60) {
            let index = self.below(self.services.len());
            return self.services[index].split(' ').map(str::to_owned).collect();
        }
        self.new_service()
    }

    fn new_service(&mut self) -> Vec<String> {
        if self.chance(20) {
            let mark =
                if self.chance(75) { self.pick(&["1", "2", "3", "7", "1000", "4294967295"]) } else { self.number() };
            let option = self.pick(&["-f", "-f", "--fwmark-service"]);
            let mut words = vec![option.to_owned(), mark.to_owned()];
            if self.chance(35) {
                words.push(self.pick(&["-6", "--ipv6"]).to_owned());
            }
            return words;
        }
        let option = self.pick(&["-t", "-t", "-t", "-u", "-u", "--sctp-service", "--tcp-service", "--udp-service"]);
        let address = if self.chance(85) { self.virtual_address() } else { self.odd_address() };
        vec![option.to_owned(), address]
    }

    fn scheduler(&mut self) -> &'static str {
        self.pick(&[
            "rr",
            "rr",
            "wrr",
            "wlc",
            "sh",
            "sh",
            "mh",
            "lblc",
            "nq",
            "none",
            "bogus",
            "a-very-long-scheduler-name",
            "RR",
        ])
    }

    fn sched_flags(&mut self) -> &'static str {
        // A value of commas alone crashes ipvsadm, so there is none here.
        self.pick(&[
            "flag-1",
            "flag-2,flag-3",
            "flag-3",
            "flag-1,flag-2,flag-3",
            "sh-port",
            "sh-fallback,sh-port",
            "mh-port",
            "mh-fallback",
            "sh-port,",
            ",flag-1",
            "flag-1,,flag-2",
            "flag-4",
            "bogus",
            "sh-port,bogus",
            "flag-1,sh-port",
        ])
    }

    fn add_service(&mut self) -> Vec<String> {
        let edit = self.chance(20);
        let verb = if edit { self.pick(&["-E", "--edit-service"]) } else { self.pick(&["-A", "-A", "--add-service"]) };
        let mut words = vec![verb.to_owned()];
        let service = if edit { self.service() } else { self.new_service() };
        if !edit {
            self.services.push(service.join(" "));
        }
        words.extend(service);
        let mut add = |option: &str, value: Option<&str>| {
            words.push(option.to_owned());
            words.extend(value.map(str::to_owned));
        };
        if self.chance(55) {
            let value = self.scheduler();
            add(self.pick(&["-s", "-s", "--scheduler"]), Some(value));
        }
        if self.chance(30) {
            let value = self.chance(60).then(|| if self.chance(70) { self.small() } else { self.number() });
            add(self.pick(&["-p", "-p", "--persistent"]), value);
        }
        if self.chance(20) {
            let value = self.pick(&[
                "255.255.255.0",
                "255.255.255.0",
                "255.0.255.0",
                "0.0.0.0",
                "24",
                "64",
                "128",
                "129",
                "0",
                "64x",
                "x",
                "255.255.255.256",
                "localhost",
                "-64",
            ]);
            add(self.pick(&["-M", "--netmask"]), Some(value));
        }
        if self.chance(10) {
            let value = self.pick(&["sip", "sip", "bogus", "an-engine-of-more-than-16"]);
            add("--pe", Some(value));
        }
        if self.chance(15) {
            add(self.pick(&["-o", "--ops"]), None);
        }
        if self.chance(20) {
            let value = self.sched_flags();
            add(self.pick(&["-b", "--sched-flags"]), Some(value));
        }
        if self.chance(15) {
            self.shuffle_options(&mut words);
        }
        words
    }

    fn real_server(&mut self) -> String {
        if self.chance(12) {
            return self.odd_address();
        }
        let host = self.pick(&[
            "198.51.100.7",
            "198.51.100.7",
            "198.51.100.8",
            "10.0.0.7",
            "10.0.0.8",
            "[2001:db8::7]",
            "[2001:db8::8]",
            "127.0.0.1",
        ]);
        let port = self.pick(&["", ":80", ":80", ":8080", ":8080", ":0"]);
        // Without a port brackets are a mistake.
        if port.is_empty() { host.trim_matches(['[', ']']).to_owned() } else { format!("{host}{port}") }
    }

    fn server(&mut self) -> Vec<String> {
        let verb = self.pick(&["-a", "-a", "-a", "--add-server", "-e", "--edit-server", "-d", "-d", "--delete-server"]);
        let delete = verb.starts_with("-d") || verb.starts_with("--d");
        let mut words = vec![verb.to_owned()];
        words.extend(self.service());
        if self.chance(96) {
            words.push(self.pick(&["-r", "-r", "--real-server"]).to_owned());
            let server = self.real_server();
            words.push(server);
        }
        if delete && self.chance(90) {
            return words;
        }
        let mut tunnel = false;
        match self.below(10) {
            0..5 => words.push(self.pick(&["-m", "-m", "--masquerading"]).to_owned()),
            5..7 => {
                words.push(self.pick(&["-i", "--ipip"]).to_owned());
                tunnel = true;
            }
            7 => words.push(self.pick(&["-g", "--gatewaying"]).to_owned()),
            _ => {}
        }
        let mut add = |option: &str, value: &str| words.extend([option.to_owned(), value.to_owned()]);
        if self.chance(50) {
            let value = if self.chance(80) { self.small() } else { self.number() };
            add(self.pick(&["-w", "--weight"]), value);
        }
        if self.chance(20) {
            let value = if self.chance(80) { "100" } else { self.number() };
            add(self.pick(&["-x", "--u-threshold"]), value);
        }
        if self.chance(15) {
            let value = if self.chance(80) { self.small() } else { self.number() };
            add(self.pick(&["-y", "--l-threshold"]), value);
        }
        if self.chance(if tunnel { 70 } else { 4 }) {
            let kind = self.pick(&["ipip", "gue", "gue", "gre", "gre", "bogus"]);
            add("--tun-type", kind);
            if kind == "gue" && self.chance(85) || self.chance(10) {
                let port = if self.chance(85) { "6080" } else { self.number() };
                add("--tun-port", port);
            }
            if self.chance(50) {
                words.push(self.pick(&["--tun-csum", "--tun-nocsum", "--tun-remcsum"]).to_owned());
            }
            if self.chance(10) {
                words.push(self.pick(&["--tun-csum", "--tun-nocsum", "--tun-remcsum"]).to_owned());
            }
        }
        if self.chance(15) {
            self.shuffle_options(&mut words);
        }
        words
    }

    fn other_service(&mut self) -> Vec<String> {
        let verb = self.pick(&["-D", "-D", "--delete-service", "-Z", "--zero"]);
        let mut words = vec![verb.to_owned()];
        if verb != "-Z" || self.chance(60) {
            words.extend(self.service());
        }
        words
    }

    fn list(&mut self) -> Vec<String> {
        let mut words = vec![self.pick(&["-L", "-l", "--list", "-L", "-Ln", "-ln"]).to_owned()];
        if self.chance(60) && words[0].len() != 3 {
            words.push(self.pick(&["-n", "--numeric"]).to_owned());
        }
        if self.chance(25) {
            words.extend(self.service());
        }
        for _ in 0..self.below(4) {
            words.push(
                self.pick(&[
                    "--stats",
                    "--rate",
                    "--thresholds",
                    "--persistent-conn",
                    "--tun-info",
                    "--exact",
                    "-X",
                    "--sort",
                    "--nosort",
                    "--timeout",
                    "--daemon",
                    "-c",
                    "--connection",
                    "--stats",
                    "--thresholds",
                ])
                .to_owned(),
            );
        }
        words
    }

    fn timeouts(&mut self) -> Vec<String> {
        let mut words = vec!["--set".to_owned()];
        for _ in 0..self.pick(&["3", "3", "3", "3", "3", "2", "4", "0"]).parse().unwrap_or(3) {
            words.push(if self.chance(80) { self.small() } else { self.number() }.to_owned());
        }
        words
    }

    fn daemon(&mut self) -> Vec<String> {
        let role = self.pick(&["master", "backup", "master", "backup", "leader", ""]);
        let start = self.chance(50);
        let mut words = vec![if start { "--start-daemon" } else { "--stop-daemon" }.to_owned()];
        if !role.is_empty() {
            words.push(role.to_owned());
        }
        if start && self.chance(80) {
            words.extend(["--mcast-interface".to_owned(), self.pick(&["d0", "d0", "lo", "nope"]).to_owned()]);
        }
        for (option, values) in [
            ("--syncid", &["1", "7", "255", "256", "x"][..]),
            ("--sync-maxlen", &["1", "1400", "65507", "65508", "0"]),
            ("--mcast-group", &["224.0.0.81", "239.1.2.3", "192.0.2.1", "ff02::51", "2001:db8::1", "x"]),
            ("--mcast-port", &["8848", "1", "65536", "0"]),
            ("--mcast-ttl", &["1", "255", "256", "0"]),
        ] {
            if self.chance(15) {
                words.extend([option.to_owned(), self.pick(values).to_owned()]);
            }
        }
        words
    }

    fn simple(&mut self) -> Vec<String> {
        let line = self.pick(&[
            "-C",
            "--clear",
            "-S",
            "-S -n",
            "--save --numeric",
            "-Sn",
            "-v",
            "--version",
            "-Z",
            "-R",
            "-C -n",
            "-S -t 192.0.2.1:80",
            "-L -- x",
            "-L --",
            "-",
            "--",
            "-L -",
            "-v x",
            "-L --timeout",
            "-L --daemon",
            "-L -c -n",
            "-L --timeout -n",
        ]);
        if line.starts_with("-C") || line == "--clear" {
            self.services.clear();
        }
        line.split(' ').map(str::to_owned).collect()
    }
}
