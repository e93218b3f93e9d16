/*
 * What a test is made of.
 *
 *     import { equal, eventually, test } from './harness.mjs';
 *
 *     test('a request appears as a row', async t => {
 *         const site = await t.serve({ files: { 'a.txt': 'hello' } });      // a server of its own: scene.mjs, site.mjs
 *         const page = await t.open(site, '#exchanges');                   // a page of playwright, in a browser of its own
 *
 *         await site.get('/a.txt');
 *         await eventually(() => page.locator('.space .line').count(), 1);
 *     });
 *
 * A test passes when it returns, no page complained, and its servers end with 0.
 */

import { deepStrictEqual, ok as isTrue } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 8000, POLL_MS = 20;

export const registered = [];

export function test(name, body) {
    registered.push({ name, body });
}

export function ok(truth, about) {
    isTrue(truth, about);
}

export function equal(got, wanted, about = 'value') {
    deepStrictEqual(got, wanted, `${about}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

/* Asks until the answer is the wanted one, or fits the wanted expression or function. Returns the answer. */
export async function eventually(ask, wanted, about = 'value') {
    const fits = wanted instanceof RegExp ? got => wanted.test(got) : typeof wanted === 'function' ? wanted
        : got => JSON.stringify(got) === JSON.stringify(wanted);
    const end = Date.now() + PATIENCE_MS;

    for (;;) {
        const got = await ask();

        if (fits(got))
            return got;
        if (Date.now() > end)
            throw new Error(`${about}: got ${JSON.stringify(got)} to the last, wanted ${wanted instanceof Function ? 'otherwise' : wanted instanceof RegExp ? wanted : JSON.stringify(wanted)}`);
        await sleep(POLL_MS);
    }
}

/* Asks until the answer stays the same for a while, and returns it. */
export async function settled(ask) {
    let last = await ask();

    for (let same = 0; same < 5;) {
        await sleep(POLL_MS);
        const got = await ask();

        same = got === last ? same + 1 : 0;
        last = got;
    }
    return last;
}
