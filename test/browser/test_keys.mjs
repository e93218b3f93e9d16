/* Everything by keyboard alone: no test here touches the mouse. */

import { boxStyle, drawn, live, lit, targets } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

const focused = page => page.evaluate(() => document.activeElement.matches('.filter') ? 'filter' : document.activeElement.className || document.activeElement.id || document.activeElement.localName);

test('a walk through the exchanges', async t => {
    const site = await t.serve({ files: { 'a.txt': 'a' } }), ids = [];

    for (const target of ['/one', '/two', '/a.txt'])
        ids.unshift((await site.get(target)).id);
    const page = await t.open(site), press = key => page.keyboard.press(key);
    const asked = () => page.locator('.headline .asked').innerText();

    await live(page);
    await eventually(() => targets(page), ['/a.txt', '/two', '/one']);
    await press('Tab');
    equal(await focused(page), 'skip', 'the first stop');
    await press('Enter');
    equal(await focused(page), 'main', 'behind the skip link');
    await press('/');
    equal(await focused(page), 'filter');
    await page.keyboard.type('one');
    await eventually(() => targets(page), ['/one']);
    await press('Control+A');
    await press('Delete');
    await eventually(() => targets(page), ['/a.txt', '/two', '/one']);
    await press('Escape');
    ok(await focused(page) !== 'filter', 'Escape leaves the box');
    await press('j');
    await press('j');
    equal(await page.locator('[aria-selected=true] .target').textContent(), '/two');
    await press('k');
    await press('j');
    await press('Enter');
    await eventually(asked, 'GET /two');
    equal(new URL(page.url()).hash, `#id=${ids[1]}`);
    await press('j');
    await eventually(asked, 'GET /one');
    await press('ArrowUp');
    await eventually(asked, 'GET /two');
    await press('Escape');
    await eventually(() => page.locator('.headline').count(), 0, 'exchanges shown after Escape');
    equal(await focused(page), 'grid');
    await press('p');
    await eventually(() => page.locator('.live').getAttribute('data-state'), 'paused');
    await press('Space');
    await eventually(() => page.locator('.live').getAttribute('data-state'), 'live');
    await press('f');
    await eventually(() => targets(page), ['/two', '/one']);
});

/* From the start of the page by the Tab key to the first element that fits. */
async function tabTo(page, selector) {
    for (let i = 0; i < 80; i++) {
        if (await page.evaluate(wanted => document.activeElement.matches(wanted), selector))
            return;
        await page.keyboard.press('Tab');
    }
    throw new Error(`the Tab key does not come to ${selector}`);
}

test('the way of an exchange, in the drawing and in the list', async t => {
    const site = await t.serve(), { id } = await site.get('/missing'), { path } = await site.api(`/api/exchanges/${id}`), page = await t.open(site, `#id=${id}`);
    const card = page.locator('.card-name');

    await drawn(page);
    await eventually(() => lit(page), ids => ids.length > 0, 'the lit way');
    await tabTo(page, '.frame');
    const before = await page.locator('.frame .picture').getAttribute('viewBox');

    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('+');
    ok(await page.locator('.frame .picture').getAttribute('viewBox') !== before, 'keys move the drawing');
    await page.keyboard.press('0');
    await tabTo(page, '.picture [role=button]');
    await eventually(() => card.innerText(), `${path.at(-1).block} / ${path.at(-1).node}`);
    ok((await boxStyle(page, path.at(-1).node)).width > (await boxStyle(page, path.at(-2).node)).width, 'the node with the focus is marked');
    await page.keyboard.press('ArrowUp');
    await eventually(() => card.innerText(), `${path.at(-2).block} / ${path.at(-2).node}`);
    await page.keyboard.press('Home');
    await eventually(() => card.innerText(), `${path[0].block} / ${path[0].node}`);
    await tabTo(page, '.fold button');
    await page.keyboard.press('Enter');
    await tabTo(page, '.steps .step');
    equal(await page.locator('.step.looked .step-name').count(), 1, 'steps looked at');
    await page.keyboard.press('Escape');
    await eventually(() => page.locator('.headline').count(), 0);
});

test('the reference', async t => {
    const page = await t.open(await t.serve(), '#reference');

    await page.locator('.found li').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('418');
    await eventually(() => page.locator('.found li').first().getAttribute('data-key'), '418');
    await page.keyboard.press('Enter');
    await eventually(() => page.locator('.pane h2').first().innerText(), /^418/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    ok(await page.evaluate(() => document.activeElement.closest('.found li') !== null), 'arrow keys go into the list');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    equal(await focused(page), 'filter');
    await page.keyboard.press('Escape');
    equal(await page.locator('input.filter').inputValue(), '');
});

test('whatever has the focus can be seen to have it', async t => {
    const site = await t.serve(), { id } = await site.get('/missing');

    for (const address of [`#id=${id}`, '#traffic', '#now', '#404']) {
        const page = await t.open(site, address), bare = [];

        await page.locator('main h2, main .counter, main .bar').first().waitFor();
        for (let i = 0; i < 40; i++) {
            await page.keyboard.press('Tab');
            const lacking = await page.evaluate(() => {
                const it = document.activeElement, visible = element => element && getComputedStyle(element).outlineStyle !== 'none' && parseFloat(getComputedStyle(element).outlineWidth) > 0;

                return it === document.body || visible(it) || visible(it.nextElementSibling) || it.closest('.picture') ? null : it.outerHTML.slice(0, 80);
            });

            if (lacking)
                bare.push(lacking);
        }
        equal([...new Set(bare)], [], `without a mark in ${address}`);
    }
});
