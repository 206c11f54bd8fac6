//! Small files can't take much memory or time, and what is read is what any other YAML reader would read.

mod differential;

use super::*;

fn refused(text: &str) -> String {
    let faults = read(text).err().unwrap_or_else(|| panic!("it is read: {}", &text[..text.len().min(80)]));
    let fault = &faults[0];
    format!("{}:{}: {}", fault.mark.line, fault.mark.column, fault.what)
}

fn values(text: &str) -> Value {
    read(text).unwrap().unwrap().value
}

#[test]
fn hidden_characters_are_refused_with_their_names_and_places() {
    for (text, reported) in [
        ("# a\u{2028}tenants: []\n", "1:4: U+2028 (line separator) can't stand in a configuration file"),
        ("a: 1\n# b\u{2029}c: 2", "2:4: U+2029 (paragraph separator)"),
        ("a: \"x\u{85}y\"", "1:6: U+0085 (next line)"),
        ("a: b\r\nc: \u{202E}d", "2:4: U+202E (right-to-left override)"),
        ("a: \u{FEFF}b", "1:4: U+FEFF (byte order mark)"),
        ("a: b\u{1b}[2J", "1:5: U+001B (escape)"),
        ("a: b\nc: \u{0}", "2:4: U+0000 (control character)"),
        ("# a\rtenants: []\n", "1:4: this line ends with a carriage return (U+000D) alone"),
    ] {
        assert!(refused(text).starts_with(reported), "{text:?}: {}", refused(text));
    }
    // As an escape in double quotes they can be written; a name refuses them later.
    assert_eq!(values("a: \"b\\u2028\"")["a"], Value::from("b\u{2028}"));
}

#[test]
fn what_other_readers_read_differently_is_refused() {
    for (text, reported) in [
        ("%YAML 1.1\n---\na: b", "1:1: this is not YAML"),
        ("%TAG ! tag:x,2026:\n---\na: b", "1:1: this is not YAML"),
        ("a: b\n---\nc: d", "2:1: a second document begins here"),
        ("a: !!str 5", "tags (`!name`) are not read"),
        ("a: !x b", "tags (`!name`) are not read"),
        ("b: &b { c: d }\na: { <<: *b }", "merge keys (`<<`) are not read"),
        ("&a [*a]", "this alias refers to itself"),
        ("? [a]\n: b", "expected a key, found a list or mapping"),
        ("{a:}", "1:2: a bracket or comma follows the colon after this word directly"),
        ("b: {a:, c: d}", "1:5: a bracket or comma follows the colon"),
    ] {
        assert!(refused(text).contains(reported), "{text:?}: {}", refused(text));
    }
}

#[test]
fn a_value_without_quotes_is_what_it_is_written_as() {
    for (written, value) in [
        ("5", Value::from(5)),
        ("-5.25", Value::from(-5.25)),
        ("yes", Value::from("yes")),
        ("on", Value::from("on")),
        ("0x1F", Value::from("0x1F")),
        ("0o17", Value::from("0o17")),
        ("017", Value::from("017")),
        ("1e3", Value::from("1e3")),
        ("1.50", Value::from("1.50")),
        ("12:30:45", Value::from("12:30:45")),
        ("1_000", Value::from("1_000")),
        ("99999999999999999999999999999999999999999999", Value::from("99999999999999999999999999999999999999999999")),
        ("True", Value::from(true)),
        ("~", Value::Null),
        ("'5'", Value::from("5")),
        ("\"true\"", Value::from("true")),
    ] {
        assert_eq!(values(&format!("a: {written}"))["a"], value, "{written}");
    }
}

#[test]
fn aliases_and_names_can_t_multiply_what_is_written() {
    let long = "x".repeat(1024 * 1024);
    let many_long = format!("a: &a {long}\nb: [{}]", "*a, ".repeat(5));
    assert!(refused(&many_long).contains("aliases repeat more than 4194304 bytes of text"));
    // Each level names the whole rest: copies of copies were sixty times the file.
    let nested = (0..63).map(|level| format!("&a{level} [")).collect::<Vec<_>>().concat();
    let nested = format!("{nested}{}{}", "x, ".repeat(300_000), "]".repeat(63));
    let read_once = read(&nested).unwrap().unwrap();
    assert!(matches!(read_once.value, Value::Sequence(_)));
    let names = (0..1_001).map(|name| format!("- &a{name} x\n")).collect::<Vec<_>>().concat();
    assert!(refused(&names).contains("more than 1000 values are named with `&`"));
    assert!(refused(&"- x\n".repeat(VALUES_MAX + 1)).contains("the file holds more than 500000 values"));
    assert!(refused(&format!("? {}\n: x", "k".repeat(2_000))).contains("this key has 2000 bytes"));
}

#[test]
fn an_alias_repeats_the_value_with_what_is_named_in_it() {
    let text = "a: &a { b: &b [1, x], c: *b }\nd: *a\ne: *b\nf: &s text\ng: *s\n";
    let plain = "a: { b: [1, x], c: [1, x] }\nd: { b: [1, x], c: [1, x] }\ne: [1, x]\nf: text\ng: text\n";
    assert_eq!(values(text), values(plain));
    assert_eq!(values("a: &x 1\nb: &x 2\nc: *x"), values("a: 1\nb: 2\nc: 2"));
}

#[test]
fn brackets_without_end_are_refused_after_as_many_steps_as_the_depth_allows() {
    for bomb in ["[", "{a: ", "- ", "? ", "[{a: ", "&a [", "- - a: "] {
        for before in ["", "# comment\n", "a:\n  "] {
            let text = format!("{before}{}", bomb.repeat(1_000_000 / bomb.len()));
            let faults = read(&text).unwrap_err();
            assert!(faults[0].mark.column < 2_000 && faults[0].mark.line <= 3, "{before:?} {bomb:?}: {:?}", faults[0]);
        }
    }
}

#[test]
fn every_key_of_a_large_mapping_is_found() {
    let text = (0..100_000).rev().map(|key| format!("k{key}: {key}\n")).collect::<Vec<_>>().concat();
    let Document { node, .. } = read(&text).unwrap().unwrap();
    for key in 0..100_000 {
        assert_eq!(node.get(&format!("k{key}")).unwrap().mark.line, 100_000 - key);
    }
    assert!(node.get("k100000").is_none() && node.get("").is_none());
}
