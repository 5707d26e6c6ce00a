//! A route in words, and as an `ip route` command.

use std::net::IpAddr;

use crate::facts::Interface;
use crate::hops::{Hop, hops};
use crate::reply::{attributes, number, text};
use crate::route::{
    RT_TABLE_MAIN, RTA_CACHEINFO, RTA_DST, RTA_EXPIRES, RTA_GATEWAY, RTA_METRICS, RTA_MULTIPATH,
    RTA_OIF, RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE, RTA_VIA, RTNH_F_ONLINK, Route,
};

// linux/rtnetlink.h
const RTA_FLOW: u16 = 11;
const RTA_PREF: u16 = 20;
/// `RTN_*`, as `ip` calls them; it takes a route of no type for unicast.
const TYPES: [&str; 11] = [
    "",
    "",
    "local ",
    "broadcast ",
    "anycast ",
    "multicast ",
    "blackhole ",
    "unreachable ",
    "prohibit ",
    "throw ",
    "nat ",
];
const RTN_UNICAST: u8 = 1;
/// `RTAX_*`, as `ip` calls those that are a number.
const METRICS: [(u16, &str); 13] = [
    (2, "mtu"),
    (3, "window"),
    (4, "rtt"),
    (5, "rttvar"),
    (6, "ssthresh"),
    (7, "cwnd"),
    (8, "advmss"),
    (9, "reordering"),
    (10, "hoplimit"),
    (11, "initcwnd"),
    (14, "initrwnd"),
    (15, "quickack"),
    (17, "fastopen_no_cookie"),
];
const RTAX_LOCK: u16 = 1;
const RTAX_FEATURES: u16 = 12;
const RTAX_RTO_MIN: u16 = 13;
const RTAX_CC_ALGO: u16 = 16;
const RTAX_FEATURE_ECN: u32 = 1;

