/* Whose answer it is: in the list, in the card of an exchange, and how the servers are. */

import { createServer } from 'node:http';

import { live, pageTexts, rowOf, targets } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';
import { freePort } from './site.mjs';

const languages = ['en', 'zh-CN', 'zh-TW'];

/* An application that answers, or closes the connection; it ends with body(). */
async function withApplication(body) {
    const application = createServer((request, answer) => {
        if (request.url.startsWith('/close'))
            return request.socket.destroy();
        answer.writeHead(request.url.startsWith('/none') ? 404 : 200).end('from the application');
    });

    await new Promise(done => application.listen(0, '127.0.0.1', done));
    try {
        await body(`127.0.0.1:${application.address().port}`);
    } finally {
        application.closeAllConnections();
        await new Promise(done => application.close(done));
    }
}

async function serve(t, server) {
    const refusing = `127.0.0.1:${await freePort()}`;

    return t.serve({
        files: { 'a.txt': 'a' },
        upstreams: [{ name: 'app', servers: [server] }, { name: 'both', servers: [`${refusing} weight=1000`, server], fails: 0 }, { name: 'dead', servers: [refusing], fails: 1, rest: '1h' }],
        routes: [{ path: '/app', gateway: { upstream: 'app', to: '/' } }, { path: '/both', gateway: { upstream: 'both', to: '/' } }, { path: '/dead', gateway: { upstream: 'dead' } }],
    });
}

test('rows say who answered, and are filtered by it', t => withApplication(async server => {
    const site = await serve(t, server), page = await t.open(site), by = async id => (await rowOf(page, id)).by;

    await live(page);
    const own = await site.get('/a.txt');

    equal(await by(own.id), 'self');
    ok(!await page.locator('.grid .head .by').isVisible(), 'where there is no upstream there is no column for it');
    const passed = await site.get('/app/'), none = await site.get('/app/none'), failed = await site.get('/dead/x');

    equal([passed.status, none.status, failed.status], [200, 404, 502]);
    equal([await by(passed.id), await by(none.id), await by(failed.id)], ['app', 'app', 'self (dead)']);
    await eventually(() => page.locator('.grid .head .by').isVisible(), true, 'the column');
    await page.locator('input.filter').fill('upstream:app');
    await eventually(() => targets(page), ['/app/none', '/app/']);
    await page.locator('input.filter').fill('upstream:dead');
    await eventually(() => targets(page), ['/dead/x']);
}));

test('the card tells each try and whose answer it is', t => withApplication(async server => {
    const site = await serve(t, server), texts = await pageTexts();
    const { id } = await site.get('/both/', '--request', 'POST'), cut = await site.get('/app/close', '--request', 'POST');

    for (const [i, language] of languages.entries()) {
        const page = await t.open(site, `#id=${id}`, { locale: language }), word = key => texts[key][i];
        const { upstream } = await site.api(`/api/exchanges/${id}?lang=${language}`), tries = page.locator('.tries li');

        await eventually(() => tries.count(), 2, `tries in ${language}`);
        const [first, second] = await tries.allInnerTexts();

        equal(await page.locator('.answered-by').innerText(), `${word('byUpstream').replace('{who}', `both (${server})`)} · 200`);
        ok(first.includes('upstream-connection-refused') && first.includes(word('tryAgain')) && first.includes(upstream.tries[0].because.says), first);
        ok(second.includes(server) && second.includes(word('tryAnswered')) && second.includes(word('tryNew')), second);
        await page.goto(new URL(`#id=${cut.id}`, site.console).href);
        await eventually(() => page.locator('.answered-by').innerText(), word('bySelf').replace('{who}', 'app'));
        ok((await tries.innerText()).includes(word('tryNotAgain')), 'it is told why it was not repeated');
    }
    const page = await t.open(site, `#id=${id}`);

    await page.locator('.upstream a').last().click();
    await eventually(() => targets(page), ['/both/']);
}));

test('the traffic shows the servers of upstreams', t => withApplication(async server => {
    const site = await serve(t, server), page = await t.open(site, '#traffic'), rows = page.locator('.upstreams tbody tr:not(.name)');
    const states = () => rows.evaluateAll(all => all.map(row => row.children[1].textContent));

    await eventually(() => rows.count(), 4);
    for (let i = 0; i < 40; i++)
        await site.get('/dead/');
    await eventually(states, all => all.slice(0, 3).every(state => state === 'live') && /^resting/.test(all[3]), 'states');
    await site.get('/app/');
    await eventually(() => rows.first().evaluate(row => row.children[4].textContent), '1', 'requests');
    await page.locator('.upstreams .name a').first().click();
    await eventually(() => targets(page), ['/app/']);
}));

test('without upstreams nothing is told of them', async t => {
    const site = await t.serve({ files: { 'a.txt': 'a' } }), { id } = await site.get('/a.txt'), page = await t.open(site, `#id=${id}`);

    await page.locator('.steps .step').first().waitFor();
    equal(await page.locator('.upstream').count(), 0);
    await page.goto(new URL('#traffic', site.console).href);
    await page.locator('.covers').waitFor();
    ok(!await page.locator('.upstreams').isVisible(), 'no table');
});
