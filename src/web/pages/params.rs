//! What an address or a form carries: pairs of names and values, some of them several times.

use super::words::encoded;

/// Pairs of names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Params(pub(super) Vec<(String, String)>);

impl Params {
    /// The value of that name; an empty one, as an empty field of a form gives, is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(is, value)| is == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The values of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(is, value)| is == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The same address with another value for that name; `None`: without it. A further page is one of another list.
    pub(super) fn with(&self, path: &str, name: &str, value: Option<&str>) -> String {
        let is_of_this_page = |is: &str| ["after", "done", "count", "left", "later"].contains(&is);
        let kept = self.0.iter().filter(|(is, _)| is != name && !is_of_this_page(is)).cloned();
        Self(kept.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect()).address(path)
    }

    /// The address of a page with these, empty ones left out.
    pub(super) fn address(&self, path: &str) -> String {
        let pairs = self.0.iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_is_not_changed() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let params = Params(vec![pair("q", "a&b"), pair("label", "tier=gold"), pair("after", "x"), pair("empty", "")]);
        assert_eq!(params.with("/", "sort", Some("day")), "/?q=a%26b&label=tier%3Dgold&sort=day");
        assert_eq!(params.with("/", "q", None), "/?label=tier%3Dgold");
        assert_eq!((params.get("empty"), params.get("q")), (None, Some("a&b")));
        assert_eq!(Params::default().with("/alerts", "q", None), "/alerts");
    }
}
