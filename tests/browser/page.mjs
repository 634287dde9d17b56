// Reads pages as people do: on a phone, on a laptop, on paper; by day and by night; with scripts and without.
//
//   node page.mjs [--axe [--parts]] [--charts N] [--verbatim TEXTS.json] [--pictures DIR] PAGE…
//
// With --parts axe, which takes a minute for a large page, is given one section after another: all its rules on the
// phone by night, and on the laptop by day those that depend on colours and on widths. On paper it looks only without.
//
// Prints what is wrong, a line a finding: the page, the kind, the place, a sentence. Exits with 1 if anything is.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { watch, withBrowser } from "./browser.mjs";
import { contrast, layout, putBack, shownText, takeApart, takeOut, unfold, writtenText } from "./inside.mjs";

const PLACES = { phone: [360, 740], laptop: [1366, 768], print: [794, 1123] };
const BYTES_MAX = 8 << 20;
/** How many findings of a kind are told of one place. */
const TOLD_MAX = 5;
const PICTURE_MAX = 6000;
const BLANK = "about:blank";
/** The rules of axe that look at colours and at widths. */
const SEEN = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"];

const options = { axe: "boolean", parts: "boolean", charts: "string", verbatim: "string", pictures: "string" };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(Object.entries(options).map(([name, type]) => [name, { type }])),
});
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const verbatim = values.verbatim ? JSON.parse(readFileSync(values.verbatim, "utf8")) : [];
const charts = Number(values.charts ?? 0);

/** A browser's window, which opens one file after another: `at` says which is open, and who is told what it does. */
async function tabOf(browser) {
  const [page] = await browser.pages();
  const at = { url: BLANK, found: () => {} };
  const allowed = (asked) => [BLANK, at.url].includes(asked.split("#")[0]);
  await watch(page, allowed, (kind, text) => at.found(kind, text));
  return { page, session: await page.createCDPSession(), at };
}

/** Opens a file in one place and hands it on, with a function that tells what is wrong in one scheme of colours. */
async function open({ page, session, at }, file, { place, scripts = true }, tell, read) {
  const [width, height] = PLACES[place];
  let scheme = "light";
  const found = (kind, text) => tell(kind, [place, scheme, ...(scripts ? [] : ["without scripts"])].join(" "), text);
  // Both at once: each of puppeteer's two functions takes back what the other said.
  const paint = (name) => {
    scheme = name;
    const features = [{ name: "prefers-color-scheme", value: name }];
    return session.send("Emulation.setEmulatedMedia", { media: place === "print" ? "print" : "screen", features });
  };
  try {
    Object.assign(at, { url: pathToFileURL(resolve(file)).href, found });
    await page.setViewport({ width, height });
    await paint(scheme);
    await page.setJavaScriptEnabled(scripts);
    await page.goto(at.url, { waitUntil: "load", timeout: 60_000 });
    // What is folded on a screen is not on paper.
    if (place !== "print") await page.evaluate(unfold);
    const result = await read(page, found, paint);
    if (await page.evaluate(() => window.__hit !== undefined)) found("executed", "a name was run as a script");
    return result;
  } finally {
    // Nothing of it goes on behind the next one.
    await page.goto(BLANK);
    Object.assign(at, { url: BLANK, found: () => {} });
  }
}

async function look(page, file, place, scheme, found) {
  const laid = await page.evaluate(layout, place === "print");
  for (const [kind, text] of laid.found) found(kind, text);
  if (laid.charts < charts) found("charts", `${laid.charts} charts instead of ${charts}`);
  if (values.pictures) {
    mkdirSync(values.pictures, { recursive: true });
    const { width, height } = page.viewport();
    const all = await page.evaluate(() => document.scrollingElement.scrollHeight);
    const clip = { x: 0, y: 0, width, height: Math.min(Math.max(all, height), PICTURE_MAX) };
    const name = join(values.pictures, `${basename(file, ".html")}-${place}-${scheme}`);
    await page.screenshot({ path: `${name}.png`, clip, captureBeyondViewport: true });
    // On paper night is day, as the picture of it shows.
    if (place === "print" && scheme === "light") {
      writeFileSync(`${name}.pdf`, await page.pdf({ format: "A4", timeout: 120_000 }));
    }
  }
  // Colours do not depend on the width.
  if (place === "laptop") for (const [kind, text] of await page.evaluate(contrast)) found(kind, text);
  // Each place once, and each scheme of colours somewhere.
  const wanted = { phone: "dark", laptop: "light", print: values.parts ? null : "light" }[place] === scheme;
  if (values.axe && wanted) await accessible(page, found, values.parts && place === "laptop" ? SEEN : null);
  return laid.charts;
}

