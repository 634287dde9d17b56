// The browser: Debian's Chromium, which asks nobody for anything.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
// No name leads anywhere: a request that slips through every check below still leaves this machine for nowhere.
const flags = `--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
  --disable-component-update --disable-sync --force-color-profile=srgb`.split(/\s+/);
const nowhere = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1";

/** Runs `use` with a browser that has never been used, and leaves nothing of it behind. */
export async function withBrowser(use) {
  if (!existsSync(path)) throw new Error(`no browser at ${path}: install Debian's package chromium, or set CHROMIUM`);
  const userDataDir = mkdtempSync(join(tmpdir(), "overhear-browser-"));
  const settings = { executablePath: path, headless: true, userDataDir, args: [...flags, nowhere] };
  const browser = await puppeteer.launch({ ...settings, protocolTimeout: 300_000 });
  try {
    return await use(browser);
  } finally {
    await browser.close();
    rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Reports to `found(kind, text)` what a page says, asks for or runs, other than requests that are `allowed`. */
export async function watch(page, allowed, found) {
  page.on("console", (m) => {
    if (["error", "warn", "assert"].includes(m.type())) found("console", `${m.text()} ${m.location().url ?? ""}`);
  });
  page.on("pageerror", (e) => found("error", e.message));
  page.on("dialog", (d) => {
    found("executed", `a dialog: ${d.message()}`);
    d.dismiss();
  });
  page.on("popup", (p) => found("request", `a window: ${p?.url()}`));
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const url = request.url();
    if (url.startsWith("data:") || allowed(url)) return request.continue();
    found("request", url);
    return request.abort();
  });
}
