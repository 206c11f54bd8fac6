// Goes through the dashboard as an analyst, an administrator and a customer's user do, in Chromium: with scripts and without, on a desk
// and on a phone, in light and dark, through a proxy with TLS. Arguments: the folder of the installed packages, and as JSON: `upstream`,
// where the service listens; `public`, where messages say that it is; `link`, an address out of a received message; `accounts`, passwords
// by name; `key` and `cert` of the proxy; `shots`, where screenshots go. What is wrong is printed; exit code 1.
import { createServer } from "node:https";
import { request as forward } from "node:http";
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const installed = process.argv[2];
const { upstream, public: base, link, accounts, key, cert, shots } = JSON.parse(process.argv[3]);
const load = createRequire(join(installed, "node_modules/x.js"));
const { chromium } = load("playwright-core");
const { default: Axe } = load("@axe-core/playwright");
const { HtmlValidate } = load("html-validate");

/** Who is looked at: the demo's customer whose device score fell before the story began. */
const TENANT = { id: "lamna", name: "Lamna Healthcare" };
/** The customer whose own user signs in. */
const CUSTOMER = { id: "fabrikam", name: "Fabrikam GmbH" };
/** The name under which the browser asks for the service. */
const HOST = new URL(base).hostname;
const judge = new HtmlValidate({
  extends: ["html-validate:recommended"],
  rules: {
    // Names that browsers know; ours are ours.
    "valid-autocomplete": "off",
    // Numbers that it takes for those of telephones.
    "tel-non-breaking": "off",
    "long-title": "off",
    "no-trailing-whitespace": "off",
    // One box for each alert that can be selected.
    "form-dup-name": ["error", { shared: ["radio", "button", "submit", "checkbox"] }],
  },
});
const faults = [];
let pages = 0;

/** What an operator puts in front of the service. */
const proxy = createServer({ key, cert }, (asked, answer) => {
  const { hostname: host, port } = new URL(upstream);
  const headers = { ...asked.headers, "x-forwarded-for": asked.socket.remoteAddress, "x-forwarded-proto": "https" };
  const passed = forward({ host, port, method: asked.method, path: asked.url, headers }, (back) => {
    answer.writeHead(back.statusCode, back.rawHeaders);
    back.pipe(answer);
  });
  passed.on("error", () => answer.destroy());
  answer.on("close", () => passed.destroy());
  asked.pipe(passed);
});
await new Promise((listens) => proxy.listen(0, "127.0.0.1", listens));

mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    `--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${proxy.address().port}`,
  ],
});
/** One person at one screen. */
class Visit {
  static async of(context, name, way) {
    return Object.assign(new Visit(), { name, way }, { page: await context.newPage(), isQuiet: false }).#watched();
  }

