//! Mistakes of which much follows, copies of the wrong thing, and what is accepted and can't work.

use super::table::{
    Editor::{Compares, Elsewhere, Intricate, Marks, MayBeMeant, NotYaml},
    Mistake,
};

pub(super) const CAUSES: &[Mistake] = &[
    // The cause, and not that something is missing because of it.
    ('r', "when: { below", "when:\u{a0}{ below", "a no-break space (U+00A0) follows `when:`", Marks),
    ('r', "{ below: 300 }", "{ below:\u{a0}300 }", "a no-break space (U+00A0) follows `below:`", Marks),
    ('r', "{ below: 300 }", "\n      below:\u{a0}300", "so YAML does not take `below` for a key; write a space", Marks),
    (
        'm',
        "spread: 10m",
        "spread:\u{202f}10m",
        "scorewatch.yaml:4:1: error: a no-break space (U+202F) follows `spread:`",
        NotYaml,
    ),
    ('r', "recover: { above", "recover: { above:\u{a0}320 } #", "follows `above:`", Marks),
    ('m', "  - id: contoso", "  - slug: contoso", "unknown key `slug`; did you mean `id`?", Marks),
    ('m', "  - id: contoso", "  - handle: contoso", "unknown key `handle`; use one of `id`", Marks),
    ('m', "url: { file: secrets/soc-teams }", "webhook: { file: secrets/soc-teams }", "did you mean `url`?", Marks),
    ('m', "url: { file: secrets/soc-teams }", "link: { file: secrets/soc-teams }", "unknown key `link`", Marks),
    (
        'm',
        "operator:",
        "maintenance: [{ name: patch, tenants: all, schedule: \"0 0 22 * * FRI\", for: 6h }]\noperator:",
        "unknown key `schedule`; did you mean `from`?",
        Marks,
    ),
    ('m', "operator: { notify: [soc, too] }", "operator: soc", "operator: expected a mapping", Marks),
    ('m', "operator: { notify: [soc, too] }", "operator: [soc]", "write `operator: { notify: [soc] }`", Marks),
    ('m', "operator: { notify: [soc, too] }", "operator: { tell: [soc] }", "unknown key `tell`", Marks),
    // The place, and the word that was meant.
    (
        'm',
        "notify: [soc, too]",
        "notify: [ops]",
        "channel `ops` is not defined; define it under `channels:`",
        Elsewhere,
    ),
    (
        'r',
        "notify: [soc]\n  - name: blind\n    when: { no_data: 6h }\n    notify: [soc]",
        "notify: [sco]\n  - name: blind\n    when: { no_data: 6h }\n    notify: [sco]",
        "rules[1].notify[0]: channel `sco` is not defined (also used at ",
        Elsewhere,
    ),
    ('r', "score: device-secure-score", "score: exposure", "did you mean `exposure-score`?", Marks),
    ('r', "score: device-secure-score", "score: device-score", "did you mean `device-secure-score`?", Marks),
    (
        'm',
        "secret: { file: secrets/contoso }",
        "secret: secrets/contoso",
        "a path alone is read as the secret itself; write `{ file: secrets/contoso }`",
        Marks,
    ),
    // IDs and URLs that were copied wrongly.
    (
        'm',
        "2f1c0a5e-0000-4000-8000-000000000001",
        "00000000-0000-0000-0000-000000000000",
        "tenant_id: this is a placeholder: all of its digits are zero; copy the ID from the overview page",
        Marks,
    ),
    (
        'm',
        "6d2a0000-0000-4000-8000-000000000001",
        "2f1c0a5e-0000-4000-8000-000000000001",
        "tenant_id: this is also the `client_id` of the tenant's app",
        Compares,
    ),
    ('m', "https://soar.example/hook", "https://10.1.2.3/hook", "like `allow_private: [10.0.0.0/8]`", Intricate),
    (
        'm',
        "https://soar.example/hook",
        "https://soar.example/hook?sig=AAAhttps://soar.example/hook?sig=AAA",
        "a second URL follows right behind it; delete one of the two",
        Intricate,
    ),
    (
        'm',
        "url: https://soar.example/hook",
        "url: '\"https://soar.example/hook\"'",
        "it has quotation marks around it; delete the quotation marks",
        Marks,
    ),
    (
        'm',
        "    labels:",
        "    exclude: [MFA]\n    labels:",
        "write `exclude: [{ controls: [AdminMFAV2], reason: Okta enforces MFA, until: 2027-03-01 }]`",
        Marks,
    ),
    (
        'm',
        "operator:",
        "exclude: [MFA]\noperator:",
        "write `exclude: [{ controls: [AdminMFAV2], tenants: all, reason: Okta enforces MFA, until: 2027-03-01 }]`",
        Marks,
    ),
    // What can't work as it is meant.
    (
        'm',
        "  soc: { type: teams, url: { file: secrets/soc-teams } }\n  too: { type: webhook, url: https://soar.example/hook }",
        "  soc: { type: teams, url: { file: secrets/soc-teams } }\n  too: { type: teams, url: { file: secrets/soc-teams } }",
        "warning[operator-has-one-channel]: operator.notify: channels `soc` and `too` send to one receiver",
        MayBeMeant,
    ),
    (
        'm',
        "spread: 10m",
        "spread: 10m\nretention: 12h",
        "warning[period-too-long]: when.within: rule `device-score-drop` looks back 24h, and values are kept for 12h",
        MayBeMeant,
    ),
    (
        'r',
        "severity: critical",
        "for: 60d",
        "warning[period-too-long]: for: rule `device-score-drop` notifies only after 60d",
        MayBeMeant,
    ),
];
