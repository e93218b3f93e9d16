/* The browser, and what its pages complain about. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const CHROMIUM = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync) ?? '/usr/bin/chromium';

/* place: where playwright-core is installed. */
export function launch(place) {
    const { chromium } = createRequire(path.join(place, 'package.json'))('playwright-core');

    return chromium.launch({
        executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'], handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
    });
}

/* In each page, before its own scripts: what was stopped, and what a script that came as data would do. */
function watch() {
    addEventListener('securitypolicyviolation', event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`), true);
    Object.defineProperty(window, '__hit', { set: from => console.error(`a script ran: ${from}`) });
}

/* A page in a context of its own. complain(text) is called with whatever it says. */
export async function openPage(browser, options, complain) {
    const context = await browser.newContext({ locale: 'en-GB', ...options }), page = await context.newPage();

    await context.addInitScript(watch);
    page.setDefaultTimeout(8000);
    page.on('pageerror', error => complain(`error: ${error.message}`));
    page.on('console', message => ['error', 'warning'].includes(message.type()) && complain(`${message.type()}: ${message.text()} ${message.location().url}`));
    page.on('dialog', dialog => {
        complain(`dialog: ${dialog.message()}`);
        dialog.dismiss();
    });
    return page;
}
