//! A machine of its own for each test: new network, mount and user namespaces
//! with an empty `/run`, and `ip -j` as the witness.

#![allow(dead_code, reason = "no test file needs all of it")]
#![allow(clippy::unwrap_used, reason = "a test")]

pub mod announced;
pub mod waiting;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_xen-bridge");

/// Keeps the namespaces until its standard input is closed.
const KEEPER: &str = "mount -t tmpfs tmpfs /run && ip link set lo up && echo ready && exec cat";

/// Namespaces that live as long as this does.
pub struct Machine {
    keeper: Child,
}

impl Machine {
    /// A machine with lo (1) and nothing else.
    pub fn new() -> Self {
        let mut keeper = Command::new("unshare")
            .args(["-rnm", "sh", "-c", KEEPER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut line = String::new();
        let stdout = keeper.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "this machine allows namespaces");
        Self { keeper }
    }

    /// A machine with veth pairs: `eth0` (3) and `eth1` (5), down, with the
    /// other ends `far0` (2) and `far1` (4), up.
    pub fn with_cards() -> Self {
        let machine = Self::new();
        for number in 0..2 {
            let (near, far) = (format!("eth{number}"), format!("far{number}"));
            machine.ok(&format!("ip link add {near} type veth peer name {far}"));
            machine.ok(&format!("ip link set {far} up"));
        }
        machine
    }

    /// A machine whose `eth0` carries it: with addresses of every kind, and
    /// routes over the gateway at the other end, which is in a namespace `far`
    /// of its own.
    pub fn with_uplink() -> Self {
        let machine = Self::with_cards();
        machine.ok("mkdir -p /run/netns; ip netns add far; ip link set far0 netns far
            ip -n far link set lo up; ip -n far link set far0 up
            ip -n far address add 10.0.2.2/24 dev far0
            ip -n far address add fd00:2::2/64 dev far0 nodad
            ip link set eth0 address 02:00:00:00:00:0e up
            ip address add 10.0.2.15/24 broadcast 10.0.2.255 dev eth0
            ip address add 10.0.2.16/24 dev eth0 label eth0:1
            ip address add 192.168.7.1 peer 192.168.7.2/32 dev eth0 scope link
            ip address add 10.4.0.1/24 dev eth0 noprefixroute metric 77
            ip address add fd00:2::15/64 dev eth0 nodad
            ip address change fd00:2::15/64 dev eth0
            ip address add fe80::5/64 dev eth0 nodad
            ip route add 10.8.0.0/24 dev eth0 scope link
            ip route add default via 10.0.2.2 dev eth0 metric 100 src 10.0.2.16 proto static mtu 1400
            ip route add 10.9.0.0/16 via 10.0.2.2 metric 7
            ip route add 10.10.0.0/16 via 10.7.7.7 dev eth0 onlink table 77
            ip -6 route add default via fd00:2::2 dev eth0 metric 512
            ip -6 route add fd00:9::/48 via fd00:2::2 table 9
            ip -6 route add fd00:8::/48 dev eth0");
        machine.ok("while ip -6 address show dev eth0 | grep -q tentative; do sleep 0.1; done");
        machine
    }

    /// A command that will run in the machine, without this process' settings.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let pid = self.keeper.id().to_string();
        command.args(["-t", &pid, "-U", "-n", "-m", "--preserve-credentials"]);
        command.args(["--", program]);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("XEN_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs the program; its arguments are words without quotes.
    pub fn run(&self, arguments: &str) -> Ran {
        let words = arguments.split_whitespace();
        self.command(PROGRAM).args(words).output().unwrap().into()
    }

    /// Runs a shell script that must succeed, and gives what it printed.
    pub fn ok(&self, script: &str) -> String {
        let output = self.command("sh").args(["-euc", script]).output().unwrap();
        let ran = Ran::from(output);
        assert_eq!(ran.status, 0, "{script}: {}", ran.stderr);
        ran.stdout
    }

    /// What `ip -j` prints.
    pub fn ip(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("ip -j {arguments}"))).unwrap()
    }

    /// A link as `ip -d -j link` has it; null if there is none.
    pub fn link(&self, name: &str) -> Value {
        let links = self.ip("-d link");
        let mut links = links.as_array().unwrap().iter();
        let link = links.find(|link| link["ifname"] == name);
        link.cloned().unwrap_or(Value::Null)
    }

    /// The addresses of a link with prefix length and broadcast, without the
    /// link-local ones.
    pub fn addresses(&self, name: &str) -> Vec<String> {
        let links = self.ip(&format!("address show dev {name}"));
        let addresses = links[0]["addr_info"].as_array().unwrap().iter();
        addresses
            .filter(|address| address["scope"] == "global")
            .map(|address| {
                let local = address["local"].as_str().unwrap();
                let broadcast = address["broadcast"].as_str().unwrap_or("-");
                format!("{local}/{} {broadcast}", address["prefixlen"])
            })
            .collect()
    }

    /// The master of a link; null if it has none.
    pub fn master(&self, name: &str) -> Value {
        self.link(name)["master"].clone()
    }

    /// A link is switched on.
    pub fn is_up(&self, name: &str) -> bool {
        let link = self.link(name);
        let flags = link["flags"].as_array().unwrap();
        flags.iter().any(|flag| flag == "UP")
    }

    /// The record of a bridge; null if there is none.
    pub fn record(&self, name: &str) -> Value {
        let text = self.ok(&format!("cat /run/xen-bridge/{name} 2>/dev/null || true"));
        if text.is_empty() {
            return Value::Null;
        }
        let mut record = json!({"ports": [], "addresses": [], "moved": [], "back": []});
        for (word, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            let list = match word {
                "port" | "port-brought-up" => "ports",
                "address" => "addresses",
                other => other,
            };
            match &mut record[list] {
                Value::Array(values) if list == "ports" => {
                    let (ifindex, name) = value.split_once(' ').unwrap();
                    let ifindex: u32 = ifindex.parse().unwrap();
                    let brought_up = word != "port";
                    values
                        .push(json!({"name": name, "ifindex": ifindex, "brought_up": brought_up}));
                }
                Value::Array(values) => values.push(value.into()),
                _ if list == "made" => record[list] = (value == "yes").into(),
                other => {
                    let number = value.parse::<u64>();
                    *other = number.map_or_else(|_| value.into(), Value::from);
                }
            }
        }
        for list in ["moved", "back"] {
            if record[list] == json!([]) {
                record.as_object_mut().unwrap().remove(list);
            }
        }
        record
    }

    /// All that a test compares before and after, a line each: links,
    /// addresses, records.
    pub fn state(&self) -> Vec<String> {
        let mut lines = vec![];
        for mut link in self.ip("-d link").as_array().unwrap().iter().cloned() {
            strip(&mut link);
            lines.push(link.to_string());
        }
        for link in self.ip("address").as_array().unwrap() {
            let addresses = link["addr_info"].as_array().unwrap().iter();
            // The kernel makes link-local addresses by itself, when it likes.
            let lasting = addresses.filter(|address| address["scope"] != "link");
            lines.extend(lasting.map(|address| format!("{} {address}", link["ifname"])));
        }
        for family in ["-4", "-6"] {
            let table = self.ip(&format!("{family} route show table all"));
            for route in table.as_array().unwrap() {
                // The kernel's own follow from the addresses, in their order.
                if route["protocol"] != "kernel" {
                    lines.push(format!("{family} {route}"));
                }
            }
        }
        let records = self.ok(
            "find /run/xen-bridge -type f ! -name '.lock*' ! -name '.unf*' ! -name '.unc*' -print -exec cat {} + \
                               2>/dev/null || true",
        );
        lines.extend(records.lines().map(str::to_owned));
        lines
    }

    /// The machine is as it was when `before` was its state.
    #[track_caller]
    pub fn is_as(&self, before: &[String], what: &str) {
        same(&self.state(), before, what);
    }
}

/// A process of this program is in that machine.
pub fn running(machine: &Machine) -> bool {
    let ours = machine.ok("readlink /proc/self/ns/net");
    let found = Command::new("sh")
        .args(["-c", "for p in /proc/[0-9]*; do [ \"$(readlink $p/exe)\" = \"$0\" ] && readlink $p/ns/net; done; :"])
        .arg(PROGRAM)
        .output()
        .unwrap();
    String::from_utf8(found.stdout).unwrap().contains(&ours)
}

/// Two states are one; else only what differs is shown.
#[track_caller]
pub fn same(now: &[String], before: &[String], what: &str) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let these = these.iter().filter(|line| !those.contains(line));
        these.cloned().collect()
    };
    assert_eq!(only(now, before), only(before, now), "{what}");
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Takes away what moves by itself.
pub fn strip(link: &mut Value) {
    let link = link.as_object_mut().unwrap();
    link.remove("operstate");
    link.remove("promiscuity");
    // Set at the first time that a link is switched on, and never taken back.
    link.remove("qdisc");
    // A bridge's is what its ports offered last.
    link.remove("tso_max_size");
    if let Some(flags) = link.get_mut("flags").and_then(Value::as_array_mut) {
        flags.retain(|flag| flag != "LOWER_UP" && flag != "NO-CARRIER" && flag != "M-DOWN");
    }
    for info in ["info_data", "info_slave_data"] {
        if let Some(data) = link
            .get_mut("linkinfo")
            .and_then(|it| it.get_mut(info))
            .and_then(Value::as_object_mut)
        {
            data.retain(|key, _| !key.ends_with("_timer") && key != "topology_change");
            // A port listens and learns as time goes by.
            data.remove("state");
        }
    }
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// It succeeded and said nothing.
    #[track_caller]
    pub fn is_silent(&self) {
        self.is(0, "", "");
    }

    /// It failed with that status and that one line.
    #[track_caller]
    pub fn fails(&self, status: i32, line: &str) {
        self.is(status, "", &format!("xen-bridge: {line}\n"));
    }

    #[track_caller]
    pub fn is(&self, status: i32, stdout: &str, stderr: &str) {
        let expected = Self {
            status,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        assert_eq!(*self, expected);
    }
}
