/* Counters and the heat map. */

import { drawn, live } from './console.mjs';
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
    const lists = await page.locator('.lists section').evaluateAll(sections => sections.map(section => section.innerText));

    for (const [reason, n] of Object.entries(total.reasons))
        ok(new RegExp(`^${reason}\n.* %\n${n}$`, 'm').test(lists[1]), `${reason} ${n} is among the reasons: ${lists[1]}`);
    await eventually(() => page.locator('.lists section').first().innerText(), /^not-found\n404 · was_removed\n2$/m);
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
