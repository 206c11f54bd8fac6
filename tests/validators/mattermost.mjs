// Judges Mattermost payloads, one JSON text per line of standard input: what the texts look like by `marked`, of which
// Mattermost's own reader is a branch, and that neither its server nor its clients find anybody to call in them.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Lexer } = createRequire(`${process.argv[2]}/`)("marked");

const OWN = [
  "https://scores.mssp.example/",
  "https://security.microsoft.com/",
  "https://entra.microsoft.com/",
  "https://api.slack.com/apps",
];
// What the server makes mentions and links of before it reads Markdown, and what clients make them of afterwards.
const CALLS = /<!|<@|<#|<https?:|(^|[^\w])@[a-z]|(^|\s)~[a-z]|(^|\s)#[a-z]|:[a-z_+-][a-z0-9_+-]*:/i;

function* odd(tokens, top = true) {
  for (const token of tokens) {
    if (token.type === "link" && OWN.some((own) => token.href.startsWith(own))) continue;
    if (token.type === "paragraph") yield* odd(token.tokens);
    else if (token.type === "strong" && top) yield* odd(token.tokens, false);
    else if (token.type === "text" && token.tokens) yield* odd(token.tokens, top);
    else if (!["text", "escape", "space", "br"].includes(token.type)) yield `${token.type}: ${token.raw}`;
  }
}

function* objections(payload) {
  const { text, attachments = [], ...rest } = payload;
  if (Object.keys(rest).length) yield `unknown: ${Object.keys(rest)}`;
  if (typeof text !== "string" || !text.trim() || [...text].length > 16_383) yield "a bad text";
  const texts = [text];
  for (const { fallback, color, text, fields, footer, ...rest } of attachments) {
    if (Object.keys(rest).length) yield `unknown: ${Object.keys(rest)}`;
    if (!/^#[0-9A-F]{6}$/.test(color)) yield `colour ${color}`;
    if (fields.some((field) => field.short !== true || typeof field.title !== "string")) yield "a bad field";
    texts.push(text, ...fields.map((field) => field.value));
    for (const plain of [fallback, footer]) if (CALLS.test(plain)) yield `calls: ${plain}`;
  }
  for (const text of texts) {
    yield* odd(new Lexer({ gfm: true, breaks: true }).lex(text));
    if (CALLS.test(text.replaceAll("\\", ""))) yield `calls: ${text}`;
  }
}

let judged = 0;
let refused = 0;
for await (const line of createInterface({ input: process.stdin })) {
  judged += 1;
  let found;
  try {
    found = [...objections(JSON.parse(line))];
  } catch (error) {
    found = [String(error.stack ?? error)];
  }
  if (found.length) {
    refused += 1;
    console.error(`${found.join("; ").slice(0, 1000)} in ${line.slice(0, 500)}`);
  }
}
console.log(`${judged} judged, ${refused} refused`);
process.exit(refused || !judged ? 1 : 0);
