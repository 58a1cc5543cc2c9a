// Pictures of the page, to be looked at: node e2e/shots.mjs URL OUTDIR [VIEW,…] [SIZE,…] [THEME,…]
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, out, views = 'live', sizes = '1280x720', themes = 'dark'] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const size of sizes.split(',')) {
  const [width, height] = size.split('x').map(Number);
  for (const colorScheme of themes.split(',')) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    page.on('console', (m) => m.type() === 'error' && console.log('console:', m.text()));
    page.on('pageerror', (e) => console.log('error:', e.message));
    await page.goto(url);
    await page.waitForTimeout(1500);
    for (const view of views.split(',')) {
      const [name, action] = view.split(':');
      await page.evaluate((v) => (location.hash = `/${v}`), name);
      await page.waitForTimeout(600);
      if (action === 'deny') {
        await page.locator('.stopped .line').first().click();
        await page.waitForTimeout(700);
        await page.getByRole('button', { name: 'Permit this…' }).click();
      }
      if (action === 'first') await page.locator('.tree .row, .choosable tbody tr').first().click();
      if (action === 'help') await page.keyboard.press('?');
      await page.waitForTimeout(900);
      await page.screenshot({ path: `${out}/${view.replace(':', '-')}-${size}-${colorScheme}.png` });
    }
    await page.close();
  }
}
await browser.close();
