// Judges Discord payloads, one JSON text per line of standard input: the limits by the builders of discord.js, and what the
// texts look like by a reader of Discord's Markdown. Only what our own words make bold and our own links may be anything but text.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const { EmbedAssertions: holds, embedLength } = require("@discordjs/builders");
const { parse } = require("discord-markdown-parser");

const OWN = [
  "https://scores.mssp.example/",
  "https://security.microsoft.com/",
  "https://entra.microsoft.com/",
  "https://api.slack.com/apps",
];

function* odd(nodes, within = "") {
  for (const node of nodes) {
    // Beside a name with a bracket that nothing closes, the address of our own link stands bare.
    if (["link", "url"].includes(node.type) && OWN.some((own) => node.target.startsWith(own))) continue;
    if (node.type === "strong" && within === "") yield* odd(node.content, "strong");
    else if (!["text", "twemoji", "br", "newline"].includes(node.type)) yield `${node.type}: ${JSON.stringify(node)}`;
  }
}

function* objections(payload) {
  if (payload.content.length > 2000) yield "content is too long";
  if (JSON.stringify(payload.allowed_mentions) !== '{"parse":[]}') yield "somebody may be called";
  const embeds = payload.embeds ?? [];
  if (embeds.length > 10) yield "too many embeds";
  if (embeds.reduce((sum, embed) => sum + embedLength(embed), 0) > 6000) yield "the embeds are too long";
  yield* odd(parse(payload.content, "normal"));
  for (const { title, description, color, fields = [], footer, ...rest } of embeds) {
    holds.titlePredicate.parse(title ?? null);
    holds.descriptionPredicate.parse(description ?? null);
    holds.colorPredicate.parse(color);
    holds.embedFieldsArrayPredicate.parse(fields);
    holds.fieldLengthPredicate.parse(fields.length);
    if (footer) holds.embedFooterPredicate.parse(footer);
    if (Object.keys(rest).length) yield `unknown: ${Object.keys(rest)}`;
    for (const text of [description ?? "", ...fields.map((field) => field.value)]) yield* odd(parse(text, "extended"));
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
