/* Addresses within the console that people keep and send to each other. */

import { drawn, targets } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

/* [address, what its title says, what stands somewhere below] */
const entries = [
    ['#404', /^404\s+Not Found$/, 'not-found'],
    ['#404.13', /^404\.13\s/, 'content-too-large'],
    ['#nginx:499', /^499\s/, 'client'],
    ['#cloudflare:521', /^521\s/, 'refused'],
    ['#reason:not-found', /not-found/, 'RFC9110:15.5.5'],
    ['#not-found', /not-found/, 'RFC9110:15.5.5'],
    ['#not_found', /not-found/, 'RFC9110:15.5.5'],
];

test('every way to name a code or a reason leads to its entry', async t => {
    const site = await t.serve(), page = await t.open(site, '#reference');

    await page.locator('.found li').first().waitFor();
    for (const [address, title, below] of entries) {
        await page.goto(new URL(address, site.console).href);
        await eventually(() => page.locator('.pane h2').first().innerText(), title, address);
        ok((await page.locator('.pane').innerText()).toLowerCase().includes(below.toLowerCase()), `${address} tells ${below}`);
        equal(await page.locator('[data-view=reference]').getAttribute('aria-current'), 'page');
    }
});

test('each address works as the first one of a new page', async t => {
    const site = await t.serve();

    for (const [address, title] of entries.slice(1, 4)) {
        const page = await t.open(site, address);

        await eventually(() => page.locator('.pane h2').first().innerText(), title, address);
        ok((await page.title()).endsWith(' · Verdict'), 'the title of the page');
    }
});

test('each entry of the index has an address that leads back to it', async t => {
    const site = await t.serve(), page = await t.open(site, '#reference');

    await page.locator('.found li').first().waitFor();
    const lost = await page.evaluate(async () => {
        const found = [], turn = () => new Promise(done => addEventListener('hashchange', () => done(), { once: true }));

        for (const link of new Set([...document.querySelectorAll('.found li a')].map(a => a.getAttribute('href')))) {
            const turned = turn();

            location.hash = link;
            await turned;
            if (!document.querySelector('.pane .entry') || document.querySelector('.found [aria-current]')?.getAttribute('href') !== link)
                found.push(link);
        }
        return found;
    });

    equal(lost, [], 'addresses that lead nowhere');
    ok(await page.locator('.found li').count() > 400, 'the index is whole');
});

test('what is not in the reference is said, with what is near', async t => {
    const page = await t.open(await t.serve(), '#nginx:404.99x');

    await eventually(() => page.locator('.pane .state').innerText(), /nginx:404\.99x is not in the reference/);
    await page.locator('.near a').first().click();
    await page.locator('.pane .entry').waitFor();
});

test('an exchange has an address; one that is not kept is said so', async t => {
    t.allow(/404 \(Not Found\)/);
    const site = await t.serve({ files: { 'a.txt': 'a' } }), { id } = await site.get('/missing'), page = await t.open(site, `#id=${id}`);

    await eventually(() => page.locator('.headline .reason').innerText(), 'not-found');
    await drawn(page);
    equal(await page.locator(`#row-${id}`).getAttribute('aria-selected'), 'true');
    const other = await t.open(site, '#id=00000000');

    await eventually(() => other.locator('.side').innerText(), /00000000 is not kept/);
});

test('from an exchange to its reason, to others like it, and back', async t => {
    const site = await t.serve({ files: { 'a.txt': 'a' } }), { id } = await site.get('/missing');

    await site.get('/a.txt');
    const page = await t.open(site, `#id=${id}`);

    await page.locator('.headline .reason').click();
    await eventually(() => page.locator('.entry h2').innerText(), /404\s+not-found/);
    await page.getByRole('link', { name: 'Exchanges with not-found' }).click();
    await eventually(() => targets(page), ['/missing']);
    await page.goBack();
    await page.goBack();
    await eventually(() => page.locator('.headline .asked').innerText(), 'GET /missing');
});

test('the search of the reference finds by number, by name and by words', async t => {
    const page = await t.open(await t.serve(), '#reference'), box = page.locator('input.filter'), first = page.locator('.found li').first();

    for (const [text, key] of [['404.13', '404.13'], ['nginx:499', 'nginx:499'], ['if-match-failed', 'if-match-failed'], ['teapot', /418|teapot/]]) {
        await box.fill(text);
        await eventually(() => first.getAttribute('data-key'), key instanceof RegExp ? key : new RegExp(`^${key.replace('.', '\\.')}$`), text);
    }
    await box.fill('zzzzzz');
    await eventually(() => page.locator('.found').innerText(), 'Nothing found for zzzzzz');
});

test('a code shows the codes of its reasons in every dialect, and leads to its own exchanges', async t => {
    const site = await t.serve(), page = await t.open(site, '#404.13'), line = page.locator('.links .code-line').first();

    await eventually(() => line.innerText(), text => ['RFC', 'nginx', 'IIS', 'Cloudflare'].every(name => text.includes(name)), 'the codes');
    equal(await page.getByRole('link', { name: 'Exchanges with 404.13' }).getAttribute('href'), '#exchanges?status%3A404.13');
    await page.goto(new URL('#cloudflare:521', site.console).href);
    await eventually(() => line.innerText(), /Cloudflare[^a-z]*521/);
    equal(await page.locator('.found .code').evaluateAll(codes => codes.filter(code => code.getClientRects().length > 1 || code.offsetHeight > 24).map(code => code.textContent)), [], 'broken codes');
    equal(await page.locator('.found .code').evaluateAll(codes => codes.filter(code => code.scrollWidth > code.clientWidth).map(code => code.textContent)), [], 'codes that run out of their place');
});
