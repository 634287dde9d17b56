// Goes through the Explorer as a person does: the first state, an action, the next state; then the whole search.
//
//   node explorer.mjs URL [PICTURES]
//
// Prints what is wrong, a line a finding, and exits with 1 if anything is.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { watch, withBrowser } from "./browser.mjs";
import { layout } from "./inside.mjs";

const [url, pictures] = process.argv.slice(2);
let wrong = 0;
const found = (kind, text) => {
  wrong += 1;
  console.log(`${kind}\t${text}`);
};

/** What stands under a heading: its links, or its text. */
const under = (page, heading, read) =>
  page.evaluate((heading, read) => {
    const title = [...document.querySelectorAll("h2")].find((h) => h.innerText.startsWith(heading));
    const block = title.closest(".heading-with-controls") ?? title;
    const inner = [];
    for (let at = block.nextElementSibling; at && !at.querySelector("h2") && at.localName !== "h2"; ) {
      inner.push(at);
      at = at.nextElementSibling;
    }
    return read === "links" ? inner.flatMap((el) => [...el.querySelectorAll("a")].map((a) => a.innerText.trim()))
      : inner.map((el) => el.innerText).join("\n").trim();
  }, heading, read);

async function choose(page, action) {
  const before = await under(page, "Next Action", "links");
  const clicked = await page.evaluate((action) => {
    const link = [...document.querySelectorAll("main ul a")].find((a) => a.innerText.trim() === action);
    link?.click();
    return Boolean(link);
  }, action);
  if (!clicked) return found("action", `${action} is not among ${before.join(", ")}`);
  const changed = (last) => document.querySelector(".path-list li:last-child a")?.innerText.trim() === last;
  await page.waitForFunction(changed, { timeout: 10_000 }, action);
  await page.waitForNetworkIdle({ idleTime: 200 });
}

async function picture(page, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

await withBrowser(async (browser) => {
  const page = await browser.newPage();
  await page.setViewport({ width: 1366, height: 768 });
  await watch(page, (asked) => asked.startsWith(url), found);
  page.on("response", (r) => r.status() >= 400 && found("status", `${r.status()} ${r.url()}`));
  await page.goto(url, { waitUntil: "networkidle0" });
  await picture(page, "1-opened");
  const titles = await page.evaluate(() => [document.title, document.querySelector("h1").innerText]);
  for (const title of titles) if (!title.includes("password-thief under matrix-tofu")) found("title", title);

  await choose(page, "Init 0");
  for (const action of ["sign-in alice-phone", "sign-in bob-phone", "steal-password bob *"]) await choose(page, action);
  const path = await under(page, "Path of Actions", "links");
  const walked = ["Pre-init", "Init 0", "sign-in alice-phone", "sign-in bob-phone", "steal-password bob *"];
  if (path.join() !== walked.join()) found("path", path.join(", "));
  const told = await under(page, "Current State", "text");
  if (!told.includes("the adversary knows the password of Bob")) found("state", `the step is not told: ${told}`);
  const next = await under(page, "Next Action", "links");
  if (!next.includes("register-device mallory *")) found("action", `a thief can do no more than ${next.join(", ")}`);
  await picture(page, "2-walked");

  await page.evaluate(() => document.querySelector("main input[data-bind*=isCompleteState]").click());
  const state = await under(page, "Current State", "text");
  for (const line of ["alice-phone is signed in", "bob-phone is signed in", "Alice's server lists alice-phone"]) {
    if (!state.includes(line)) found("state", `${line} is missing from ${state}`);
  }
  await picture(page, "3-state");

  await page.evaluate(() => document.querySelector("main button").click());
  await page.waitForFunction(() => document.body.innerText.includes("Done"), { timeout: 60_000 });
  const properties = await under(page, "Properties", "text");
  if (!/Counterexample found:\s+Always no-rogue-key/.test(properties)) found("property", properties);
  if (!/Safety holds:\s+Always no-hidden-key/.test(properties)) found("property", properties);
  await picture(page, "4-searched");

  await page.setViewport({ width: 360, height: 740 });
  for (const [kind, text] of (await page.evaluate(layout, false)).found) found(kind, text);
  await picture(page, "5-phone");
});
console.log(`the Explorer was walked through: ${wrong} findings`);
process.exitCode = wrong ? 1 : 0;
