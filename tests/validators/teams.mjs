// Judges Teams payloads, one JSON text per line of standard input: by Microsoft's renderer, and by its schema if that is given.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [judges, schemaPath] = process.argv.slice(2);
const require = createRequire(`${judges}/package.json`);
// The bundle: the package's own entry has imports that Node does not resolve.
const AC = require("adaptivecards/dist/adaptivecards.js");

let validate = null;
if (schemaPath) {
  const Ajv = require("ajv");
  const schema = JSON.parse(readFileSync(schemaPath, "utf8"));
  delete schema.id;
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addMetaSchema(require("ajv/dist/refs/json-schema-draft-06.json"));
  require("ajv-formats")(ajv);
  validate = ajv.compile(schema);
}

function objections(line) {
  const payload = JSON.parse(line);
  const { msteams, ...card } = payload.attachments[0].content; // the schema does not know `msteams`
  const found = [];
  const context = new AC.SerializationContext(AC.Versions.v1_4);
  const parsed = new AC.AdaptiveCard();
  parsed.hostConfig = new AC.HostConfig({ actions: { maxActions: 6 } });
  parsed.parse(card, context);
  for (let index = 0; index < context.eventCount; index++) found.push(context.getEventAt(index).message);
  for (const event of parsed.validateProperties().validationEvents) found.push(event.message);
  if (parsed.getItemCount() !== card.body.length) found.push("elements were dropped");
  if (validate && !validate(card)) found.push(JSON.stringify(validate.errors.slice(0, 5)));
  return found;
}

const lines = readFileSync(0, "utf8").split("\n").filter(Boolean);
let objected = 0;
for (const line of lines) {
  const found = objections(line);
  if (found.length > 0) {
    objected++;
    console.error(`${found.join("; ")}\n  in ${line.slice(0, 2000)}`);
  }
}
console.log(`${lines.length} judged, ${objected} refused`);
process.exit(objected > 0 || lines.length === 0 ? 1 : 0);
