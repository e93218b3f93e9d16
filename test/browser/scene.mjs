/* What one test has: its servers, its pages, its open connections. All of it ends with the test. */

import { openPage } from './browser.mjs';
import { hold } from './request.mjs';
import { Site } from './site.mjs';

export class Scene {
    #browser;
    #verdict;
    #sites = [];
    #pages = [];
    #held = [];
    #said = [];
    #allowed = [];

    constructor(browser, verdict) {
        this.#browser = browser;
        this.#verdict = verdict;
    }

    /* A running server: see site.mjs. */
    async serve(options = {}) {
        const site = new Site(this.#verdict, options);

        this.#sites.push(site);
        await site.start();
        return site;
    }

    /* where: what follows the console's address, such as '#404'; or a whole address. options: of a context of playwright. */
    async open(site, where = '', options = {}) {
        const page = await openPage(this.#browser, { viewport: { width: 1440, height: 900 }, ...options }, text => this.#said.push(text));

        this.#pages.push(page);
        await page.goto(new URL(where, site.console).href);
        return page;
    }

    /* Sends the beginning of a request and waits: see request.mjs. */
    async hold(site, text) {
        const held = await hold(site.port, text);

        this.#held.push(held);
        return held;
    }

    /* What a page may say in this test, such as that the server is gone while it is. */
    allow(...expressions) {
        this.#allowed.push(...expressions);
    }

    complaints() {
        return this.#said.filter(text => !this.#allowed.some(expression => expression.test(text)));
    }

    check() {
        const all = this.complaints();

        if (all.length)
            throw new Error(`the page complains: ${all[0]}`);
    }

    /* A picture of the page opened last; false where there is none. */
    async shoot(file) {
        const page = this.#pages.at(-1);

        return page ? page.screenshot({ path: file, timeout: 5000 }).then(() => true, () => false) : false;
    }

    async end() {
        for (const held of this.#held)
            held.destroy();
        for (const page of this.#pages)
            await page.context().close();
        const ends = await Promise.allSettled(this.#sites.map(site => site.remove())), bad = ends.find(end => end.status === 'rejected');

        if (bad)
            throw bad.reason;
    }
}
