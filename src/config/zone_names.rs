//! What people write for a time zone that is not its IANA name: names of Windows, abbreviations, offsets.

/// Names of Windows and abbreviations in small letters, each with a zone that has its clock. Source: "windowsZones.xml" (Unicode
/// CLDR), the territory 001.
const NAMES: &[(&str, &str)] = &[
    ("aest", "Australia/Sydney"),
    ("alaskan standard time", "America/Anchorage"),
    ("arab standard time", "Asia/Riyadh"),
    ("arabian standard time", "Asia/Dubai"),
    ("argentina standard time", "America/Buenos_Aires"),
    ("atlantic standard time", "America/Halifax"),
    ("aus eastern standard time", "Australia/Sydney"),
    ("bst", "Europe/London"),
    ("canada central standard time", "America/Regina"),
    ("cen. australia standard time", "Australia/Adelaide"),
    ("central america standard time", "America/Guatemala"),
    ("central europe standard time", "Europe/Budapest"),
    ("central european standard time", "Europe/Warsaw"),
    ("central standard time", "America/Chicago"),
    ("cest", "Europe/Berlin"),
    ("china standard time", "Asia/Shanghai"),
    ("cst", "America/Chicago"),
    ("cdt", "America/Chicago"),
    ("e. africa standard time", "Africa/Nairobi"),
    ("e. australia standard time", "Australia/Brisbane"),
    ("e. europe standard time", "Europe/Chisinau"),
    ("e. south america standard time", "America/Sao_Paulo"),
    ("eastern standard time", "America/New_York"),
    ("edt", "America/New_York"),
    ("egypt standard time", "Africa/Cairo"),
    ("fle standard time", "Europe/Kiev"),
    ("gmt standard time", "Europe/London"),
    ("greenwich standard time", "Atlantic/Reykjavik"),
    ("gtb standard time", "Europe/Bucharest"),
    ("hawaiian standard time", "Pacific/Honolulu"),
    ("india standard time", "Asia/Kolkata"),
    ("israel standard time", "Asia/Jerusalem"),
    ("ist", "Asia/Kolkata"),
    ("jst", "Asia/Tokyo"),
    ("korea standard time", "Asia/Seoul"),
    ("mdt", "America/Denver"),
    ("mesz", "Europe/Berlin"),
    ("mez", "Europe/Berlin"),
    ("morocco standard time", "Africa/Casablanca"),
    ("mountain standard time", "America/Denver"),
    ("new zealand standard time", "Pacific/Auckland"),
    ("pacific sa standard time", "America/Santiago"),
    ("pacific standard time", "America/Los_Angeles"),
    ("pdt", "America/Los_Angeles"),
    ("pst", "America/Los_Angeles"),
    ("romance standard time", "Europe/Paris"),
    ("russian standard time", "Europe/Moscow"),
    ("sa pacific standard time", "America/Bogota"),
    ("se asia standard time", "Asia/Bangkok"),
    ("singapore standard time", "Asia/Singapore"),
    ("south africa standard time", "Africa/Johannesburg"),
    ("taipei standard time", "Asia/Taipei"),
    ("tokyo standard time", "Asia/Tokyo"),
    ("turkey standard time", "Europe/Istanbul"),
    ("us eastern standard time", "America/Indianapolis"),
    ("us mountain standard time", "America/Phoenix"),
    ("w. australia standard time", "Australia/Perth"),
    ("w. central africa standard time", "Africa/Lagos"),
    ("w. europe standard time", "Europe/Berlin"),
    ("west asia standard time", "Asia/Tashkent"),
    ("z", "UTC"),
    ("zulu time", "UTC"),
];

/// Zones of America without summer time whose names read like a part of the zones that have it, and what to write for both.
const WITHOUT_SUMMER_TIME: [(&str, &str); 3] = [
    ("EST", "write `America/New_York`, or `America/Panama` if there is no summer time"),
    ("MST", "write `America/Denver`, or `America/Phoenix` if there is no summer time"),
    ("HST", "write `Pacific/Honolulu`, where there is no summer time, or `America/Adak`"),
];

/// What is probably not meant by the name of a zone that there is, and what to write.
pub(super) fn doubt(name: &str) -> Option<(String, String)> {
    if let Some((_, instead)) = WITHOUT_SUMMER_TIME.iter().find(|(known, _)| *known == name) {
        return Some((format!("`{name}` has no summer time"), (*instead).to_owned()));
    }
    let offset = name.strip_prefix("Etc/GMT")?;
    let (sign, reverse) = if offset.starts_with('+') { ('−', '-') } else { ('+', '+') };
    let hours = offset.trim_start_matches(['+', '-']);
    if hours.is_empty() || hours == "0" {
        return None;
    }
    let what = format!("`{name}` is UTC{sign}{hours}: its sign is reversed, and it has no summer time");
    let reverse = format!("Etc/GMT{reverse}{hours}");
    Some((what, format!("write a place, like `Europe/Berlin`, or `{reverse}` if the reverse is meant")))
}

/// What to write instead of that name; `None`: it is not known.
pub(super) fn instead(text: &str) -> Option<String> {
    let written = text.trim().to_lowercase();
    if let Some((_, zone)) = NAMES.iter().find(|(name, _)| *name == written) {
        return Some(format!("write `{zone}`"));
    }
    let offset = ["utc", "gmt", ""].iter().find_map(|before| written.strip_prefix(before)).unwrap_or_default().trim();
    let digits = offset.strip_prefix(['+', '-'])?;
    let is_offset =
        !digits.is_empty() && digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    is_offset.then(|| {
        "an offset does not follow daylight saving time, so write the name of a place like `Europe/Berlin`".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Zone;

    #[test]
    fn names_from_elsewhere_lead_to_a_zone_that_is_known() {
        for (_, zone) in NAMES {
            assert!(Zone::names().any(|known| known == *zone), "{zone}");
        }
        for (text, said) in [
            ("Z", Some("write `UTC`")),
            ("W. Europe Standard Time", Some("write `Europe/Berlin`")),
            ("eastern standard time", Some("write `America/New_York`")),
            ("CEST", Some("write `Europe/Berlin`")),
            ("GMT+1", Some("an offset")),
            ("UTC+02:00", Some("an offset")),
            ("+0100", Some("an offset")),
            ("Europe/Berln", None),
            ("+", None),
            ("", None),
        ] {
            let found = instead(text);
            assert_eq!(found.is_some(), said.is_some(), "{text}: {found:?}");
            assert!(found.unwrap_or_default().starts_with(said.unwrap_or_default()), "{text}");
        }
    }
}
