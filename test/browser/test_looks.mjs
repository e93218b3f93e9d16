/* What can only be seen: colours, a phone's width, fingers, what lies over what. */

import { setTimeout as sleep } from 'node:timers/promises';

import { drawn, lit } from './console.mjs';
import { equal, eventually, ok, settled, test } from './harness.mjs';

const views = id => [`#id=${id}`, '#exchanges', '#traffic', '#now', '#now=open', '#reference', '#404', '#not-found', '#nothing-of-that-name'];
const files = { 'a.txt': 'a', 'docs/index.html': 'd' };

/* One exchange of each class; the failures with long words that must break. */
async function someExchanges(site) {
    await site.get('/docs');
    await site.get('/a.txt');
    await site.raw('GET / HTTP/9.9\r\n\r\n');
    return (await site.get(`/${'unbroken'.repeat(30)}?${'q'.repeat(200)}`, '--user-agent', 'u'.repeat(300))).id;
}

async function shown(page, address) {
    await page.locator('main > *').first().waitFor();
    await page.locator('main :is(h2, h3, .line, .bar p):visible').first().waitFor();
    if (/id=|traffic|now=/.test(address))
        await drawn(page);
}

test('light and dark follow the system until one is chosen, which is remembered', async t => {
    const site = await t.serve(), page = await t.open(site, '', { colorScheme: 'dark' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor), theme = page.locator('select.theme');
    const dark = await ground();

    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();

    ok(dark !== light, 'two grounds');
    await theme.selectOption('dark');
    equal(await ground(), dark, 'dark, chosen');
    await page.reload();
    equal(await ground(), dark, 'dark, remembered');
    equal(await theme.inputValue(), 'dark');
    await theme.selectOption('light');
    await page.emulateMedia({ colorScheme: 'dark' });
    equal(await ground(), light, 'light, chosen');
    await theme.selectOption('auto');
    equal(await ground(), dark, 'left to the system again');
});

/* Texts and boxes to type in whose contrast is below WCAG 2.2 AA (1.4.3, 1.4.11), as the browser computes their colours. */
function faint() {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
    const known = new Map();

    function rgba(colour) {
        if (!known.has(colour)) {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            known.set(colour, [...canvas.getImageData(0, 0, 1, 1).data].map((v, i) => (i === 3 ? v / 255 : v)));
        }
        return known.get(colour);
    }

    const over = ([r, g, b, a], below) => [r, g, b].map((v, i) => v * a + below[i] * (1 - a));
    const linear = v => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
    const style = element => getComputedStyle(element);
    const upwards = element => (element ? [...upwards(element.parentElement), element] : []);
    const ground = element => upwards(element).reduce((below, each) => over(rgba(style(each).backgroundColor), below), [255, 255, 255]);
    const opacity = element => upwards(element).reduce((all, each) => all * Number(style(each).opacity), 1);

    /* What a text of the drawing stands on: the shape of its own node, else the paper or the ground of a block. */
    function below(text) {
        const shape = [...text.closest('.node')?.querySelectorAll('path, polygon') ?? []].find(part => style(part).fill !== 'none');
        const root = style(document.documentElement);

        return shape ? [rgba(style(shape).fill)] : ['--paper', '--ground'].map(name => {
            const probe = document.createElement('i');

            probe.style.color = root.getPropertyValue(name);
            document.body.append(probe);
            const colour = rgba(style(probe).color);

            probe.remove();
            return colour;
        });
    }

    const found = [];

    function judge(text, colour, grounds, { fontSize, fontWeight }) {
        const large = parseFloat(fontSize) >= 24 || parseFloat(fontSize) >= 18.66 && fontWeight >= 700, least = large ? 3 : 4.5;
        const ratio = Math.min(...grounds.map(each => contrast(over(colour, each), each)));

        if (ratio < least)
            found.push(`${text.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
    }

    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE && node.data.trim()).map(node => node.data).join(' ');

        if (element.matches('input.filter') && contrast(rgba(style(element).borderTopColor), ground(element.parentElement)) < 3)
            found.push('the border of the box of the filter');
        if (element instanceof HTMLInputElement && element.placeholder)
            judge(element.placeholder, rgba(getComputedStyle(element, '::placeholder').color), [ground(element)], style(element));
        if (!own || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest('[class=hidden], noscript, option'))
            continue;
        if (!(element instanceof SVGElement))
            judge(own, rgba(style(element).color), [ground(element)], style(element));
        else if (opacity(element) === 1) /* what is off the way steps back on purpose */
            judge(own, rgba(style(element).fill), below(element), style(element));
    }
    return [...new Set(found)];
}

for (const colorScheme of ['light', 'dark'])
    test(`every text has enough contrast, ${colorScheme}`, async t => {
        const site = await t.serve({ files }), id = await someExchanges(site), page = await t.open(site, '', { colorScheme });
        const check = async about => equal(await page.evaluate(faint), [], about);

        for (const { id: one } of (await site.api('/api/exchanges')).exchanges) {
            await page.goto(new URL(`#id=${one}`, site.console).href);
            await eventually(() => lit(page), ids => ids.length > 0, 'the lit way');
            await page.locator('.picture [role=button]').last().dispatchEvent('pointerenter');
            await check(`exchange ${one}`);
        }
        for (const address of views(id)) {
            await page.goto(new URL(address, site.console).href);
            await shown(page, address);
            await check(address);
        }
        await page.goto(new URL('#exchanges?status:none', site.console).href);
        await page.getByRole('button', { name: 'Failed or slow' }).click();
        await page.getByRole('button', { name: 'Pause' }).click();
        await check('pressed buttons');
        await page.goto(new URL('#traffic', site.console).href);
        await drawn(page);
        await page.locator('.frame').focus();
        await page.keyboard.press('Tab');
        await page.keyboard.press('Tab');
        for (let i = 0; i < 8; i++)
            await page.keyboard.press('+');
        await check('the map from near');
    });

/* Whatever is wider than its place, and the page itself. */
function overflowing() {
    const found = document.documentElement.scrollWidth > innerWidth ? ['the page'] : [];

    for (const element of document.querySelectorAll('body, body *')) {
        const scrolls = ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);

        if (scrolls && element.scrollWidth > element.clientWidth && element.localName !== 'pre')
            found.push(`${element.localName}.${element.className}`);
        if (element instanceof HTMLElement && element.checkVisibility() && !element.closest('.skip, .card, .hidden') && element.getBoundingClientRect().right > innerWidth + 0.5)
            found.push(`${element.localName}.${element.className} ends at ${Math.round(element.getBoundingClientRect().right)}`);
    }
    return found;
}

