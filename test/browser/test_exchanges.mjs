/* The table of exchanges, and one exchange with its way through the graph. */

import { boxStyle, live, lit, retold, rowOf, rows, targets, wayOf } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

const tree = { 'index.html': 'home', 'a.txt': 'some text', 'docs/index.html': 'docs' };

/* [what is asked, status, reason] */
const ends = [
    [site => site.get('/a.txt'), 200, 'request-ok'],
    [site => site.get('/a.txt', '--range', '0-2'), 206, 'partial-content'],
    [site => site.get('/a.txt', '--header', 'If-None-Match: *'), 304, 'not-modified'],
    [site => site.get('/docs'), 301, 'directory-redirect'],
    [site => site.get('/nothing'), 404, 'not-found'],
    [site => site.get('/a.txt', '--request', 'DELETE'), 405, 'method-not-allowed'],
    [site => site.get('/a.txt', '--header', 'If-Match: "other"'), 412, 'if-match-failed'],
    [site => site.get('/a.txt', '--range', '900-'), 416, 'range-not-satisfiable'],
    [site => site.get('/a.txt', '--request', 'FOO'), 501, 'method-unknown'],
    [site => site.get('/gone'), 410, 'gone'],
    [site => site.get('/later'), 503, 'maintenance'],
    [site => site.raw('GET / HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n'), 400, 'field-name-invalid'],
    [site => site.raw('GET / HTTP/1.1\r\nHost: a\r\nX-Slow:'), 408, 'request-timeout'],
];

test('each end appears as it happens and shows its own way', async t => {
    const site = await t.serve({
        files: tree, times: { head_wait_ms: '300ms' },
        routes: [{ path: '/gone', answer: { reason: 'gone' } }, { path: '/later', answer: { reason: 'maintenance' } }],
    });
    const page = await t.open(site);

    await live(page);
    await page.evaluate(() => { window.sameDocument = true; });
    for (const [ask, status, reason] of ends) {
        const answer = await ask(site), row = await rowOf(page, answer.id);

        equal([answer.status, answer.reason, row.status, row.reason], [status, reason, String(status), reason]);
    }
    for (const kept of (await site.api('/api/exchanges')).exchanges) {
        const whole = await site.api(`/api/exchanges/${kept.id}`);

        ok(whole.path.length > 0, `${kept.reason} has a path`);
        await page.locator(`#row-${kept.id}`).click();
        await eventually(() => lit(page), wayOf(whole), `the way of ${kept.reason}`);
        equal(await page.locator('.headline .reason').textContent(), kept.reason);
        equal(await page.locator('.headline .what').textContent(), whole.explanation.what);
        equal(await page.locator('.steps .step').count(), whole.path.length, `steps of ${kept.reason}`);
    }
    ok(await page.evaluate(() => window.sameDocument), 'the page was not loaded anew');
});

test('what a node decided is told beside it', async t => {
    const site = await t.serve({ files: tree }), { id } = await site.get('/nothing'), page = await t.open(site, `#id=${id}`);
    const { path } = await site.api(`/api/exchanges/${id}`), last = path.at(-1);

    await page.locator(`[id="n-${last.node}"], [id="a_n-${last.node}"]`).first().hover();
    await eventually(() => page.locator('.card').innerText(), text => text.includes(last.text) && text.includes(last.says), 'the card');
    ok((await boxStyle(page, last.node)).width > (await boxStyle(page, path.at(-2).node)).width, 'the node that is looked at is marked');
    for (const { name, value } of last.facts)
        ok((await page.locator('.card .facts').innerText()).includes(`${name} ${value || '–'}`), `fact ${name}`);
    ok((await page.locator('.messages').innerText()).includes('GET /nothing HTTP/1.1'), 'the head of the request');
    ok((await page.locator('.messages').innerText()).includes('HTTP/1.1 404 Not Found'), 'the head of the reply');
});

test('secrets are shown as removed', async t => {
    const site = await t.serve({ files: tree }), { id } = await site.get('/a.txt?token=tell-nobody', '--user', 'me:tell-nobody');
    const page = await t.open(site, `#id=${id}`);

    await eventually(() => page.locator('.messages .removed').count(), n => n >= 1, 'marks of what was removed');
    ok(!(await page.content()).includes('tell-nobody'), 'no secret is in the page');
});

