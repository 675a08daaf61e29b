//! Lines that nobody means: options in any mixture, other spellings, right lines spoilt.

use super::Generator;

impl Generator {
    /// Options of any kind behind a command of any kind.
    pub(super) fn soup(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        if self.chance(90) {
            words.push(
                self.pick(&["-A", "-E", "-D", "-C", "-L", "-a", "-e", "-d", "-S", "-Z", "--set", "--start-daemon"])
                    .to_owned(),
            );
        }
        for _ in 0..=self.below(6) {
            let option = self.pick(&[
                "-n",
                "-c",
                "-t",
                "-u",
                "-f",
                "-6",
                "-s",
                "-p",
                "-M",
                "-r",
                "-m",
                "-i",
                "-g",
                "-w",
                "-x",
                "-y",
                "-o",
                "-b",
                "-X",
                "--pe",
                "--stats",
                "--rate",
                "--timeout",
                "--daemon",
                "--thresholds",
                "--nosort",
                "--sort",
                "--syncid",
                "--tun-type",
                "--tun-port",
                "--tun-csum",
                "--tun-nocsum",
                "--mcast-port",
                "--mcast-ttl",
                "--mcast-group",
                "--mcast-interface",
                "--bogus",
                "-q",
                "-L",
                "-A",
                "stray",
                "--persistent-conn",
                "--tun-info",
                "--sync-maxlen",
            ]);
            words.push(option.to_owned());
            if self.chance(55) {
                let value = match option {
                    "-t" | "-u" | "-r" => self.virtual_address(),
                    "-s" => self.scheduler().to_owned(),
                    "-b" => self.sched_flags().to_owned(),
                    _ => self.number().to_owned(),
                };
                words.push(value);
            }
        }
        words
    }

    /// Right lines in popt's other spellings.
    pub(super) fn respell(&mut self) -> Vec<String> {
        let address = self.virtual_address();
        let line = self.pick(&[
            "-AtADDR",
            "-At ADDR",
            "-At=ADDR",
            "-A --tcp-service=ADDR",
            "-A -tADDR -srr",
            "-A -t ADDR -s=rr",
            "-A -t ADDR -p60",
            "-A -t ADDR -p=60",
            "-A -t ADDR --persistent=60",
            "-A -t ADDR -p -s rr",
            "-A -t ADDR -p rr",
            "-A -t ADDR -p -- x",
            "-atADDR -r198.51.100.7:80 -mw3",
            "-a -t ADDR -r=198.51.100.7 -mw=3",
            "-a -t ADDR -mr 198.51.100.7:81",
            "-atADDR -mr198.51.100.7:82 -x5 -y2",
            "-LnX",
            "-LntADDR",
            "-Ln=5",
            "-L --numeric=5",
            "-Lt ADDR -n",
            "-list",
            "-AtC",
            "-nL",
            "-AE",
            "-LA",
            "--li",
            "--lis",
            "--listing",
            "-L --num",
            "-Lnn",
            "-Lcn",
            "-A=5",
            "-L=",
            "-t ADDR -A",
            "-a -r 198.51.100.7 -t ADDR -m",
            "-a -r 198.51.100.7:http -t ADDR",
            "-a -w 2 -m -r 198.51.100.7:83 -t ADDR",
            "-A -s rr -t ADDR",
            "-A -M 64 -t ADDR -p",
            "-A -M 255.255.0.0 -t ADDR -p",
            "-DtADDR",
            "-Z -tADDR",
            "-E -t=ADDR -swrr",
            "-A -6 -f 3",
            "-A -f3",
            "-A -f=3 -6",
            "-A -f 3 -6 -6",
            "--set -- 1 2 3",
            "--set 1 -- 2 3",
            "--start-daemon=master",
            "--stop-daemon=backup",
            "-L --start-daemon master",
            "-L --set",
            "-A -t",
            "-a -t ADDR -r",
            "-A -t ADDR -s",
        ]);
        line.replace("ADDR", &address).split(' ').map(str::to_owned).collect()
    }

    /// Moves what stands behind the command about.
    pub(super) fn shuffle_options(&mut self, words: &mut [String]) {
        if words.len() > 4 {
            let middle = 1 + 2 * (1 + self.below((words.len() - 1) / 2));
            let by = middle.min(words.len() - 1) - 1;
            words[1..].rotate_left(by);
        }
    }

    /// Makes a line wrong, probably.
    pub(super) fn spoil(&mut self, words: &mut Vec<String>) {
        let place = self.below(words.len().max(1));
        match self.below(7) {
            0 => {
                if !words.is_empty() {
                    words.remove(place);
                }
            }
            1 => {
                if let Some(word) = words.get(place).cloned() {
                    words.push(word);
                }
            }
            2 => words
                .push(self.pick(&["stray", "-n", "--bogus", "-q", "-C", "-6", "-o", "-m", "--stats", "-"]).to_owned()),
            3 => {
                let odd = self.odd_address();
                if let Some(word) = words.get_mut(place) {
                    *word = odd;
                }
            }
            4 => {
                let number = self.number().to_owned();
                if let Some(word) = words.get_mut(place) {
                    *word = number;
                }
            }
            5 => words.insert(place, self.pick(&["-s", "-p", "-w", "-t", "-r", "--pe", "-b"]).to_owned()),
            _ => {
                let other = self.below(words.len().max(1));
                if !words.is_empty() {
                    words.swap(place, other);
                }
            }
        }
    }
}
