/* The three languages. */

import { pageTexts, rowOf } from './console.mjs';
import { equal, eventually, ok, test } from './harness.mjs';

const han = /\p{Script=Han}/u;

test('each text is there in three languages, with the same places for values', async () => {
    const places = text => (text.match(/\{\w+\}/g) ?? []).sort();

    for (const [key, forms] of Object.entries(await pageTexts())) {
        equal(forms.length, 3, key);
        for (const form of forms.slice(1))
            for (const english of forms[0].split('|').filter(one => /\{n\}/.test(one) || !forms[0].includes('|')))
                equal(places(form), places(english), key);
    }
});

test('choosing a language changes every view and is remembered', async t => {
    const site = await t.serve(), { id } = await site.get('/missing'), page = await t.open(site), texts = await pageTexts();

    for (const [i, code] of [[1, 'zh-CN'], [2, 'zh-TW'], [0, 'en']]) {
        await page.locator('select.language').selectOption(code);
        equal(await page.locator('html').getAttribute('lang'), code);
        for (const view of ['exchanges', 'traffic', 'now', 'reference'])
            equal(await page.locator(`[data-view=${view}]`).innerText(), texts[view][i], view);
        equal(await page.locator('input.filter').getAttribute('placeholder'), texts.filterPlaceholder[i]);
        await page.locator(`#row-${id}`).click();
        const { what } = (await site.api(`/api/exchanges/${id}?lang=${code}`)).explanation;

        await eventually(() => page.locator('.headline .what').innerText(), what);
        equal(han.test(what), code !== 'en', 'the explanation is of the language');
        ok((await page.locator('.path h3').innerText()).startsWith(texts.path[i].split('{')[0].split('|')[0].trim()), 'the title of the way');
        await page.keyboard.press('Escape');
        await page.reload();
        await rowOf(page, id);
        equal(await page.locator('html').getAttribute('lang'), code, 'language after a reload');
        equal(await page.locator('select.language').inputValue(), code);
        equal(await page.locator('[data-view=now]').innerText(), texts.now[i]);
    }
});

test('nothing of the page stays English', async t => {
    const site = await t.serve(), { id } = await site.get('/missing'), texts = await pageTexts(), page = await t.open(site, '', { locale: 'zh-CN' });
    /* Names within the graph are what they are. */
    const names = ['yes', 'no', ...(await site.api('/api/graph')).blocks.map(block => block.name)];

    for (const [address, place] of [[`#id=${id}`, '.exchange'], ['#traffic', '.counters'], ['#now', '.now'], ['#404', '.pane']]) {
        await page.goto(new URL(address, site.console).href);
        await eventually(() => page.locator(place).innerText(), text => han.test(text), address);
        const shown = new Set((await page.locator('body').innerText()).split('\n').map(line => line.trim()));
        const english = Object.values(texts).filter(forms => forms[0] !== forms[1] && shown.has(forms[0]) && !names.includes(forms[0])).map(forms => forms[0]);

        equal(english, [], `English in ${address}`);
    }
});

test('the first language is the one that the browser asks for', async t => {
    const site = await t.serve();

    for (const [locale, code] of [['de-DE', 'en'], ['zh-CN', 'zh-CN'], ['zh-HK', 'zh-TW'], ['zh-Hant', 'zh-TW'], ['zh', 'zh-CN']]) {
        const page = await t.open(site, '', { locale });

        equal(await page.locator('html').getAttribute('lang'), code, locale);
    }
});