test('pause holds back, resume lets in', async t => {
    const site = await t.serve({ files: tree }), page = await t.open(site);

    await live(page);
    await rowOf(page, (await site.get('/first')).id);
    await page.getByRole('button', { name: 'Pause' }).click();
    equal(await page.locator('.live').getAttribute('data-state'), 'paused');
    await site.get('/second');
    await eventually(() => page.locator('.count').textContent(), /1 new/);
    equal(await targets(page), ['/first']);
    await page.getByRole('button', { name: 'Resume' }).click();
    await eventually(() => targets(page), ['/second', '/first']);
    ok(!/new/.test(await page.locator('.count').textContent()), 'nothing is held back any more');
});

test('failures only', async t => {
    const site = await t.serve({ files: tree }), page = await t.open(site), failures = page.getByRole('button', { name: 'Failed or slow' });

    await live(page);
    await site.get('/a.txt');
    await site.get('/nothing');
    await eventually(() => targets(page), ['/nothing', '/a.txt']);
    await failures.click();
    await eventually(() => targets(page), ['/nothing']);
    equal(await failures.getAttribute('aria-pressed'), 'true');
    await live(page);
    await site.get('/docs/');
    await site.get('/nowhere');
    await eventually(() => targets(page), ['/nowhere', '/nothing']);
    await failures.click();
    await eventually(() => targets(page), ['/nowhere', '/docs/', '/nothing', '/a.txt']);
});

test('one client is followed', async t => {
    const site = await t.serve({ files: tree }), page = await t.open(site), from = { from: '127.0.0.2' };
    const request = target => `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;

    await live(page);
    await site.get('/a.txt');
    const { id } = await site.raw(request('/other'), from);

    await page.locator(`#row-${id}`).click();
    await page.getByRole('button', { name: 'Follow this client' }).click();
    equal(await page.locator('input.filter').inputValue(), 'client:127.0.0.2');
    await eventually(() => targets(page), ['/other']);
    await live(page);
    await site.get('/docs/');
    await site.raw(request('/again'), from);
    await eventually(() => targets(page), ['/again', '/other']);
});

test('older exchanges are loaded when asked for', async t => {
    const site = await t.serve({ files: tree });
    const requests = Array.from({ length: 450 }, (_, i) => `GET /n${i} HTTP/1.1\r\nHost: a\r\n${i === 449 ? 'Connection: close\r\n' : ''}\r\n`);

    await site.raw(requests.join(''));
    const page = await t.open(site), count = page.locator('.count'), grid = page.locator('.grid');

    await eventually(() => count.textContent(), '200 rows');
    equal((await targets(page))[0], '/n449');
    await page.getByRole('button', { name: 'Load older' }).click();
    await eventually(() => count.textContent(), '450 rows');
    await eventually(async () => {
        await grid.evaluate(element => { element.scrollTop = element.scrollHeight; });
        return (await targets(page)).at(-1);
    }, '/n0', 'the oldest row');
    ok(/Nothing older/.test(await page.locator('.foot').textContent()), 'there is nothing older');
});

test('the filter understands words and shortcuts, and says what it does not', async t => {
    const site = await t.serve({ files: tree, routes: [{ path: '/later', answer: { reason: 'maintenance' } }] }), page = await t.open(site), box = page.locator('input.filter');
    const shown = async (text, wanted) => {
        await box.fill(text);
        await eventually(() => targets(page), wanted, `rows for "${text}"`);
    };

    await live(page);
    for (const target of ['/a.txt', '/nothing', '/later', '/docs'])
        await site.get(target, '--user-agent', `agent-of-${target.slice(1, 4)}`);
    await shown('status:404', ['/nothing']);
    await shown('class:5', ['/later']);
    await shown('class:3xx', ['/docs']);
    await shown('reason:request-ok', ['/a.txt']);
    await shown('client:127.0.0.9', []);
    await eventually(() => page.locator('.foot').textContent(), /Nothing fits/, 'the foot');
    await shown('AGENT-OF-NOT', ['/nothing']);
    await shown('nothing later', []);
    await shown('failed:1 later', ['/later']);
    await shown('method:PUT', ['/later']);
    await eventually(() => page.locator('.wrong').textContent(), /^Unknown filter method: known are status, class, reason, client, site, upstream, since, failed; .*The rows still follow: failed:1 later$/);
    await shown('http://a/none', []);
    await box.fill('status:none');
    await eventually(() => page.locator('.wrong').textContent(), /^Not understood: status:none\. .*The rows still follow: http:\/\/a\/none$/);
    await page.getByRole('button', { name: 'Show all' }).click();
    await eventually(() => rows(page), 4);
});

