//! Colors as the web writes them, and how well one can be read on another.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A color without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(with = "String")]
pub struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

impl Color {
    /// Black, the text on light colors.
    pub const BLACK: Self = Self { red: 0, green: 0, blue: 0 };
    /// White, the text on dark colors.
    pub const WHITE: Self = Self { red: 255, green: 255, blue: 255 };

    /// Reads `#0b5fff`; `None` for any other text.
    ///
    /// ```
    /// use scorewatch::domain::Color;
    ///
    /// assert_eq!(Color::parse("#0B5FFF").unwrap().to_string(), "#0b5fff");
    /// assert_eq!(Color::parse("blue"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hexadecimal.then_some(Self { red: part(0)?, green: part(2)?, blue: part(4)? })
    }

    /// Black or white, whichever can be read better on this color.
    #[must_use]
    pub fn text_on(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// The contrast ratio, from 1 to 21. Source: "Web Content Accessibility Guidelines 2.2", contrast ratio.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// From 0 for black to 1 for white. Source: "Web Content Accessibility Guidelines 2.2", relative luminance.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("expected a color, such as `#0b5fff`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_hexadecimal_digits_are_a_color() {
        for text in ["", "#", "0b5fff", "#fff", "#0b5ff", "#0b5fff0", "#0b5ffg", "#+1+1+1", "#äöü"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
        assert_eq!(Color::parse("#FFFFFF"), Some(Color::WHITE));
    }

    #[test]
    fn text_is_readable_on_every_color() {
        assert!((Color::BLACK.contrast(Color::WHITE) - 21.0).abs() < 1e-9);
        for (background, text) in [("#000000", Color::WHITE), ("#ffff00", Color::BLACK), ("#0b5fff", Color::WHITE)] {
            assert_eq!(Color::parse(background).unwrap().text_on(), text, "{background}");
        }
        let levels = [0, 51, 102, 128, 153, 204, 255];
        let color = |number: usize| {
            let part = |place: u32| levels[number / levels.len().pow(place) % levels.len()];
            Color { red: part(0), green: part(1), blue: part(2) }
        };
        for color in (0..levels.len().pow(3)).map(color) {
            assert!(color.contrast(color.text_on()) >= 4.5, "{color}");
        }
    }
}
