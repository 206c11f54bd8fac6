// Judges signed requests. Per line of standard input: {"secret", "headers", "body"}. A symmetric secret is judged by the
// standard's JavaScript library; of an asymmetric one the line has the public key (`whpk_`), and Node itself verifies `v1a`.
import { createPublicKey, verify } from "node:crypto";
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

// The library knows no `v1a`.
class Asymmetric {
  constructor(key) {
    const x = Buffer.from(key.slice("whpk_".length), "base64").toString("base64url");
    this.key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  }

  verify(body, headers) {
    const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
    const signatures = headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"));
    if (!signatures.some((one) => verify(null, signed, this.key, Buffer.from(one.slice(4), "base64")))) {
      throw new Error("no signature by this key");
    }
  }
}

const lines = readFileSync(0, "utf8").split("\n").filter(Boolean);
let objected = 0;
for (const line of lines) {
  const { secret, headers, body } = JSON.parse(line);
  const judge = secret.startsWith("whpk_") ? new Asymmetric(secret) : new Webhook(secret);
  if (!passes(judge, body, headers) || passes(judge, `${body} `, headers)) {
    objected++;
    console.error(`refused: ${body.slice(0, 500)}`);
  }
}
console.log(`${lines.length} judged, ${objected} refused`);
process.exit(objected > 0 || lines.length === 0 ? 1 : 0);
