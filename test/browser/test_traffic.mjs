/* Counters and the heat map. */

import { drawn, live, retold } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

async function someTraffic(site) {
    for (const target of ['/a.txt', '/a.txt', '/a.txt', '/missing', '/nothing', '/docs'])
        await site.get(target);
    await site.get('/a.txt', '--request', 'DELETE');
    await site.raw('GET / HTTP/9.9\r\n\r\n');
}

const files = { 'a.txt': 'a', 'docs/index.html': 'd' };

/* {edge: what its card says} of each edge that is drawn, in the order of the graph. */
function toldOfEdges(page, ids) {
    return page.evaluate(wanted => Object.fromEntries(wanted.map(id => {
        const edge = document.getElementById(id) ?? document.getElementById(`a_${id}`);

        edge?.dispatchEvent(new PointerEvent('pointerenter'));
        const told = edge && document.querySelector('.card:not([hidden]) .card-count')?.textContent;

        edge?.dispatchEvent(new PointerEvent('pointerleave'));
        return [id, [told, edge?.classList.contains('cold')]];
    })), ids);
}

test('each edge tells as many as the API counts', async t => {
    const site = await t.serve({ files });

    await someTraffic(site);
    const page = await t.open(site, '#traffic'), { edges } = await site.api('/api/graph'), heat = await site.api('/api/heat');

    await drawn(page);
    await eventually(() => page.locator('.covers').textContent(), new RegExp(`^${heat.exchanges} exchanges`));
    equal(heat.exchanges, 8);
    const told = await toldOfEdges(page, edges.map(edge => edge.id));

    for (const { id } of edges) {
        const n = heat.edges[id] ?? 0;

        equal(told[id], [n === 1 ? 'taken once' : `taken ${n} times`, n === 0], id);
    }
});

test('the map grows with the traffic, and shows failures alone', async t => {
    const site = await t.serve({ files });

    await site.get('/a.txt');
    const page = await t.open(site, '#traffic'), edge = 'e-exists-no';

    await drawn(page);
    await eventually(() => page.locator('.covers').textContent(), /^1 exchanges|^1 /);
    await someTraffic(site);
    await eventually(() => page.locator('.covers').textContent(), /^9 exchanges/);
    equal((await toldOfEdges(page, [edge]))[edge], ['taken 2 times', false]);
    await page.getByRole('radio', { name: 'Failures' }).check();
    await eventually(() => page.locator('.covers').textContent(), /^4 exchanges/);
    equal((await toldOfEdges(page, [edge, 'e-exists-yes']))[edge], ['taken 2 times', false]);
    const { edges } = await site.api('/api/heat?failed=1');

    for (const [id, [told]] of Object.entries(await toldOfEdges(page, Object.keys(edges))))
        equal(told, edges[id] === 1 ? 'taken once' : `taken ${edges[id]} times`, id);
});

test('counters, ends and reasons say what there was', async t => {
    const site = await t.serve({ files }), page = await t.open(site, '#traffic');

    await live(page);
    await drawn(page);
    await someTraffic(site);
    await eventually(() => page.locator('.classes ul').innerText(), text => /2xx 3/.test(text) && /3xx 1/.test(text) && /4xx 3/.test(text) && /5xx 1/.test(text), 'classes');
    const { total } = await site.api('/api/workers'), counters = await page.locator('.counters').innerText();

    ok(/Exchanges\s+8\b/.test(counters), `the number of exchanges: ${counters}`);
    for (const [reason, n] of Object.entries(total.reasons))
        await eventually(() => page.locator('.lists section:visible').nth(1).innerText(), new RegExp(`^${reason}\n.* %\n${n}$`, 'm'), `${reason} ${n} among the reasons`);
    await eventually(() => page.locator('.lists section:visible').first().innerText(), /^not-found\n404 · was_removed\n2$/m);
});

test('a node tells its ways out', async t => {
    const site = await t.serve({ files });

    await someTraffic(site);
    const page = await t.open(site, '#traffic'), { nodes } = await site.api('/api/graph');

    await drawn(page);
    await eventually(() => page.locator('.covers').textContent(), /^8 exchanges/);
    await page.getByRole('link', { name: 'not-found' }).first().hover();
    await eventually(() => page.locator('.card').innerText(), text => text.includes(nodes.find(node => node.name === 'was_removed').text) && /passed 2 times/.test(text), 'the card');
});

test('what was slow is found among the failed and slow ones too, and what is rare is not nothing', async t => {
    const site = await t.serve({ files }), page = await t.open(site);

    await someTraffic(site);
    await retold(page, '/api/exchanges', (answer, query) => ({
        ...answer, exchanges: query.has('failed') ? [{ ...answer.exchanges[0], id: '0slow000', target: '/slow', ms: 4038 }] : answer.exchanges,
    }));
    const { edges } = await site.api('/api/graph'), often = edges.find(edge => edge.end === 'not-found').id;

    await retold(page, '/api/heat', answer => ({ ...answer, edges: { ...answer.edges, [often]: 1_000_000 } }));
    await page.goto(new URL('#traffic', site.console).href);
    await drawn(page);
    await eventually(() => page.locator('.lists section:visible').last().innerText(), /\/slow\n.*\n4,038 ms/);
    await eventually(() => page.locator('.lists section:visible').nth(1).innerText(), /^request-ok\n<0\.1 %\n3$/m);
});
