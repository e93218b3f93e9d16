/* What runs at the moment. */

import { boxStyle, drawn, lit, retold } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

test('what waits is shown with its node, and goes when it ends', async t => {
    const site = await t.serve({ route: { write: 'on' } });
    const upload = await t.hold(site, 'PUT /up.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfive.');
    const head = await t.hold(site, 'GET /slow HTTP/1.1\r\nHost:');
    const page = await t.open(site, '#now'), row = page.locator('.running tbody tr', { hasText: 'PUT /up.txt' });

    await drawn(page);
    await eventually(() => page.locator('.running tbody tr').count(), 2);
    const { exchanges } = await site.api('/api/running'), { node, wait } = exchanges.find(one => one.target === '/up.txt');

    ok(node, 'the API names the node');
    equal(await row.locator('.where a').innerText(), node);
    ok((await row.locator('.waits').innerText()).startsWith(wait), 'what it waits for');
    ok((await page.locator('.running').innerText()).includes('reads the head'), 'the slow head');
    await eventually(() => lit(page), [`n-${node}`], 'the lit node');
    const { fill, stroke, width } = await boxStyle(page, node);

    ok(fill === stroke && width > 5, 'from afar the node is a spot');
    await row.locator('.where a').click();
    await eventually(() => page.locator('.card').innerText(), text => text.includes(node), 'the card of the node');
    equal(new URL(page.url()).hash, `#now=${node}`);
    upload.write('five.');
    head.destroy();
    await eventually(() => page.locator('.running tbody tr').count(), 0);
    await eventually(() => page.locator('.now .bar').innerText(), /Nothing runs/);
});

test('an answer that its client takes slowly is said so', async t => {
    const site = await t.serve(), page = await t.open(site);

    await retold(page, '/api/running', answer => ({
        ...answer, exchanges: [{
            id: null, worker: 0, client: '127.0.0.1', method: 'GET', target: '/big', state: 'sends', node: null, wait: null, wait_ms: 0, ms: 9876,
            reason: 'request-ok', bytes_in: 1, bytes_out: 2_500_000,
        }],
    }));
    await page.goto(new URL('#now', site.console).href);
    await eventually(() => page.locator('.running .waits').innerText(), /^the client takes the answer slowly\n2\.5 MB|^the client takes the answer slowly\n2\.5 megabytes/);
    ok((await page.locator('.running .waits').innerText()).endsWith('sent so far, in 9,876 ms'), 'for how long');
});
