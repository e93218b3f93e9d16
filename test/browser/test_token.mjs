/* A console that wants a token. */

import { live, rowOf } from './console.mjs';
import { equal, eventually, test } from './harness.mjs';

const token = 'a-long-token-for-this-test';

test('without the token, or with a wrong one, there is nothing', async t => {
    const site = await t.serve({ admin: { token } });

    for (const headers of [{}, { Authorization: `Bearer ${token}.` }])
        for (const path of ['/', '/console.js', '/graph.svg', '/metrics', '/events', '/api/exchanges', '/api/exchanges/last', '/api/running', '/none'])
            equal((await fetch(new URL(path, site.console), { headers })).status, 401, path);
    equal((await fetch(new URL('/api/exchanges', site.console), { headers: { Authorization: `Bearer ${token}` } })).status, 200);
});

test('with the token as password everything works', async t => {
    const site = await t.serve({ admin: { token } }), page = await t.open(site, '', { httpCredentials: { username: 'anyone', password: token } });

    await live(page);
    const { id } = await site.get('/missing'), row = await rowOf(page, id);

    equal(row.reason, 'not-found');
    await page.locator(`#row-${id}`).click();
    await page.locator('.picture.lit').waitFor();
});

test('a wrong password leads to a page that says so', async t => {
    t.allow(/401 \(Unauthorized\)/);
    const site = await t.serve({ admin: { token } }), page = await t.open(site, '', { httpCredentials: { username: 'anyone', password: `${token}.` } });

    await eventually(() => page.locator('body').innerText(), /401/);
    equal(await page.locator('.tabs').count(), 0);
});
