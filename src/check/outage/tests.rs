use super::Cause;
use crate::microsoft::FailureClass;

#[test]
fn a_cause_is_read_back_as_it_was_written() {
    let app = uuid::Uuid::from_u128(7);
    for cause in [
        Cause::Service,
        Cause::Clock,
        Cause::Proxy,
        Cause::Refusal(FailureClass::TokenRefused),
        Cause::Credential(app),
        Cause::App(app),
    ] {
        assert_eq!(Cause::from_key(&cause.key()), Some(cause));
    }
    for other in ["", "service of another version", "refusal nothing", "app 7"] {
        assert!(Cause::from_key(other).is_none_or(|cause| cause == Cause::Service), "{other}");
    }
}

#[test]
fn what_everybody_may_read_of_a_cause_holds_no_number_and_no_name() {
    for cause in [Cause::Service, Cause::Clock, Cause::Credential(uuid::Uuid::from_u128(7))] {
        assert!(cause.hint_for_everybody().chars().all(|letter| !letter.is_ascii_digit()), "{cause:?}");
    }
}