for (const width of [390, 360])
    test(`nothing is wider than a phone of ${width} pixels`, async t => {
        const site = await t.serve({ files, route: { write: 'on' } }), id = await someExchanges(site);

        await t.hold(site, `PUT /${'u'.repeat(200)} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n`);
        for (const locale of ['en', 'zh-CN']) {
            const page = await t.open(site, '', { locale, viewport: { width, height: 780 }, isMobile: true, hasTouch: true });

            for (const address of views(id)) {
                await page.goto(new URL(address, site.console).href);
                await shown(page, address);
                equal(await page.evaluate(overflowing), [], `${locale} ${address}`);
            }
        }
    });

/* Does something else lie over the end of the way, or is it out of sight? null when it can be seen whole. */
function hiddenEnd(ids) {
    const end = ids.map(id => document.getElementById(id) ?? document.getElementById(`a_${id}`)).find(Boolean).getBoundingClientRect();
    const frame = document.querySelector('.frame').getBoundingClientRect();
    const meets = other => other.left < end.right && other.right > end.left && other.top < end.bottom && other.bottom > end.top;

    if (end.left < frame.left || end.right > frame.right || end.top < frame.top || end.bottom > frame.bottom)
        return `out of sight: ${JSON.stringify(end)} in ${JSON.stringify(frame)}`;
    return [...document.querySelectorAll('.tools, .map:not(.idle)')].find(part => meets(part.getBoundingClientRect()))?.getAttribute('class') ?? null;
}