async function accessible(page, found, rules) {
  await page.evaluate(axe);
  const settings = { resultTypes: ["violations"], preload: false, ...(rules && { runOnly: rules }) };
  const read = (settings) => page.evaluate(async (settings) => {
    const { violations } = await window.axe.run(document, settings);
    return violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.map((n) => n.html) }));
  }, settings);
  const count = values.parts ? await page.evaluate(takeApart) : 0;
  const violations = count ? [] : await read(settings);
  for (let i = 0; i < count; i += 1) {
    await page.evaluate(putBack, i);
    violations.push(...(await read(settings)));
    await page.evaluate(takeOut, i);
  }
  await page.evaluate(putBack, null);
  for (const { id, impact, help, where } of violations) {
    if (impact !== "serious" && impact !== "critical") continue;
    for (const html of where) found("axe", `${id}, ${impact}: ${help}: ${html.slice(0, 120)}`);
  }
}

/** A text in which letters that show nothing are marked, as a page may mark them. */
function plain(text) {
  return text.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "\ufffd").replace(/\s+/g, " ").trim();
}

/** All that is wrong with one page. */
async function check([one, other], file, tell) {
  const bytes = statSync(file).size;
  if (bytes > BYTES_MAX) tell("size", "everywhere", `${bytes} bytes, and ${BYTES_MAX} are allowed`);
  let [seen, shown, written, without] = [0, "", "", ""];
  const visit = (tab, place) => open(tab, file, { place }, tell, async (page, found, paint) => {
    if (place === "laptop") [shown, written] = [await page.evaluate(shownText), await page.evaluate(writtenText)];
    for (const scheme of ["light", "dark"]) {
      await paint(scheme);
      const charts = await look(page, file, place, scheme, found);
      seen += charts;
    }
  });
  const others = async () => {
    await visit(other, "laptop");
    await visit(other, "print");
    without = await open(other, file, { place: "laptop", scripts: false }, tell, (page) => page.evaluate(shownText));
  };
  // Side by side, and not in one browser: a page that is opened there takes the window from one that is photographed.
  await Promise.all([visit(one, "phone"), others()]);
  if (shown !== without) {
    const from = [...shown].findIndex((c, i) => c !== without[i]);
    const [a, b] = [shown, without].map((t) => t.slice(Math.max(0, from - 20), from + 60));
    tell("text", "laptop", `with scripts “…${a}”, without “…${b}”`);
  }
  if (!shown) tell("text", "laptop", "nothing is shown");
  for (const text of verbatim) {
    if (!plain(written).includes(plain(text))) tell("verbatim", "laptop", `not in the page: ${text}`);
  }
  return { bytes, seen };
}

let wrong = 0;
await withBrowser((one) => withBrowser(async (other) => {
  const tabs = [await tabOf(one), await tabOf(other)];
  for (const file of positionals) {
    const told = new Map();
    const began = Date.now();
    const tell = (kind, at, text) => {
      wrong += 1;
      const times = (told.get(`${kind} ${at}`) ?? 0) + 1;
      told.set(`${kind} ${at}`, times);
      if (times <= TOLD_MAX) console.log([basename(file), kind, at, text.replace(/\s+/g, " ")].join("\t"));
    };
    const { bytes, seen } = await check(tabs, file, tell);
    const more = [...told].filter(([, times]) => times > TOLD_MAX);
    for (const [where, times] of more) console.log(`# ${where}: ${times - TOLD_MAX} more`);
    console.log(`# ${file}: ${bytes} bytes, charts seen ${seen} times, ${Date.now() - began} ms`);
  }
}));
process.exitCode = wrong || !positionals.length ? 1 : 0;
