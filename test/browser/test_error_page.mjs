/* From the error page of the server to the console. */

import { eventually, ok, test } from './harness.mjs';
import { freePort } from './site.mjs';

test('the id of an error page leads to its exchange', async t => {
    t.allow(/404 \(Not Found\)/);
    const adminPort = await freePort(), site = await t.serve({ adminPort, admin: { public: `http://127.0.0.1:${adminPort}/` } });
    const page = await t.open(site, `${site.url}/missing`), link = page.locator(`a[href*="127.0.0.1:${adminPort}"]`);
    const id = await link.innerText();

    ok(/^[0-9a-z]{8}$/.test(id), `the link is the id: ${id}`);
    await link.click();
    await eventually(() => page.locator('.headline .asked').innerText(), 'GET /missing');
    ok(page.url().endsWith(`#id=${id}`), page.url());
    await page.locator('.picture.lit').waitFor();
});

test('without admin.public no error page names the console', async t => {
    t.allow(/404 \(Not Found\)/);
    const site = await t.serve(), page = await t.open(site, `${site.url}/missing`);

    ok(!(await page.content()).includes(`:${site.adminPort}`), 'the console is not named');
});