impl Route {
    /// As `ip route` begins its line.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = match self.destination {
            Some(cidr) => format!("route {cidr}"),
            None => "default route".to_owned(),
        };
        let gateways = self.gateways().into_iter().map(|it| self.via(it));
        let gateways = gateways.collect::<Vec<_>>().join(", ");
        if !gateways.is_empty() {
            words.push_str(&format!(" via {gateways}"));
        }
        words
    }

    /// The gateway as `ip` takes it: with its family where that is another.
    fn via(&self, gateway: IpAddr) -> String {
        match gateway {
            IpAddr::V6(_) if !self.is_v6 => format!("inet6 {gateway}"),
            gateway => gateway.to_string(),
        }
    }

    /// The end of an `ip route` command.
    #[must_use]
    pub fn command(&self, interface: &Interface) -> String {
        let [_, _, _, service, _, protocol, scope, kind, ..] = self.payload[..] else {
            return String::new();
        };
        let dev = shell_words::quote(&interface.name);
        let list = self.attribute(RTA_MULTIPATH);
        let destination = self.destination.map(|cidr| cidr.to_string());
        let destination = destination.unwrap_or_else(|| "default".to_owned());
        let kind_word = TYPES.get(usize::from(kind)).copied().unwrap_or_default();
        let mut words = format!("{kind_word}{destination}");
        // A type has a table of its own where none is named.
        let is_usual = self.table == RT_TABLE_MAIN && kind == RTN_UNICAST;
        let [metric, source] = &self.details;
        let via = self.gateway.map(|it| self.via(it));
        let realm = self.attribute(RTA_FLOW).and_then(number).map(realm);
        let pref = self.attribute(RTA_PREF).and_then(preference);
        let (metrics, _) = self.metrics();
        for (word, value) in [
            (
                "tos",
                Some(format!("{service:#x}")).filter(|_| service != 0),
            ),
            ("via", via.filter(|_| list.is_none())),
            ("dev", Some(dev.to_string()).filter(|_| list.is_none())),
            ("table", Some(self.table.to_string()).filter(|_| !is_usual)),
            ("proto", Some(protocol.to_string())),
            ("scope", Some(scope.to_string()).filter(|_| !self.is_v6)),
            ("metric", metric.clone()),
            ("src", source.clone()),
            ("realm", realm),
            ("pref", pref.map(str::to_owned)),
            ("expires", self.seconds_left().map(|it| it.to_string())),
        ] {
            if let Some(value) = value {
                words.push_str(&format!(" {word} {value}"));
            }
        }
        words.push_str(&metrics);
        if self.flags() & RTNH_F_ONLINK != 0 {
            words.push_str(" onlink");
        }
        for hop in hops(list.unwrap_or_default()) {
            words.push_str(&self.hop_command(&hop, &dev));
        }
        words
    }

    fn hop_command(&self, hop: &Hop<'_>, dev: &str) -> String {
        let via = hop.gateway().map(|it| format!(" via {}", self.via(it)));
        let mut flows = attributes(hop.rest).filter(|(kind, _)| *kind == RTA_FLOW);
        let flow = flows.next().and_then(|(_, value)| number(value));
        let realm = flow.map(|it| format!(" realm {}", realm(it)));
        let onlink = u32::from(hop.flags) & RTNH_F_ONLINK != 0;
        format!(
            " nexthop{} dev {dev} weight {}{}{}",
            via.unwrap_or_default(),
            u16::from(hop.weight) + 1,
            realm.unwrap_or_default(),
            if onlink { " onlink" } else { "" },
        )
    }

    /// It has what [`Route::command`] does not say, such as an encapsulation.
    #[must_use]
    pub fn is_more_than_its_command(&self) -> bool {
        let said = [
            RTA_CACHEINFO,
            RTA_DST,
            RTA_EXPIRES,
            RTA_FLOW,
            RTA_GATEWAY,
            RTA_METRICS,
            RTA_MULTIPATH,
            RTA_OIF,
            RTA_PREF,
            RTA_PREFSRC,
            RTA_PRIORITY,
            RTA_TABLE,
            RTA_VIA,
        ];
        let list = self.attribute(RTA_MULTIPATH).unwrap_or_default();
        let of_hops = hops(list).into_iter();
        let of_hops = of_hops.flat_map(|hop| attributes(hop.rest).collect::<Vec<_>>());
        let mut all = self.attributes().chain(of_hops);
        let kind = self.payload.get(7).copied().unwrap_or_default();
        let has_source_network = self.payload.get(2).is_some_and(|bits| *bits != 0);
        all.any(|(kind, _)| !said.contains(&kind))
            || self.metrics().1
            || has_source_network
            || usize::from(kind) >= TYPES.len()
    }

    /// What TCP is told, and whether there is more than that.
    fn metrics(&self) -> (String, bool) {
        let metrics = self.attribute(RTA_METRICS).unwrap_or_default();
        let mut numbers = attributes(metrics).filter(|(kind, _)| *kind == RTAX_LOCK);
        let locks = numbers.next().and_then(|(_, value)| number(value));
        let (mut words, mut has_more) = (String::new(), false);
        for (kind, value) in attributes(metrics) {
            let is_locked = locks.unwrap_or(0).checked_shr(kind.into()).unwrap_or(0) & 1 != 0;
            let lock = if is_locked { "lock " } else { "" };
            let name = METRICS.iter().find(|(metric, _)| *metric == kind);
            match (kind, name, number(value)) {
                (RTAX_LOCK, ..) => {}
                // `ip` takes a number without a unit as it is.
                (_, Some((_, name)), Some(number)) => {
                    words.push_str(&format!(" {name} {lock}{number}"));
                }
                // And locks this one always.
                (RTAX_RTO_MIN, _, Some(time)) => words.push_str(&format!(" rto_min {time}ms")),
                (RTAX_FEATURES, _, Some(RTAX_FEATURE_ECN)) => words.push_str(" features ecn"),
                (RTAX_CC_ALGO, ..) => {
                    let name = text(value);
                    words.push_str(&format!(" congctl {lock}{}", shell_words::quote(&name)));
                }
                _ => has_more = true,
            }
        }
        (words, has_more)
    }
}

/// Where it comes from, where that is told, and where to.
fn realm(flow: u32) -> String {
    match (flow >> 16, flow & 0xffff) {
        (0, to) => to.to_string(),
        (from, to) => format!("{from}/{to}"),
    }
}

/// `ICMPV6_ROUTER_PREF_*`; medium is usual.
fn preference(value: &[u8]) -> Option<&'static str> {
    match value {
        [1] => Some("high"),
        [3] => Some("low"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::reply::push;

    proptest! {
        #[test]
        fn leads_elsewhere_and_names_whatever_the_kernel_says(
            header in proptest::collection::vec(any::<u8>(), 12),
            said in proptest::collection::vec(
                (0u16..32, proptest::collection::vec(0u8..24, 0..40)), 0..6,
            ),
        ) {
            let mut payload = header;
            for (kind, value) in said {
                push(&mut payload, kind, &value);
            }
            let interface = Interface { index: 9, name: "xenbr0".to_owned() };
            if let Some(route) = Route::parse(&payload) {
                let through = Route::parse(&route.through(&interface)).unwrap();
                prop_assert_eq!(through.gateways(), route.gateways());
                prop_assert_eq!(through.gateway, route.gateway);
                prop_assert!(through.interfaces.iter().all(|index| *index == 9));
                let _ = (route.words(), route.command(&interface));
                let _ = (route.is_more_than_its_command(), route.follows_from(&[], true));
            }
        }
    }
}
