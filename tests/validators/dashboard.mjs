// Goes through the dashboard as an analyst does, in Chromium: with scripts and without, on a desk and on a phone, in light and dark.
// Arguments: the folder of the installed packages, the dashboard's address, where screenshots go. What is wrong is printed; exit code 1.
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const [installed, base, shots] = process.argv.slice(2);
const load = createRequire(join(installed, "node_modules/x.js"));
const { chromium } = load("playwright-core");
const { default: Axe } = load("@axe-core/playwright");
const { HtmlValidate } = load("html-validate");

/** Who is looked at: the demo's customer whose device score fell before the story began. */
const TENANT = { id: "lamna", name: "Lamna Healthcare" };
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

mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
for (const width of [1280, 390]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const javaScriptEnabled of [true, false]) await walk({ width, colorScheme, javaScriptEnabled });
  }
}
await browser.close();
for (const fault of faults) console.log(fault);
console.log(`${pages} pages judged, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);

async function walk({ width, colorScheme, javaScriptEnabled }) {
  const name = `${width}-${colorScheme}-${javaScriptEnabled ? "js" : "plain"}`;
  const context = await browser.newContext({ viewport: { width, height: 860 }, colorScheme, javaScriptEnabled });
  const page = await context.newPage();
  const complain = (what) => faults.push(`${name}: ${new URL(page.url()).pathname}: ${what}`);
  page.on("console", (message) => complain(`console: ${message.text()}`));
  page.on("pageerror", (error) => complain(`script: ${error}`));

  /** Judges the page that is shown, and keeps a picture of it. */
  const see = async (what) => {
    pages += 1;
    await page.screenshot({ path: join(shots, `${what}-${name}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) complain(`${wide} pixels wider than the screen`);
    if (javaScriptEnabled) {
      for (const { id, nodes } of (await new Axe({ page }).analyze()).violations) {
        complain(`axe ${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).slice(0, 3).join(" | ")}`);
      }
    } else if (width === 1280 && colorScheme === "light") {
      const html = await (await context.request.get(page.url())).text();
      for (const { messages } of (await judge.validateString(html)).results) {
        for (const { ruleId, message, line } of messages) complain(`html-validate ${ruleId}: ${message} (line ${line})`);
      }
    }
  };
  const expect = async (what, locator) => {
    try {
      await locator.first().waitFor({ state: "visible", timeout: 20_000 });
    } catch {
      complain(`${what} is not there`);
    }
  };
  const press = async (button) => Promise.all([page.waitForURL(/done=/), button.click()]);

  // Who got worse, and one of them.
  await page.goto(base);
  await expect("the summary", page.locator(".tile", { hasText: "Got worse" }));
  await see("fleet");
  await page.getByLabel("Filter tenants by name or id").fill(TENANT.name.slice(0, 6).toLowerCase());
  await page.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL(/q=/);
  await page.getByRole("link", { name: TENANT.name }).click();
  await page.waitForURL(/tenants/);

  // The drop on the chart: the line goes down by a third of its height, within an alert.
  const chart = page.locator(`svg.chart:visible`).first();
  await expect("the chart", chart);
  const fall = await chart.locator("path.line").evaluate((line) => {
    const heights = [...line.getAttribute("d").matchAll(/[ML]\S+ (\S+?)(?=[ML]|$)/g)].map((match) => Number(match[1]));
    return Math.max(...heights) - Math.min(...heights);
  });
  if (!(fall > 50)) complain(`the drop is ${fall} high`);
  await expect("the alert in the chart", chart.locator("rect.strip.critical"));
  await see("tenant");

  // By the id in a message to its alert: acknowledge, or take that back; silence, and end the silence.
  await page.goto(`${base}/deliveries?tenant=${TENANT.id}`);
  await see("deliveries");
  await page.getByRole("link", { name: /device secure score/ }).first().click();
  await page.waitForURL(/deliveries\/\d/);
  const id = await page.locator("#standing code").textContent();
  await see("delivery");
  await press(page.getByRole("button", { name: "Resend" }));
  await expect("what was resent", page.getByText("Queued again."));
  await page.goto(`${base}/alerts/${id}`);
  await see("alert");
  const acknowledge = page.getByRole("button", { name: "Acknowledge", exact: true });
  const takeBack = page.getByRole("button", { name: "Take back" });
  if (await acknowledge.count()) {
    await press(acknowledge);
    await expect("who acknowledged", page.getByText("acknowledged by local"));
  } else {
    await press(takeBack);
    await expect("an alert to acknowledge", acknowledge);
  }
  await page.getByLabel("Why", { exact: true }).fill("patching");
  await press(page.getByRole("button", { name: "Silence", exact: true }));
  await page.goto(`${base}/silences`);
  await expect("the silence", page.getByText("patching"));
  await see("silences");
  await press(page.getByRole("button", { name: /^End/ }).first());

  // What else there is.
  for (const path of ["alerts", "alerts?show=all", "channels", "rules", "work", "system", "audit"]) {
    await page.goto(`${base}/${path}`);
    await expect("a heading", page.locator("h1"));
    await see(path.replace(/\W+/g, "-"));
  }
  await page.goto(base);
  await page.locator("#find").fill(id);
  await page.locator("#find").press("Enter");
  await page.waitForURL(/alerts/);
  // Chromium itself writes what it was answered into the console; that is no fault of the page.
  page.removeAllListeners("console");
  await page.goto(`${base}/tenants/nobody`);
  await expect("why there is no page", page.getByText("There is no tenant"));
  await see("not-found");
  await context.close();
}
