//! Checks that a delivered line covers whatever the product grouped, merged or suppressed. The one exception is a silence.

use super::{
    judge::{Complaint, Fault, shown},
    message::{Account, Delivered, Fate},
    world::World,
};

/// Finds faults in the product's own account of its notifications.
pub fn check(world: &World, delivered: &[Delivered], accounts: &[Account]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for account in accounts {
        let (tenant, rule) = (&world.tenants[account.alert.tenant].name, &world.rules[account.alert.rule].name);
        let mut complain = |what: String| {
            let what = format!("{tenant} {rule}: {:?} made at {}, {what}", account.says, shown(account.at));
            complaints.push(Complaint::new(Fault::Uncovered, what));
        };
        match account.fate[..] {
            [Fate::Within(place)] => {
                if !is_covered(&delivered[place], account) {
                    complain(format!(
                        "is within the message of {}, which has no line for it",
                        shown(delivered[place].at)
                    ));
                }
            }
            [Fate::Silenced] => {
                if world.unsilenced(account.at) == account.at {
                    complain("is suppressed, and no silence covers it".to_owned());
                }
            }
            [] => {
                // A delivery that is still queued when the world ends may yet arrive.
                if account.at + world.fleet.wait() + 3_600 < world.until && world.unsilenced(account.at) < world.until {
                    complain("came to nothing".to_owned());
                }
            }
            [Fate::Dropped] => complain("is dropped".to_owned()),
            _ => complain(format!("has more than one fate: {:?}", account.fate)),
        }
    }
    complaints
}

/// Whether a message has a line that reports it, or something newer about the same alert.
fn is_covered(message: &Delivered, account: &Account) -> bool {
    let is_line = message.channel == account.channel
        && message.lines.iter().any(|line| line.alert == account.alert && line.happened >= account.happened);
    is_line || message.left_out > 0
}
