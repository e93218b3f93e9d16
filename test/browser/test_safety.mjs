/* What comes over a socket is text, whatever it says. A script that ran would set window.__hit, which browser.mjs reports. */

import { rowOf } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

const script = "<script>window.__hit='script'</script>", image = "<img src=x onerror=window.__hit='image'>", drawing = "<svg/onload=window.__hit='svg'>";

async function harmless(page) {
    const made = await page.evaluate(() => document.querySelectorAll('body script, img, iframe, object, embed, [onerror], [onload]').length);

    equal(made, 0, 'elements that came as data');
    ok(!await page.evaluate(() => 'hit' in window), 'nothing was run');
}

test('a script in a target, a field or a method is shown as text', async t => {
    const site = await t.serve(), page = await t.open(site);
    const sent = [
        await site.raw(`GET /${script}?q=${drawing} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
        await site.raw(`GET /%3Cimg?q=javascript:window.__hit=1 HTTP/1.1\r\nHost: a\r\nReferer: ${image}\r\nUser-Agent: "'>${script}${drawing}\r\nConnection: close\r\n\r\n`),
        await site.raw(`${drawing} / HTTP/1.1\r\nHost: ${script}\r\n\r\n`),
    ];

    ok((await rowOf(page, sent[0].id)).target.includes(script), 'the target is shown as it came');
    for (const { id } of sent) {
        await page.locator(`#row-${id}`).click();
        await eventually(() => page.locator('.exchange .copy code').first().innerText(), id);
        await page.locator('.picture.lit').waitFor();
        await harmless(page);
    }
    await page.locator(`#row-${sent[1].id}`).click();
    await eventually(() => page.locator('.messages').innerText(), text => text.includes(image) && text.includes(`"'>${script}${drawing}`), 'fields as text');
    await harmless(page);
    await page.goto(new URL('#traffic', site.console).href);
    await page.locator('.ranking li').first().waitFor();
    await harmless(page);
});

test('a script in a file name is shown as text, here and in a listing', async t => {
    t.allow(/favicon\.ico/);
    const name = image.replace(/\//g, ''), site = await t.serve({ files: { [name]: 'x', 'docs/a.txt': 'a' }, route: { listing: 'on' } });
    const found = await site.get(`/${encodeURIComponent(name)}`), missing = await site.get(`/no-${encodeURIComponent(name)}`);

    equal([found.status, missing.status], [200, 404]);
    const page = await t.open(site, `#id=${missing.id}`);

    await eventually(() => page.locator('.headline dd').first().innerText(), `/no-${name}`, 'the operand');
    await harmless(page);
    const listing = await t.open(site, `${site.url}/`);

    ok((await listing.locator('body').innerText()).includes(name), 'the listing has the name');
    await harmless(listing);
});

test('a script in what is still running is shown as text', async t => {
    const site = await t.serve({ route: { write: 'on' } });

    await t.hold(site, `PUT /%3Cscript%3Ewindow.__hit=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n`);
    const page = await t.open(site, '#now');

    await eventually(() => page.locator('.running .asked').first().innerText(), /PUT \/%3Cscript%3E/);
    await harmless(page);
});

test('a script in the address is shown as text', async t => {
    t.allow(/404 \(Not Found\)|400 \(Bad Request\)/);
    const site = await t.serve();

    for (const address of [`#${image}`, `#id=${image}`, `#exchanges?${drawing}`, `#now=${image}`, `#reason:${script}`]) {
        const page = await t.open(site, address);

        await page.locator('main > *').first().waitFor();
        await eventually(() => page.locator('body').innerText(), text => text.length > 40, address);
        await harmless(page);
    }
});

test('the page may load nothing from elsewhere and run nothing inline', async t => {
    t.allow(/policy: |Content Security Policy/);
    const site = await t.serve(), page = await t.open(site);
    const stopped = await page.evaluate(() => new Promise(done => {
        const found = new Set(), tell = event => {
            found.add(event.effectiveDirective);
            if (found.size === 4)
                done([...found].sort());
        };

        document.addEventListener('securitypolicyviolation', tell);
        document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.inline = 1' }));
        document.body.append(Object.assign(document.createElement('img'), { src: 'http://127.0.0.1:9/x.png' }));
        document.body.append(Object.assign(document.createElement('iframe'), { src: 'http://127.0.0.1:9/' }));
        fetch('http://127.0.0.1:9/').catch(() => {});
    }));

    equal(stopped, ['connect-src', 'frame-src', 'img-src', 'script-src-elem']);
    ok(!await page.evaluate(() => 'inline' in window), 'the script did not run');
});
