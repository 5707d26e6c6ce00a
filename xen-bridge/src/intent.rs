//! A bridge that `up` is about to make: how to know it, should nobody be left
//! to keep its number.

use crate::link::Link;
use crate::settings::Settings;
use crate::values::Mac;

/// What a bridge is like that is to be made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Intent {
    /// What it is set to.
    pub settings: Settings,
    /// Its hardware address, where that was named.
    pub mac: Option<Mac>,
}

impl Intent {
    /// A bridge that was made so; an administrator's has other defaults.
    #[must_use]
    pub fn is_like(&self, link: &Link) -> bool {
        let settings = &link.bridge.settings;
        let is_its_mac = self.mac.is_none() || self.mac == link.mac;
        is_its_mac && settings.differing(&self.settings).is_empty()
    }

    /// As a record has it: a number or `-` for each setting, and the address.
    #[must_use]
    pub fn to_text(self) -> String {
        let number = |it: Option<u32>| it.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let mut words: Vec<String> = self.settings.0.into_iter().map(number).collect();
        words.extend(self.mac.map(|mac| mac.to_string()));
        words.join(" ")
    }

    /// From that; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut intent = Self::default();
        for place in &mut intent.settings.0 {
            *place = match words.next()? {
                "-" => None,
                word => Some(word.parse().ok()?),
            };
        }
        intent.mac = match words.next() {
            None => None,
            Some(word) => Some(word.parse().ok()?),
        };
        Some(intent)
    }
}
