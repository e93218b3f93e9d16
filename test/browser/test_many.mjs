/* Ten thousand rows. Nothing here measures time; what keeps the page smooth is how little of it is in the document. */

import { live, rows, targets } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

const MOST_ROWS = 200, MANY = 10_000;

function pipelined(first, last) {
    const requests = Array.from({ length: last - first }, (_, i) => `GET /n${first + i} HTTP/1.1\r\nHost: a\r\n${first + i === last - 1 ? 'Connection: close\r\n' : ''}\r\n`);

    return requests.join('');
}

test('ten thousand rows can be scrolled to their end', async t => {
    const site = await t.serve({ limits: { record_count: 20_000, record_bytes: '64MiB', record_failures: 20_000, record_failure_bytes: '64MiB' } });

    await site.raw(pipelined(0, MANY));
    const page = await t.open(site), older = page.getByRole('button', { name: 'Load older' }), count = page.locator('.count');
    const at = async part => {
        await page.locator('.grid').evaluate((grid, share) => { grid.scrollTop = grid.scrollHeight * share; }, part);
        ok(await rows(page) < MOST_ROWS, `rows in the document at ${part}`);
    };

    for (let n = 200; n < MANY; n = Math.min(MANY, n + 500)) {
        await eventually(() => count.textContent(), `${n.toLocaleString('en-GB')} rows`);
        await at(1);
        await older.click();
    }
    await eventually(() => count.textContent(), '10,000 rows');
    for (const part of [0, 0.25, 0.5, 0.75])
        await at(part);
    await eventually(async () => {
        await at(1);
        return (await targets(page)).at(-1);
    }, '/n0', 'the oldest row');
    equal(await page.locator('.grid').getAttribute('aria-rowcount'), String(MANY + 1));
    await page.locator('.grid').focus();
    await page.keyboard.press('Home');
    await eventually(async () => (await targets(page))[0], `/n${MANY - 1}`, 'the newest row');
    await page.keyboard.press('End');
    await eventually(() => page.locator('[aria-selected=true] .target').textContent(), '/n0');
});

test('a flood of new rows keeps the page small and usable', async t => {
    const site = await t.serve({ limits: { record_count: 20_000, record_bytes: '64MiB', record_failures: 20_000, record_failure_bytes: '64MiB' } }), page = await t.open(site);
    let flowing = true, most = 0;

    await live(page);
    const flood = (async () => {
        for (let i = 0; i < 20; i++)
            await site.raw(pipelined(i * 500, (i + 1) * 500));
        flowing = false;
    })();

    while (flowing)
        most = Math.max(most, await rows(page));
    await flood;
    ok(most < MOST_ROWS, `${most} rows in the document`);
    await eventually(() => page.locator('.count').textContent(), /left out/);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.line[aria-rowindex="2"]').last().click();
    await page.locator('.picture.lit').waitFor();
    await page.keyboard.press('Escape');
    await site.get('/last-one');
    await eventually(() => page.locator('.count').textContent(), /1 new/);
    await page.getByRole('button', { name: 'Resume' }).click();
    await eventually(async () => (await targets(page))[0], '/last-one');
});

test('a reader who has scrolled away keeps his place while rows come', async t => {
    const site = await t.serve();

    await site.raw(pipelined(0, 150));
    const page = await t.open(site);

    await live(page);
    await eventually(() => page.locator('.count').textContent(), '150 rows');
    const grid = page.locator('.grid'), placeOf = target => page.locator('.space .line', { hasText: target }).first().evaluate(line => Math.round(line.getBoundingClientRect().y));

    await eventually(async () => {
        await grid.evaluate(element => { element.scrollTop = 1500; });
        return (await targets(page)).includes('/n90');
    }, true, 'a row in the middle');
    const before = await placeOf('/n90');

    await site.raw(pipelined(200, 210));
    await eventually(() => page.locator('.count').textContent(), '160 rows');
    await eventually(() => placeOf('/n90'), before, 'the place of the row');
});
