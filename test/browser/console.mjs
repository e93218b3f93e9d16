/* What the tests read from the console's pages. */

import { readFile } from 'node:fs/promises';

import { eventually } from './harness.mjs';

/* The page's own words, {key: [English, Simplified Chinese, Traditional Chinese]}. */
export async function pageTexts() {
    const source = await readFile(new URL('../../src/admin/page/text.js', import.meta.url));

    return (await import(`data:text/javascript;base64,${source.toString('base64')}`)).texts;
}

/* {status, reason, target...} of the row of an exchange, once it is there. */
export async function rowOf(page, id) {
    await page.locator(`#row-${id}`).waitFor();
    return page.locator(`#row-${id}`).evaluate(line => Object.fromEntries([...line.children].map(cell => [cell.classList[1], cell.textContent])));
}

export const rows = page => page.locator('.space .line').count();

/* Targets of the rows in sight, the newest first. */
export function targets(page) {
    return page.locator('.space .line').evaluateAll(lines => lines
        .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex')).map(line => line.querySelector('.target').textContent));
}

/* Ids of all that is lit in the drawing. */
export function lit(page) {
    return page.locator('.picture .on[id]').evaluateAll(parts => parts.map(part => part.id.replace(/^a_/, '')).sort());
}

/* What has to be lit for an exchange as the API tells it. */
export function wayOf({ path, end }) {
    const ids = path.flatMap(step => [`n-${step.node}`, step.edge, ...step.answer === 'stopped' ? [`e-${step.node}-stop`, `r-${step.node}-stop`] : []]);

    return [...new Set([...ids, end?.box, end?.edge].filter(Boolean))].sort();
}

/* Waits until a drawing is there and shows what it has to. */
export async function drawn(page) {
    await page.locator('.frame .picture[viewBox]').waitFor();
    await eventually(() => page.locator('.frame .picture').evaluate(svg => svg.clientWidth), width => width > 0, 'width of the drawing');
}

/* How the box of a node is drawn: {fill, stroke, width}. */
export function boxStyle(page, node) {
    return page.locator(`[id="n-${node}"] :is(path, polygon)`).first().evaluate(shape => {
        const { fill, stroke, strokeWidth } = getComputedStyle(shape);

        return { fill, stroke, width: parseFloat(strokeWidth) };
    });
}

/* The next pages get what change() makes of the API's answer at this path, and no events, which would tell it as it is. */
export async function retold(page, path, change) {
    await page.route(url => url.pathname === '/events', route => route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' }));
    await page.route(url => url.pathname === path, async route => {
        const answer = await (await route.fetch()).json();

        await route.fulfill({ json: change(answer, new URL(route.request().url()).searchParams) });
    });
}

export const live = page => eventually(() => page.locator('.live').getAttribute('data-state'), 'live', 'state of the stream');