  #watched() {
    // Chromium itself writes what it was answered into the console; where a refusal is expected, that is not a fault of the page.
    this.page.on("console", (message) => { if (!this.isQuiet) this.complain(`console: ${message.text()}`); });
    this.page.on("pageerror", (error) => this.complain(`script: ${error}`));
    return this;
  }

  complain(what) {
    faults.push(`${this.name}: ${new URL(this.page.url()).pathname}: ${what}`);
  }

  /** Judges the page that is shown, and keeps a picture of it. */
  async see(what) {
    const { page, name, way } = this;
    pages += 1;
    await page.screenshot({ path: join(shots, `${what}-${name}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) this.complain(`${wide} pixels wider than the screen`);
    // The fleet's other scores scroll sideways by design; nothing else does.
    const cut = await page.evaluate(() => [...document.querySelectorAll("table")]
      .filter((table) => table.checkVisibility() && !table.querySelector("th.wider") && table.scrollWidth > table.parentElement.clientWidth + 1)
      .map((table) => `${table.className || table.caption?.textContent}: ${table.scrollWidth} in ${table.parentElement.clientWidth}`));
    if (cut.length) this.complain(`a table is cut off: ${cut.join(", ")}`);
    if (way.javaScriptEnabled) {
      for (const { id, nodes } of (await new Axe({ page }).analyze()).violations) {
        this.complain(`axe ${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).slice(0, 3).join(" | ")}`);
      }
    } else if (way.width === 1280 && way.colorScheme === "light" && !this.isQuiet) {
      const html = await (await page.reload()).text();
      for (const { messages } of (await judge.validateString(html)).results) {
        for (const { ruleId, message, line } of messages) this.complain(`html-validate ${ruleId}: ${message} (line ${line})`);
      }
    }
  }

  async expect(what, locator) {
    try {
      await locator.first().waitFor({ state: "visible", timeout: 20_000 });
    } catch {
      this.complain(`${what} is not there`);
    }
  }

  /** The page as it is printed: on a sheet as narrow as a phone, whole, and without what only a screen is good for. */
  async print(what, column) {
    const { page, way } = this;
    if (way.width !== 1280 || !way.javaScriptEnabled) return;
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 718, height: 1016 });
    await page.screenshot({ path: join(shots, `print-${what}-${this.name}.png`), fullPage: true });
    const seen = await page.evaluate((column) => {
      const isShown = (selector) => [...document.querySelectorAll(selector)].some((element) => element.checkVisibility());
      return {
        screen: isShown(".side, .bar, .acts, .tabs, button"), column: isShown(column),
        wide: document.documentElement.scrollWidth - innerWidth,
        paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
      };
    }, column);
    if (seen.screen) this.complain("what only a screen is good for is printed");
    if (!seen.column) this.complain(`${column} is not printed`);
    if (seen.wide > 0) this.complain(`${seen.wide} pixels wider than the sheet`);
    if (`${seen.paper} ${seen.ink}` !== "rgb(255, 255, 255) rgb(0, 0, 0)") this.complain(`printed ${seen.ink} on ${seen.paper}`);
    await page.emulateMedia({ media: null });
    await page.setViewportSize({ width: way.width, height: 860 });
  }

  /** Presses a button of a form, and waits for the page that says what was done. */
  async press(button) {
    await Promise.all([this.page.waitForURL(/done=/), button.click()]);
  }

  async go(path) {
    await this.page.goto(path.startsWith("https:") ? path : `${base}/${path}`);
  }

  /** Fills in the sign-in page, which is shown already. */
  async signIn(name, password = accounts[name]) {
    await this.page.getByLabel("Name").fill(name);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
  }

  async signOut() {
    await this.page.getByRole("button", { name: "Sign out" }).click();
    await this.page.waitForURL(/sign-in/);
    await this.go("alerts");
    await this.expect("the sign-in page, after signing out", this.page.getByLabel("Password"));
  }

  /** Pages that are looked at and not acted on. */
  async look(prefix, paths) {
    for (const path of paths) {
      await this.go(path);
      await this.expect("a heading", this.page.locator("h1"));
      await this.see(`${prefix}${path.replace(/\W+/g, "-")}`);
    }
  }
}

/** From the link in a message to the alert, and through the day. */
async function analyst(visit) {
  const { page } = visit;
  await visit.go(link);
  await visit.expect("the sign-in page", page.getByLabel("Password"));
  await visit.see("sign-in");
  visit.isQuiet = true;
  await visit.signIn("analyst", "not the right password");
  await visit.expect("why nobody is signed in", page.getByText("The name or the password is wrong."));
  visit.isQuiet = false;
  await visit.signIn("analyst");
  await page.waitForURL(link);
  await visit.expect("who is signed in", page.getByRole("button", { name: "Sign out" }));

  // Acknowledge, or take that back: others walked here before.
  const acknowledge = page.getByRole("button", { name: "Acknowledge", exact: true });
  if (await acknowledge.count()) {
    await visit.press(acknowledge);
    await visit.expect("who acknowledged", page.getByText("acknowledged by analyst"));
  } else {
    await visit.press(page.getByRole("button", { name: "Take back" }));
    await visit.expect("an alert to acknowledge", acknowledge);
  }
  await visit.see("alert-of-a-message");

  // Who got worse, and one of them, by the search.
  await visit.go("");
  await visit.expect("the summary", page.locator(".tile", { hasText: "Got worse" }));
  await visit.see("fleet");
  await visit.print("fleet", "table.fleet td.wide");
  await page.getByLabel("Filter tenants by name or id").fill(TENANT.name.slice(0, 6).toLowerCase());
  await page.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL(/q=/);
  await visit.expect("the tenant among those that match", page.getByRole("link", { name: TENANT.name }));
  await page.locator("#find").fill(TENANT.id);
  await page.locator("#find").press("Enter");
  await page.waitForURL(/tenants/);

  // The drop on the chart: the line goes down by a third of its height, within an alert.
  const chart = page.locator("svg.chart:visible").first();
  await visit.expect("the chart", chart);
  const fall = await chart.locator("path.line").evaluate((line) => {
    const heights = [...line.getAttribute("d").matchAll(/[ML]\S+ (\S+?)(?=[ML]|$)/g)].map((match) => Number(match[1]));
    return Math.max(...heights) - Math.min(...heights);
  });
  if (!(fall > 50)) visit.complain(`the drop is ${fall} high`);
  await visit.expect("the alert in the chart", chart.locator("rect.strip.critical"));
  await visit.see("tenant");
  await visit.print("tenant", ".for-desk svg.chart");

  // A message about it, resent; by its id to its alert, which is silenced; and the silence ended.
  await visit.go(`deliveries?tenant=${TENANT.id}`);
  await visit.see("deliveries");
  await page.getByRole("link", { name: /device secure score/ }).first().click();
  await page.waitForURL(/deliveries\/\d/);
  const id = await page.locator("#standing code").textContent();
  await visit.see("delivery");
  await visit.press(page.getByRole("button", { name: "Resend" }));
  await visit.expect("what was resent", page.getByText("Queued again."));
  await visit.go(`alerts/${id}`);
  await visit.see("alert");
  await page.getByLabel("Why", { exact: true }).fill("patching");
  await visit.press(page.getByRole("button", { name: "Silence", exact: true }));
  await visit.go("silences");
  await visit.expect("the silence", page.getByText("patching"));
  await visit.see("silences");
  await visit.press(page.getByRole("button", { name: /^End/ }).first());
  // A mistake loses nothing of what was written. That is a refusal, so the browser notes it.
  visit.isQuiet = true;
  await visit.go("silences");
  await page.getByLabel("Tenant ids").fill(`${TENANT.id}, nobodyy`);
  await page.getByLabel("Why", { exact: true }).fill("patch night");
  await page.getByRole("button", { name: "Silence", exact: true }).click();
  await visit.expect("what is wrong with the silence", page.getByRole("alert"));
  const kept = [await page.getByLabel("Tenant ids").inputValue(), await page.getByLabel("Why", { exact: true }).inputValue()];
  if (kept.join() !== `${TENANT.id}, nobodyy,patch night`) visit.complain(`the form has lost what was written: ${kept}`);
  await visit.see("silence-again");
  visit.isQuiet = false;

  await visit.look("", ["alerts", "alerts?show=all", "alerts?severity=warning&show=firing", "channels", "rules", "work", "system", "?score=secure-score"]);

  // What is done to many is within reach, and acknowledging or accepting all of them asks first.
  await visit.go("alerts?rule=device-score-drop");
  const { y, height } = await page.getByRole("button", { name: "Acknowledge", exact: true }).boundingBox();
  if (y + height > 860) visit.complain(`the buttons are ${y + height - 860} pixels below the screen`);
  await page.getByRole("button", { name: /^Acknowledge (all \d+|the one)/ }).click();
  await visit.expect("a question", page.getByRole("heading", { name: /^Acknowledge \d+ alerts?\?/ }));
  visit.isQuiet = true;
  await visit.see("acknowledge");
  visit.isQuiet = false;
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.waitForURL(/alerts\?rule=device-score-drop/);
  await page.getByLabel("Comment").fill("new scoring model");
  await page.getByRole("button", { name: /^Accept (all \d+|the one)/ }).click();
  await visit.expect("a question", page.getByRole("heading", { name: /^Accept \d+ alerts? as the new level/ }));
  if (await page.locator("#comment").inputValue() !== "new scoring model") visit.complain("the comment is lost");
  visit.isQuiet = true;
  await visit.see("accept");
  visit.isQuiet = false;
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.waitForURL(/alerts\?rule=device-score-drop/);

  await visit.go("alerts");
  await visit.print("alerts", "table.alerts td.wide");

  // What a rule would have sent, and with a smaller size: the same page says both.
  await visit.go("rules");
  await page.getByRole("link", { name: "device-score-drop", exact: true }).click();
  await page.waitForURL(/rules\/device-score-drop/);
  await visit.see("rule");
  await page.getByLabel("Fires at a drop of").fill("1");
  await page.getByLabel("Only the tenant").fill(TENANT.id);
  await page.getByRole("button", { name: "Try it" }).click();
  await page.waitForURL(/run=yes/);
  await visit.expect("the comparison", page.getByRole("heading", { name: "As written and as tried" }));
  await visit.expect("the bars of what is tried", page.locator("svg.bars:visible .bar-tried"));
  await visit.expect("what to write to keep it", page.getByText("when: { drop: 1%, within: 24h }"));
  await visit.see("rule-tried");
  await page.getByLabel("Fires at a drop of").fill("a lot");
  await page.getByRole("button", { name: "Try it" }).click();
  await visit.expect("why it can't be tried", page.getByRole("alert"));
  await visit.go("");
  await page.locator("#find").fill(id);
  await page.locator("#find").press("Enter");
  await page.waitForURL(/alerts/);

  visit.isQuiet = true;
  await visit.go("tenants/nobody");
  await visit.expect("why there is no page", page.getByText("There is no tenant"));
  await visit.see("not-found");
  visit.isQuiet = false;
  await visit.signOut();
}

/** What only an administrator sees. */
async function administrator(visit) {
  await visit.go("audit");
  await visit.signIn("admin");
  await visit.page.waitForURL(/audit/);
  await visit.expect("who did what", visit.page.getByText("silence.add"));
  await visit.look("admin-", ["audit", "channels", "system"]);
  await visit.signOut();
}

/** A customer's own user, who sees one tenant and nothing else. */
async function customer(visit) {
  const { page } = visit;
  await visit.go("");
  await visit.signIn("fabrikam");
  await visit.expect("the customer", page.getByRole("link", { name: CUSTOMER.name }));
  if (await page.getByText(TENANT.name).count()) visit.complain("another customer is shown");
  const pages = ["", `tenants/${CUSTOMER.id}`, "alerts?show=all", "deliveries", "channels", "silences", "rules", "work", "system"];
  await visit.look("customer-", pages);
  for (const path of [`tenants/${TENANT.id}`, `alerts?tenant=${TENANT.id}&show=all`, `deliveries?tenant=${TENANT.id}`, `search?q=${TENANT.id}`]) {
    visit.isQuiet = true;
    await visit.go(path);
    if (await page.getByText(TENANT.name).count()) visit.complain("another customer is shown");
    visit.isQuiet = false;
  }
  await visit.signOut();
}

/** Acknowledges the alert, or takes that back: others walked here before. */
const ACT = { name: /^(Acknowledge|Take back)/ };

/** What somebody else does shows on a page that is open, which is not loaded again for that. */
async function onlooker(visit) {
  const { page } = visit;
  await visit.go(link);
  await visit.signIn("analyst");
  await page.waitForURL(link);
  const before = await page.evaluate(() => {
    window.isTheSamePage = true;
    return document.getElementById("standing").innerText.includes("acknowledged by");
  });
  // Its stream says what changes from its first look on.
  await page.waitForSelector("html[data-live=open]", { state: "attached" });
  // As from another window: nothing on the page that is shown takes part in it.
  await page.evaluate(async (before) => {
    const fields = new URLSearchParams(before ? { undo: "yes" } : { comment: "Seen elsewhere." });
    await fetch(`${location.pathname}/acknowledge`, { method: "POST", body: fields });
  }, before);
  const mark = page.locator("#standing", { hasText: "acknowledged by" });
  try {
    await mark.waitFor({ state: before ? "hidden" : "visible", timeout: 30_000 });
  } catch {
    visit.complain("what somebody else did does not show on a page that is open");
  }
  if (!await page.evaluate(() => window.isTheSamePage === true)) visit.complain("the page was loaded again");
}

/** Reaches and uses what matters by keyboard alone: the order is that of the page, and the focus is seen. */
async function typist(visit) {
  const { page } = visit;
  await visit.go(link);
  await visit.signIn("analyst");
  await page.waitForURL(link);
  const names = [];
  const goal = page.getByRole("button", ACT);
  let isReached = false;
  while (!isReached && names.length < 60) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const one = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const box = one.getBoundingClientRect();
      const before = window.focusedBefore;
      window.focusedBefore = one;
      return {
        name: one.id || one.textContent.trim().slice(0, 40) || one.tagName,
        follows: !before || (before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0,
        isSeen: outlineStyle !== "none" && parseFloat(outlineWidth) > 0 && box.width > 1 && box.height > 1
          && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight,
      };
    });
    names.push(at.name);
    if (!at.isSeen) visit.complain(`the focus on “${at.name}” is not seen`);
    if (!at.follows) visit.complain(`“${at.name}” is reached before what stands above it`);
    isReached = await goal.evaluate((button) => button === document.activeElement);
  }
  if (names[0] !== "Skip to content") visit.complain(`the first stop is “${names[0]}”`);
  if (!names.includes("find")) visit.complain(`the search is not reached: ${names.join(", ")}`);
  if (!isReached) visit.complain(`nobody acknowledges by keyboard: ${names.join(", ")}`);
  await Promise.all([page.waitForURL(/done=/), page.keyboard.press("Enter")]);
  await page.keyboard.press("/");
  await page.keyboard.type(TENANT.id);
  await Promise.all([page.waitForURL(/tenants/), page.keyboard.press("Enter")]);
}

for (const width of [1280, 390]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const javaScriptEnabled of [true, false]) {
      // What the others see in the dark is made of the same parts.
      const walks = colorScheme === "light" ? [analyst, administrator, customer] : [analyst];
      if (width === 1280 && colorScheme === "light" && javaScriptEnabled) walks.push(onlooker, typist);
      for (const walk of walks) {
        const way = { width, colorScheme, javaScriptEnabled };
        const name = `${width}-${colorScheme}-${javaScriptEnabled ? "js" : "plain"}`;
        const context = await browser.newContext({
          viewport: { width, height: 860 }, colorScheme, javaScriptEnabled, ignoreHTTPSErrors: true,
        });
        try {
          await walk(await Visit.of(context, name, way));
        } catch (error) {
          faults.push(`${name}: ${walk.name}: ${error}`);
        }
        await context.close();
      }
    }
  }
}
await browser.close();
proxy.closeAllConnections();
proxy.close();
for (const fault of faults) console.log(fault);
console.log(`${pages} pages judged, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