test('what the server understands is sent as it was typed', async t => {
    const site = await t.serve({ files: tree }), page = await t.open(site), box = page.locator('input.filter'), asked = [];

    await live(page);
    await retold(page, '/api/exchanges', (answer, query) => {
        asked.push(Object.fromEntries([...query].filter(([name]) => !['limit', 'lang'].includes(name))));
        return { ...answer, exchanges: [] };
    });
    for (const [text, wanted] of [
        ['status:404.15', { status: '404.15' }], ['status:1015', { status: '1015' }], ['status:494', { status: '494' }], ['since:5m', { since: '5m' }],
        ['404', { text: '404' }], ['text:a:b', { text: 'a:b' }], ['/a:b', { text: '/a:b' }], ['127.0.0.1:80', { text: '127.0.0.1:80' }],
        ['client:::1 failed:1', { client: '::1', failed: '1' }],
    ]) {
        await box.fill(text);
        await eventually(() => asked.at(-1), wanted, text);
        equal(await page.locator('.wrong').textContent(), '', text);
    }
});

test('a filter for the last minutes keeps its stream', async t => {
    const site = await t.serve({ files: tree }), page = await t.open(site, '#exchanges?since%3A5m');

    await live(page);
    const { id } = await site.get('/a.txt');

    equal((await rowOf(page, id)).target, '/a.txt');
});

test('a reason that is typed by half leaves the rows and tells the near ones', async t => {
    const site = await t.serve({ files: tree }), page = await t.open(site), box = page.locator('input.filter');

    await live(page);
    await site.get('/a.txt');
    await site.get('/nothing');
    await eventually(() => targets(page), ['/nothing', '/a.txt']);
    await box.fill('reason:not-fo');
    await eventually(() => page.locator('.wrong').textContent(), /^No reason is named so: reason:not-fo\. Near it: not-found.*The rows are not filtered\.$/);
    equal(await targets(page), ['/nothing', '/a.txt']);
    equal(await box.getAttribute('aria-invalid'), 'true');
    await page.locator('.wrong').getByRole('link', { name: 'not-found', exact: true }).click();
    await eventually(() => targets(page), ['/nothing']);
    equal(await box.inputValue(), 'reason:not-found');
    equal(await page.locator('.wrong').textContent(), '');
});

const cut = cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent);

test('no number is cut, however narrow the table', async t => {
    const site = await t.serve({ files: tree }), long = [
        { ms: 30173, slow: true, status: 429, detail: '1015', dialect: 'cloudflare', reason: 'rate-exceeded' },
        { ms: 999_999, slow: true, status: 404, detail: '404.15', dialect: 'iis' }, { ms: 88_888_888, slow: true, status: 400, detail: '494', dialect: 'nginx' },
    ];

    for (const target of ['/a', '/b', '/c'])
        await site.get(target);
    const page = await t.open(site), { exchanges } = await site.api('/api/exchanges');

    await retold(page, '/api/exchanges', answer => ({ ...answer, exchanges: answer.exchanges.map((row, i) => ({ ...row, ...long[i % 3] })) }));
    for (const [width, address] of [[1440, `#id=${exchanges[0].id}`], [1440, '#exchanges'], [1920, `#id=${exchanges[0].id}`], [1100, '#exchanges'], [800, '#exchanges'], [360, '#exchanges']]) {
        await page.setViewportSize({ width, height: 800 });
        await page.goto(new URL(address, site.console).href);
        await page.reload();
        await eventually(() => page.locator('.space .status').allTextContents(), ['429 (1015)', '404.15', '400 (494)'], 'the rows');
        equal(await page.locator('.space :is(.ms, .status)').evaluateAll(cut), [], `cut at ${width} ${address}`);
    }
    equal(await page.locator('.space .ms').allTextContents(), ['30173', '999999', '88889 s']);
});