for (const [name, viewport] of [['a wide page', { width: 1440, height: 900 }], ['a page of one column', { width: 900, height: 700 }], ['a phone', { width: 360, height: 740 }]])
    test(`nothing lies over the end of a way, on ${name}`, async t => {
        const site = await t.serve({ files, routes: [{ path: '/later', answer: { reason: 'maintenance' } }] });

        await someExchanges(site);
        await site.get('/later');
        await site.get('/a.txt', '--range', '99-');
        await site.get('/a.txt', '--request', 'DELETE');
        await site.get('/a.txt', '--header', 'If-Match: "other"');
        await site.raw('GET / HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n');
        const page = await t.open(site, '', { viewport });

        for (const row of (await site.api('/api/exchanges')).exchanges) {
            const { end } = await site.api(`/api/exchanges/${row.id}`);

            await page.goto(new URL(`#id=${row.id}`, site.console).href);
            await eventually(() => page.locator('.headline .reason').innerText(), row.reason);
            await eventually(() => lit(page), ids => ids.includes(end.edge), 'the lit end');
            equal(await page.evaluate(hiddenEnd, end.edge.includes('-stop-') ? [end.edge] : [end.box]), null, `over the end of ${row.reason}`);
        }
    });

test('one finger scrolls past the drawing, two move it', async t => {
    const site = await t.serve({ files }), id = await someExchanges(site);
    const page = await t.open(site, `#id=${id}`, { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });
    const cdp = await page.context().newCDPSession(page), side = page.locator('.side'), box = () => page.locator('.frame .picture').getAttribute('viewBox');

    await drawn(page);
    await eventually(() => lit(page), ids => ids.length > 0, 'the lit way');
    await side.evaluate(element => { element.scrollTop = document.querySelector('.stage').offsetTop - 200; });
    const before = await side.evaluate(element => element.scrollTop), view = await box();
    const { x, y } = await page.locator('.frame').evaluate(element => {
        const at = element.getBoundingClientRect();

        return { x: Math.round(at.x + at.width / 3), y: Math.round(at.y + at.height / 2) };
    });
    const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })) });
    /* As fast as a hand: the browser tells scrolling from tapping by the time between the moves. */
    const move = async way => {
        for (let fingers = 1; fingers <= way(0).length; fingers++)
            await touch('touchStart', ...way(0).slice(0, fingers));
        for (let i = 1; i <= 12; i++) {
            await touch('touchMove', ...way(i));
            await sleep(16);
        }
        await touch('touchEnd');
    };

    await move(i => [[x, y - i * 10]]);
    await eventually(() => side.evaluate(element => element.scrollTop), top => top > before + 60, 'how far it scrolled');
    equal(await box(), view, 'what the drawing shows after one finger went up');
    const scrolled = await settled(() => side.evaluate(element => element.scrollTop)), top = y - Math.round(scrolled - before);

    await move(i => [[x + i * 6, top]]);
    const moved = (await box()).split(' ').map(Number);

    ok(moved[0] < Number(view.split(' ')[0]), 'one finger sideways moves the drawing');
    await move(i => [[x - i * 4, top + i * 3], [x + 60 + i * 4, top + i * 3]]);
    const near = (await box()).split(' ').map(Number);

    ok(near[2] < moved[2] * 0.8, 'two fingers apart bring it nearer');
    await move(i => [[x, top - i * 4], [x + 60, top - i * 4]]);
    ok((await box()).split(' ').map(Number)[1] > near[1], 'two fingers together move it up');
    equal(await settled(() => side.evaluate(element => element.scrollTop)), scrolled, 'where the page is');
});
