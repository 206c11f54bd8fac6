// A certified OpenID Connect provider on loopback (npm: oidc-provider), a browser that signs in there, and Microsoft Graph's
// checkMemberGroups. First line of standard output: {"issuer"}. Then one JSON command per line of standard input, each answered by one
// line: {"visit": URL} signs in and answers {"callback": URL}; {"set": {…}} changes what the provider does from then on;
// {"rotate": true} replaces its keys.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Provider } = await load("oidc-provider");
const jose = await load("jose");
console.log = console.info = console.error; // what the provider says of itself stays out of the answers
const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const TENANT = "2f1c0a5e-0000-4000-8000-0000000000ab";
const CLIENT = "6d2a0000-0000-4000-8000-000000000002";
let now = { groups: [], overage: false, fault: null, alg: "RS256", auth: "client_secret_post", graph: 200 };
let keys; // private, as the provider signs
let provider;

const newKeys = async () => {
  const made = [];
  for (const alg of ["RS256", "PS256", "ES256"]) {
    const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
    made.push({ ...(await jose.exportJWK(privateKey)), alg, use: "sig", kid: `${alg}-${Date.now()}-${Math.random()}` });
  }
  keys = made;
};

// What an attacker, or a broken provider, would send in place of a token.
const spoilt = async (token) => {
  const claims = jose.decodeJwt(token);
  const header = jose.decodeProtectedHeader(token);
  const key = keys.find((key) => key.kid === header.kid);
  const signed = async (changed, by = key, head = header) =>
    new jose.SignJWT({ ...claims, ...changed }).setProtectedHeader(head).sign(await jose.importJWK(by, head.alg));
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  switch (now.fault) {
    case null:
      return token;
    case "nonce":
      return signed({ nonce: "another" });
    case "issuer":
      return signed({ iss: "https://evil.example" });
    case "audience":
      return signed({ aud: "another" });
    case "audiences":
      return signed({ aud: [CLIENT, "another"] });
    case "tenant":
      return signed({ tid: "2f1c0a5e-0000-4000-8000-0000000000ac" });
    case "expired":
      return signed({ iat: claims.iat - 7200, exp: claims.iat - 3600 });
    case "future":
      return signed({ iat: claims.iat + 3600 });
    case "unsigned":
      return `${part({ alg: "none" })}.${part(claims)}.`;
    case "HS256": {
      // The public key, which everybody has, as the shared one.
      const publicKey = await jose.importJWK({ kty: key.kty, n: key.n, e: key.e }, "RS256");
      const pem = await jose.exportSPKI(publicKey);
      const message = `${part({ alg: "HS256", kid: key.kid })}.${part(claims)}`;
      return `${message}.${createHmac("sha256", pem).update(message).digest("base64url")}`;
    }
    case "stranger": {
      const { privateKey } = await jose.generateKeyPair("RS256", { extractable: true });
      return signed({}, await jose.exportJWK(privateKey));
    }
    case "unknown key":
      return signed({}, key, { ...header, kid: "unknown" });
    default:
      throw new Error(`unknown fault ${now.fault}`);
  }
};

const groupsOf = () =>
  now.overage
    ? { _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint: `${issuer}/never` } } }
    : { groups: now.groups };

const open = () => {
  const made = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: CLIENT,
        client_secret: "s3cr+t/value~%",
        redirect_uris: ["https://scores.mssp.example/sign-in/oidc/callback"],
        token_endpoint_auth_method: now.auth,
        id_token_signed_response_alg: now.alg,
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256"] },
    cookies: { keys: ["a key of this test"] },
    clientAuthMethods: [now.auth],
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    scopes: ["openid", "profile", "email"],
    claims: {
      openid: ["sub", "tid", "groups", "roles", "_claim_names", "_claim_sources"],
      profile: ["preferred_username", "name"],
      email: ["email"],
    },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id, tid: TENANT, preferred_username: `${id}@mssp.example`, name: "Ann", email: "a@b.example", ...groupsOf(),
      }),
    }),
  });
  made.use(async (context, next) => {
    await next();
    if (context.path === "/token" && context.body?.id_token) {
      context.body.id_token = await spoilt(context.body.id_token);
    }
  });
  provider = made;
};

// Graph believes only a token that the provider really granted.
const graph = async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  const known = await provider.AccessToken.find(token);
  response.writeHead(known ? now.graph : 401, { "content-type": "application/json" });
  response.end(JSON.stringify({ value: JSON.parse(body).groupIds.filter((id) => now.groups.includes(id)) }));
};

const server = createServer((request, response) => {
  if (request.url === "/graph/v1.0/me/checkMemberGroups") return graph(request, response);
  if (request.url === "/never") throw new Error("the source that a token names was called");
  return provider.callback()(request, response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
await newKeys();
open();

// A browser without JavaScript: it keeps cookies, follows redirects, and fills in the two forms.
const visit = async (url) => {
  const jar = new Map();
  let next = { url, options: {} };
  for (let step = 0; step < 20; step++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(next.url, {
      ...next.options, redirect: "manual", headers: { ...next.options.headers, cookie },
    });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split("=");
      jar.set(name, value);
    }
    const location = response.headers.get("location");
    const page = await response.text();
    if (location) {
      const to = new URL(location, next.url).href;
      if (!to.startsWith(issuer)) return to;
      next = { url: to, options: {} };
      continue;
    }
    const action = page.match(/<form[^>]* action="([^"]+)"/)?.[1];
    const prompt = page.match(/name="prompt" value="([^"]+)"/)?.[1];
    if (!action) throw new Error(`no form, HTTP ${response.status}: ${page.slice(0, 500)}`);
    const form = new URLSearchParams({ prompt, ...(prompt === "login" ? { login: "ann", password: "x" } : {}) });
    next = { url: new URL(action, next.url).href, options: { method: "POST", body: form } };
  }
  throw new Error("the sign-in does not end");
};

answer({ issuer });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    if (command.set) {
      now = { ...now, ...command.set };
      if (command.set.alg || command.set.auth) open();
    }
    if (command.rotate) {
      await newKeys();
      open();
    }
    answer(command.visit ? { callback: await visit(command.visit) } : { done: true });
  } catch (error) {
    answer({ error: String(error.stack ?? error) });
  }
}
process.exit(0);
