//! Names of plain letters, digits and hyphens, made of texts that people read.

use crate::domain::name::NAME_BYTES_MAX;

/// Longest such name, in bytes; what distinguishes two equal ones fits behind it.
pub(super) const STEM_BYTES_MAX: usize = NAME_BYTES_MAX - 37;

/// A name of plain letters, digits and hyphens that reads like this one; empty if no letter of it can be written so.
pub(super) fn stem(text: &str) -> String {
    let mut stem = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => stem.push(letter),
            _ => match spelled(letter) {
                Some(spelled) => stem.push_str(spelled),
                None if !stem.is_empty() && !stem.ends_with('-') => stem.push('-'),
                None => {}
            },
        }
        if stem.len() >= STEM_BYTES_MAX {
            break;
        }
    }
    stem.truncate(STEM_BYTES_MAX);
    stem.trim_end_matches('-').to_owned()
}

/// How a letter of European names is spelled in plain ones. An apostrophe is left out.
fn spelled(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ą' | 'ă' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ė' | 'ę' | 'ě' | 'ē' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ı' | 'ī' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ő' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ů' | 'ű' | 'ū' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        'þ' => "th",
        '&' => "and",
        '\'' | '’' | '\u{307}' => "",
        _ => return None,
    })
}
