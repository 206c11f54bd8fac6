// Judges signed requests by the standard's JavaScript library. Per line of standard input: {"secret", "headers", "body"}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[2]}/package.json`);
const { Webhook } = require("standardwebhooks");

const passes = (judge, body, headers) => {
  try {
    judge.verify(body, headers);
    return true;
  } catch {
    return false;
  }
};

const lines = readFileSync(0, "utf8").split("\n").filter(Boolean);
let objected = 0;
for (const line of lines) {
  const { secret, headers, body } = JSON.parse(line);
  const judge = new Webhook(secret);
  if (!passes(judge, body, headers) || passes(judge, `${body} `, headers)) {
    objected++;
    console.error(`refused: ${body.slice(0, 500)}`);
  }
}
console.log(`${lines.length} judged, ${objected} refused`);
process.exit(objected > 0 || lines.length === 0 ? 1 : 0);