test('sending that failed looks like no success', async t => {
    const site = await t.serve({ files: tree }), { id } = await site.get('/a.txt'), page = await t.open(site), broken = 'client-closed-during-response';
    const colour = locator => locator.evaluate(element => getComputedStyle(element).color);

    await retold(page, '/api/exchanges', answer => ({ ...answer, exchanges: answer.exchanges.map(row => ({ ...row, broken, failed: true, ms: 4000 })) }));
    await retold(page, `/api/exchanges/${id}`, x => ({
        ...x, broken, explanation: { ...x.explanation, configured: '/err' }, broken_explanation: { ...x.explanation, reason: broken, what: 'The client went away.', todo: '' },
    }));
    await page.reload();
    const row = await rowOf(page, id), failure = await page.evaluate(() => {
        const probe = document.body.appendChild(document.createElement('i'));

        probe.style.color = 'var(--server-fault)';
        return getComputedStyle(probe).color;
    });

    equal([row.status, row.reason], ['200', `✕ ${broken} · request-ok`]);
    for (const cell of ['status', 'reason'])
        equal([await colour(page.locator(`#row-${id} .${cell}`)), (await page.locator(`#row-${id} .${cell}`).boundingBox()).height < 27], [failure, true], cell);
    await page.locator(`#row-${id}`).click();
    await eventually(() => page.locator('.headline h2').innerText(), text => text.includes('request-ok') && text.includes(`✕ Then sending failed: ${broken}`), 'the headline');
    equal(await colour(page.locator('.headline .broken-reason')), failure);
    ok((await page.locator('.headline .what').first().innerText()).startsWith('Decided: '), 'what was decided');
    equal(await page.locator('.headline .broken').innerText(), 'Then sending failed: The client went away.');
    equal(await page.locator('.headline .configured').innerText(), 'Configured: the route /err answers so');
    await page.goto(new URL('#traffic', site.console).href);
    await eventually(() => page.locator('.lists section:visible').last().innerText(), text => text.includes(`200 ✕ ${broken}\n4,000 ms`), 'the slowest');
});

/* Numbers of the rows as they stand in the document. */
const order = page => page.locator('.space .line').evaluateAll(lines => lines.map(line => Number(line.getAttribute('aria-rowindex'))));

test('rows stand in the document as they are seen', async t => {
    const site = await t.serve({ files: tree });
    const more = (from, n) => site.raw(Array.from({ length: n }, (_, i) =>
        `GET /n${from + i} HTTP/1.1\r\nHost: a\r\n${i === n - 1 ? 'Connection: close\r\n' : ''}\r\n`).join(''));
    const straight = all => all.length > 5 && all.every((n, i) => n === all[0] + i);

    await more(0, 150);
    const page = await t.open(site), grid = page.locator('.grid');

    await live(page);
    await eventually(() => page.locator('.count').textContent(), '150 rows');
    for (const [from, n] of [[150, 3], [153, 1], [154, 46]]) {
        await more(from, n);
        await eventually(async () => (await targets(page))[0], `/n${from + n - 1}`);
        ok(straight(await order(page)), `after ${from + n} rows`);
    }
    for (const top of [400, 3000, 2700, 2910, 400, 0]) {
        await grid.evaluate((element, to) => { element.scrollTop = to; }, top);
        const all = await eventually(() => order(page), ([first]) => first === Math.max(0, Math.floor(top / 27) - 6) + 2, `the first row at ${top}`);

        ok(straight(all), `in order at ${top}: ${all}`);
    }
});

test('the address keeps the filter', async t => {
    const site = await t.serve({ files: tree });

    await site.get('/a.txt');
    await site.get('/nothing');
    const page = await t.open(site, '#exchanges?status%3A404');

    await eventually(() => targets(page), ['/nothing']);
    equal(await page.locator('input.filter').inputValue(), 'status:404');
    await page.locator('input.filter').fill('class:2');
    await eventually(() => targets(page), ['/a.txt']);
    await page.reload();
    await eventually(() => page.locator('input.filter').inputValue(), 'class:2');
    await eventually(() => targets(page), ['/a.txt']);
});
